//! Undo: everything back, and nothing of the person overwritten.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, fs::symlink},
};

use super::fixture::{Fixture, manifest, path_of};
use crate::RestoreMode;

#[test]
fn undo_brings_everything_back_byte_for_byte() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/untracked", b"\x00\xff\r\nraw");
    fixture.write("src/person.rs", "edited, not committed\n");
    fixture.write(b"src/odd\n\xff", "x");
    fixture.write("src/-rf", "x");
    symlink("../README.md", fixture.at("src/link")).unwrap();
    fixture.write("src/tool", "#!/bin/sh\n");
    fs::set_permissions(fixture.at("src/tool"), PermissionsExt::from_mode(0o755)).unwrap();
    let before = (manifest(fixture.root()), fixture.standing());
    let start = fixture.snapshot().tree;

    fs::remove_dir_all(fixture.at("src")).unwrap();
    fixture.write("new/deep/file", "made by the agent\n");
    fixture.write("run.sh", "changed\n");
    fs::set_permissions(fixture.at("README.md"), PermissionsExt::from_mode(0o755)).unwrap();
    let end = fixture.snapshot().tree;

    let tried = fixture
        .repo
        .restore(&end, &start, RestoreMode::DryRun)
        .unwrap();
    assert_eq!(fixture.snapshot().tree, end, "a dry run changes nothing");
    let done = fixture
        .repo
        .restore(&end, &start, RestoreMode::Write)
        .unwrap();
    assert_eq!(tried, done);
    assert!(done.refused.is_empty());
    assert_eq!(done.removed, [path_of(b"new/deep/file")]);
    assert_eq!((manifest(fixture.root()), fixture.standing()), before);
    let again = fixture
        .repo
        .restore(&end, &start, RestoreMode::Write)
        .unwrap();
    assert!(again.written.is_empty() && again.removed.is_empty() && again.refused.is_empty());
}

#[test]
fn a_file_the_person_changed_since_refuses_the_whole_undo() {
    for change in [
        "edit",
        "delete",
        "replace by folder",
        "replace by link",
        "mode",
    ] {
        let Some(fixture) = Fixture::new() else {
            return;
        };
        let start = fixture.snapshot().tree;
        fixture.write("src/main.rs", "by the agent\n");
        fixture.write("src/other.rs", "by the agent\n");
        let end = fixture.snapshot().tree;
        let path = fixture.at("src/main.rs");
        match change {
            "edit" => fs::write(&path, "by the person\n").unwrap(),
            "mode" => fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap(),
            other => {
                fs::remove_file(&path).unwrap();
                match other {
                    "replace by folder" => fixture.write("src/main.rs/inner", "mine"),
                    "replace by link" => symlink("../README.md", &path).unwrap(),
                    _ => {}
                }
            }
        }
        let before = manifest(fixture.root());
        let result = fixture
            .repo
            .restore(&end, &start, RestoreMode::Write)
            .unwrap();
        let refused: Vec<_> = result
            .refused
            .iter()
            .map(|refused| refused.path.to_text())
            .collect();
        assert_eq!(refused, ["src/main.rs"], "{change}");
        assert!(
            result.written.is_empty() && result.removed.is_empty(),
            "{change}"
        );
        assert_eq!(manifest(fixture.root()), before, "{change}");
    }
}

#[test]
fn undo_does_not_write_through_a_link() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let start = fixture.snapshot().tree;
    fs::remove_dir_all(fixture.at("src")).unwrap();
    let end = fixture.snapshot().tree;
    let outside = tempfile::TempDir::new().unwrap();
    symlink(outside.path(), fixture.at("src")).unwrap();
    let result = fixture
        .repo
        .restore(&end, &start, RestoreMode::Write)
        .unwrap();
    assert_eq!(result.refused.len(), 2);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn undo_keeps_what_it_does_not_know() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let start = fixture.snapshot().tree;
    fixture.write("new/made.rs", "by the agent\n");
    let end = fixture.snapshot().tree;
    fixture.write("new/person.log", "ignored, the person's\n");
    fixture
        .repo
        .restore(&end, &start, RestoreMode::Write)
        .unwrap();
    assert!(!fixture.at("new/made.rs").exists());
    assert_eq!(fixture.read("new/person.log"), b"ignored, the person's\n");
}
