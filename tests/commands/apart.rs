//! `harness land` of runs that were proven apart: what the harness itself wrote is no conflict.

use super::assert_ok;
use crate::support::{CONFIG, Desk, FINISH, TESTS, session, write};

const LIST: &str = r#"{ "schema": 1, "features": [
  { "id": "A", "title": "First", "status": "pending", "passes": false },
  { "id": "B", "title": "Second", "status": "pending", "passes": false } ] }
"#;

fn desk() -> Desk {
    Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("feature_list.json", LIST),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// Proves one feature in a work tree of its own.
fn prove(desk: &Desk, feature: &str, file: &str) {
    let model = desk.script(&session(".", &[&write(file, "1\n"), FINISH]));
    assert_ok(&desk.harness(&[
        "run",
        feature,
        "--no-input",
        "--model",
        &model,
        "--worktree",
    ]));
}

fn both_proven() -> Desk {
    let desk = desk();
    prove(&desk, "A", "src/first");
    prove(&desk, "B", "src/second");
    desk
}

/// Sees that both features are proven on the branch, the log has both entries once, and nothing is left.
fn assert_both(desk: &Desk) {
    let list = desk.project.read("feature_list.json");
    assert_eq!(list.matches("\"passing\"").count(), 2, "{list}");
    let progress = desk.project.read("progress.md");
    let headings: Vec<&str> = progress
        .lines()
        .filter(|line| line.ends_with(" passing"))
        .map(|line| line.split(' ').nth(3).unwrap_or_default())
        .collect();
    assert_eq!(headings, ["A", "B"], "{progress}");
    for file in [
        "src/first",
        "src/second",
        ".harness/evidence/A.json",
        ".harness/evidence/B.json",
    ] {
        assert!(!desk.project.read(file).is_empty());
    }
    assert_ok(&desk.harness(&["verify"]));
}

#[test]
fn runs_that_were_proven_apart_land_one_after_the_other() {
    for order in [["R-0001", "R-0002"], ["R-0002", "R-0001"]] {
        let desk = both_proven();
        for run in order {
            let landed = desk.harness(&["land", run]);
            assert_ok(&landed);
            assert!(landed.stdout.contains("landed"), "{}", landed.stdout);
        }
        assert_both(&desk);
        assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
        assert_ok(&desk.harness(&["status"]));
    }
}

#[test]
fn what_the_person_wrote_into_list_and_log_meanwhile_stays() {
    let desk = both_proven();
    assert_ok(&desk.harness(&["land", "R-0001"]));
    assert_ok(&desk.harness(&["feature", "add", "Third", "--id", "C"]));
    let progress = desk.project.read("progress.md");
    desk.project
        .write("progress.md", &format!("{progress}\nmy own line\n"));
    // Committed or not, it is theirs.
    desk.project.commit_all("my own");
    let list = desk.project.read("feature_list.json");
    desk.project.write(
        "feature_list.json",
        &list.replace("\"Third\"", "\"Third\", \"x\": 1"),
    );
    let progress = desk.project.read("progress.md");
    desk.project
        .write("progress.md", &format!("{progress}another line\n"));
    assert_ok(&desk.harness(&["land", "R-0002"]));
    assert_both(&desk);
    let list = desk.project.read("feature_list.json");
    assert!(list.contains("\"Third\", \"x\": 1"), "{list}");
    let progress = desk.project.read("progress.md");
    assert!(
        progress.contains("my own line\nanother line\n"),
        "{progress}"
    );
    let committed = desk.project.git(&["show", "HEAD:progress.md"]);
    assert!(committed.contains("my own line") && !committed.contains("another line"));
    assert_eq!(committed.matches(" passing").count(), 2, "{committed}");
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        " M feature_list.json\n M progress.md"
    );
}

#[test]
fn a_run_in_this_work_tree_that_waits_keeps_its_files_when_another_lands() {
    let desk = desk();
    prove(&desk, "B", "src/second");
    let model = desk.script(&session(".", &[&write("src/first", "1\n"), FINISH]));
    assert_ok(&desk.harness(&["run", "A", "--no-input", "--model", &model]));
    assert_ok(&desk.harness(&["land", "R-0001"]));
    let list = desk.project.read("feature_list.json");
    assert_eq!(list.matches("\"passing\"").count(), 2, "{list}");
    assert_ok(&desk.harness(&["land", "R-0002"]));
    let progress = desk.project.read("progress.md");
    assert_eq!(progress.matches(" passing").count(), 2, "{progress}");
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    assert_ok(&desk.harness(&["verify"]));
}

#[test]
fn a_feature_that_both_sides_settled_is_named_and_nothing_is_changed() {
    let desk = both_proven();
    assert_ok(&desk.harness(&["land", "R-0001"]));
    assert_ok(&desk.harness(&["feature", "accept", "B", "--reason", "seen by me"]));
    desk.project.commit_all("taken without proof");
    let before = (desk.person_side(), super::picture(&desk.project));
    let refused = desk.harness(&["land", "R-0002"]);
    assert_eq!(refused.code, 5, "{}\n{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains(
            "feature_list.json:\n  feature `B`, field `status`: HEAD has `accepted`, the run has `passing`"
        ),
        "{}",
        refused.stderr
    );
    assert_eq!((desk.person_side(), super::picture(&desk.project)), before);
}

#[test]
fn a_feature_that_two_runs_proved_is_told_by_their_sessions() {
    let desk = desk();
    prove(&desk, "A", "src/first");
    prove(&desk, "A", "src/another");
    assert_ok(&desk.harness(&["land", "R-0001"]));
    let refused = desk.harness(&["land", "R-0002"]);
    assert_eq!(refused.code, 5, "{}\n{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains(
            ".harness/evidence/A.json:\n  both prove this feature: HEAD has the proof of session S-0001, the run has that of S-0002"
        ),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("<<<<<<<"), "{}", refused.stderr);
}
