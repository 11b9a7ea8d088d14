//! A session that plans: it proposes, a person decides, and nothing else ends it.

use harness_core::{
    AddedFeature, ApprovalAnswer, CheckStatus, Decided, Event, FeatureId, GivenAnswer, Goal,
    ProposalSettled, ProposalWord, QuestionId, RewindWhat, Timestamp, TurnNumber,
};

use super::script::Script;
use crate::facts;

const PROPOSE: (&str, &str) = (
    "propose",
    r#"{"features":[{"title":"Import CSV","acceptance":["a comma in quotes stays"]},{"title":"Report bad rows","acceptance":["the line is named"],"depends_on":["1"]}]}"#,
);

fn planning(attended: bool, steered: bool) -> Script {
    let feature = Script::feature(1);
    let gates = vec![facts::gate("test")];
    let mut run = Script::closed(Goal::Plan { feature }, 1, gates, |run| {
        run.attended = attended;
        run.steered = steered;
        run.features[0].scope.write = vec!["src/**".to_owned()];
        run.policy.scope.write.clear();
    });
    run.opens(1);
    run
}

fn settled(word: ProposalWord, problem: &str) -> Event {
    let is_yes = matches!(word, ProposalWord::Accepted { .. }) && problem.is_empty();
    Event::ProposalSettled(Box::new(ProposalSettled {
        call: Script::id(1, 0),
        proposal: FeatureId::plan(1),
        word,
        features: is_yes
            .then(|| AddedFeature {
                number: 1,
                feature: Script::feature(7),
                title: "Import CSV".to_owned(),
            })
            .into_iter()
            .collect(),
        file: None,
        remarks: Vec::new(),
        problem: problem.to_owned(),
    }))
}

fn accepted(without: &[u16]) -> ProposalWord {
    ProposalWord::Accepted {
        without: without.to_vec(),
    }
}

fn kept() -> Event {
    Event::ProposalKept {
        call: Script::id(1, 0),
        problem: String::new(),
    }
}

fn answered(answer: ApprovalAnswer) -> Event {
    Event::ApprovalAnswered {
        call: Script::id(1, 0),
        answer,
    }
}

fn base(run: &mut Script, status: CheckStatus) -> String {
    run.on(&Event::BaselineEnded {
        report: Box::new(facts::report(&facts::gate("test"), status)),
        cached: false,
    })
}

#[test]
fn a_proposal_is_kept_asked_about_and_settled_before_the_session_ends() {
    let mut run = planning(true, false);
    assert_eq!(
        run.calls(&[PROPOSE]),
        "allow 1.0; features proposed; keep 1.0"
    );
    assert_eq!(run.on(&kept()), "approval asked; ask approval 1.0");
    let part = ApprovalAnswer::Part { without: vec![2] };
    assert_eq!(run.on(&answered(part)), "settle 1.0");
    // The gates on the base are waited for: who works next stands on them.
    assert_eq!(run.on(&settled(accepted(&[2]), "")), "");
    let end = base(&mut run, CheckStatus::Red);
    assert!(end.ends_with("run ended answered"), "{end}");
    assert!(!end.contains("gate test"), "{end}");
}

#[test]
fn words_go_back_to_the_agent_and_a_refusal_ends_the_run() {
    let mut run = planning(true, false);
    run.calls(&[PROPOSE]);
    run.on(&kept());
    let no = ApprovalAnswer::No {
        reason: "smaller".to_owned(),
    };
    let told = run.on(&answered(no));
    assert!(told.ends_with("request 2"), "{told}");
    assert!(run.prompt().contains("wants it otherwise: smaller"));

    let mut run = planning(true, false);
    run.calls(&[PROPOSE]);
    run.on(&kept());
    assert_eq!(run.on(&answered(ApprovalAnswer::Never)), "settle 1.0");
    let word = ProposalWord::Refused {
        reason: String::new(),
    };
    let end = run.on(&settled(word, ""));
    assert!(end.ends_with("run ended interrupted"), "{end}");
}

#[test]
fn where_nobody_is_there_it_waits_for_a_person() {
    let mut run = planning(false, false);
    run.calls(&[PROPOSE]);
    let end = run.on(&kept());
    assert!(end.ends_with("run ended needs_human"), "{end}");
}

#[test]
fn a_yes_that_could_not_be_carried_out_says_so() {
    let mut run = planning(true, false);
    run.calls(&[PROPOSE]);
    run.on(&kept());
    run.on(&answered(ApprovalAnswer::Once));
    let end = run.on(&settled(accepted(&[]), "the list cannot be read"));
    assert!(end.ends_with("run ended needs_human"), "{end}");
}

#[test]
fn a_word_that_was_said_is_carried_out_after_a_crash() {
    let mut run = planning(true, false);
    run.calls(&[PROPOSE]);
    run.on(&kept());
    run.on(&answered(ApprovalAnswer::Part { without: vec![1] }));
    // The process dies while it is carried out; nobody has to say it again.
    let resumed = run.crashes();
    assert!(resumed.contains("settle 1.0"), "{resumed}");
    assert!(!resumed.contains("ask approval"), "{resumed}");
}

#[test]
fn nothing_is_written_claimed_or_judged_by_gates() {
    for call in [
        ("write", r#"{"path":"src/a.rs","content":"x"}"#),
        ("edit", r#"{"path":"src/a.rs","old":"x","new":"y"}"#),
        ("finish", r#"{"text":"done"}"#),
        ("check", "{}"),
        ("request", r#"{"paths":["src/**"],"reason":"more"}"#),
        ("propose", r#"{"features":[]}"#),
        (
            "propose",
            r#"{"features":[{"title":"a","acceptance":["b"],"status":"passing"}]}"#,
        ),
    ] {
        let mut run = planning(true, true);
        let told = run.calls(&[call]);
        assert!(told.ends_with("request 2"), "{call:?}: {told}");
        assert!(run.prompt().contains("denied: "), "{call:?}");
    }
    // And a session that works proposes nothing.
    let mut run = Script::features(1, Vec::new());
    run.calls(&[PROPOSE]);
    assert!(run.prompt().contains("a session of `harness plan` only"));
}

#[test]
fn an_agent_that_stops_without_a_proposal_is_told_and_then_left() {
    let mut run = planning(true, false);
    base(&mut run, CheckStatus::Green);
    let told = run.says("I would add an importer.");
    assert!(told.ends_with("request 2"), "{told}");
    let end = run.says("As I said.");
    assert!(end.ends_with("run ended needs_human"), "{end}");

    let mut run = planning(true, true);
    assert_eq!(run.says("What do you think?"), "person awaited");
    // There is nothing that gates could decide.
    assert_eq!(run.on(&Event::ClaimTaken), "");
}

const ASK: (&str, &str) = ("ask", r#"{"text":"Commas or tabs?"}"#);

fn given() -> GivenAnswer {
    GivenAnswer {
        question: QuestionId::new(1),
        feature: Script::feature(1),
        asked: "Commas or tabs?".to_owned(),
        answer: "commas".to_owned(),
        by: "a person".to_owned(),
        at: Timestamp::from_millis(1),
    }
}

fn decided() -> Vec<Decided> {
    vec![Decided {
        question: "Commas or tabs?".to_owned(),
        answer: "commas".to_owned(),
    }]
}

#[test]
fn what_a_person_decides_stands_in_the_proposal_whichever_way_it_came() {
    // On the terminal.
    let mut run = planning(true, false);
    run.calls(&[ASK]);
    run.on(&Event::QuestionAnswered {
        call: Script::id(1, 0),
        answer: "commas".to_owned(),
    });
    run.calls(&[PROPOSE]);
    assert_eq!(run.proposed().decided, decided());

    // With `harness answer` while the session waits; the log says the same.
    let mut run = planning(true, false);
    run.names_questions = true;
    run.calls(&[ASK]);
    run.on(&Event::AnswerTaken(Box::new(given())));
    run.crashes_attended();
    run.calls(&[PROPOSE]);
    assert_eq!(run.proposed().decided, decided());

    // And with `harness answer` after the session was over, which is told to a new one.
    let mut run = planning(false, false);
    run.names_questions = true;
    run.calls(&[ASK]);
    run.on(&Event::AnswerTaken(Box::new(given())));
    run.resumes_attended();
    run.opens(2);
    run.calls(&[PROPOSE]);
    assert_eq!(run.proposed().decided, decided());
    let work = run.engine.run();
    let work = work.work_on(&Script::feature(1)).map(|work| &work.decided);
    assert_eq!(work, Some(&decided()));
}

#[test]
fn what_was_decided_since_is_forgotten_with_the_talk() {
    let mut run = planning(true, false);
    run.calls(&[ASK]);
    run.on(&Event::QuestionAnswered {
        call: Script::id(1, 0),
        answer: "tabs".to_owned(),
    });
    run.on(&Event::RewindAsked {
        turn: TurnNumber(1),
        what: RewindWhat::Talk,
    });
    let back = run.is_cancelled();
    assert!(back.ends_with("request 3"), "{back}");
    run.calls(&[PROPOSE]);
    assert_eq!(run.proposed().decided, []);
}
