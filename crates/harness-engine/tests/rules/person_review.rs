//! A person's review while the agent works: comments, rejections, and the gate that is red for them.

use harness_core::{
    CallEnd, CheckStatus, CheckpointNumber, CheckpointSaved, CommentAnswered, Event, JobEnd,
    OpenMustFix, Rejection, ReviewChanged, RewindWhat, Timestamp, ToldComment, ToldComments,
    TurnedDown, TurnedDownEnd, TurnedDownPart,
};

use crate::{
    facts::{self, gate},
    script::{Script, frozen},
};

const FINISH: [(&str, &str); 1] = [("finish", r#"{"text":"done"}"#)];

fn must_fix(number: u32, waits_for_person: bool) -> OpenMustFix {
    OpenMustFix {
        number,
        place: "src/a.rs:4".to_owned(),
        text: "also a newline?".to_owned(),
        waits_for_person,
    }
}

fn told(number: u32, since: u64) -> ToldComments {
    ToldComments {
        comments: vec![ToldComment {
            number,
            since: Timestamp::from_millis(since),
        }],
        text: format!("#{number} must-fix at src/a.rs:4\nalso a newline?"),
    }
}

fn commented() -> ReviewChanged {
    ReviewChanged {
        must_fix: vec![must_fix(1, false)],
        asked: vec![1],
        told: Some(told(1, 5)),
        ..ReviewChanged::default()
    }
}

fn rejected() -> ReviewChanged {
    ReviewChanged {
        rejections: vec![Rejection {
            id: "d1".to_owned(),
            hunk: "0a1b2c3d4e5f".to_owned(),
            path: facts::path("src/a.rs"),
            reason: "not needed".to_owned(),
            patch: "-let a = 1;\n".to_owned(),
        }],
        ..ReviewChanged::default()
    }
}

fn changed(changed: ReviewChanged) -> Event {
    Event::ReviewChanged(Box::new(changed))
}

fn turned_down(end: TurnedDownEnd) -> Event {
    let part = TurnedDownPart {
        id: "d1".to_owned(),
        hunk: "0a1b2c3d4e5f".to_owned(),
        path: facts::path("src/a.rs"),
        end,
    };
    Event::TurnedDown(Box::new(TurnedDown {
        parts: vec![part],
        problem: String::new(),
    }))
}

fn clash() -> Event {
    turned_down(TurnedDownEnd::Clash {
        why: "it is not there any more".to_owned(),
        line: 4,
        wanted: "let a = 0;\n".to_owned(),
        found: "let a = 2;\n".to_owned(),
    })
}

fn saved() -> Event {
    Event::CheckpointSaved(CheckpointSaved {
        number: CheckpointNumber(1),
        commit: facts::commit(50),
        tree: facts::tree(2),
        changes: Vec::new(),
        ms: 1,
    })
}

fn working() -> Script {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run
}

#[test]
fn sent_comments_are_a_persons_words_and_can_be_answered() {
    let mut run = working();
    let tools = |run: &Script| -> Vec<&str> {
        let tools = &run.prompt.as_ref().unwrap().tools;
        tools.iter().map(|tool| tool.name).collect()
    };
    assert!(!tools(&run).contains(&"reply"));
    run.on(&changed(commented()));
    run.calls(&[("note", r#"{"text":"x"}"#)]);
    assert_eq!(run.told("also a newline?"), 1, "{}", run.prompt());
    assert!(tools(&run).contains(&"reply"));
    run.calls(&[("reply", r#"{"comment":7,"text":"done"}"#)]);
    assert_eq!(
        run.told("no comment #7 waits for an answer; these do: #1"),
        1
    );
    run.calls(&[("reply", r#"{"comment":1,"text":"doubled now"}"#)]);
    assert_eq!(run.told("The person reads it."), 1);
    let known = run.engine.person_review().unwrap();
    assert!(known.asked.is_empty() && known.must_fix[0].waits_for_person);
}

#[test]
fn without_a_comment_there_is_nothing_to_reply_to() {
    let mut run = working();
    run.calls(&[("reply", r#"{"comment":1,"text":"done"}"#)]);
    assert_eq!(run.told("no comment was sent to you"), 1);
}

#[test]
fn a_finish_is_refused_while_a_comment_must_be_fixed() {
    let mut run = working();
    run.on(&changed(commented()));
    run.calls(&[("note", r#"{"text":"x"}"#)]);
    let follows = run.calls(&FINISH);
    assert!(follows.contains("refused"), "{follows}");
    assert!(!follows.contains("freeze"), "{follows}");
    assert_eq!(run.told("gate `review` is red"), 1, "{}", run.prompt());
    assert_eq!(run.told("#1 must-fix at src/a.rs:4"), 2);
    run.on(&changed(ReviewChanged::default()));
    assert!(run.calls(&FINISH).ends_with("; freeze"));
}

#[test]
fn a_comment_that_comes_while_gates_run_stops_the_commit() {
    let mut run = working();
    run.calls(&FINISH);
    run.on(&frozen(2, Vec::new()));
    run.on(&changed(commented()));
    let follows = run.checks("test", CheckStatus::Green);
    assert!(follows.contains("refused"), "{follows}");
    assert!(!follows.contains("commit"), "{follows}");
}

#[test]
fn where_only_a_word_is_missing_the_run_is_the_persons() {
    let mut run = working();
    run.on(&changed(ReviewChanged {
        must_fix: vec![must_fix(1, true)],
        ..ReviewChanged::default()
    }));
    let follows = run.calls(&FINISH);
    assert!(follows.contains("run ended needs_human"), "{follows}");
    assert!(
        run.detail().contains("harness review resolve 1"),
        "{}",
        run.detail()
    );
}

#[test]
fn on_the_screen_the_finish_waits_for_the_word() {
    let mut run = Script::steered();
    run.on(&changed(ReviewChanged {
        must_fix: vec![must_fix(1, true)],
        ..ReviewChanged::default()
    }));
    let follows = run.calls(&FINISH);
    assert!(
        !follows.contains("freeze") && !follows.contains("refused"),
        "{follows}"
    );
    let follows = run.on(&changed(ReviewChanged::default()));
    assert_eq!(follows, "freeze");
}

#[test]
fn what_was_rejected_is_taken_back_at_the_end_of_the_turn_and_told() {
    let mut run = working();
    run.calls(&[("write", r#"{"path":"src/a.rs","content":"1"}"#)]);
    assert_eq!(run.on(&changed(rejected())), "");
    let written = run.written();
    let follows = run.ends(1, 0, written);
    assert_eq!(follows, "save 1");
    assert_eq!(run.on(&saved()), "turn down 1");
    // Another process does it again.
    let follows = run.crashes();
    assert!(follows.contains("save 2"), "{follows}");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "turn down 1");
    let follows = run.on(&turned_down(TurnedDownEnd::Applied));
    assert_eq!(follows, "save 2; request 2");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "");
    assert_eq!(run.told("not needed"), 1);
    assert_eq!(run.told("-let a = 1;"), 1);
    // What is settled stays so, whatever the book still says.
    assert_eq!(run.on(&changed(rejected())), "");
    assert_eq!(run.on(&turned_down(TurnedDownEnd::Applied)), "");
}

#[test]
fn what_runs_in_the_background_ends_before_anything_is_taken_back() {
    let mut run = working();
    let job = ("shell", r#"{"command":"make dev","background":true}"#);
    run.calls(&[job]);
    run.on(&Event::JobStarted {
        call: Script::id(1, 0),
        command: "make dev".to_owned(),
    });
    assert_eq!(run.on(&changed(rejected())), "");
    let runs = CallEnd::Answered {
        text: "job runs".to_owned(),
        is_error: false,
    };
    // It could write over what is taken back.
    assert_eq!(run.ends(1, 0, runs), "stop jobs 1.0");
    let stopped = Event::JobEnded {
        call: Script::id(1, 0),
        end: JobEnd::Stopped,
        ms: 9,
    };
    assert_eq!(run.on(&stopped), "save 1");
    assert_eq!(run.on(&Event::CheckpointUnchanged), "turn down 1");
}

#[test]
fn what_a_dead_process_has_taken_back_is_told_by_the_next_one() {
    let mut run = working();
    run.on(&changed(rejected()));
    let follows = run.calls(&[("note", r#"{"text":"x"}"#)]);
    assert!(follows.ends_with("; turn down 1"), "{follows}");
    run.crashes();
    // The book knows already that nothing waits.
    run.on(&changed(ReviewChanged::default()));
    assert_eq!(run.on(&Event::CheckpointUnchanged), "turn down 1");
    run.on(&turned_down(TurnedDownEnd::Applied));
    run.on(&Event::CheckpointUnchanged);
    assert_eq!(run.told("not needed"), 1);
}

#[test]
fn no_claim_is_judged_before_what_was_rejected_is_taken_back() {
    let mut run = working();
    run.on(&changed(rejected()));
    let follows = run.calls(&FINISH);
    assert!(!follows.contains("freeze"), "{follows}");
    assert!(follows.ends_with("turn down 1"), "{follows}");
}

#[test]
fn a_clash_is_the_persons() {
    let mut run = working();
    run.on(&changed(rejected()));
    let follows = run.calls(&[("note", r#"{"text":"x"}"#)]);
    assert!(follows.ends_with("; turn down 1"), "{follows}");
    let follows = run.on(&clash());
    assert!(follows.contains("run ended needs_human"), "{follows}");
    assert!(
        run.detail().contains("0a1b2c3d4e5f of src/a.rs"),
        "{}",
        run.detail()
    );

    let mut run = Script::steered();
    run.on(&changed(rejected()));
    run.calls(&[("note", r#"{"text":"x"}"#)]);
    let follows = run.on(&clash());
    assert!(!follows.contains("request"), "{follows}");
    let follows = run.hears("leave it");
    assert!(follows.ends_with("request 2"), "{follows}");
}

#[test]
fn what_the_agent_has_forgotten_it_is_told_again() {
    let mut run = working();
    run.on(&changed(commented()));
    run.calls(&[("note", r#"{"text":"x"}"#)]);
    assert_eq!(run.engine.told_comments().unwrap().len(), 1);
    run.on(&Event::RewindAsked {
        turn: harness_core::TurnNumber(1),
        what: RewindWhat::Talk,
    });
    run.is_cancelled();
    assert!(run.engine.told_comments().unwrap().is_empty());
}

#[test]
fn answers_in_the_agents_text_count_as_well() {
    let mut run = working();
    run.on(&changed(commented()));
    run.on(&Event::CommentAnswered(Box::new(CommentAnswered {
        call: None,
        number: 1,
        text: "done".to_owned(),
    })));
    assert!(run.engine.person_review().unwrap().asked.is_empty());
}
