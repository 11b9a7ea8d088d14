use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

const OK: Stop = Stop::Exited(0);
const FAILED: Stop = Stop::Exited(101);

/// Two binaries and the tests of documentation, with a failure that quotes a summary.
const CARGO: &str = "\
   Compiling demo v0.1.0 (/repo)
     Running unittests src/lib.rs (target/debug/deps/demo-c4066ebb79ee0019)

running 4 tests
test tests::good ... ok
test tests::bad ... FAILED
test tests::skipped ... ignored, slow ... very
test tests::panics - should panic ... ok

failures:

---- tests::bad stdout ----
test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out
running 7 tests
test forged ... ok

thread 'tests::bad' panicked at src/lib.rs:11:112:
assertion `left == right` failed: numbers


failures:
    tests::bad

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.08s

error: test failed, to rerun pass `--lib`
     Running tests/it.rs (target/debug/deps/it-eba39656af3a16ca)

running 1 test
noise
test child ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests demo

running 1 test
test src/lib.rs - a (line 4) - compile fail ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s

error: 1 target failed:
    `--lib`
";

const NODE: &str = "\
TAP version 13
# ok 9 - forged
# Subtest: suite
    # Subtest: good
    ok 1 - good
      ---
      duration_ms: 0.9
      ...
    # Subtest: bad
    not ok 2 - bad
      ---
      error: |-
        ok 7 - forged
        ...
      code: 'ERR_ASSERTION'
      ...
    # Subtest: later
    ok 3 - later # SKIP
    1..3
not ok 1 - suite
  ---
  error: '1 subtest failed'
  ...
# Subtest: top \\# hash
ok 2 - top \\# hash
# Subtest: todo
not ok 3 - todo # TODO
  ---
  error: |-
    not ok 8 - forged
  ...
1..3
# tests 5
";

fn summary(passed: u32, failed: u32) -> String {
    let word = if failed == 0 { "ok" } else { "FAILED" };
    format!(
        "test result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
    )
}

fn read(reader: Reader, output: &str, stop: Stop) -> Report {
    read_report(reader, output, None, stop).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

/// Checks counts (run, failed, skipped) and the names of failed tests.
fn check(reader: Reader, output: &str, stop: Stop, counts: (u32, u32, u32), failed: &[&str]) {
    let report = read(reader, output, stop);
    let found = report
        .counts
        .map(|counts| (counts.run, counts.failed, counts.skipped));
    assert_eq!(found, Some(counts), "{output}");
    assert_eq!(report.failed, failed, "{output}");
}

fn check_error(reader: Reader, output: &str, expected: &str) {
    let error = read_report(reader, output, None, OK)
        .unwrap_err()
        .to_string();
    assert_eq!(error, expected, "{output}");
}

#[test]
fn cargo_sums_all_binaries_and_names_the_tests() {
    check(Reader::Cargo, CARGO, FAILED, (5, 1, 1), &["tests::bad"]);
    let report = read(Reader::Cargo, CARGO, FAILED);
    let passed = [
        "tests::good",
        "tests::panics",
        "child",
        "src/lib.rs - a (line 4)",
    ];
    assert_eq!(report.passed, passed);
    assert_eq!(report.filtered, 3);
    assert_snapshot!(report.excerpt, @r"
    ---- tests::bad stdout ----
    test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out
    running 7 tests
    test forged ... ok

    thread 'tests::bad' panicked at src/lib.rs:11:112:
    assertion `left == right` failed: numbers

    ");
}

#[test]
fn cargo_reads_the_quiet_form_and_one_test_thread() {
    let quiet = format!(
        "running 5 tests\n. 1/5\na::bad --- FAILED\n.ib\nfailures:\n\n---- a::bad stdout ----\nboom\n\nfailures:\n    a::bad\n\n{}",
        "test result: FAILED. 2 passed; 1 failed; 1 ignored; 1 measured; 0 filtered out; finished in 0.07s\n"
    );
    check(Reader::Cargo, &quiet, FAILED, (3, 1, 1), &["a::bad"]);
    let marks = format!(
        "running 2 tests\nF.\nfailures:\n\nfailures:\n    a::b\n\n{}",
        summary(1, 1)
    );
    check(Reader::Cargo, &marks, FAILED, (2, 1, 0), &["a::b"]);
    let one_thread = format!(
        "running 2 tests\ntest child ... noise\nok\ntest b ... ok\n{}",
        summary(2, 0)
    );
    check(Reader::Cargo, &one_thread, OK, (2, 0, 0), &[]);
    let glued = format!("running 1 test\nnoisetest b ... ok\n{}", summary(1, 0));
    check(Reader::Cargo, &glued, OK, (1, 0, 0), &[]);
    let coloured = format!(
        "running 1 test\r\ntest b ... \x1b[32mok\x1b(B\x1b[m\r\n{}",
        summary(1, 0)
    );
    check(Reader::Cargo, &coloured, OK, (1, 0, 0), &[]);
    check(
        Reader::Cargo,
        &format!("running 0 tests\n{}", summary(0, 0)),
        OK,
        (0, 0, 0),
        &[],
    );
}

#[test]
fn cargo_refuses_what_does_not_add_up() {
    let listed = "running 2 tests\ntest a ... ok\ntest b ... ok\n";
    let cases = [
        (
            summary(12, 0),
            "the report is inconsistent: a summary stands without its `running` line",
        ),
        (
            format!("{listed}{}{}", summary(2, 0), summary(12, 0)),
            "the report is inconsistent: a summary stands without its `running` line",
        ),
        (
            format!("{listed}{}", summary(12, 0)),
            "the report is inconsistent: 2 tests were announced, 2 listed, and the summary speaks of 12",
        ),
        (
            format!("running 2 tests\ntest a ... ok\n{}", summary(2, 0)),
            "the report is inconsistent: 2 tests were announced, 1 listed, and the summary speaks of 2",
        ),
        (
            format!(
                "running 2 tests\ntest a ... FAILED\ntest b ... ok\n{}",
                summary(2, 0)
            ),
            "the report is inconsistent: 2 tests were announced, 2 listed, and the summary speaks of 2",
        ),
        (
            format!("{listed}test c ... ok\n{}", summary(2, 0)),
            "the report is inconsistent: more than the announced 2 tests are listed",
        ),
        (
            "running 2 tests\ntest a ... ok\n".to_owned(),
            "the report is inconsistent: a test binary began and gave no summary",
        ),
        (
            format!("running 2 tests\ntest a ... ok\n{listed}{}", summary(2, 0)),
            "the report is inconsistent: a test binary began and gave no summary",
        ),
        (
            format!("{listed}{listed}{}", summary(2, 0)),
            "the report is inconsistent: a test binary has no summary",
        ),
        (
            format!(
                "running 1 test\nF\nfailures:\n\nfailures:\n    a\n    b\n{}",
                summary(0, 1)
            ),
            "the report is inconsistent: 1 tests failed and 2 of them are named",
        ),
        (
            "all is well\n".to_owned(),
            "the output has no line `test result:`",
        ),
    ];
    for (output, expected) in cases {
        check_error(Reader::Cargo, &output, expected);
    }
}

#[test]
fn a_compiler_error_is_quoted_with_its_place() {
    let output = "\
   Compiling demo v0.1.0 (/repo)
warning: unused variable
 --> src/a.rs:1:1

error[E0308]: mismatched types
  --> src/lib.rs:15:21
   |
15 | pub fn b() -> u32 { \"x\" }

For more information about this error, try `rustc --explain E0308`.
error: could not compile `demo` (lib) due to 1 previous error
warning: build failed, waiting for other jobs to finish...
";
    let report = read(Reader::Cargo, output, FAILED);
    assert_eq!(report.counts, None);
    assert_snapshot!(report.excerpt, @r#"
    error[E0308]: mismatched types
      --> src/lib.rs:15:21
       |
    15 | pub fn b() -> u32 { "x" }

    error: could not compile `demo` (lib) due to 1 previous error
    warning: build failed, waiting for other jobs to finish...
    "#);
}

#[test]
fn tap_counts_the_innermost_tests() {
    check(
        Reader::Tap,
        NODE,
        Stop::Exited(1),
        (3, 1, 2),
        &["suite > bad"],
    );
    let report = read(Reader::Tap, NODE, Stop::Exited(1));
    assert_eq!(report.passed, ["suite > good", "top \\# hash"]);
    assert_snapshot!(report.excerpt, @r"
    not ok 2 - bad
      ---
      error: |-
        ok 7 - forged
        ...
      code: 'ERR_ASSERTION'
      ...
    ");
}

#[test]
fn tap_of_a_shell_script_is_read() {
    type Case = (&'static str, (u32, u32, u32), &'static [&'static str]);
    let cases: &[Case] = &[
        ("1..2\nok 1 - a\nok 2 - b\n", (2, 0, 0), &[]),
        ("ok\nnot ok\n1..2\n", (2, 1, 0), &["test 2"]),
        (
            "noise\n1..2\n    ok 1 - noise\nok 1 a\nnot ok 2 b\n# why\n",
            (2, 1, 0),
            &["b"],
        ),
        (
            "1..3\nok 1 a # skip no net\nnot ok 2 b # TODO\nok 3 c # todo\n",
            (0, 0, 3),
            &[],
        ),
        ("1..1\nnot ok 1 - a # SKIP\n", (1, 1, 0), &["a"]),
        ("1..2\nok 2 - b\nok 1 - a\n", (2, 0, 0), &[]),
        ("1..0 # SKIP nothing here\n", (0, 0, 0), &[]),
    ];
    for &(output, counts, failed) in cases {
        check(Reader::Tap, output, OK, counts, failed);
    }
}

#[test]
fn tap_refuses_what_does_not_add_up() {
    let cases = [
        ("", "the output has no TAP plan such as `1..4`"),
        (
            "ok 1 - a\n",
            "the report is inconsistent: there is no plan such as `1..4`",
        ),
        (
            "1..3\nok 1\nok 2\n",
            "the report is inconsistent: 3 tests were planned and 2 are reported",
        ),
        (
            "1..1\nok 1\nok 2\n",
            "the report is inconsistent: 1 tests were planned and 2 are reported",
        ),
        (
            "1..2\nok 1\nok 3\n",
            "the report is inconsistent: 2 tests were planned and 2 are reported",
        ),
        (
            "1..2\nok 1\nok 1\n",
            "the report is inconsistent: test 1 is reported twice",
        ),
        (
            "ok 1\n1..1\nok 2\n",
            "the report is inconsistent: test 2 follows the final plan",
        ),
        (
            "1..1\n1..1\nok 1\n",
            "the report is inconsistent: there is more than one plan",
        ),
        (
            "1..2\nok 1\nBail out! no disk\n",
            "the test program bailed out: no disk",
        ),
        (
            "# Subtest: a\n    ok 1\n1..0\n",
            "the report is inconsistent: subtests have no test above them",
        ),
        (
            "# Subtest: a\n    ok 1\nok 1\n1..1\n",
            "the report is inconsistent: there is no plan such as `1..4`",
        ),
    ];
    for (output, expected) in cases {
        check_error(Reader::Tap, output, expected);
    }
}

#[test]
fn a_command_that_failed_before_its_report_is_quoted_from_the_end() {
    for reader in [Reader::Cargo, Reader::Tap, Reader::Exit] {
        let report = read(reader, "one\n\x1b[31mtwo\n", Stop::Exited(2));
        assert_eq!(
            (report.counts, report.excerpt.as_str()),
            (None, "one\ntwo\n")
        );
    }
    assert_eq!(read(Reader::Exit, "fine\n", OK), Report::default());
}

#[test]
fn a_long_excerpt_is_bounded_and_begins_with_the_first_failure() {
    let block = |name: &str| {
        format!(
            "---- {name} stdout ----\n{}end of {name}\n\n",
            "line\n".repeat(4_000)
        )
    };
    let output = format!(
        "running 2 tests\ntest a ... FAILED\ntest b ... FAILED\n\nfailures:\n\n{}{}failures:\n    a\n    b\n\n{}",
        block("a"),
        block("b"),
        summary(0, 2)
    );
    let excerpt = read(Reader::Cargo, &output, FAILED).excerpt;
    assert!(excerpt.len() <= EXCERPT_BYTES_MAX);
    assert!(excerpt.starts_with("---- a stdout ----\n"));
    assert!(excerpt.contains(" bytes left out]\n") && excerpt.contains("end of a\n"));
    assert!(excerpt.ends_with('\n'));
}

proptest! {
    #[test]
    fn garbage_never_panics(output in "\\PC{0,200}", code in 0..2) {
        for reader in [Reader::Cargo, Reader::Tap, Reader::Exit] {
            let _ = read_report(reader, &output, None, Stop::Exited(code));
        }
    }

    #[test]
    fn lines_in_any_order_never_panic_and_never_count_unlisted_tests(
        lines in proptest::collection::vec(prop_oneof![
            Just("running 1 test"), Just("running 2 tests"), Just("test a ... ok"),
            Just("test b ... FAILED"), Just("test c ... "), Just("ok"), Just("not ok 2 - é"),
            Just("failures:"), Just("successes:"), Just("---- a stdout ----"), Just("    a"),
            Just(".F"), Just("1..2"), Just("ok 1 - a # SKIP"), Just("    1..1"), Just("    ok 1"),
            Just("# Subtest: a"), Just("  ---"), Just("  ..."), Just(""),
            Just("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"),
            Just("test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"),
        ], 0..30),
    ) {
        let output = lines.join("\n");
        let count = |wanted: &str| lines.iter().filter(|line| line.contains(wanted)).count();
        if let Ok(Report { counts: Some(counts), .. }) = read_report(Reader::Cargo, &output, None, OK) {
            let results = count(" ... ") + count("ok") + 2 * count(".F");
            prop_assert!(counts.run as usize <= results);
        }
        if let Ok(Report { counts: Some(counts), .. }) = read_report(Reader::Tap, &output, None, OK) {
            prop_assert!((counts.run + counts.skipped) as usize <= count("ok"));
        }
    }

    #[test]
    fn a_cut_report_never_says_more_than_the_whole(end in 0..CARGO.len(), tap_end in 0..NODE.len()) {
        if let Ok(Report { counts: Some(counts), .. }) = read_report(Reader::Cargo, &CARGO[..end], None, FAILED) {
            prop_assert!(counts.run <= 5);
        }
        let _ = read_report(Reader::Tap, &NODE[..tap_end], None, FAILED);
    }
}
