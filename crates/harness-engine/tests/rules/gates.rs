//! How gates run: side by side, one after the other, after turns, and added tests on the base.

use harness_core::{
    Change, ChangeKind, CheckStatus, CheckpointNumber, CheckpointSaved, Event, FinishSubject, Gate,
    Goal, NegativeControl, Reader, When,
};

use crate::{
    facts::{self, gate, path, tree},
    script::{Script, frozen},
};

/// A gate whose command is known to share a build or not to.
fn runs(name: &str, command: &str) -> Gate {
    Gate {
        run: command.split(' ').map(ToOwned::to_owned).collect(),
        ..gate(name)
    }
}

/// A run whose agent says that it is done, with these gates, green on the base.
fn finishing(gates: Vec<Gate>) -> (Script, String) {
    let mut run = Script::features(1, gates);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    let follows = run.on(&frozen(2, Vec::new()));
    (run, follows)
}

fn saved(number: u32, changed: &str) -> Event {
    Event::CheckpointSaved(CheckpointSaved {
        number: CheckpointNumber(number),
        commit: facts::commit(50),
        tree: tree(u64::from(number)),
        changes: vec![Change {
            path: path(changed),
            kind: ChangeKind::Modified,
        }],
        ms: 1,
    })
}

/// A run with one gate that runs by itself, whose agent has written `src/a.rs` in its first turn.
fn written(when: When, paths: &[&str]) -> Script {
    let gates = vec![Gate {
        when,
        paths: paths.iter().map(ToString::to_string).collect(),
        ..gate("test")
    }];
    let mut run = Script::features(1, gates);
    run.calls(&[("write", r#"{"path":"src/a.rs","content":"1"}"#)]);
    let written = run.written();
    assert_eq!(run.ends(1, 0, written), "save 1");
    run
}

#[test]
fn gates_that_share_no_build_run_at_the_same_time_and_end_in_any_order() {
    let gates = vec![runs("lint", "ruff check"), runs("test", "cargo test")];
    let (mut run, follows) = finishing(gates);
    assert_eq!(follows, "gate lint; gate test");
    assert_eq!(run.checks("test", CheckStatus::Green), "gate ended green");
    assert_eq!(
        run.checks("lint", CheckStatus::Green),
        "gate ended green; commit F-001"
    );
}

#[test]
fn gates_that_share_a_build_wait_for_each_other_and_no_more_than_two_run() {
    let gates = vec![
        runs("clippy", "cargo clippy"),
        runs("test", "cargo test"),
        runs("lint", "ruff check"),
        runs("types", "mypy ."),
    ];
    let (mut run, follows) = finishing(gates);
    assert_eq!(follows, "gate clippy; gate lint");
    assert_eq!(run.checks("clippy", CheckStatus::Green), "gate ended green");
    assert_eq!(
        run.checks("lint", CheckStatus::Green),
        "gate ended green; gate test; gate types"
    );
}

#[test]
fn a_red_gate_stops_no_other_and_all_of_them_are_told_in_order() {
    let gates = vec![runs("lint", "ruff check"), runs("test", "cargo test")];
    let (mut run, _) = finishing(gates);
    run.checks("test", CheckStatus::Red);
    let follows = run.checks("lint", CheckStatus::Red);
    assert!(follows.contains("finish refused"), "{follows}");
    let told = run.prompt();
    let place = |text: &str| {
        told.find(text)
            .unwrap_or_else(|| panic!("{text} in {told}"))
    };
    assert!(place("gate lint: red") < place("gate test: red"));
    assert_eq!(run.attempts(), 1);
}

#[test]
fn only_what_had_not_ended_runs_again_after_a_crash() {
    let gates = vec![runs("lint", "ruff check"), runs("test", "cargo test")];
    let (mut run, _) = finishing(gates);
    run.checks("test", CheckStatus::Green);
    assert_eq!(run.crashes(), "gate lint");
}

#[test]
fn gates_meet_nobody_in_the_work_tree_itself() {
    let gates = vec![runs("lint", "ruff check"), runs("test", "cargo test")];
    let mut run = Script::closed(Goal::All, 1, gates, |run| run.policy.isolate = false);
    run.opens(1);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate lint");
}

#[test]
fn a_gate_that_runs_after_turns_comes_before_the_next_request_and_waits_for_no_base() {
    let mut run = written(When::Turn, &[]);
    assert_eq!(run.on(&saved(1, "src/a.rs")), "freeze");
    assert_eq!(run.on(&frozen(2, Vec::new())), "gate test");
    assert_eq!(
        run.checks("test", CheckStatus::Red),
        "gate ended red; request 2"
    );
    assert!(run.prompt().contains("information, not an attempt"));
    assert!(run.prompt().contains("assertion failed: left == right"));
    assert_eq!(run.attempts(), 0);
}

#[test]
fn a_gate_runs_by_itself_only_for_files_that_concern_it() {
    let mut run = written(When::Turn, &["docs/**"]);
    assert_eq!(run.on(&saved(1, "src/a.rs")), "request 2");
    let mut run = written(When::Turn, &["src/**"]);
    assert_eq!(run.on(&saved(1, "src/a.rs")), "freeze");
}

#[test]
fn a_gate_for_edits_passes_over_what_a_command_has_changed() {
    let mut run = written(When::Edit, &[]);
    assert_eq!(run.on(&saved(1, "src/b.rs")), "request 2");
    let mut run = written(When::Edit, &[]);
    assert_eq!(run.on(&saved(1, "src/a.rs")), "freeze");
}

#[test]
fn a_gate_does_not_run_by_itself_on_a_tree_it_has_run_on() {
    let mut run = written(When::Turn, &[]);
    run.on(&saved(1, "src/a.rs"));
    run.on(&frozen(2, Vec::new()));
    run.checks("test", CheckStatus::Red);
    run.calls(&[("write", r#"{"path":"src/a.rs","content":"1"}"#)]);
    let written = run.written();
    run.ends(2, 0, written);
    assert_eq!(run.on(&saved(2, "src/a.rs")), "freeze");
    assert_eq!(run.on(&frozen(2, Vec::new())), "request 3");
}

#[test]
fn words_of_a_person_go_before_gates_that_run_by_themselves() {
    let mut run = written(When::Turn, &[]);
    run.hears("and mind the quotes");
    let follows = run.on(&saved(1, "src/a.rs"));
    assert!(!follows.contains("freeze"), "{follows}");
    assert_eq!(run.told("mind the quotes"), 1);
}

#[test]
fn added_tests_are_tried_when_all_is_green_and_decide_nothing() {
    let gates = vec![Gate {
        reader: Reader::Tap,
        ..gate("test")
    }];
    let mut run = Script::features(1, gates);
    run.base_is_green();
    run.calls(&[("finish", r#"{"text":"done"}"#)]);
    let added = |path: &str| Change {
        path: facts::path(path),
        kind: ChangeKind::Added,
    };
    run.on(&Event::CandidateFrozen(FinishSubject {
        tree: tree(2),
        candidate: tree(2),
        work_tree: tree(2),
        changes: vec![added("src/a.rs"), added("tests/a.rs")],
        findings: Vec::new(),
        regressions: Vec::new(),
    }));
    assert_eq!(
        run.checks("test", CheckStatus::Green),
        "gate ended green; negative control"
    );
    assert_eq!(run.crashes(), "negative control");
    let control = NegativeControl::not_run("the disk is full");
    assert_eq!(
        run.on(&Event::NegativeControlEnded { control }),
        "commit F-001"
    );
}
