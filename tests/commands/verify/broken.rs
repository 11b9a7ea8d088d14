//! A feature that was passing and is broken later: it becomes failing, with the commit that did it.

use super::{super::assert_ok, json};
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

const LIST: &str = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "scope": { "write": ["src/answer"] }, "status": "pending", "passes": false },
  { "id": "F-2", "title": "Write notes", "scope": { "write": ["src/notes"] }, "status": "pending", "passes": false },
  { "id": "F-3", "title": "Ask more", "scope": { "write": ["src/more"] }, "priority": 9, "status": "blocked", "passes": false } ] }
"#;

/// F-1 and F-2 are proven and landed, and they share their gate.
fn desk() -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", LIST),
        ("src/answer", "0\n"),
        ("docs/a.md", "a\n"),
        ("tests/run.sh", TESTS),
    ]);
    for (path, feature) in [("src/answer", "F-1"), ("src/notes", "F-2")] {
        desk.project.write(path, "42\n");
        assert_ok(&desk.harness(&["feature", "finish", feature, "--land"]));
    }
    desk
}

fn change(desk: &Desk, path: &str, text: &str, message: &str) -> String {
    desk.project.write(path, text);
    desk.project.commit_all(message);
    desk.project.git(&["rev-parse", "HEAD"])
}

fn listed(desk: &Desk) -> String {
    desk.harness(&["feature", "list"]).stdout
}

#[test]
fn the_commit_that_broke_it_is_named_and_a_run_takes_it_up_first() {
    let desk = desk();
    change(&desk, "docs/a.md", "b\n", "words");
    let culprit = change(&desk, "src/answer", "41\n", "Round the answer");
    change(&desk, "docs/a.md", "c\n", "more words");
    let run = desk.harness(&["verify", "--rerun"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    let expected = format!("broken by {} Round the answer", &culprit[..10]);
    assert!(
        run.stdout
            .contains("feature: F-1 failing, gate `test` is red now"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains(&expected), "{expected}: {}", run.stdout);
    // The gate is F-2's too, and nothing of F-2 has changed.
    let list = listed(&desk);
    assert!(
        list.contains("F-1 failing") && list.contains("F-2 passing"),
        "{list}"
    );
    let progress = desk.project.read("progress.md");
    assert!(
        progress.contains("F-1 failing\n") && progress.contains(&expected),
        "{progress}"
    );

    desk.project.commit_all("what verify found");
    let script = session("Give the answer", &[&write("src/answer", "43\n"), FINISH]);
    let model = desk.script(&script);
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert!(
        run.stdout.contains("feature: F-1 passing"),
        "{}\n{}",
        run.stdout,
        run.stderr
    );
    assert_ok(&desk.harness(&["land"]));
    assert_ok(&desk.harness(&["verify", "--rerun"]));
}

#[test]
fn where_several_commits_may_have_done_it_all_are_named() {
    let desk = desk();
    let first = change(&desk, "src/answer", "41\n", "one");
    let second = change(&desk, "src/answer", "41", "two");
    change(&desk, "docs/a.md", "b\n", "words");
    let lines = json(&desk.harness(&["verify", "--rerun", "--json"]));
    let marked = lines.iter().find(|line| line["type"] == "feature_status");
    let marked = marked.expect("it is marked");
    assert_eq!(
        marked["commits"],
        serde_json::json!([second, first]),
        "{marked}"
    );
    let reason = marked["reason"].as_str().unwrap();
    assert!(reason.contains("broken by one of"), "{reason}");
}

#[test]
fn what_comes_out_as_proven_again_is_passing_again() {
    let desk = desk();
    change(&desk, "src/answer", "41\n", "a mistake");
    assert_eq!(desk.harness(&["verify", "--rerun"]).code, 4);
    assert!(listed(&desk).contains("F-1 failing"));
    // Still red: it stays what it is, and is not marked twice.
    let again = desk.harness(&["verify", "--rerun"]);
    assert_eq!(again.code, 4, "{}", again.stdout);
    assert_eq!(
        desk.project
            .read("progress.md")
            .matches("F-1 failing")
            .count(),
        1
    );
    change(&desk, "src/answer", "42\n", "taken back");
    let run = desk.harness(&["verify", "--rerun"]);
    assert_ok(&run);
    assert!(
        run.stdout.contains("feature: F-1 passing, its gates"),
        "{}",
        run.stdout
    );
    assert!(listed(&desk).contains("F-1 passing"));
}

#[test]
fn a_red_base_marks_what_it_breaks_and_the_next_run_mends_that_first() {
    let desk = desk();
    change(&desk, "src/answer", "41\n", "a mistake");
    let script = session("Ask more", &[&write("src/more", "1\n"), FINISH]);
    let model = desk.script(&script);
    let run = desk.harness(&["run", "F-3", "--no-input", "--model", &model]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stderr
            .contains("F-1 failing, gate `test` is red on HEAD"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("a mistake"), "{}", run.stderr);
    let list = listed(&desk);
    assert!(
        list.contains("F-1 failing") && list.contains("F-2 passing"),
        "{list}"
    );

    desk.project.commit_all("what the run found");
    let model = desk.script(&session("", &[&write("src/answer", "42\n"), FINISH]));
    let run = desk.harness(&["run", "F-1", "--no-input", "--model", &model]);
    assert_ok(&run);
}
