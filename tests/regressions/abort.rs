//! Giving a run up takes back what the run did, and nothing else.

use super::{one_proven_one_open, proven, stopped, wait_until};
use crate::support::{Desk, session};

#[test]
fn a_run_that_was_given_up_is_never_taken_up_again() {
    let desk = Desk::new();
    let model = stopped(&desk, &[]);
    assert_eq!(desk.harness(&["abort"]).code, 0);
    assert_eq!(desk.project.read("src/answer"), "0\n");
    let resumed = desk.harness(&["resume", "--last", "--model", &model, "--max-turns", "9"]);
    assert_eq!(resumed.code, 2, "{}", resumed.stdout);
    assert!(resumed.stderr.contains("given up"), "{}", resumed.stderr);
    let shown = desk.harness(&["log", "show"]);
    assert!(
        shown.stdout.contains("run ended: aborted"),
        "{}",
        shown.stdout
    );
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    proven(&desk);
}

#[test]
fn what_people_wrote_meanwhile_survives() {
    let desk = Desk::new();
    one_proven_one_open(&desk);
    assert_eq!(desk.harness(&["feature", "add", "Mine"]).code, 0);
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let list = desk.project.read("feature_list.json");
    assert!(list.contains("Mine"), "{list}");
    assert!(
        !list.contains("passing") && !list.contains("needs_human"),
        "{list}"
    );
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        " M feature_list.json",
        "no progress log, no evidence, no work of the agent"
    );
}

#[test]
fn without_other_changes_the_list_is_the_committed_one_to_the_byte() {
    let desk = Desk::new();
    proven(&desk);
    assert_eq!(desk.harness(&["abort"]).code, 0);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_progress_log_with_a_word_of_a_person_is_left() {
    let desk = Desk::new();
    proven(&desk);
    let log = desk.project.read("progress.md") + "\nby hand\n";
    desk.project.write("progress.md", &log);
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert!(run.stdout.contains("progress.md left"), "{}", run.stdout);
    assert_eq!(desk.project.read("progress.md"), log);
    assert_eq!(desk.project.read("src/answer"), "0\n");
}

#[test]
fn what_no_checkpoint_has_is_named_and_saved() {
    let desk = Desk::new();
    let shell = "{ tool = \"shell\", command = \"echo new > src/new; sleep 60\" }";
    let model = desk.script(&session("Give the answer", &[shell]));
    let mut child = super::spawn(&desk, &["run", "--model", &model]);
    let new = desk.project.root().join("src/new");
    wait_until("the agent writes", || new.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    for _ in 0..2 {
        let run = desk.harness(&["abort"]);
        assert_eq!(run.code, 5, "{}", run.stdout);
        assert!(run.stdout.contains("src/new left"), "{}", run.stdout);
        assert!(new.exists(), "it may be a person's");
    }
    let hinted = ["checkpoint", "undo", "0", "--session", "S-0001"];
    assert_eq!(desk.harness(&hinted).code, 0);
    assert!(!new.exists());
    assert_eq!(desk.harness(&["abort"]).code, 0);
}

#[test]
fn of_several_sessions_all_work_goes_back_and_a_changed_file_stays() {
    let desk = Desk::new();
    one_proven_one_open(&desk);
    desk.project.write("src/question", "mine\n");
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert!(run.stdout.contains("src/question left"), "{}", run.stdout);
    assert_eq!(desk.project.read("src/answer"), "0\n");
    assert_eq!(desk.project.read("src/question"), "mine\n");
    let hint = run.stderr.split('`').nth(1).unwrap().to_owned();
    let hinted: Vec<&str> = hint.split(' ').skip(1).collect();
    let undone = desk.harness(&hinted);
    assert_eq!(undone.code, 0, "{hint}: {}", undone.stderr);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_landed_is_not_taken_back() {
    let desk = Desk::new();
    proven(&desk);
    assert_eq!(desk.harness(&["land"]).code, 0);
    let run = desk.harness(&["abort"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert!(run.stderr.contains("has landed"), "{}", run.stderr);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}
