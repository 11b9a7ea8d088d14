//! Work that goes nowhere: told first, then given up; slow healthy work is left alone.

use harness_core::{
    CallEnd, Change, ChangeKind, CheckStatus, CheckpointNumber, CheckpointSaved, Event, Goal,
    Outcome, StopReason, When,
};

use crate::{
    facts::{self, gate, path, tree},
    script::{Script, frozen},
};

/// A run with the gate `test`, green on the base, that has turns and attempts enough for anything.
fn patient() -> Script {
    let mut run = Script::closed(Goal::All, 1, vec![gate("test")], |run| {
        run.policy.limits.turns = 10_000;
        run.policy.limits.attempts = 100;
    });
    run.opens(1);
    run.base_is_green();
    run
}

fn text(text: &str) -> CallEnd {
    CallEnd::Done {
        outcome: Outcome::Text {
            note: String::new(),
            text: text.to_owned(),
            lines: 1,
            cut: false,
        },
    }
}

/// Reads a file in one turn; returns what follows.
fn reads(run: &mut Script, file: &str, holds: &str) -> String {
    let turn = run.turn.0;
    run.calls(&[("read", &format!(r#"{{"path":"{file}"}}"#))]);
    let follows = run.ends(turn, 0, text(holds));
    // After a crash the work tree is saved once more, unchanged.
    let saved = run.on(&Event::CheckpointUnchanged);
    format!("{follows}; {saved}")
}

/// Writes `content` in one turn; the save that follows has this number and tree.
fn writes(run: &mut Script, content: &str, number: u32, state: u64) -> String {
    let turn = run.turn.0;
    let arguments = format!(r#"{{"path":"src/a.rs","content":"{content}"}}"#);
    run.calls(&[("write", &arguments)]);
    let written = run.written();
    let follows = run.ends(turn, 0, written);
    let saved = run.on(&Event::CheckpointSaved(CheckpointSaved {
        number: CheckpointNumber(number),
        commit: facts::commit(50),
        tree: tree(state),
        changes: vec![Change {
            path: path("src/a.rs"),
            kind: ChangeKind::Modified,
        }],
        ms: 1,
    }));
    format!("{follows}; {saved}")
}

/// Asks for the gates in one turn; they are red on this candidate.
fn checks_red(run: &mut Script, candidate: u64) -> String {
    run.calls(&[("check", "{}")]);
    run.on(&frozen(candidate, Vec::new()));
    run.checks("test", CheckStatus::Red)
}

#[test]
fn a_repeated_call_is_told_with_its_arguments_and_given_up_across_a_crash() {
    let mut run = patient();
    for turn in 1..=8 {
        let follows = reads(&mut run, "src/a.rs", "fn a() {}");
        assert_eq!(follows.contains("nudged"), turn == 3, "{turn}: {follows}");
        if turn == 5 {
            run.crashes();
        }
    }
    assert_eq!(run.told("called 3 times since turn 1"), 1);
    let follows = reads(&mut run, "./src/a.rs", "fn a() {}");
    assert!(follows.contains("given up stuck"), "{follows}");
    assert!(
        run.detail().contains("9 times since turn 1"),
        "{}",
        run.detail()
    );
}

#[test]
fn words_of_a_person_begin_everything_anew() {
    let mut run = patient();
    for _ in 1..=8 {
        reads(&mut run, "src/a.rs", "fn a() {}");
    }
    run.hears("look at it once more");
    for turn in 1..=8 {
        let follows = reads(&mut run, "src/a.rs", "fn a() {}");
        assert!(!follows.contains("given up"), "{turn}: {follows}");
    }
}

#[test]
fn edits_back_and_forth_are_told_and_given_up_across_a_crash() {
    let mut run = patient();
    let mut told = Vec::new();
    for number in 1..=11_u32 {
        let content = format!("{}", number % 2);
        let mut follows = writes(&mut run, &content, number, u64::from(1 + number % 2));
        if number == 7 {
            run.crashes();
        }
        // Something else is looked at each time, so that no cycle of calls shows.
        follows += &reads(&mut run, &format!("src/{number}.rs"), "x");
        if follows.contains("nudged") {
            told.push(number);
        }
        assert_eq!(
            follows.contains("given up stuck"),
            number == 11,
            "{number}: {follows}"
        );
    }
    assert_eq!(told, [5]);
    assert!(run.detail().contains("`src/a.rs` back and forth"));
}

#[test]
fn taking_back_once_and_trying_something_else_is_healthy() {
    let mut run = patient();
    for number in 1..=30 {
        let state = if number % 2 == 0 {
            1
        } else {
            u64::from(number) + 10
        };
        let follows = writes(&mut run, &format!("{state}"), number, state);
        assert!(
            !follows.contains("nudged") && !follows.contains("given up"),
            "{number}: {follows}"
        );
    }
}

#[test]
fn the_same_failures_however_the_files_change_are_told_and_left_to_a_person() {
    let mut run = patient();
    let mut told = Vec::new();
    for round in 1..=20_u32 {
        writes(&mut run, &format!("{round}"), round, 10 + u64::from(round));
        let follows = checks_red(&mut run, 10 + u64::from(round));
        if follows.contains("nudged") {
            told.push(round);
        }
        if follows.contains("given up") {
            assert_eq!((round, told.as_slice()), (20, &[5][..]), "{follows}");
            assert!(follows.contains("given up needs_human"), "{follows}");
            assert!(
                run.detail()
                    .contains("gate test has failed in the same way 20 times")
            );
            return;
        }
    }
    panic!("never given up");
}

#[test]
fn many_identical_test_runs_between_edits_that_change_something_are_healthy() {
    let mut run = patient();
    for round in 1..=40_u32 {
        let turn = run.turn.0;
        writes(&mut run, &format!("{round}"), round, 10 + u64::from(round));
        run.calls(&[("shell", r#"{"command":"cargo test"}"#)]);
        let follows = run.ends(turn + 1, 0, text("2 failed, finished in 0.01s"));
        assert!(
            !follows.contains("nudged") && !follows.contains("given up"),
            "{round}: {follows}"
        );
    }
}

#[test]
fn a_gate_that_runs_by_itself_may_be_red_for_as_long_as_the_work_takes() {
    let gates = vec![harness_core::Gate {
        when: When::Turn,
        ..gate("test")
    }];
    let mut run = Script::closed(Goal::All, 1, gates, |_| {});
    run.opens(1);
    run.base_is_green();
    for round in 1..=30_u32 {
        writes(&mut run, &format!("{round}"), round, 10 + u64::from(round));
        run.on(&frozen(10 + u64::from(round), Vec::new()));
        let follows = run.checks("test", CheckStatus::Red);
        assert!(
            !follows.contains("nudged") && !follows.contains("given up"),
            "{round}: {follows}"
        );
    }
}

#[test]
fn turns_that_bring_nothing_are_told_and_left_to_a_person() {
    let mut run = patient();
    let mut told = Vec::new();
    for turn in 1..=60_u32 {
        // Five files in turn: no cycle that the calls alone would show.
        let follows = reads(&mut run, &format!("src/{}.rs", turn % 5), "x");
        if follows.contains("nudged") {
            told.push(turn);
        }
        if turn == 40 {
            run.crashes();
        }
        if follows.contains("given up") {
            assert!(follows.contains("given up needs_human"), "{follows}");
            assert_eq!(told.len(), 1, "{told:?}");
            assert!((55..=57).contains(&turn), "{turn}");
            return;
        }
    }
    panic!("never given up");
}

#[test]
fn reading_forty_files_before_the_first_edit_is_healthy() {
    let mut run = patient();
    for turn in 1..=40_u32 {
        let follows = reads(&mut run, &format!("src/{turn}.rs"), "x");
        assert!(!follows.contains("nudged"), "{turn}: {follows}");
    }
}

#[test]
fn refusals_in_a_row_are_told_with_what_is_open_and_left_to_a_person() {
    let mut run = patient();
    let mut told = Vec::new();
    for turn in 1..=12_u32 {
        let arguments = format!(r#"{{"path":".github/{turn}.yml","content":"x"}}"#);
        let follows = run.calls(&[("write", &arguments)]);
        if follows.contains("nudged") {
            told.push(turn);
        }
        assert_eq!(
            follows.contains("given up needs_human"),
            turn == 12,
            "{turn}: {follows}"
        );
        if turn < 12 {
            // Looking around between two attempts is no way on.
            reads(&mut run, &format!("src/{turn}.rs"), "x");
        }
    }
    assert_eq!(told, [5]);
    assert!(run.detail().contains(".github/12.yml"), "{}", run.detail());
}

#[test]
fn a_refusal_now_and_then_is_healthy() {
    let mut run = patient();
    for number in 1..=30_u32 {
        let arguments = format!(r#"{{"path":".github/{number}.yml","content":"x"}}"#);
        let follows = run.calls(&[("write", &arguments)]);
        assert!(!follows.contains("nudged"), "{follows}");
        writes(
            &mut run,
            &format!("{number}"),
            number,
            10 + u64::from(number),
        );
    }
}

#[test]
fn calls_that_make_no_sense_are_told_and_given_up() {
    let mut run = patient();
    for turn in 1..=9_u32 {
        let follows = run.calls(&[("apply_patch", &format!(r#"{{"patch":"{turn}"}}"#))]);
        assert_eq!(follows.contains("nudged"), turn == 3, "{turn}: {follows}");
        assert_eq!(
            follows.contains("given up stuck"),
            turn == 9,
            "{turn}: {follows}"
        );
    }
}

#[test]
fn answers_that_are_cut_for_ever_are_the_end() {
    let mut run = patient();
    for answer in 1..=5 {
        let follows = run.responds(Vec::new(), StopReason::MaxTokens);
        assert_eq!(
            follows.contains("nudged"),
            answer < 5,
            "{answer}: {follows}"
        );
        assert_eq!(
            follows.contains("given up stuck"),
            answer == 5,
            "{answer}: {follows}"
        );
    }
}

#[test]
fn the_last_attempt_is_told_once_and_not_again_after_a_crash() {
    let mut run = Script::features(1, vec![gate("test")]);
    run.base_is_green();
    for attempt in 1..=2_u64 {
        run.calls(&[("finish", r#"{"text":"done"}"#)]);
        run.on(&frozen(10 + attempt, Vec::new()));
        let follows = run.checks("test", CheckStatus::Red);
        assert_eq!(
            follows.contains("warned attempts"),
            attempt == 2,
            "{attempt}: {follows}"
        );
    }
    assert_eq!(run.told("2 of 3 attempts are used"), 1);
    run.crashes();
    reads(&mut run, "src/a.rs", "x");
    assert_eq!(run.told("Do not call `finish` before `check` is green"), 1);
}

#[test]
fn turns_that_run_out_are_told_with_what_is_left_and_not_again_after_a_crash() {
    let mut run = Script::closed(Goal::All, 1, vec![gate("test")], |run| {
        run.policy.limits.turns = 6;
    });
    run.opens(1);
    run.base_is_green();
    for turn in 1..=5_u32 {
        let follows = reads(&mut run, &format!("src/{turn}.rs"), "x");
        assert_eq!(
            follows.contains("warned turns"),
            turn == 5,
            "{turn}: {follows}"
        );
    }
    run.crashes();
    assert_eq!(run.told("Limit near: 5 of 6 turns are used, 1 left."), 1);
}
