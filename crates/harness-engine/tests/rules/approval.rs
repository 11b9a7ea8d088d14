use harness_core::{
    ApprovalAnswer, CallEnd, Captured, CommandRule, Event, Goal, Outcome, RuleDecision, Stop,
};

use super::script::Script;

const PUBLISH: (&str, &str) = ("shell", r#"{"command":"npm publish"}"#);

/// A run of one feature with a rule that asks about `npm publish`.
fn asking(attended: bool) -> Script {
    let mut run = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.attended = attended;
        run.policy.commands = vec![CommandRule {
            prefix: vec!["npm".to_owned(), "publish".to_owned()],
            exact: false,
            decision: RuleDecision::Ask,
            reason: "publishing is a person's".to_owned(),
            origin: "harness.toml:9".to_owned(),
        }];
    });
    run.opens(1);
    run
}

fn answers(run: &mut Script, turn: u32, answer: ApprovalAnswer) -> String {
    run.on(&Event::ApprovalAnswered {
        call: Script::id(turn, 0),
        answer,
    })
}

fn exited() -> CallEnd {
    CallEnd::Done {
        outcome: Outcome::Exited {
            stop: Stop::Exited(0),
            output: Captured::default(),
            kept: None,
        },
    }
}

/// Ends the call of a turn and the checkpoint behind it.
fn goes_on(run: &mut Script, turn: u32) {
    run.ends(turn, 0, exited());
    run.on(&Event::CheckpointUnchanged);
}

fn no(reason: &str) -> ApprovalAnswer {
    ApprovalAnswer::No {
        reason: reason.to_owned(),
    }
}

#[test]
fn what_a_rule_asks_about_waits_for_a_persons_word() {
    let mut run = asking(true);
    assert_eq!(
        run.calls(&[PUBLISH]),
        "ask 1.0; approval asked; ask approval 1.0"
    );
    assert_eq!(
        answers(&mut run, 1, ApprovalAnswer::Once),
        "perform approved 1.0"
    );
    goes_on(&mut run, 1);
    assert_eq!(
        run.calls(&[PUBLISH]),
        "ask 2.0; approval asked; ask approval 2.0"
    );
}

#[test]
fn a_no_reaches_the_agent_with_its_reason() {
    let mut run = asking(true);
    run.calls(&[PUBLISH]);
    assert_eq!(
        answers(&mut run, 1, no("use the staging registry")),
        "ended 1.0 answered; request 2"
    );
    assert_eq!(run.told("the person says no: use the staging registry"), 1);
}

#[test]
fn a_yes_for_the_session_is_a_yes_to_the_letter() {
    let mut run = asking(true);
    run.calls(&[PUBLISH]);
    answers(&mut run, 1, ApprovalAnswer::Session);
    goes_on(&mut run, 1);
    assert_eq!(run.calls(&[PUBLISH]), "allow 2.0; perform 2.0");
    goes_on(&mut run, 2);
    let other = ("shell", r#"{"command":"npm publish --tag x"}"#);
    assert_eq!(
        run.calls(&[other]),
        "ask 3.0; approval asked; ask approval 3.0"
    );
}

#[test]
fn a_kept_rule_holds_in_the_next_session_too() {
    let mut run = asking(true);
    run.calls(&[PUBLISH]);
    let rule = CommandRule {
        prefix: vec!["npm".to_owned(), "publish".to_owned()],
        exact: true,
        decision: RuleDecision::Allow,
        reason: "a person said always".to_owned(),
        origin: "rules.toml:1".to_owned(),
    };
    let always = ApprovalAnswer::Always {
        rule: rule.clone(),
        problem: String::new(),
    };
    assert_eq!(answers(&mut run, 1, always.clone()), "perform approved 1.0");
    answers(&mut run, 1, always);
    assert_eq!(run.engine.run().policy.commands.len(), 2);
    assert_eq!(run.engine.run().policy.commands[1], rule);
    goes_on(&mut run, 1);
    assert_eq!(run.calls(&[PUBLISH]), "allow 2.0; perform 2.0");
}

#[test]
fn never_denies_what_the_same_rule_would_ask_about() {
    let mut run = asking(true);
    run.calls(&[PUBLISH]);
    answers(&mut run, 1, ApprovalAnswer::Never);
    let other = ("shell", r#"{"command":"npm publish --tag x"}"#);
    assert_eq!(
        run.calls(&[other]),
        "deny 2.0; ended 2.0 refused; request 3"
    );
}

#[test]
fn without_a_person_the_feature_is_left_to_one_with_the_way_to_allow_it() {
    let mut run = asking(false);
    assert_eq!(
        run.calls(&[PUBLISH]),
        "ask 1.0; approval asked; given up needs_human; status needs_human; \
         ended 1.0 cancelled; session ended; run ended needs_human"
    );
    let detail = run.detail();
    for part in [
        "run `npm publish`",
        "asked by `npm publish ...` (harness.toml:9)",
        r#"`[[rule]] command = ["npm", "publish"] decision = "allow"`"#,
    ] {
        assert!(detail.contains(part), "{detail}");
    }
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut run = asking(true);
    assert_eq!(answers(&mut run, 1, ApprovalAnswer::Once), "");
    run.calls(&[PUBLISH]);
    run.on(&Event::ApprovalAnswered {
        call: Script::id(1, 1),
        answer: ApprovalAnswer::Once,
    });
    answers(&mut run, 1, no(""));
    assert_eq!(answers(&mut run, 1, ApprovalAnswer::Once), "");
}

#[test]
fn a_yes_in_the_log_is_never_acted_on_by_the_next_process() {
    let mut run = asking(true);
    run.calls(&[PUBLISH]);
    assert_eq!(run.crashes_attended(), "ask approval 1.0");
    run.on_unrecorded(&Event::ApprovalAnswered {
        call: Script::id(1, 0),
        answer: ApprovalAnswer::Once,
    });
    assert_eq!(run.crashes_attended(), "ended 1.0 lost; save 1; request 2");
    let mut run = asking(true);
    run.calls(&[("write", r#"{"path":"src/a.rs","content":"1"}"#), PUBLISH]);
    let written = run.written();
    run.ends(1, 0, written);
    run.dies_with(&Event::ApprovalAnswered {
        call: Script::id(1, 1),
        answer: ApprovalAnswer::Once,
    });
    assert_eq!(run.crashes_attended(), "ended 1.1 lost; save 1; request 2");
}

#[test]
fn words_that_cannot_wait_cut_the_question_short() {
    let mut run = asking(true);
    run.calls(&[PUBLISH]);
    assert_eq!(run.hears_now("stop that"), "ended 1.0 cancelled; request 2");
    assert_eq!(answers(&mut run, 1, ApprovalAnswer::Once), "");
}

const MORE: (&str, &str) = (
    "request",
    r#"{"paths":["docs/**"],"hosts":["example.org:443"],"reason":"the guide"}"#,
);
const DOCS: (&str, &str) = ("write", r#"{"path":"docs/a.md","content":"1"}"#);

#[test]
fn what_a_person_gives_holds_from_the_next_call_on() {
    let mut run = asking(true);
    assert_eq!(run.calls(&[DOCS]), "deny 1.0; ended 1.0 refused; request 2");
    assert_eq!(run.told("ask for more with the tool `request`"), 1);
    assert_eq!(
        run.calls(&[MORE]),
        "ask 2.0; approval asked; ask approval 2.0"
    );
    assert_eq!(
        answers(&mut run, 2, ApprovalAnswer::Once),
        "amended; ended 2.0 answered; request 3"
    );
    assert_eq!(
        run.told("From the next call on you may: write `docs/**`; network `example.org:443`."),
        1
    );
    assert_eq!(run.calls(&[DOCS]), "allow 3.0; perform 3.0");
    let policy = run.engine.run().policy;
    assert_eq!(policy.amendments.len(), 1);
    assert_eq!(policy.network.len(), 1);
    let written = run.written();
    run.ends(3, 0, written);
    run.on(&Event::CheckpointUnchanged);
    assert_eq!(
        run.calls(&[MORE]),
        "allow 4.0; ended 4.0 answered; request 5"
    );
    assert_eq!(run.told("open already"), 1);
}

#[test]
fn what_was_given_survives_the_process() {
    let mut run = asking(true);
    run.calls(&[MORE]);
    answers(&mut run, 1, ApprovalAnswer::Once);
    run.crashes_attended();
    assert_eq!(run.engine.run().policy.amendments.len(), 1);
    assert_eq!(run.calls(&[DOCS]), "allow 2.0; perform 2.0");
}

#[test]
fn a_yes_that_gave_nothing_yet_is_asked_for_again() {
    let mut run = asking(true);
    run.calls(&[MORE]);
    run.on_unrecorded(&Event::ApprovalAnswered {
        call: Script::id(1, 0),
        answer: ApprovalAnswer::Once,
    });
    assert_eq!(run.crashes_attended(), "ask approval 1.0");
    assert!(run.engine.run().policy.amendments.is_empty());
    assert_eq!(
        answers(&mut run, 1, no("not the guide")),
        "ended 1.0 answered; save 1; request 2"
    );
    assert_eq!(run.told("the person says no: not the guide"), 1);
}

#[test]
fn a_request_for_what_nobody_gives_reaches_no_person() {
    let mut run = asking(true);
    for (paths, turn) in [
        (".git/config", 1),
        ("src/generated/x.rs", 2),
        ("../up", 3),
        ("harness.toml", 4),
    ] {
        let arguments = format!(r#"{{"paths":["{paths}"],"reason":"x"}}"#);
        let follows = run.calls(&[("request", &arguments)]);
        assert!(
            follows.starts_with(&format!("deny {turn}.0; ended {turn}.0 refused")),
            "{paths}: {follows}"
        );
    }
}

#[test]
fn a_person_who_does_not_want_to_be_asked_for_more_is_not() {
    let mut run = asking(true);
    run.calls(&[MORE]);
    answers(&mut run, 1, ApprovalAnswer::Never);
    assert_eq!(run.calls(&[MORE]), "deny 2.0; ended 2.0 refused; request 3");
}

#[test]
fn without_a_person_a_request_leaves_the_feature_to_one() {
    let mut run = asking(false);
    let follows = run.calls(&[MORE]);
    assert!(
        follows.starts_with("ask 1.0; approval asked; given up needs_human"),
        "{follows}"
    );
    assert!(
        run.detail()
            .contains("have write `docs/**`; network `example.org:443`"),
        "{}",
        run.detail()
    );
}

#[test]
fn an_amendment_that_nobody_approved_changes_nothing() {
    let mut run = asking(true);
    run.calls(&[MORE]);
    let amendment = harness_core::Amendment {
        feature: Script::feature(1),
        write: vec!["**".to_owned()],
        may_change: Vec::new(),
        hosts: Vec::new(),
        reason: "x".to_owned(),
    };
    run.on(&Event::FeatureAmended {
        call: Script::id(1, 0),
        amendment,
    });
    assert!(run.engine.run().policy.amendments.is_empty());
}
