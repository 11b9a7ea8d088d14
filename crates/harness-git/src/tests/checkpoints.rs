//! Checkpoints and branches: what moves, what must not, what is damaged.

use std::fs;

use harness_core::{CheckpointNumber, SessionId};

use super::fixture::{Fixture, NOW};
use crate::{CheckpointRef, GitError};

const SESSION: SessionId = SessionId::new(1);

fn name(number: u32) -> CheckpointRef {
    CheckpointRef {
        session: SESSION,
        number: CheckpointNumber(number),
    }
}

#[test]
fn checkpoints_and_commits_leave_head_index_branch_and_stash_alone() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("README.md", "stashed\n");
    fixture.git(&["stash", "-q"]);
    fixture.write("README.md", "staged\n");
    fixture.git(&["add", "README.md"]);
    fixture.write("README.md", "and edited\n");
    fixture.write("untracked", "x\n");
    let before = fixture.standing();
    let index = fs::read(fixture.root().join(".git/index")).unwrap();
    let tree = fixture.snapshot().tree;
    let first = fixture
        .repo
        .checkpoint(name(0), &tree, None, "start", NOW)
        .unwrap();
    fixture.write("src/main.rs", "more\n");
    let tree = fixture.snapshot().tree;
    fixture
        .repo
        .checkpoint(name(1), &tree, Some(&first), "turn 1", NOW)
        .unwrap();
    fixture.feature(&fixture.head(), "feature");
    assert_eq!(fixture.standing(), before);
    assert_eq!(fs::read(fixture.root().join(".git/index")).unwrap(), index);
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
    let author = fixture.git(&["log", "-1", "--format=%an <%ae>", "refs/harness/S-0001/1"]);
    assert_eq!(author.trim(), "harness <harness@localhost>");
}

#[test]
fn checkpoints_are_listed_by_number() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let tree = fixture.snapshot().tree;
    for number in [0, 2, 10, 1] {
        let message = format!("turn {number}");
        fixture
            .repo
            .checkpoint(name(number), &tree, None, &message, NOW)
            .unwrap();
    }
    let found = fixture.repo.checkpoints(SESSION).unwrap();
    let numbers: Vec<_> = found.whole.iter().map(|entry| entry.number.0).collect();
    assert_eq!(numbers, [0, 1, 2, 10]);
    assert_eq!(found.whole[1].message, "turn 1");
    assert_eq!(found.whole[1].tree, tree);
    assert_eq!(found.whole[1].time, NOW);
    assert!(
        fixture
            .repo
            .checkpoints(SessionId::new(2))
            .unwrap()
            .whole
            .is_empty()
    );
    fixture.repo.forget_checkpoint(name(2)).unwrap();
    fixture.repo.forget_checkpoint(name(2)).unwrap();
    assert_eq!(fixture.repo.checkpoints(SESSION).unwrap().whole.len(), 3);
}

#[test]
fn a_number_is_given_once() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let tree = fixture.snapshot().tree;
    fixture
        .repo
        .checkpoint(name(0), &tree, None, "one", NOW)
        .unwrap();
    let again = fixture.repo.checkpoint(name(0), &tree, None, "two", NOW);
    assert!(matches!(again, Err(GitError::RefMoved { .. })));
    assert_eq!(
        fixture.repo.checkpoints(SESSION).unwrap().whole[0].message,
        "one"
    );
}

#[test]
fn damaged_checkpoints_are_named_and_passed_over() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let mut parent = None;
    let mut blob = String::new();
    for number in 0..4 {
        fixture.write("src/main.rs", format!("turn {number}\n"));
        let tree = fixture.snapshot().tree;
        if number == 2 {
            let spec = format!("{tree}:src/main.rs");
            blob = fixture.git(&["rev-parse", &spec]).trim().to_owned();
        }
        let made = fixture
            .repo
            .checkpoint(name(number), &tree, parent.as_ref(), "t", NOW);
        parent = Some(made.unwrap());
    }
    // As a loss of power leaves them: an empty reference, an empty object.
    fs::write(fixture.root().join(".git/refs/harness/S-0001/1"), "").unwrap();
    let object = fixture
        .root()
        .join(".git/objects")
        .join(&blob[..2])
        .join(&blob[2..]);
    fs::remove_file(&object).unwrap();
    fs::write(&object, "").unwrap();
    let repo = crate::Repo::discover_for(&super::fixture::person(), fixture.root()).unwrap();
    let found = repo.checkpoints(SESSION).unwrap();
    let whole: Vec<_> = found.whole.iter().map(|entry| entry.number.0).collect();
    assert_eq!(whole, [0, 3]);
    assert_eq!(found.damaged, [CheckpointNumber(1), CheckpointNumber(2)]);
}

#[test]
fn a_branch_moves_only_from_where_it_was_expected() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let repo = &fixture.repo;
    let head = repo.head().unwrap();
    let commit = |expected, message| {
        let parents = std::slice::from_ref(&head.commit);
        repo.commit_to_branch(
            "harness/R-0001",
            expected,
            &head.tree,
            parents,
            message,
            NOW,
        )
    };
    assert_eq!(repo.branch_tip("harness/R-0001").unwrap(), None);
    assert!(matches!(
        commit(Some(&head.commit), "gone"),
        Err(GitError::RefMoved { .. })
    ));
    let one = commit(None, "one").unwrap();
    assert!(matches!(
        commit(None, "again"),
        Err(GitError::RefMoved { .. })
    ));
    let two = commit(Some(&one), "two").unwrap();
    assert!(matches!(
        commit(Some(&one), "late"),
        Err(GitError::RefMoved { .. })
    ));
    assert_eq!(repo.branch_tip("harness/R-0001").unwrap(), Some(two));
}

#[test]
fn a_lock_that_a_killed_process_left_on_our_references_is_removed_and_on_others_kept() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let repo = &fixture.repo;
    let head = repo.head().unwrap();
    let plant = |reference: &str| {
        let lock = fixture.root().join(format!(".git/{reference}.lock"));
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        lock
    };
    let checkpoint = |number| repo.checkpoint(name(number), &head.tree, None, "one", NOW);
    let commit = |branch: &str, expected| {
        let parents = std::slice::from_ref(&head.commit);
        repo.commit_to_branch(branch, expected, &head.tree, parents, "one", NOW)
    };
    plant("refs/harness/S-0001/1");
    checkpoint(1).unwrap();
    plant("refs/harness/S-0001/1");
    repo.forget_checkpoint(name(1)).unwrap();
    checkpoint(1).unwrap();
    plant("refs/heads/harness/R-0001");
    commit("harness/R-0001", None).unwrap();

    let lock = plant("refs/heads/theirs");
    assert!(commit("theirs", None).is_err());
    assert!(lock.exists());
}
