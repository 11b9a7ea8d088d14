//! Features that have passed: what breaks them is refused, and what was broken before is not held against the work.

use harness_core::{CheckStatus, Event, FeatureStatus, Goal, Regression};

use crate::{
    facts::{self, gate},
    script::{Script, frozen, passed},
};

/// The gate of F-001, as it is named when F-002 is in work.
const GUARD: &str = "verify-1 of F-001";

/// F-001 has passed, F-002 claims to be done, and its change touches F-001.
fn claimed() -> Script {
    let mut run = Script::closed(Goal::All, 2, vec![gate("test")], |run| {
        run.features[0].status = FeatureStatus::Passing;
    });
    run.opens(1);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    assert_eq!(run.on(&touching()), "gate test");
    assert_eq!(
        run.checks("test", CheckStatus::Green),
        format!("gate ended green; gate {GUARD}")
    );
    run
}

fn touching() -> Event {
    let Event::CandidateFrozen(mut subject) = frozen(2, Vec::new()) else {
        unreachable!("it is what `frozen` makes");
    };
    subject.regressions.push(Regression {
        features: vec![Script::feature(1)],
        gate: gate(GUARD),
    });
    Event::CandidateFrozen(subject)
}

fn base(status: CheckStatus) -> Event {
    Event::BaselineEnded {
        report: Box::new(facts::report(&gate(GUARD), status)),
        cached: false,
    }
}

#[test]
fn green_gates_of_passed_features_are_part_of_the_way_to_the_commit() {
    let mut run = claimed();
    assert_eq!(
        run.checks(GUARD, CheckStatus::Green),
        "gate ended green; commit F-002"
    );
}

#[test]
fn what_breaks_a_passed_feature_is_refused_and_the_feature_is_named() {
    let mut run = claimed();
    assert_eq!(
        run.checks(GUARD, CheckStatus::Red),
        format!("gate ended red; baseline {GUARD}")
    );
    assert_eq!(
        run.on(&base(CheckStatus::Green)),
        "finish refused; status in_progress; ended 1.0 answered; request 2"
    );
    let told = run.prompt();
    assert!(
        told.contains("The change breaks what has passed before: F-001."),
        "{told}"
    );
    assert_eq!(run.attempts(), 1);
    // The base is known from now on.
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    run.on(&touching());
    run.checks("test", CheckStatus::Green);
    let follows = run.checks(GUARD, CheckStatus::Red);
    assert!(
        follows.starts_with("gate ended red; finish refused"),
        "{follows}"
    );
}

#[test]
fn what_was_broken_before_is_marked_and_does_not_stand_in_the_way() {
    let mut run = claimed();
    run.checks(GUARD, CheckStatus::Red);
    assert_eq!(
        run.on(&base(CheckStatus::Red)),
        "status failing; commit F-002"
    );
    // It is taken up next.
    assert_eq!(
        run.on(&passed("F-002", 3)),
        "status passing; ended 1.0 answered; session ended; open F-001"
    );
    // Its base is red, and that is what there is to do.
    run.opens(2);
    let red = facts::report(&gate("test"), CheckStatus::Red);
    let event = Event::BaselineEnded {
        report: Box::new(red),
        cached: false,
    };
    assert_eq!(run.on(&event), "");
}

#[test]
fn a_crash_before_the_mark_is_recorded_loses_nothing() {
    let mut run = claimed();
    run.checks(GUARD, CheckStatus::Red);
    run.on_unrecorded(&base(CheckStatus::Red));
    let follows = run.crashes();
    assert!(
        follows.contains("status failing; commit F-002"),
        "{follows}"
    );
}

#[test]
fn asking_with_check_runs_no_gates_of_others() {
    let mut run = Script::closed(Goal::All, 2, vec![gate("test")], |run| {
        run.features[0].status = FeatureStatus::Passing;
    });
    run.opens(1);
    run.base_is_green();
    run.calls(&[("check", "{}")]);
    assert_eq!(run.on(&touching()), "gate test");
    let follows = run.checks("test", CheckStatus::Green);
    assert!(
        follows.starts_with("gate ended green; ended 1.0"),
        "{follows}"
    );
}
