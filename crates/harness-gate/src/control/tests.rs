use harness_core::{Captured, CheckStatus, TestCounts};

use super::*;

fn change(path: &str, kind: ChangeKind) -> Change {
    Change {
        path: RepoPath::parse(path).unwrap(),
        kind,
    }
}

fn gate(reader: Reader) -> Gate {
    Gate {
        timeout: std::time::Duration::from_secs(60),
        reader,
        ..Gate::named("test", vec!["true".to_owned()])
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn report(stop: Stop, counted: bool, failed: &[&str]) -> CheckReport {
    CheckReport {
        gate: "test".to_owned(),
        argv: Vec::new(),
        stop: Some(stop),
        ms: 7,
        status: CheckStatus::Red,
        reason: "told".to_owned(),
        tests: counted.then_some(TestCounts::default()),
        failed_tests: names(failed),
        excerpt: String::new(),
        output: Captured::default(),
        output_sha256: String::new(),
        retried: false,
    }
}

/// Compares with a base on which `old` passed and `bad` failed.
fn check(candidate: &[&str], stop: Stop, counted: bool, passed: &[&str]) -> ControlCheck {
    let base = report(Stop::Exited(1), true, &["bad"]);
    let (old, passed) = (names(&["old"]), names(passed));
    let control = report(stop, counted, &[]);
    compare(
        &names(candidate),
        NamedReport {
            report: &base,
            passed: &old,
        },
        NamedReport {
            report: &control,
            passed: &passed,
        },
    )
}

#[test]
fn only_test_files_and_gates_that_name_tests_are_tried() {
    let changes = [
        change("src/lib.rs", ChangeKind::Modified),
        change("tests/new.rs", ChangeKind::Added),
        change("tests/gone.rs", ChangeKind::Deleted),
    ];
    let plan = plan(&changes, &[gate(Reader::Exit), gate(Reader::Cargo)]).unwrap();
    assert_eq!(plan.files, [RepoPath::parse("tests/new.rs").unwrap()]);
    assert_eq!(plan.gates, [gate(Reader::Cargo)]);
    assert!(plan.left_out.contains("inside Rust source files"));
}

#[test]
fn what_has_nothing_to_try_says_why() {
    let source = [change("src/lib.rs", ChangeKind::Added)];
    let tests = [change("tests/a.rs", ChangeKind::Added)];
    let skipped = |changes: &[Change], reader| plan(changes, &[gate(reader)]).unwrap_err();
    assert_eq!(
        skipped(&source, Reader::Cargo),
        "no test file was added or changed"
    );
    assert_eq!(skipped(&tests, Reader::Exit), "no gate names its tests");
    let tap = plan(&tests, &[gate(Reader::Tap)]).unwrap();
    assert_eq!(tap.left_out, "");
}

#[test]
fn a_new_test_that_passes_without_the_change_proves_nothing() {
    let check = check(&["old", "new"], Stop::Exited(0), true, &["old", "new"]);
    assert_eq!(check.outcome, ControlOutcome::ProvesNothing);
    assert_eq!((check.tests, check.count), (names(&["new"]), 1));
}

#[test]
fn a_new_test_that_fails_or_does_not_build_without_the_change_is_needed() {
    for (counted, passed) in [(true, &["old"] as &[&str]), (false, &[])] {
        let check = check(&["old", "new"], Stop::Exited(1), counted, passed);
        assert_eq!(check.outcome, ControlOutcome::Needed, "{check:?}");
    }
}

#[test]
fn a_test_that_was_red_on_the_base_and_is_mended_is_not_new() {
    let check = check(&["old", "bad"], Stop::Exited(0), true, &["old", "bad"]);
    assert_eq!(check.outcome, ControlOutcome::Skipped);
    assert_eq!(check.reason, "no passed test is new by its name");
}

#[test]
fn names_are_counted_where_several_binaries_have_the_same() {
    let twice = check(&["old", "old"], Stop::Exited(0), true, &["old", "old"]);
    assert_eq!(
        (twice.outcome, twice.count),
        (ControlOutcome::ProvesNothing, 1)
    );
    let once = check(&["old", "old"], Stop::Exited(0), true, &["old"]);
    assert_eq!(once.outcome, ControlOutcome::Needed);
}

#[test]
fn a_run_that_says_nothing_is_skipped_with_its_reason() {
    for (stop, reason) in [
        (Stop::TimedOut, "it takes longer than the gate itself"),
        (Stop::Cancelled, "it could not be run: told"),
        (Stop::Exited(0), "its report could not be read: told"),
    ] {
        let check = check(&["new"], stop, false, &[]);
        assert_eq!(check.outcome, ControlOutcome::Skipped);
        assert_eq!(check.reason, reason);
    }
}
