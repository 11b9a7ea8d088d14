//! Back to an earlier turn, and questions that are left for later.

use std::time::Duration;

use harness_core::{
    CallEnd, CheckStatus, Event, GivenAnswer, Goal, QuestionId, RewindWhat, Rewound, Timestamp,
    TurnNumber,
};
use harness_engine::{ANSWER_WAIT_MAX, Tick};

use crate::{
    facts::gate,
    script::{Script, frozen, passed},
};

const RUN: [(&str, &str); 1] = [("shell", r#"{"command":"make"}"#)];

fn asked(turn: u32, what: RewindWhat) -> Event {
    Event::RewindAsked {
        turn: TurnNumber(turn),
        what,
    }
}

fn rewound(turn: u32, what: RewindWhat) -> Event {
    Event::Rewound(Box::new(Rewound {
        turn: TurnNumber(turn),
        what,
        checkpoint: None,
        paths: Vec::new(),
        more: 0,
    }))
}

#[test]
fn talk_is_forgotten_and_turns_count_on() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.saves_changed_work(2);
    assert!(run.prompt().contains("src/a.rs"));
    let follows = run.on(&asked(1, RewindWhat::Talk));
    assert_eq!(follows, "cancel model");
    let follows = run.is_cancelled();
    assert!(follows.ends_with("request 3"), "{follows}");
    assert_eq!(run.messages(), 1, "{}", run.prompt());
    assert_eq!(run.told("The files stay as they are"), 1);
    assert!(
        run.on(&asked(2, RewindWhat::Talk))
            .contains("RewindRefused")
    );
}

#[test]
fn files_go_back_as_an_effect_that_a_crash_repeats() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.saves_changed_work(2);
    run.on(&asked(1, RewindWhat::Both));
    assert_eq!(run.is_cancelled(), "files back to turn 1");
    let follows = run.crashes();
    assert!(follows.contains("save"), "{follows}");
    assert!(
        run.on(&Event::CheckpointUnchanged)
            .contains("files back to turn 1")
    );
    let follows = run.on(&rewound(1, RewindWhat::Both));
    assert!(follows.ends_with("save 2; request 3"), "{follows}");
    // The end of a wish that nobody has any more is nothing.
    assert_eq!(run.on(&rewound(1, RewindWhat::Both)), "");
}

#[test]
fn a_proof_that_is_being_committed_is_not_gone_back_from() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.on(&frozen(2, Vec::new()));
    run.checks("test", CheckStatus::Green);
    let follows = run.on(&asked(1, RewindWhat::Talk));
    assert_eq!(follows, "");
    let follows = run.on(&passed("F-001", 2));
    assert!(follows.contains("RewindRefused"), "{follows}");
    assert!(follows.ends_with("run ended all_passing"), "{follows}");
}

#[test]
fn on_the_screen_the_persons_words_are_waited_for() {
    let mut run = Script::steered();
    run.calls(&RUN);
    run.on(&asked(1, RewindWhat::Talk));
    assert_eq!(run.ends(1, 0, CallEnd::Cancelled), "save 1");
    let follows = run.on(&Event::CheckpointUnchanged);
    assert!(!follows.contains("request"), "{follows}");
    let follows = run.hears("the other way");
    assert!(follows.ends_with("request 2"), "{follows}");
}

fn questions(attended: bool) -> Script {
    let mut run = Script::closed(Goal::All, 2, vec![gate("test")], |run| {
        run.attended = attended;
    });
    run.opens(1);
    run.base_is_green();
    run
}

#[test]
fn a_question_is_left_for_later_by_a_word_or_when_nobody_answers_and_another_feature_waits() {
    let mut run = questions(true);
    run.calls(&[("ask", r#"{"text":"which?"}"#)]);
    let call = Script::id(1, 0);
    let later = run.on(&Event::QuestionPutOff {
        call,
        waited: false,
    });
    assert!(
        later.contains("given up needs_human") && later.ends_with("open F-002"),
        "{later}"
    );

    let mut run = questions(true);
    run.calls(&[("ask", r#"{"text":"which?"}"#)]);
    let soon = run.now.plus(ANSWER_WAIT_MAX - Duration::from_secs(1));
    assert_eq!(run.engine.observe(Tick::Time, soon), None);
    let due = run.now.plus(ANSWER_WAIT_MAX);
    assert_eq!(run.engine.next_deadline(), Some(due));
    let event = run.engine.observe(Tick::Time, due);
    assert_eq!(event, Some(Event::QuestionPutOff { call, waited: true }));

    let mut alone = Script::features(1, vec![gate("test")]);
    alone.resumes_attended();
    alone.calls(&[("ask", r#"{"text":"which?"}"#)]);
    let due = alone.now.plus(ANSWER_WAIT_MAX);
    assert_eq!(alone.engine.observe(Tick::Time, due), None);
}

#[test]
fn an_answer_from_outside_opens_the_feature_again_and_a_resume_without_one_does_not() {
    let mut run = questions(false);
    run.names_questions = true;
    run.calls(&[("ask", r#"{"text":"which?"}"#)]);
    let given_up = run.engine.run().given_up;
    assert_eq!(given_up[0].question, Some(QuestionId::new(1)));
    let answer = Event::AnswerTaken(Box::new(GivenAnswer {
        question: QuestionId::new(1),
        feature: Script::feature(1),
        asked: "which?".to_owned(),
        answer: "this".to_owned(),
        by: "ana".to_owned(),
        at: Timestamp::from_millis(1),
    }));
    run.on(&answer);
    run.on(&answer);
    let run = run.engine.run();
    assert!(run.given_up.is_empty());
    assert_eq!(run.kept.answers.len(), 1);
}

#[test]
fn a_question_that_the_feature_was_given_up_for_waits_also_where_the_process_died_with_it() {
    let mut run = questions(false);
    run.names_questions = true;
    run.calls(&[("ask", r#"{"text":"which?"}"#)]);
    run.dies_once(|event| matches!(event, Event::FeatureGivenUp { .. }));
    assert_eq!(run.engine.open_question(), None);
    assert_eq!(run.engine.waiting_questions(), [QuestionId::new(1)]);
    run.crashes();
    assert_eq!(run.engine.waiting_questions(), [QuestionId::new(1)]);
}
