//! Landing brings the run's commits, and leaves what people and statuses added beside them.

use super::{one_proven_one_open, proven};
use crate::support::{Desk, FINISH, session, write};

#[test]
fn a_feature_left_to_a_person_does_not_stand_in_the_way() {
    let desk = Desk::new();
    one_proven_one_open(&desk);
    assert!(
        desk.project
            .read("feature_list.json")
            .contains("needs_human")
    );
    assert_eq!(desk.harness(&["feature", "add", "Mine"]).code, 0);
    let list = desk.project.read("feature_list.json");
    let run = desk.harness(&["land"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(desk.project.read("feature_list.json"), list);
    let landed = desk.project.git(&["show", "HEAD:feature_list.json"]);
    assert!(
        landed.contains("passing") && !landed.contains("needs_human"),
        "{landed}"
    );
    assert_eq!(
        desk.project.git(&["status", "--porcelain"]),
        " M feature_list.json\n M progress.md",
        "what was tried in vain is told where people read, and is of no commit; the work on a question waits aside"
    );
    assert!(desk.project.read("progress.md").contains(" needs human\n"));
}

#[test]
fn a_list_whose_features_mean_something_else_is_for_the_person_to_settle() {
    let desk = Desk::new();
    proven(&desk);
    let list = desk.project.read("feature_list.json");
    let changed = list.replace("must say 42", "must say 43");
    assert_ne!(list, changed);
    desk.project.write("feature_list.json", &changed);
    let run = desk.harness(&["land"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert_eq!(desk.project.read("feature_list.json"), changed);
}

#[test]
fn only_what_was_proven_since_the_base_is_of_the_run() {
    let desk = Desk::new();
    proven(&desk);
    assert_eq!(desk.harness(&["land"]).code, 0);
    assert_eq!(
        desk.harness(&["feature", "add", "Give the question"]).code,
        0
    );
    desk.project.commit_all("another");
    let model = desk.script(&session(
        "Give the question",
        &[&write("src/question", "?\n"), FINISH],
    ));
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let status = desk.harness(&["status"]).stdout;
    assert!(!status.contains("holds F-1"), "{status}");
    let landed = desk.harness(&["land"]);
    assert!(!landed.stdout.contains("F-1"), "{}", landed.stdout);
}
