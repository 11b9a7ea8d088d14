//! The harness's own folder is removed: what it left among git's references stays, and a run goes on beside it.

use std::fs;

use super::{assert_ok, busy_desk, busy_run};
use crate::support::{Desk, FINISH, session, write};

#[test]
fn a_run_begins_where_only_references_of_earlier_ones_are_left() {
    let desk = busy_desk();
    busy_run(&desk);
    let refs = |desk: &Desk| {
        desk.project
            .git(&["for-each-ref", "--format=%(refname) %(objectname)"])
    };
    desk.project.commit_all("taken over by hand");
    let before = refs(&desk);
    fs::remove_dir_all(desk.project.root().join(".git/harness")).unwrap();
    let script = desk.script(&session("", &[&write("src/answer", "43\n"), FINISH]));
    let run = desk.harness(&["run", "Say something else", "--model", &script]);
    assert_ok(&run);
    let after = refs(&desk);
    for line in before.lines() {
        assert!(after.contains(line), "{line} is gone of\n{after}");
    }
    assert!(after.contains("refs/harness/S-0002/0"), "{after}");
    let listed = desk.harness(&["checkpoint", "list"]);
    assert_ok(&listed);
    assert!(listed.stdout.contains("checkpoint: 0"), "{}", listed.stdout);
}
