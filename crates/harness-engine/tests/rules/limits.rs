//! Limits of money, turns and time: warned of once, told to the agent, and handed over.

use harness_core::{
    CheckStatus, EndReason, Event, FailureClass, FeatureStatus, Goal, HandOverNote, HandedOver,
    LimitKind, ModelFailure, ModelResponded, ModelResponse, Money, Price, Spent, StopReason, Usage,
};
use harness_engine::{Effect, Tick};

use crate::{
    facts,
    script::{Script, frozen, passed},
};

fn dear(usd: f64) -> Script {
    let mut run = Script::closed(Goal::All, 2, vec![facts::gate("test")], |run| {
        run.policy.limits.usd = Some(Money::from_usd(usd));
        run.model.price = Some(Price {
            output: Money(15_000_000),
            ..Price::default()
        });
    });
    run.opens(1);
    run.base_is_green();
    run
}

fn spent(usd: f64) -> Option<Spent> {
    Some(Spent {
        usage: Usage {
            output: 100,
            ..Usage::default()
        },
        cost: Some(Money::from_usd(usd)),
        estimated: true,
    })
}

/// Lets the request in flight fail at this price.
fn fails_at(run: &mut Script, class: FailureClass, usd: f64) -> String {
    let failure = ModelFailure {
        class,
        message: "no".to_owned(),
        status: None,
        retry_after_ms: None,
    };
    run.on(&Event::ModelFailed {
        turn: run.turn,
        failure,
        spent: spent(usd),
    })
}

#[test]
fn a_cut_answer_costs_and_its_retry_is_not_sent_when_nothing_is_left_for_it() {
    let mut run = dear(0.1);
    let turn = run.turn;
    let follows = fails_at(&mut run, FailureClass::Broken, 0.04);
    assert!(follows.starts_with("retry 1 in"), "{follows}");
    assert_eq!(run.engine.run().spent, Money::from_usd(0.04));
    assert_eq!(run.on(&Event::RetryDue { turn }), "request 1");
    fails_at(&mut run, FailureClass::Broken, 0.06);
    assert_eq!(run.on(&Event::RetryDue { turn }), "stop budget; hand over");
    assert_eq!(run.engine.run().spent, Money::from_usd(0.1));
}

#[test]
fn each_limit_is_warned_of_once_and_the_agent_is_told() {
    let mut run = dear(0.1);
    run.costs(0.085);
    assert_eq!(
        run.calls(&[("note", r#"{"text":"a"}"#)]),
        "allow 1.0; note taken; ended 1.0 answered; warned run_usd; request 2"
    );
    assert_eq!(run.told("Limit near: the run has cost $0.0850 of $0.10"), 1);
    // The process that takes it up knows of the warning; with a higher limit it is forgotten.
    assert_eq!(run.crashes(), "request 2");
    run.costs(0.0);
    let follows = run.calls(&[("note", r#"{"text":"b"}"#)]);
    assert!(follows.ends_with("request 3"), "{follows}");
    assert!(!follows.contains("warned"), "{follows}");
    assert_eq!(run.engine.run().account.warned, [LimitKind::RunUsd]);
    let mut limits = run.engine.run().policy.limits;
    limits.usd = Some(Money::from_usd(0.4));
    let state = run.engine.run();
    run.on(&Event::SessionResumed {
        attended: false,
        model: Box::new(state.model),
        limits: Box::new(limits),
        steered: false,
        fallback: Vec::new(),
        roles: Box::default(),
        answers: Vec::new(),
        found: Box::default(),
    });
    assert!(run.engine.run().account.warned.is_empty());
}

#[test]
fn a_limit_that_was_raised_needs_one_resume_also_in_the_middle_of_the_note() {
    let mut run = Script::closed(Goal::All, 1, vec![facts::gate("test")], |run| {
        run.policy.limits.turns = 1;
        run.model.price = Some(Price::default());
    });
    run.opens(1);
    run.base_is_green();
    let follows = run.calls(&[("note", r#"{"text":"a"}"#)]);
    assert!(follows.ends_with("hand over, asked"), "{follows}");
    // The same limit stops it again, and a higher one does not.
    let again = run.crashes();
    assert!(again.contains("given up limit"), "{again}");
    let state = run.engine.run();
    let mut limits = state.policy.limits;
    limits.turns = 9;
    let follows = run.on(&Event::SessionResumed {
        attended: false,
        model: Box::new(state.model),
        limits: Box::new(limits),
        steered: false,
        fallback: Vec::new(),
        roles: Box::default(),
        answers: Vec::new(),
        found: Box::default(),
    });
    assert!(follows.ends_with("request 2"), "{follows}");
    assert!(run.engine.run().given_up.is_empty());
}

#[test]
fn turns_that_are_used_up_leave_the_feature_pending_with_a_note() {
    let mut run = Script::closed(Goal::All, 2, vec![facts::gate("test")], |run| {
        run.policy.limits.turns = 1;
        run.model.price = Some(Price::default());
    });
    run.opens(1);
    run.base_is_green();
    assert_eq!(
        run.calls(&[("note", r#"{"text":"a"}"#)]),
        "allow 1.0; note taken; ended 1.0 answered; given up limit; status pending; hand over, asked"
    );
    let prompt = run.hand_over.clone().unwrap().prompt.unwrap();
    assert!(prompt.tools.is_empty());
    let said = format!("{:?}", prompt.messages);
    assert!(
        said.contains("1 turns") && said.contains("agent calls note"),
        "{said}"
    );
    assert_eq!(
        run.is_handed_over("half of it", 0.01),
        "session ended; open F-002"
    );
    let state = run.engine.run();
    assert_eq!(
        state.account.note_about(&Script::feature(1)),
        Some("half of it")
    );
    assert_eq!(
        state.account.of_feature(&Script::feature(1)),
        Money::from_usd(0.01)
    );
    assert_eq!(state.features[0].status, FeatureStatus::Pending);
    assert_eq!(state.given_up[0].reason, EndReason::Limit);
}

#[test]
fn a_person_who_stops_cuts_the_hand_over_short() {
    let mut run = dear(10.0);
    run.calls(&[("note", r#"{"text":"a"}"#)]);
    let stop = Event::StopDecided {
        reason: EndReason::Budget,
        detail: "enough".to_owned(),
    };
    assert_eq!(run.on(&stop), "cancel model");
    assert_eq!(run.fails(FailureClass::Cancelled, None), "hand over, asked");
    assert_eq!(run.on(&Event::Interrupted), "cancel model");
    assert_eq!(run.on(&Event::Interrupted), "");
    assert_eq!(run.is_handed_over("facts", 0.0), "run ended budget");
}

#[test]
fn nothing_is_handed_over_where_nothing_was_asked_or_a_person_stopped() {
    let mut run = dear(10.0);
    assert_eq!(run.on(&Event::Interrupted), "cancel model");
    assert_eq!(
        run.fails(FailureClass::Cancelled, None),
        "run ended interrupted"
    );
    let mut poor = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.policy.limits.session_usd = Some(Money(10));
        run.model.price = Some(Price {
            input: Money(1_000_000),
            ..Price::default()
        });
    });
    assert_eq!(
        poor.opens(1),
        "status in_progress; given up budget; status pending; session ended; run ended budget"
    );
    assert!(poor.detail().contains("the next request alone costs about"));
}

#[test]
fn a_budget_in_usd_needs_a_price() {
    let mut run = Script::closed(Goal::All, 1, Vec::new(), |run| {
        run.features[0].budget.usd = Some(Money::from_usd(1.0));
    });
    let follows = run.opens(1);
    assert!(follows.contains("given up needs_human"), "{follows}");
}

#[test]
fn a_limit_of_the_session_cuts_an_answer_and_leaves_the_run_to_go_on() {
    let mut run = Script::closed(Goal::All, 2, Vec::new(), |run| {
        run.policy.limits.session_usd = Some(Money::from_usd(0.01));
        run.model.price = Some(Price {
            output: Money(15_000_000),
            ..Price::default()
        });
    });
    run.opens(1);
    let tick = Tick::Usage(Usage {
        output: 700,
        ..Usage::default()
    });
    let stop = run.engine.observe(tick, run.now).unwrap();
    assert!(matches!(stop, Event::FeatureGivenUp { .. }), "{stop:?}");
    assert_eq!(run.on(&stop), "status pending; cancel model");
    assert_eq!(
        fails_at(&mut run, FailureClass::Cancelled, 0.0105),
        "hand over"
    );
    assert_eq!(
        run.is_handed_over("facts", 0.0),
        "session ended; open F-002"
    );
}

#[test]
fn a_note_about_work_that_is_done_is_forgotten() {
    let mut run = Script::closed(Goal::All, 1, vec![facts::gate("test")], |run| {
        run.account.keep_note(HandOverNote {
            feature: Script::feature(1),
            text: "left: all of it".to_owned(),
        });
    });
    run.opens(1);
    run.base_is_green();
    assert!(
        run.engine
            .run()
            .account
            .note_about(&Script::feature(1))
            .is_some()
    );
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.on(&frozen(2, Vec::new()));
    let follows = run.checks("test", CheckStatus::Green);
    assert_eq!(follows, "gate ended green; commit F-001");
    run.on(&passed("F-001", 3));
    assert_eq!(
        run.engine.run().account.note_about(&Script::feature(1)),
        None
    );
}

#[test]
fn a_server_that_counts_without_sense_breaks_no_sum() {
    let mut run = Script::features(1, Vec::new());
    let follows = run.notes_with(Usage {
        output: u64::MAX,
        input: u64::MAX,
        cache_read: 7,
        cache_write: u64::MAX,
    });
    assert!(follows.ends_with("request 2"), "{follows}");
    assert_eq!(run.engine.estimate().input_total(), u64::MAX);
}

#[test]
fn what_a_cache_held_is_not_counted_on_by_the_process_that_goes_on() {
    let mut run = Script::features(1, Vec::new());
    run.notes_with(Usage {
        input: 10,
        output: 5,
        cache_read: 1_000,
        cache_write: 0,
    });
    let before = run.engine.estimate();
    assert_eq!(before.cache_read, 1_010);
    run.crashes();
    let after = run.engine.estimate();
    assert_eq!((after.input, after.cache_read), (before.input_total(), 0));
}

impl Script {
    /// The agent takes a note, with an answer of this usage.
    fn notes_with(&mut self, usage: Usage) -> String {
        let response = ModelResponse {
            parts: vec![facts::call("1", "note", r#"{"text":"a"}"#)],
            stop: StopReason::ToolUse,
            usage,
        };
        self.on(&Event::ModelResponded(ModelResponded {
            turn: self.turn,
            response,
            cost: None,
            ms: 5,
        }))
    }

    /// The next answer costs this much.
    fn costs(&mut self, usd: f64) {
        self.cost = Some(Money::from_usd(usd));
    }

    /// The note for the next session is written.
    pub(crate) fn is_handed_over(&mut self, note: &str, usd: f64) -> String {
        let Some(write) = self.hand_over.take() else {
            panic!("nothing is handed over");
        };
        self.on(&Event::HandedOver(Box::new(HandedOver {
            feature: write.feature,
            note: note.to_owned(),
            by_model: true,
            problem: String::new(),
            spent: spent(usd),
            ms: 5,
        })))
    }

    pub(crate) fn hears_effect(&mut self, effect: &Effect) {
        if let Effect::HandOver(write) = effect {
            self.hand_over = Some((**write).clone());
        }
    }
}
