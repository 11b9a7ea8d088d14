//! `harness status` where more than one run has something left to do.

use serde_json::json;

use super::{assert_ok, json};
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

const LIST: &str = r#"{ "schema": 1, "features": [
  { "id": "A", "title": "First", "status": "pending", "passes": false },
  { "id": "B", "title": "Second", "status": "pending", "passes": false },
  { "id": "C", "title": "Third", "status": "pending", "passes": false } ] }
"#;

fn run(desk: &Desk, feature: &str, flags: &[&str]) -> i32 {
    let file = write(&format!("src/{feature}"), "1\n");
    let model = desk.script(&session(".", &[&file, FINISH]));
    let all = ["run", feature, "--no-input", "--model", &model];
    desk.harness(&[&all[..], flags].concat()).code
}

fn runs(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("run: "))
        .collect()
}

#[test]
fn every_run_that_is_not_done_with_is_named_with_its_way_out() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", LIST),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    assert_eq!(run(&desk, "A", &["--worktree"]), 0);
    let alone = desk.harness(&["status"]);
    assert!(runs(&alone.stdout).is_empty(), "{}", alone.stdout);
    assert_eq!(run(&desk, "B", &["--worktree", "--max-turns", "1"]), 3);
    assert_eq!(run(&desk, "C", &["--worktree"]), 0);
    let status = desk.harness(&["status"]);
    assert_ok(&status);
    let told = runs(&status.stdout);
    let [third, second, first] = told[..] else {
        panic!("{}", status.stdout);
    };
    for (line, parts) in [
        (
            third,
            [
                "R-0003 S-0003",
                "proven and not landed: C",
                "`harness land R-0003`",
            ],
        ),
        (
            second,
            [
                "R-0002 S-0002, B, ended, limit",
                "; `harness resume S-0002`",
                "`harness abort R-0002`",
            ],
        ),
        (
            first,
            [
                "R-0001 S-0001, A, ended, feature_passed",
                "proven and not landed: A",
                "; `harness land R-0001`",
            ],
        ),
    ] {
        for part in parts {
            assert!(line.contains(part), "no {part} in {line}");
        }
    }
    let lines = json(&desk.harness(&["status", "--json"]));
    let open: Vec<_> = lines
        .iter()
        .filter(|line| line["type"] == "open_run")
        .collect();
    assert_eq!(open.len(), 3);
    for (key, value) in [
        ("run", json!("R-0002")),
        ("ended", json!("limit")),
        ("running", json!(false)),
        ("not_landed", json!([])),
        (
            "ways_out",
            json!(["harness resume S-0002", "harness abort R-0002"]),
        ),
    ] {
        assert_eq!(open[1][key], value, "{key}");
    }
    // Each way that is gone takes the run off the list.
    assert_ok(&desk.harness(&["land", "R-0001"]));
    assert_ok(&desk.harness(&["abort", "R-0002"]));
    let rest = desk.harness(&["status"]);
    assert!(runs(&rest.stdout).is_empty(), "{}", rest.stdout);
}
