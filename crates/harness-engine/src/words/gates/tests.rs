use harness_core::{Captured, TestCounts};

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn report(gate: &str, status: CheckStatus) -> CheckReport {
    CheckReport {
        gate: gate.to_owned(),
        argv: vec!["make".to_owned()],
        stop: Some(Stop::Exited(1)),
        ms: 1,
        status,
        reason: String::new(),
        tests: None,
        failed_tests: Vec::new(),
        excerpt: String::new(),
        output: Captured::default(),
        output_sha256: String::new(),
        retried: false,
    }
}

fn red(gate: &str, excerpt: &str) -> CheckReport {
    CheckReport {
        reason: "2 of 14 tests failed: a, b".to_owned(),
        tests: Some(TestCounts {
            run: 14,
            failed: 2,
            skipped: 0,
        }),
        failed_tests: vec!["a".to_owned(), "b".to_owned()],
        excerpt: excerpt.to_owned(),
        ..report(gate, CheckStatus::Red)
    }
}

fn green(gate: &str) -> CheckReport {
    CheckReport {
        tests: Some(TestCounts {
            run: 1,
            ..TestCounts::default()
        }),
        ..report(gate, CheckStatus::Green)
    }
}

fn by_name(reports: &[CheckReport]) -> OnBase {
    let named = |report: &CheckReport| (report.gate.clone(), report.clone());
    reports.iter().map(named).collect()
}

#[test]
fn the_reason_comes_first_and_then_the_first_failure() {
    let reports = [
        green("lint"),
        red("test", "a: at src/a.rs:3\nb: at src/b.rs:9\n"),
    ];
    let base = by_name(&[red("test", "")]);
    assert_eq!(
        red_gates(reports.iter(), &base),
        "Not done: 1 of 2 gates not green: test.\n\n\
         gate test: red: 2 of 14 tests failed: a, b\n\
         red on the base already: a, b\n\
         a: at src/a.rs:3\nb: at src/b.rs:9\n"
    );
}

#[test]
fn many_red_gates_share_the_room_and_each_keeps_its_line() {
    let long: String = (0..2_000).map(|line| format!("line {line}\n")).collect();
    let mut reports: Vec<CheckReport> = (0..10).map(|n| red(&format!("g{n}"), &long)).collect();
    reports.push(red("short", "one line\n"));
    let text = red_gates(reports.iter(), &OnBase::new());
    assert!(text.len() <= TOLD_MAX + 64, "{}", text.len());
    for report in &reports {
        let line = format!("gate {}: red: 2 of 14 tests failed: a, b\n", report.gate);
        assert!(text.contains(&line), "{line}");
    }
    assert!(text.contains("line 0\n") && !text.contains("line 1999"));
    assert!(text.contains("[cut]") && text.contains("one line"));
    assert!(text.len() > TOLD_MAX / 2, "{}", text.len());
}

#[test]
fn output_without_named_tests_keeps_its_end() {
    let long: String = (0..2_000).map(|line| format!("line {line}\n")).collect();
    let report = CheckReport {
        excerpt: long,
        reason: "exit 2".to_owned(),
        ..report("make", CheckStatus::Red)
    };
    let text = red_gates([&report].into_iter(), &OnBase::new());
    assert!(text.contains("line 1999\n") && !text.contains("line 0\n"));
    assert!(text.len() <= TOLD_MAX, "{}", text.len());
}

#[test]
fn of_a_linter_what_concerns_changed_files_is_told_and_the_rest_counted() {
    let mut lint = red("lint", "the last lines\n");
    lint.tests = None;
    lint.output.head = "src/b.rs:1:1: error: old\nsrc/a.rs:3:5: error: new\n".to_owned();
    let changed = BTreeSet::from([RepoPath::parse("src/a.rs").unwrap()]);
    let none = BTreeMap::new();
    let tell = |changed| turn_gates([&lint].into_iter(), &none, &OnBase::new(), changed).unwrap();
    let text = tell(&changed);
    assert!(
        text.ends_with("src/a.rs:3:5: error: new\nand 1 in files you did not change\n"),
        "{text}"
    );
    // Where nothing is said of changed files, the failing part is told as ever.
    let text = tell(&BTreeSet::new());
    assert!(text.ends_with("the last lines\n"), "{text}");
}

#[test]
fn after_a_turn_only_news_is_told() {
    let told = by_name(&[green("lint"), red("test", "x\n")]);
    let tell = |reports: &[CheckReport]| {
        turn_gates(reports.iter(), &told, &OnBase::new(), &BTreeSet::new())
    };
    assert_eq!(tell(&[green("lint")]), None);
    let text = tell(&[green("lint"), red("test", "x\n")]).unwrap();
    assert!(text.ends_with("\ngate test: red as before"), "{text}");
    let text = tell(&[green("test"), red("lint", "y\n")]).unwrap();
    assert!(text.starts_with("[gates after the turn"), "{text}");
    assert!(
        text.ends_with(
            "gate test: green, 1 test\n\ngate lint: red: 2 of 14 tests failed: a, b\ny\n"
        ),
        "{text}"
    );
}

#[test]
fn a_green_second_run_is_said() {
    let report = CheckReport {
        retried: true,
        ..green("test")
    };
    assert_eq!(
        check_result([&report].into_iter(), &OnBase::new()),
        "gate test: green on the second run, 1 test"
    );
}

#[test]
fn a_base_that_cannot_be_tested_is_no_red_base() {
    let missing = CheckReport {
        stop: None,
        reason: "cannot start `make`".to_owned(),
        ..report("test", CheckStatus::Error)
    };
    let text = red_base(&missing);
    assert!(text.contains("`make` could not be run"), "{text}");
    assert!(
        text.contains("environment") && !text.contains("no-worse"),
        "{text}"
    );
    let text = red_base(&red("test", ""));
    assert!(
        text.contains("make the base green first") && text.contains("no-worse"),
        "{text}"
    );
}

#[test]
fn what_was_tried_has_one_line_per_attempt() {
    let refusals = [
        "gate test red: a".to_owned(),
        "gate test\nred: b".to_owned(),
    ];
    assert_eq!(
        attempts_used_up(3, &refusals),
        "3 attempts refused\nattempt 2: gate test red: a\nattempt 3: gate test red: b"
    );
    let many: Vec<String> = (0..40).map(|n| format!("{n}")).collect();
    assert_eq!(
        attempts_used_up(40, &many).lines().count(),
        ATTEMPTS_MAX + 1
    );
}
