//! Repositories of unusual kinds: landing and undo in them are right, or were refused when they opened.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use harness_core::CommitId;
use tempfile::TempDir;

use super::fixture::{Fixture, NOW, git, person, skipped};
use crate::{LandError, LandStyle, Own, Repo, RestoreMode};

/// Lands a feature that changes, adds and removes a file, and takes it back from the work tree.
fn lands(repo: &Repo, root: &Path, run: impl Fn(&[&str]) -> String) {
    let head = repo.head().unwrap();
    let write = |path: &str, text: &str| {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    };
    let staged = "docs/staged";
    write(staged, "of the person\n");
    run(&["add", staged]);
    let before = run(&["status", "--porcelain"]);
    let cached = run(&["diff", "--cached"]);
    write("src/new.rs", "// new\n");
    write("README.md", "# changed\n");
    fs::remove_file(root.join("run.sh")).unwrap();
    let wanted =
        ["src", "README.md", "run.sh"].map(|path| super::fixture::path_of(path.as_bytes()));
    let mut cache = crate::SnapshotCache::default();
    let shot = repo
        .snapshot(
            &mut cache,
            &head.tree,
            &[harness_core::RepoPath::root()],
            &|_| false,
        )
        .unwrap();
    let is_feature =
        |path: &harness_core::RepoPath| wanted.iter().any(|folder| path.starts_with(folder));
    let tree = repo
        .apply_changes(&head.tree, &head.tree, &shot.tree, &is_feature)
        .unwrap();
    let branch = "harness/R-0001";
    let commit = repo
        .commit_to_branch(
            branch,
            None,
            &tree,
            std::slice::from_ref(&head.commit),
            "feature",
            NOW,
        )
        .unwrap();
    let landed = repo
        .land(branch, &[commit], LandStyle::EachCommit, Own::NONE, NOW)
        .unwrap();
    assert_eq!(landed.commits, 1);
    assert_eq!(run(&["status", "--porcelain"]), before);
    assert_eq!(run(&["diff", "--cached"]), cached);
    assert_eq!(run(&["show", "HEAD:src/new.rs"]), "// new\n");
    run(&["fsck", "--no-dangling"]);
    // Undo of the same files, raw.
    let undone = repo
        .restore_some(&shot.tree, &head.tree, RestoreMode::Write, &is_feature)
        .unwrap();
    assert!(undone.refused.is_empty(), "{undone:?}");
    assert_eq!(fs::read(root.join("README.md")).unwrap(), b"# demo\n");
    assert!(root.join("run.sh").exists() && !root.join("src/new.rs").exists());
}

fn in_fixture(settings: &[&[&str]]) {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    for arguments in settings {
        fixture.git(arguments);
    }
    let repo = Repo::discover_for(&person(), fixture.root()).unwrap();
    lands(&repo, fixture.root(), |arguments| fixture.git(arguments));
}

#[test]
fn index_formats_and_caches_of_other_versions_are_no_matter() {
    in_fixture(&[&["update-index", "--index-version", "4"]]);
    in_fixture(&[&["update-index", "--force-untracked-cache"]]);
    in_fixture(&[&["config", "core.untrackedCache", "true"], &["status"]]);
    in_fixture(&[
        &["config", "core.preloadIndex", "true"],
        &["config", "feature.manyFiles", "true"],
        &["status"],
    ]);
    in_fixture(&[
        &["config", "index.skipHash", "true"],
        &["update-index", "--force-write-index"],
    ]);
    in_fixture(&[
        &["config", "core.splitIndex", "false"],
        &["commit-graph", "write", "--reachable"],
    ]);
    in_fixture(&[&["pack-refs", "--all"], &["repack", "-a", "-d", "-q"]]);
}

#[test]
fn a_shallow_clone_and_a_linked_work_tree_are_places_like_any_other() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    let other = TempDir::new().unwrap();
    let shallow = other.path().join("shallow");
    let from = format!("file://{}", fixture.root().display());
    fixture.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        &from,
        shallow.to_str().unwrap(),
    ]);
    let repo = Repo::discover_for(&person(), &shallow).unwrap();
    lands(&repo, &shallow, |arguments| git(&shallow, arguments));
    let linked = other.path().join("linked");
    fixture.git(&[
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().unwrap(),
    ]);
    let repo = Repo::discover_for(&person(), &linked).unwrap();
    lands(&repo, &linked, |arguments| git(&linked, arguments));
}

#[test]
fn names_that_differ_in_case_alone_stay_two_files() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("src/name", "lower\n");
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-q", "-m", "lower"]);
    if fixture.root().join("src/NAME").exists() {
        skipped("the file system does not tell names of another case apart");
        return;
    }
    let open = || Repo::discover_for(&person(), fixture.root()).unwrap();
    let repo = open();
    let head = repo.head().unwrap();
    let feature = |branch, files: &[(&[u8], Option<&str>)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| {
                let bytes = text.map(|text| text.as_bytes().to_vec());
                (super::fixture::path_of(name), bytes)
            })
            .collect();
        let tree = repo.with_files(&head.tree, &files).unwrap();
        let parents = std::slice::from_ref(&head.commit);
        repo.commit_to_branch(branch, None, &tree, parents, "feature", NOW)
            .unwrap()
    };
    let both = feature("harness/R-0001", &[(b"src/NAME", Some("upper\n"))]);
    let renamed = feature(
        "harness/R-0002",
        &[(b"src/NAME", Some("renamed\n")), (b"src/name", None)],
    );
    let land = |branch, commit: &CommitId| {
        let commits = std::slice::from_ref(commit);
        open().land(branch, commits, LandStyle::EachCommit, Own::NONE, NOW)
    };

    // An index that takes them for one has no place for both, and says so.
    fixture.git(&["config", "core.ignorecase", "true"]);
    let error = land("harness/R-0001", &both).unwrap_err();
    assert!(matches!(error, LandError::CaseClash { .. }), "{error}");
    fixture.git(&["config", "core.ignorecase", "false"]);
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    land("harness/R-0001", &both).unwrap();
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    assert_eq!(fixture.read("src/name"), b"lower\n");
    assert_eq!(fixture.read("src/NAME"), b"upper\n");

    // One that takes the place of the other is no clash.
    fixture.git(&["reset", "-q", "--hard", "HEAD~1"]);
    fixture.git(&["config", "core.ignorecase", "true"]);
    land("harness/R-0002", &renamed).unwrap();
    fixture.git(&["config", "core.ignorecase", "false"]);
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    assert_eq!(fixture.read("src/NAME"), b"renamed\n");
    assert!(!fixture.root().join("src/name").exists());
}

#[test]
fn modes_that_git_does_not_watch_are_no_change_of_a_person() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.git(&["config", "core.filemode", "false"]);
    fs::set_permissions(fixture.at("README.md"), PermissionsExt::from_mode(0o755)).unwrap();
    let repo = Repo::discover_for(&person(), fixture.root()).unwrap();
    assert!(repo.dirty(&|_| true, &|_| false).unwrap().is_empty());
    let readme = super::fixture::path_of(b"README.md");
    let head = repo.head().unwrap();
    let tree = repo
        .with_files(&head.tree, &[(readme, Some(b"# changed\n".to_vec()))])
        .unwrap();
    let commit = repo
        .commit_to_branch(
            "harness/R-0001",
            None,
            &tree,
            std::slice::from_ref(&head.commit),
            "feature",
            NOW,
        )
        .unwrap();
    repo.land(
        "harness/R-0001",
        &[commit],
        LandStyle::EachCommit,
        Own::NONE,
        NOW,
    )
    .unwrap();
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_linked_work_tree_of_ours_is_one_of_gits_and_goes_without_a_trace() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write(".gitattributes", "*.txt text eol=crlf\n*.bin filter=lfs\n");
    fixture.write("a.txt", "one\r\ntwo\r\n");
    fixture.write("big.bin", "version https://git-lfs.github.com/spec/v1\n");
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-q", "-m", "attributes"]);
    fixture.write("README.md", "# dirty\n");
    let before = fixture.standing();
    let place = TempDir::new().unwrap();
    let made = fixture
        .repo
        .add_linked(place.path(), &fixture.head())
        .unwrap();
    assert_eq!(fixture.standing(), before);
    let root = &made.linked.root;
    assert_eq!(git(root, &["status", "--porcelain"]), "");
    assert_eq!(
        git(root, &["rev-parse", "HEAD"]).trim(),
        fixture.head().to_string()
    );
    assert_eq!(fs::read(root.join("a.txt")).unwrap(), b"one\r\ntwo\r\n");
    assert_eq!(made.unfiltered[0].to_text(), "big.bin");
    assert_eq!(
        fs::read_link(root.join("link")).unwrap(),
        Path::new("README.md")
    );
    let inside = Repo::discover_for(&person(), root).unwrap();
    assert_eq!(inside.home().as_deref(), Some(fixture.repo.root()));
    assert_eq!(fixture.repo.home(), None);
    assert_eq!(fixture.repo.linked(), std::slice::from_ref(&made.linked));
    let second = fixture
        .repo
        .add_linked(place.path(), &fixture.head())
        .unwrap();
    assert_ne!(second.linked, made.linked);
    for linked in [made.linked, second.linked] {
        fixture.repo.remove_linked(&linked).unwrap();
        fixture.repo.remove_linked(&linked).unwrap();
    }
    assert!(fixture.repo.linked().is_empty());
    assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    assert_eq!(fixture.standing(), before);
}
