//! Checkpoints that are no more: said by name, with the nearest one.

use super::{busy_desk, busy_run, json};

#[test]
fn a_pruned_checkpoint_is_listed_as_such_and_an_undo_names_the_nearest() {
    let desk = busy_desk();
    busy_run(&desk);
    desk.project
        .git(&["update-ref", "-d", "refs/harness/S-0001/1"]);
    let listed = desk.harness(&["checkpoint", "list"]);
    assert!(
        listed
            .stdout
            .contains("checkpoint: 1, removed to save space"),
        "{}",
        listed.stdout
    );
    let lines = json(&desk.harness(&["checkpoint", "list", "--json"]));
    let pruned: Vec<_> = lines
        .iter()
        .filter(|line| line["type"] == "checkpoint_pruned")
        .map(|line| line["n"].clone())
        .collect();
    assert_eq!(pruned, [1]);
    let undone = desk.harness(&["checkpoint", "undo", "1"]);
    assert_eq!(undone.code, 2, "{}", undone.stderr);
    assert!(
        undone
            .stderr
            .contains("was removed to save space; the nearest is 0"),
        "{}",
        undone.stderr
    );
    let never = desk.harness(&["checkpoint", "undo", "77"]);
    assert!(
        never.stderr.contains("there is no checkpoint 77"),
        "{}",
        never.stderr
    );
}
