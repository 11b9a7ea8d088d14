//! `verify --rerun`: the gates again, on what is committed.

use serde_json::Value;

use super::{super::assert_ok, json, landed};
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

#[test]
fn gates_that_come_out_as_recorded_agree() {
    let desk = landed();
    // What is not committed is not looked at.
    desk.project.write("src/answer", "41\n");
    let run = desk.harness(&["verify", "--rerun"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("gate: test green, 2 tests"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("feature: F-1 agrees"), "{}", run.stdout);
    assert!(!run.stderr.contains("only consistency"), "{}", run.stderr);
    let lines = json(&desk.harness(&["verify", "F-1", "--rerun", "--json"]));
    let kinds: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["type"].as_str())
        .collect();
    assert_eq!(kinds, ["verified", "check_ended", "rerun"]);
    assert_eq!(lines[1]["status"], "green");
    assert_eq!(
        (&lines[2]["agrees"], &lines[2]["differences"]),
        (&true.into(), &Value::Array(Vec::new()))
    );
}

#[test]
fn a_gate_that_is_red_now_is_named_with_what_failed() {
    let desk = landed();
    desk.project.write("src/answer", "41\n");
    desk.project.commit_all("a mistake");
    let plain = desk.harness(&["verify"]);
    assert_eq!(plain.code, 0, "only stale: {}", plain.stdout);
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    let expected = "feature: F-1 differs: gate `test` is red now: 1 of 2 tests failed";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
    assert!(
        run.stdout.contains("not ok 2 - the answer is not 41"),
        "{}",
        run.stdout
    );
}

#[test]
fn fewer_tests_than_recorded_differ_although_they_are_green() {
    let desk = landed();
    desk.project
        .write("tests/run.sh", "echo 1..1; echo ok 1 - all is well\n");
    desk.project.commit_all("fewer tests");
    assert_ok(&desk.harness(&["trust", "--yes"]));
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(
        run.stdout
            .contains("gate `test` ran 1 tests, 2 were recorded"),
        "{}",
        run.stdout
    );
}

#[test]
fn nothing_runs_where_nothing_is_trusted() {
    let desk = landed();
    desk.project.write(
        "tests/run.sh",
        "touch \"$HOME/ran\"; echo 1..1; echo ok 1\n",
    );
    desk.project.commit_all("another script");
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert!(run.stderr.contains("harness trust --yes"), "{}", run.stderr);
    assert!(!run.stdout.contains("gate:"), "{}", run.stdout);
    // Looking executes nothing and needs no trust.
    assert_eq!(desk.harness(&["verify"]).code, 0);
}

#[test]
fn a_gate_runs_once_for_all_features_that_share_it() {
    let list = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Part one", "scope": { "write": ["src/one"] }, "status": "pending", "passes": false },
  { "id": "F-2", "title": "Part two", "scope": { "write": ["src/two"] }, "verify": [["test", "-f", "src/two"]], "status": "pending", "passes": false } ] }
"#;
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", list),
        ("src/answer", "42\n"),
        ("tests/run.sh", TESTS),
    ]);
    let script = session("Part two", &[&write("src/two", "2\n"), FINISH])
        + &session("Part one", &[&write("src/one", "1\n"), FINISH]);
    let model = desk.script(&script);
    assert_ok(&desk.harness(&["run", "--model", &model]));
    // Before it landed it is the branch that is proven, and that is run.
    let run = desk.harness(&["verify", "--rerun"]);
    assert_ok(&run);
    assert_eq!(
        run.stdout.matches("gate: test ").count(),
        1,
        "{}",
        run.stdout
    );
    assert_eq!(run.stdout.matches(" agrees").count(), 2, "{}", run.stdout);
    assert_ok(&desk.harness(&["land"]));

    // Their own commands break for themselves.
    desk.project.git(&["rm", "--quiet", "src/two"]);
    desk.project.commit_all("part two is gone");
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(run.stdout.contains("feature: F-1 agrees"), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("F-2 differs: gate `verify-1` is red now"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_claim_is_not_run_and_is_four() {
    let desk = landed();
    desk.project
        .git(&["rm", "--quiet", ".harness/evidence/F-1.json"]);
    desk.project.commit_all("no proof");
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    assert!(run.stdout.contains("claimed"), "{}", run.stdout);
    assert!(!run.stdout.contains("gate:"), "{}", run.stdout);
}
