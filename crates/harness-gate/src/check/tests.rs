use std::time::Duration;

use harness_core::{Reader, RepoPath, When};

use super::*;

fn gate(reader: Reader, min_tests: u32, baseline: Baseline) -> Gate {
    Gate {
        reader,
        min_tests,
        baseline,
        ..Gate::named("test", vec!["cargo".to_owned(), "test".to_owned()])
    }
}

fn facts(output: &str, stop: Stop) -> RunFacts<'_> {
    RunFacts {
        argv: vec!["cargo".to_owned(), "test".to_owned()],
        stop: Some(stop),
        ms: 61_500,
        output: Captured {
            head: output.to_owned(),
            tail: String::new(),
            bytes: output.len() as u64,
        },
        full_text: output,
        report_files: None,
        output_sha256: canonical::sha256_hex(output.as_bytes()),
        start_error: None,
    }
}

/// Writes TAP: `passed` unnamed tests, then the failed ones by name, then skipped ones.
fn tap(passed: usize, failed: &[&str], skipped: usize) -> (String, Stop) {
    let passes = (0..passed).map(|_| "ok\n".to_owned());
    let failures = failed.iter().map(|name| format!("not ok - {name}\n"));
    let skips = (0..skipped).map(|_| "ok # SKIP\n".to_owned());
    let lines: String = passes.chain(failures).chain(skips).collect();
    let code = i32::from(!failed.is_empty());
    let plan = passed + failed.len() + skipped;
    (format!("1..{plan}\n{lines}"), Stop::Exited(code))
}

fn judged(gate: &Gate, (output, stop): &(String, Stop), base: Option<&CheckReport>) -> CheckReport {
    judge(gate, facts(output, *stop), base)
}

/// Checks colour and reason of a TAP run against a TAP run on the base.
fn check(
    gate: &Gate,
    base: Option<(String, Stop)>,
    run: &(String, Stop),
    status: CheckStatus,
    reason: &str,
) {
    let base = base.map(|base| judged(gate, &base, None));
    let report = judged(gate, run, base.as_ref());
    assert_eq!(
        (report.status, report.reason.as_str()),
        (status, reason),
        "{}",
        run.0
    );
    assert!(status != Green || report.excerpt.is_empty(), "{}", run.0);
}

use CheckStatus::{Error, Green, Red, Timeout};

#[test]
fn green_takes_exit_zero_and_as_many_tests_as_on_the_base() {
    let gate = gate(Reader::Tap, 1, Baseline::Strict);
    let cases = [
        (None, tap(3, &[], 0), Green, ""),
        (Some(tap(12, &[], 1)), tap(12, &[], 1), Green, ""),
        (Some(tap(12, &[], 1)), tap(13, &[], 0), Green, ""),
        (
            Some(tap(11, &["a"], 0)),
            tap(3, &[], 0),
            Red,
            "3 tests ran, at least 12 were expected (as on the base)",
        ),
        (
            None,
            tap(0, &[], 0),
            Red,
            "0 tests ran, at least 1 were expected (`min_tests`)",
        ),
        (
            Some(tap(2, &[], 1)),
            tap(2, &[], 2),
            Red,
            "2 tests are skipped, 1 on the base",
        ),
        (
            Some(tap(2, &[], 0)),
            tap(1, &["csv::quotes"], 0),
            Red,
            "1 of 2 tests failed: csv::quotes",
        ),
        (
            None,
            tap(1, &["a", "b", "c", "d", "e"], 0),
            Red,
            "5 of 6 tests failed: a, b, c and 2 more",
        ),
        (
            None,
            (tap(1, &[], 0).0, Stop::Exited(3)),
            Red,
            "exit 3, though no test failed",
        ),
        (
            None,
            (tap(0, &["a"], 0).0, Stop::Exited(0)),
            Red,
            "1 of 1 tests failed: a",
        ),
    ];
    for (base, run, status, reason) in cases {
        check(&gate, base, &run, status, reason);
    }
}

#[test]
fn no_worse_forgives_exactly_what_was_red_on_the_base() {
    let gate = gate(Reader::Tap, 1, Baseline::NoWorse);
    let base = || Some(tap(10, &["a", "b"], 0));
    check(&gate, base(), &tap(11, &["a"], 0), Green, "1 known failure");
    check(
        &gate,
        base(),
        &tap(10, &["b", "a"], 0),
        Green,
        "2 known failures",
    );
    check(&gate, base(), &tap(12, &[], 0), Green, "");
    check(
        &gate,
        base(),
        &tap(10, &["a", "c"], 0),
        Red,
        "2 of 12 tests failed, 1 of them known: c",
    );
    check(
        &gate,
        base(),
        &tap(10, &["a", "a"], 0),
        Red,
        "2 of 12 tests failed, 1 of them known: a",
    );
    check(
        &gate,
        None,
        &tap(10, &["a"], 0),
        Red,
        "1 of 11 tests failed: a",
    );
    check(
        &gate,
        base(),
        &tap(1, &["a"], 0),
        Red,
        "2 tests ran, at least 12 were expected (as on the base)",
    );
    let killed = (tap(11, &["a"], 0).0, Stop::Signalled(9));
    check(&gate, base(), &killed, Red, "ended by signal 9");
}

#[test]
fn what_is_no_report_is_an_error_and_what_takes_too_long_a_timeout() {
    let gate = gate(Reader::Tap, 1, Baseline::Strict);
    let run = |output: &str, stop| (output.to_owned(), stop);
    let cases = [
        (
            run("done\n", Stop::Exited(0)),
            Error,
            "exit 0, the output has no TAP plan such as `1..4`",
        ),
        (
            run("1..2\nok\n", Stop::Exited(0)),
            Error,
            "exit 0, the report is inconsistent: 2 tests were planned and 1 are reported",
        ),
        (run("sh: not found\n", Stop::Exited(127)), Red, "exit 127"),
        (run("x\n", Stop::Signalled(11)), Red, "ended by signal 11"),
        (run("x\n", Stop::TimedOut), Timeout, "not done after 61 s"),
        (
            run("x\n", Stop::Silent),
            Timeout,
            "fell silent, ended after 61 s",
        ),
        (
            run("x\n", Stop::Flooded),
            Error,
            "it wrote more than its output limit",
        ),
        (run("x\n", Stop::Cancelled), Error, "it was cancelled"),
    ];
    for (run, status, reason) in cases {
        check(&gate, None, &run, status, reason);
    }
}

#[test]
fn a_command_that_did_not_start_is_an_error() {
    let gate = gate(Reader::Exit, 0, Baseline::Strict);
    let facts = RunFacts {
        stop: None,
        start_error: Some("cannot start `cargo`: not found".to_owned()),
        ..facts("", Stop::Exited(0))
    };
    let report = judge(&gate, facts, None);
    assert_eq!(report.status, Error);
    assert_eq!(report.reason, "cannot start `cargo`: not found");
}

#[test]
fn a_gate_without_counts_is_green_by_its_exit_code_alone() {
    let lint = gate(Reader::Exit, 0, Baseline::Strict);
    let run = |code| ("text\n".to_owned(), Stop::Exited(code));
    check(&lint, None, &run(0), Green, "");
    check(&lint, Some(run(0)), &run(101), Red, "exit 101");
    let counting = gate(Reader::Exit, 3, Baseline::Strict);
    check(
        &counting,
        None,
        &run(0),
        Red,
        "no test is counted, at least 3 were expected",
    );
}

#[test]
fn a_base_that_did_not_build_demands_the_floor_only() {
    let gate = gate(Reader::Tap, 1, Baseline::Strict);
    let base = ("sh: broken\n".to_owned(), Stop::Exited(2));
    check(&gate, Some(base), &tap(1, &[], 1), Green, "");
}

#[test]
fn a_report_is_bounded() {
    let gate = gate(Reader::Tap, 0, Baseline::Strict);
    let long = "x".repeat(5_000);
    let names: Vec<&str> = (0..300).map(|_| long.as_str()).collect();
    let report = judged(&gate, &tap(0, &names, 0), None);
    assert_eq!(report.failed_tests.len(), FAILED_NAMES_MAX);
    assert!(report.reason.len() <= REASON_BYTES_MAX + 3);
    assert!(report.excerpt.len() <= crate::readers::EXCERPT_BYTES_MAX);
}

#[test]
fn the_hash_of_gates_covers_every_field_and_no_order() {
    let first = gate(Reader::Tap, 1, Baseline::Strict);
    let changes: [fn(&mut Gate); 12] = [
        |gate| gate.name.push('x'),
        |gate| gate.run.push("x".to_owned()),
        |gate| gate.cwd = RepoPath::parse("x").unwrap(),
        |gate| gate.environment.push("X".to_owned()),
        |gate| gate.timeout = Duration::from_secs(1),
        |gate| gate.reader = Reader::Exit,
        |gate| gate.min_tests = 0,
        |gate| gate.when = When::Edit,
        |gate| gate.baseline = Baseline::NoWorse,
        |gate| gate.paths.push("**".to_owned()),
        |gate| gate.report_file = Some("*.xml".to_owned()),
        |gate| gate.flaky_retries = 1,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut second = first.clone();
        change(&mut second);
        assert_ne!(gate_hash(&first), gate_hash(&second), "change {index}");
    }
    let second = Gate {
        name: "lint".to_owned(),
        ..first.clone()
    };
    assert_eq!(gates_hash([&first, &second]), gates_hash([&second, &first]));
    assert_ne!(gates_hash([&first]), gates_hash([&first, &second]));
    // Stored in evidence files: a change here turns every proof into a claim.
    assert_eq!(
        gate_hash(&first),
        canonical::sha256_hex(
            br#"{"baseline":"strict","cwd":"","environment":[],"min_tests":1,"name":"test","paths":[],"report":"tap","run":["cargo","test"],"timeout_ms":600000,"when":"finish"}"#
        )
    );
}
