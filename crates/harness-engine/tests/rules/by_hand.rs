//! Work that a person did: claimed at once, judged once, and no model is asked.

use harness_core::{CheckStatus, Event, Goal};

use crate::{
    facts::{self, gate},
    script::{Script, frozen, passed},
};

/// A run of one feature that a person worked on, its first session open.
fn by_hand() -> (Script, String) {
    let feature = Script::feature(1);
    let gates = vec![gate("test")];
    let mut run = Script::closed(Goal::One { feature }, 1, gates, |run| {
        run.work_start = Some(facts::tree(1));
        run.by_hand = Some("mended by hand".to_owned());
    });
    let follows = run.opens(1);
    (run, follows)
}

#[test]
fn it_is_claimed_at_once_and_committed_when_green() {
    let (mut run, follows) = by_hand();
    assert_eq!(
        follows,
        "status in_progress; baseline test; finish requested; status verifying; freeze"
    );
    assert_eq!(run.base_is_green(), "");
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate test");
    assert_eq!(
        run.checks("test", CheckStatus::Green),
        "gate ended green; commit F-001"
    );
    assert_eq!(
        run.on(&passed("F-001", 3)),
        "status passing; session ended; run ended feature_passed"
    );
}

#[test]
fn a_refusal_ends_the_run_and_leaves_the_feature_open() {
    let (mut run, _) = by_hand();
    run.base_is_green();
    run.on(&frozen(2, Vec::new()));
    assert_eq!(
        run.checks("test", CheckStatus::Red),
        "gate ended red; finish refused; status in_progress; stop gates_red; run ended gates_red"
    );
    assert!(run.detail().contains("refused"), "{}", run.detail());
}

#[test]
fn after_a_crash_it_is_judged_again() {
    let (mut run, _) = by_hand();
    run.base_is_green();
    run.on(&frozen(2, Vec::new()));
    assert_eq!(run.crashes(), "gate test");
    let event = Event::CheckEnded {
        report: Box::new(facts::report(&gate("test"), CheckStatus::Green)),
    };
    assert_eq!(run.on(&event), "gate ended green; commit F-001");
}
