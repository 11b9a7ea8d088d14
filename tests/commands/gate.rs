//! `harness gate`: listed, and run on the work tree as it would be committed.

use harness_testkit::{Home, Project};
use serde_json::json;

use super::{assert_ok, json, picture};
use crate::support::{CONFIG, Desk, PROGRAM};

#[test]
fn gates_are_listed_as_they_are_defined() {
    let desk = Desk::new();
    let listed = desk.harness(&["gate", "list"]);
    assert_ok(&listed);
    assert_eq!(
        listed.stdout,
        "gate: test `sh tests/run.sh`, report tap, at most 1m\n"
    );
    let line = json(&desk.harness(&["gate", "list", "--json"])).remove(0);
    assert_eq!(line["run"], json!(["sh", "tests/run.sh"]));
    assert_eq!(
        (&line["gate"], &line["timeout_ms"]),
        (&json!("test"), &json!(60_000))
    );
}

#[test]
fn a_green_gate_is_zero_and_a_red_one_is_four() {
    let desk = Desk::new();
    let before = picture(&desk.project);
    let green = desk.harness(&["gate", "run"]);
    assert_ok(&green);
    assert!(
        green.stdout.starts_with("gate: test green, 2 tests, "),
        "{}",
        green.stdout
    );
    assert_eq!(picture(&desk.project), before);

    // Not committed yet: what counts is what would be.
    desk.project.write("src/answer", "41\n");
    let red = desk.harness(&["gate", "run", "test"]);
    assert_eq!(red.code, 4, "{}", red.stderr);
    assert!(
        red.stdout
            .contains("gate: test failed: 1 of 2 tests failed"),
        "{}",
        red.stdout
    );
    assert!(
        red.stdout.contains("\n  not ok 2 - the answer is not 41"),
        "{}",
        red.stdout
    );
    let line = json(&desk.harness(&["gate", "run", "--json"])).remove(0);
    assert_eq!(line["type"], "check_ended");
    assert_eq!(
        (&line["status"], &line["exit_code"]),
        (&json!("red"), &json!(1))
    );
    assert_eq!(
        line["tests"],
        json!({ "run": 2, "failed": 1, "skipped": 0 })
    );

    desk.project.write("src/answer", "42\n");
    assert_ok(&desk.harness(&["gate", "run"]));
}

#[test]
fn a_gate_runs_on_a_checkout_and_leaves_the_work_tree_alone() {
    let config = format!(
        "{CONFIG}\n[[gate]]\nname = \"messy\"\nrun = [\"sh\", \"tests/messy.sh\"]\nreport = \"exit\"\n"
    );
    let messy = "rm -rf src; echo mess > mess; rm -rf .git; exit 0\n";
    let desk = Desk::with_files(&[
        ("harness.toml", &config),
        ("src/answer", "42\n"),
        ("tests/run.sh", crate::support::TESTS),
        ("tests/messy.sh", messy),
    ]);
    let before = (picture(&desk.project), desk.person_side());
    desk.harness(&["gate", "run", "messy"]);
    assert_eq!((picture(&desk.project), desk.person_side()), before);
    let after = desk.harness(&["gate", "run", "test"]);
    assert_ok(&after);
    assert!(after.stdout.contains("green, 2 tests"), "{}", after.stdout);
}

#[test]
fn a_report_that_says_nothing_is_not_green() {
    let desk = Desk::new();
    for (script, word) in [
        ("exit 0\n", "has no TAP plan"),
        ("echo 1..0\n", "0 tests ran"),
        ("echo 1..3; echo ok 1\n", "the report is inconsistent"),
        ("echo 1..1; echo ok 1; exit 3\n", "exit 3, though"),
    ] {
        desk.project.write("tests/run.sh", script);
        assert_ok(&desk.harness(&["trust", "--yes"]));
        let run = desk.harness(&["gate", "run"]);
        assert_eq!(run.code, 4, "{script}: {}", run.stdout);
        assert!(run.stdout.contains(word), "{script}: {}", run.stdout);
    }
}

#[test]
fn an_unknown_gate_is_refused_with_those_there_are() {
    let desk = Desk::new();
    let run = desk.harness(&["gate", "run", "tset"]);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.stderr,
        "error: there is no gate `tset`\nhint: the gates are: test\n"
    );
}

#[test]
fn without_gates_nothing_can_be_proven_and_that_is_said() {
    let desk = Desk::with_files(&[("harness.toml", "[scope]\nwrite = [\"src/**\"]\n")]);
    let listed = desk.harness(&["gate", "list"]);
    assert_ok(&listed);
    assert!(
        listed.stdout.contains("nothing can become passing"),
        "{}",
        listed.stdout
    );
    let run = desk.harness(&["gate", "run"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("hint: harness init"), "{}", run.stderr);
}

#[test]
fn what_would_be_proposed_is_printed_and_compared_and_nothing_is_changed() {
    let desk = Desk::with_files(&[
        (
            "harness.toml",
            "[scope]\nwrite = [\"src/**\"]\n[[gate]]\nname = \"test\"\nrun = [\"cargo\", \"test\"]\n[[gate]]\nname = \"own\"\nrun = [\"true\"]\n",
        ),
        (
            "Cargo.toml",
            "[package]\nname = \"x\"\nversion = \"0.1.0\"\n",
        ),
        ("src/lib.rs", ""),
    ]);
    let before = picture(&desk.project);
    let detected = desk.harness(&["gate", "detect"]);
    assert_ok(&detected);
    for text in [
        "# `fmt` is not in harness.toml\n[[gate]]\nname = \"fmt\"\n",
        "# `test` is in harness.toml with other values:\n#   report = \"exit\"\n#   min_tests is not set\n[[gate]]\n",
        "# `own` stands in harness.toml alone\n",
    ] {
        assert!(
            detected.stdout.contains(text),
            "no {text:?} in {}",
            detected.stdout
        );
    }
    assert_eq!(picture(&desk.project), before);
    let lines = json(&desk.harness(&["gate", "detect", "--json"]));
    let standing = |name: &str| {
        let line = lines.iter().find(|line| line["gate"] == name).unwrap();
        line["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing("clippy"), "new");
    assert_eq!(standing("test"), "differs");
    assert_eq!(standing("own"), "only_configured");

    // What is proposed is a configuration that is read.
    desk.project.write("harness.toml", &detected.stdout);
    let listed = desk.harness(&["gate", "list"]);
    assert_ok(&listed);
    assert!(
        listed.stdout.contains("gate: clippy `cargo clippy"),
        "{}",
        listed.stdout
    );
}

#[test]
fn a_shell_project_without_tests_is_told_how_to_get_a_gate() {
    let home = Home::new(PROGRAM);
    let project = Project::with_files(&[("lib/a.sh", "echo a\n"), ("start.sh", "sh lib/a.sh\n")]);
    let detected = home.run(&project.root(), &["gate", "detect"]);
    assert_ok(&detected);
    assert_eq!(detected.stdout, "# no gate was found\n");
    assert!(
        detected
            .stderr
            .contains("a script `tests/run.sh` that prints TAP"),
        "{}",
        detected.stderr
    );
}
