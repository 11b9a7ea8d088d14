//! Bounded and packed checkpoints: what goes, what stays, and a death in between.

use std::{collections::BTreeSet, fs};

use harness_core::{CheckpointNumber, SessionId, Timestamp};

use super::fixture::{Fixture, NOW};
use crate::{
    CHECKPOINT_AGE_MAX, CheckpointRef, GitError, SkipReason, SnapshotCache, nearest_checkpoint,
    pack::Step,
};

const SESSION: SessionId = SessionId::new(1);

/// Makes so many checkpoints, each with another file in another folder.
fn work(fixture: &Fixture, count: u32) {
    let mut cache = SnapshotCache::default();
    let mut base = fixture.repo.head().unwrap().tree;
    let mut start = None;
    for number in 0..count {
        fixture.write(
            format!("made/{number}/file"),
            format!("{number}\n").repeat(50),
        );
        let root = [harness_core::RepoPath::root()];
        let shot = fixture
            .repo
            .snapshot(&mut cache, &base, &root, &|_| false)
            .unwrap();
        let name = CheckpointRef {
            session: SESSION,
            number: CheckpointNumber(number),
        };
        let made = fixture
            .repo
            .checkpoint(name, &shot.tree, start.as_ref(), "turn", NOW)
            .unwrap();
        start.get_or_insert(made);
        base = shot.tree;
    }
}

fn loose(fixture: &Fixture) -> usize {
    let count = fixture.git(&["count-objects"]);
    count.split(' ').next().unwrap().parse().unwrap()
}

fn numbers(fixture: &Fixture) -> Vec<u32> {
    let found = fixture.repo.checkpoints(SESSION).unwrap();
    assert_eq!(found.damaged, []);
    found.whole.iter().map(|entry| entry.number.0).collect()
}

#[test]
fn what_checkpoints_left_loose_is_packed_and_all_of_it_is_still_there() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    work(&fixture, 30);
    let before = loose(&fixture);
    let packed = fixture
        .repo
        .pack_loose(SESSION, 10, &mut |_| Ok(()))
        .unwrap();
    assert!(
        packed.removed >= 100 && packed.removed == packed.objects,
        "{packed:?}"
    );
    assert_eq!(loose(&fixture), before - packed.removed);
    assert_eq!(numbers(&fixture).len(), 30);
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
    // There is nothing left to do, and a second pack would only be in the way.
    let again = fixture
        .repo
        .pack_loose(SESSION, 1, &mut |_| Ok(()))
        .unwrap();
    assert_eq!(again.objects, 0);
}

#[test]
fn few_loose_objects_are_left_as_they_are() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    work(&fixture, 3);
    let before = loose(&fixture);
    let packed = fixture.repo.pack_checkpoints(SESSION).unwrap();
    assert_eq!((packed.objects, loose(&fixture)), (0, before));
}

#[test]
fn a_death_at_any_point_of_packing_loses_no_object() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    work(&fixture, 12);
    for death in 0..40 {
        let mut steps = 0;
        let result = fixture.repo.pack_loose(SESSION, 1, &mut |step| {
            steps += 1;
            let at_end = matches!(step, Step::Written | Step::Placed | Step::Removed);
            if at_end && steps > death {
                return Err(GitError::NoCommits {
                    root: fixture.root().to_owned(),
                });
            }
            Ok(())
        });
        assert_eq!(numbers(&fixture).len(), 12, "after {death} steps");
        fixture.git(&["fsck", "--strict", "--no-dangling"]);
        if result.is_ok() {
            break;
        }
    }
    let packed = fixture
        .repo
        .pack_loose(SESSION, 1, &mut |_| Ok(()))
        .unwrap();
    assert_eq!(packed.objects, packed.removed);
    assert_eq!(numbers(&fixture).len(), 12);
    assert!(!fixture.root().join(".git/harness/packing/S-0001").exists());
}

#[test]
fn a_damaged_pack_is_found_before_anything_is_removed() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    work(&fixture, 12);
    let before = loose(&fixture);
    let folder = fixture.root().join(".git/harness/packing/S-0001/pack");
    let result = fixture.repo.pack_loose(SESSION, 1, &mut |step| {
        if step == Step::Written {
            for file in fs::read_dir(&folder).unwrap().flatten() {
                if file.path().extension().is_some_and(|end| end == "pack") {
                    let mut bytes = fs::read(file.path()).unwrap();
                    let half = bytes.len() / 2;
                    bytes[half..half + 40].fill(0);
                    fs::remove_file(file.path()).unwrap();
                    fs::write(file.path(), bytes).unwrap();
                }
            }
        }
        Ok(())
    });
    assert!(result.is_err());
    assert_eq!(loose(&fixture), before);
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn pruning_by_age_keeps_the_ends_and_what_is_referred_to() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    work(&fixture, 8);
    let kept = BTreeSet::from([CheckpointNumber(3)]);
    let pruned = fixture
        .repo
        .prune_checkpoints(SESSION, &|| kept.clone(), NOW)
        .unwrap();
    assert_eq!(pruned.forgotten, []);
    assert_eq!(fixture.repo.sessions_with_old_checkpoints(NOW).unwrap(), []);
    let later = Timestamp::from_millis(NOW.as_millis() + CHECKPOINT_AGE_MAX + 1);
    assert_eq!(
        fixture.repo.sessions_with_old_checkpoints(later).unwrap(),
        [SESSION]
    );
    let pruned = fixture
        .repo
        .prune_checkpoints(SESSION, &|| kept.clone(), later)
        .unwrap();
    assert_eq!((pruned.forgotten.len(), pruned.left), (5, 3));
    assert_eq!(numbers(&fixture), [0, 3, 7]);
    // Nothing else holds what went: git is free to remove it.
    let unreachable = fixture.git(&["fsck", "--unreachable", "--no-reflogs"]);
    assert!(
        unreachable
            .lines()
            .filter(|line| line.contains("commit"))
            .count()
            >= 5
    );
    let whole = fixture.repo.checkpoints(SESSION).unwrap().whole;
    let near = nearest_checkpoint(&whole, CheckpointNumber(5));
    assert_eq!(near, Some(CheckpointNumber(3)));
    assert!(
        fixture
            .repo
            .sessions_with_checkpoints()
            .unwrap()
            .contains(&SESSION)
    );
    assert_eq!(fixture.repo.forget_session(SESSION).unwrap(), 3);
    assert!(fixture.repo.sessions_with_checkpoints().unwrap().is_empty());
}

#[test]
fn the_newest_whole_checkpoint_is_found_behind_a_damaged_one() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    work(&fixture, 4);
    let newest = |below| {
        let found = fixture
            .repo
            .newest_checkpoint(SESSION, CheckpointNumber(below));
        found.unwrap().map(|entry| entry.number.0)
    };
    assert_eq!(newest(u32::MAX), Some(3));
    assert_eq!(newest(2), Some(1));
    assert_eq!(newest(0), None);
    fs::write(fixture.root().join(".git/refs/harness/S-0001/3"), "").unwrap();
    assert_eq!(newest(u32::MAX), Some(2));
}

#[test]
fn more_new_files_than_one_snapshot_stores_are_named_and_come_with_the_next_ones() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    for number in 0..30 {
        fixture.write(format!("node_modules/{number}"), format!("{number}\n"));
    }
    let mut cache = SnapshotCache::default();
    cache.stored_max.files = 10;
    let mut base = fixture.repo.head().unwrap().tree;
    let root = [harness_core::RepoPath::root()];
    for left in [20, 10, 0] {
        let shot = fixture
            .repo
            .snapshot(&mut cache, &base, &root, &|_| false)
            .unwrap();
        assert_eq!(shot.skipped.len(), left);
        let too_much = |skipped: &crate::Skipped| skipped.reason == SkipReason::TooMuch;
        assert!(shot.skipped.iter().all(too_much));
        assert_eq!(shot.changes.len(), 10);
        base = shot.tree;
    }
}
