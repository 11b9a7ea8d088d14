//! Reports that real tools have written about tiny projects, read back.
//!
//! The folder `reports` has what each tool printed, with the paths of the machine
//! replaced; the first word of a file's name is the version of the tool.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by panicking"
)]

use std::{fs, path::PathBuf, time::Duration};

use harness_core::{Captured, CheckReport, CheckStatus, Gate, Reader, Stop};
use harness_gate::{
    check::{RunFacts, judge},
    readers::{EXCERPT_BYTES_MAX, Report, ReportFiles, ReportText, read_report},
};
use proptest::prelude::*;

fn text(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reports");
    fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of a reader's folder, in order.
fn recorded(folder: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reports")
        .join(folder);
    let names = fs::read_dir(path).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

fn reader_of(folder: &str) -> Reader {
    *Reader::ALL
        .iter()
        .find(|reader| reader.as_str() == folder)
        .unwrap()
}

/// Returns the exit code the tool had: a name says what the run was.
fn code(path: &str) -> i32 {
    let is_fine = [
        "green",
        "twice",
        "selected",
        "only-collected",
        "unnamed",
        "forged-",
    ];
    let (folder, name) = path.split_once('/').unwrap();
    match (folder, name) {
        ("pytest", name) if name.contains("none") => 5,
        ("pytest", name) if name.contains("collection-error.") => 2,
        ("pytest", name) if name.contains("usage") => 4,
        ("go" | "node", name) if name.contains("none") => 0,
        _ if is_fine.iter().any(|word| name.contains(word)) => 0,
        _ => 1,
    }
}

fn stop(path: &str) -> Stop {
    Stop::Exited(code(path))
}

/// Makes the files of a report: one of this text, or none.
fn files(text: Option<String>) -> ReportFiles {
    let file = text.map(|text| ReportText {
        path: "reports/a.xml".to_owned(),
        text,
    });
    ReportFiles {
        pattern: "reports/*.xml".to_owned(),
        texts: file.into_iter().collect(),
        problem: None,
    }
}

/// Reads a recording, an XML file as a report file and everything else as output.
fn read_as(path: &str, text: String, stop: Stop) -> Result<Report, String> {
    let reader = reader_of(path.split('/').next().unwrap());
    let read = match path.ends_with(".xml") {
        true => read_report(reader, "", Some(&files(Some(text))), stop),
        false if reader == Reader::Junit => read_report(reader, &text, Some(&files(None)), stop),
        false => read_report(reader, &text, None, stop),
    };
    read.map_err(|error| error.to_string())
}

fn read(path: &str) -> Result<Report, String> {
    read_as(path, text(path), stop(path))
}

/// Writes what was read of every recording of a folder, one line each.
fn told(folder: &str) -> String {
    let lines = recorded(folder).into_iter().map(|path| {
        let name = path.split_once('/').unwrap().1;
        let said = match read(&path) {
            Err(error) => error,
            Ok(Report {
                counts: None,
                excerpt,
                ..
            }) => {
                assert!(!excerpt.trim().is_empty(), "{path}");
                "no tests".to_owned()
            }
            Ok(report) => {
                let counts = report.counts.unwrap();
                let is_quoted = counts.failed > 0 || (code(&path) > 0 && !path.ends_with(".xml"));
                assert_eq!(
                    is_quoted,
                    !report.excerpt.is_empty(),
                    "{path}: {}",
                    report.excerpt
                );
                assert!(report.excerpt.len() <= EXCERPT_BYTES_MAX);
                format!(
                    "{} run, {} failed, {} skipped; passed {}; failed {}",
                    counts.run,
                    counts.failed,
                    counts.skipped,
                    report.passed.len(),
                    report.failed.join(", ")
                )
            }
        };
        format!("{name} ({}): {said}\n", code(&path))
    });
    lines.collect()
}

const FOLDERS: [&str; 7] = ["cargo", "pytest", "go", "node", "jest", "vitest", "junit"];

#[test]
fn every_recording_is_read_as_what_it_was() {
    for folder in FOLDERS {
        insta::assert_snapshot!(folder, told(folder));
    }
}

fn gate(reader: Reader) -> Gate {
    Gate {
        timeout: Duration::from_secs(1),
        reader,
        min_tests: 1,
        ..Gate::named("test", vec!["tool".to_owned()])
    }
}

/// Judges an output, or the text of a report file, of a tool that says all went well.
fn judged(path: &str, text: &str, baseline: Option<&CheckReport>) -> CheckReport {
    let is_file = path.ends_with(".xml");
    let facts = RunFacts {
        argv: vec!["tool".to_owned()],
        stop: Some(Stop::Exited(0)),
        ms: 1,
        output: Captured::default(),
        full_text: if is_file { "" } else { text },
        report_files: path
            .starts_with("junit/")
            .then(|| files(is_file.then(|| text.to_owned()))),
        output_sha256: String::new(),
        start_error: None,
    };
    judge(
        &gate(reader_of(path.split('/').next().unwrap())),
        facts,
        baseline,
    )
}

#[test]
fn a_red_run_whose_exit_code_was_lost_is_not_green() {
    for path in FOLDERS.iter().flat_map(|folder| recorded(folder)) {
        let is_green = judged(&path, &text(&path), None).status == CheckStatus::Green;
        let is_fine = code(&path) == 0 && !path.contains("none");
        let is_no_report = ["only-collected", "unnamed", "forged-spec", "maven"]
            .iter()
            .any(|word| path.contains(word));
        assert_eq!(is_green, is_fine && !is_no_report, "{path}");
    }
}

#[test]
fn a_report_cut_at_any_line_is_not_green_unless_it_says_as_much_as_the_whole() {
    for path in FOLDERS.iter().flat_map(|folder| recorded(folder)) {
        let whole = text(&path);
        let full = judged(&path, &whole, None);
        let ends = whole.match_indices('\n').map(|(at, _)| at);
        for end in ends.flat_map(|at| [at, at + 1]).chain([0]) {
            let cut = judged(&path, &whole[..end], None);
            if cut.status != CheckStatus::Green {
                continue;
            }
            // A run of several packages has no end of its own; the number of tests on the base holds it.
            let is_whole_package = path.starts_with("go/") && {
                let on_base = judged(&path, &whole[..end], Some(&full));
                let (cut, full) = (cut.tests.unwrap().run, full.tests.unwrap().run);
                cut < full && (on_base.status != CheckStatus::Green)
            };
            let says_it_all = full.status == CheckStatus::Green && cut.tests == full.tests;
            assert!(says_it_all || is_whole_package, "{path} up to byte {end}");
        }
    }
}

#[test]
fn a_line_too_few_or_one_twice_never_changes_the_number_of_tests() {
    let all = FOLDERS.iter().flat_map(|folder| recorded(folder));
    // A recording with a line too many is whole again without one.
    for path in all.filter(|path| !path.contains("forged")) {
        let whole = text(&path);
        let full = judged(&path, &whole, None);
        let lines: Vec<&str> = whole.lines().collect();
        for at in 0..lines.len() {
            for copies in [0, 2] {
                let changed = [&lines[..at], &vec![lines[at]; copies], &lines[at + 1..]].concat();
                let report = judged(&path, &(changed.join("\n") + "\n"), None);
                if report.status == CheckStatus::Green {
                    assert_eq!(full.status, CheckStatus::Green, "{path} line {}", at + 1);
                    assert_eq!(report.tests, full.tests, "{path} line {}", at + 1);
                }
            }
        }
    }
}

#[test]
fn an_excerpt_has_the_failure_and_its_place_and_not_the_whole_log() {
    for (path, expected, unwanted) in [
        (
            "pytest/8.3.4-red.txt",
            &["no database", "test_shop.py:9: AssertionError", "left open"][..],
            &["collected 10 items", "PASSED"][..],
        ),
        (
            "pytest/9.0.2-collection-error.txt",
            &[
                "ERROR collecting test_broken.py",
                "No module named 'nowhere'",
            ],
            &["collected"],
        ),
        (
            "pytest/8.3.4-usage-error.txt",
            &["unrecognized arguments"],
            &[],
        ),
        (
            "pytest/8.3.4-red-quiet.txt",
            &["test_shop.py:9"],
            &["[100%]"],
        ),
        (
            "go/1.27-red.jsonl",
            &[
                "FAIL demo/sad.TestBad",
                "sad_test.go:9: got 3, want 4",
                "sad_test.go:14: inner",
            ],
            &["TestTable", "\"Action\""],
        ),
        (
            "go/1.19-red.txt",
            &[
                "FAIL demo/sad.TestBad",
                "sad_test.go:9: got 3, want 4",
                "sad_test.go:14: inner",
            ],
            &["TestTable"],
        ),
        (
            "go/1.19-broken.jsonl",
            &["broken_test.go:5:28: undefined"],
            &["TestSum"],
        ),
        (
            "go/1.27-broken.jsonl",
            &["broken_test.go:5:28: undefined"],
            &["TestSum"],
        ),
        (
            "go/1.19-broken.txt",
            &["broken_test.go:5:28: undefined"],
            &["TestSum"],
        ),
        (
            "go/1.27-crash.jsonl",
            &["assignment to entry in nil map", "crash_test.go:9"],
            &["TestBefore"],
        ),
        (
            "node/20-red-spec.txt",
            &["test at a.test.js:5:1", "3 !== 4", "Error: boom"],
            &["tests 6"],
        ),
        (
            "node/24-red-tap.txt",
            &["not ok 2 - bad", "3 !== 4"],
            &["ok 1 - good"],
        ),
        ("node/22-broken-spec.txt", &["a.test.js"], &["fine"]),
        (
            "jest/30-red.txt",
            &[
                "FAIL b.test.js > sum > adds wrongly",
                "Expected: 4",
                "b.test.js:2:46",
            ],
            &["numTotalTests"],
        ),
        (
            "jest/29-broken.txt",
            &["FAIL a.test.js", "Cannot find module 'nowhere'"],
            &[],
        ),
        (
            "vitest/4-red.txt",
            &["expected 3 to be 4", "b.test.js:2:46"],
            &["numTotalTests"],
        ),
        ("vitest/3-broken.txt", &["FAIL a.test.js", "nowhere"], &[]),
        (
            "junit/surefire-2.22.3-red.xml",
            &[
                "FAIL demo.SumTest.bad",
                "sum is wrong",
                "SumTest.java:6",
                "SumTest.java:7",
            ],
            &["good"],
        ),
        (
            "junit/maven-3.8-broken.txt",
            &["SumTest.java:[5,51] cannot find symbol"],
            &["[INFO]"],
        ),
        (
            "junit/pytest-8.3.4-red.xml",
            &["FAIL test_shop.test_bad", "test_shop.py:9"],
            &[],
        ),
        (
            "cargo/nextest-red.txt",
            &["ABRT", "thread 'bad'", "tests/it.rs:4:85"],
            &["Starting", "Summary [   1"],
        ),
    ] {
        let excerpt = read(path).unwrap().excerpt;
        for word in expected {
            assert!(excerpt.contains(word), "{path}: no {word:?} in\n{excerpt}");
        }
        for word in unwanted {
            assert!(!excerpt.contains(word), "{path}: {word:?} in\n{excerpt}");
        }
    }
}

#[test]
fn xml_with_a_document_type_or_an_end_too_early_is_refused() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><testsuite tests="0">&c;</testsuite>"#;
    let deep = format!(
        "{}{}",
        "<testsuite tests='0'>".repeat(40),
        "</testsuite>".repeat(40)
    );
    for (text, expected) in [
        (bomb, "DTD"),
        ("<testsuite tests='1'><testcase name='a'/>", "reports/a.xml"),
        ("<html/>", "it begins with `html`"),
        (&deep, "nested"),
        (
            "<testsuite><testcase name='a'/></testsuite>",
            "does not say how many",
        ),
        (
            "<testsuite tests='2'><testcase name='a'/></testsuite>",
            "tests `2` and has 1",
        ),
        ("<testsuite tests='-1'/>", "tests `-1`"),
        (
            "<testsuite tests='1' failures='0'><testcase name='a'><failure/></testcase></testsuite>",
            "failures `0` and has 1",
        ),
        (
            "<testsuites tests='3'><testsuite tests='1'><testcase name='a'/></testsuite></testsuites>",
            "tests `3` and has 1",
        ),
    ] {
        let error = read_as("junit/a.xml", text.to_owned(), Stop::Exited(0)).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let absurd = "<testsuite tests='1' time='-99999999999999999999'><testcase name='a' time='NaN'/></testsuite>";
    let read = read_as("junit/a.xml", absurd.to_owned(), Stop::Exited(0)).unwrap();
    assert_eq!(read.counts.unwrap().run, 1);
}

proptest! {
    #[test]
    fn any_text_gives_a_result(text in "\\PC{0,300}", code in 0..2) {
        for reader in Reader::ALL {
            let _ = read_report(reader, &text, None, Stop::Exited(code));
            let _ = read_report(reader, "", Some(&files(Some(text.clone()))), Stop::Exited(code));
        }
    }

    #[test]
    fn lines_of_reports_in_any_order_give_a_result(
        seed in proptest::collection::vec((0..1_000_usize, 0..1_000_usize), 0..40),
        reader in 0..Reader::ALL.len(),
    ) {
        let reader = Reader::ALL[reader];
        let folder = match reader {
            Reader::Tap => "node",
            Reader::Exit => "cargo",
            other => other.as_str(),
        };
        let paths = recorded(folder);
        let text: String = seed
            .iter()
            .map(|(file, line)| {
                let text = text(&paths[file % paths.len()]);
                let lines: Vec<&str> = text.lines().collect();
                format!("{}\n", lines.get(line % lines.len().max(1)).unwrap_or(&""))
            })
            .collect();
        let _ = read_report(reader, &text, None, Stop::Exited(0));
        let _ = read_report(reader, &text, Some(&files(Some(text.clone()))), Stop::Exited(0));
    }
}
