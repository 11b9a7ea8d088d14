//! Which repositories open, and why others do not.

use std::{fs, path::Path};

use tempfile::TempDir;

use super::fixture::{Fixture, git, init, person, put, skipped};
use crate::{GitError, OpenError, Person, Repo};

fn open(folder: &Path) -> Result<Repo, OpenError> {
    Repo::discover_for(&person(), folder)
}

#[test]
fn the_root_is_found_from_a_folder_inside() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let repo = open(&fixture.root().join("src/lib")).unwrap();
    assert_eq!(repo.root(), fs::canonicalize(fixture.root()).unwrap());
    assert_eq!(repo.git_dir(), repo.root().join(".git"));
    assert_eq!(repo.common_dir(), repo.git_dir());
    assert_eq!(
        repo.name(),
        repo.root().file_name().unwrap().to_string_lossy()
    );
}

#[test]
fn a_folder_without_repository_is_named() {
    let folder = TempDir::new().unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotARepository { .. }), "{error}");
    assert_eq!(error.fix(), Some("git init"));
}

#[test]
fn a_bare_repository_is_refused() {
    let Some(folder) = init() else { return };
    git(folder.path(), &["init", "-q", "--bare", "bare"]);
    let error = open(&folder.path().join("bare")).unwrap_err();
    assert!(matches!(error, OpenError::Bare { .. }), "{error}");
    git(folder.path(), &["config", "core.bare", "true"]);
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Bare { .. }), "{error}");
}

#[test]
fn a_repository_without_commit_opens_and_says_so() {
    let Some(folder) = init() else { return };
    let repo = open(folder.path()).unwrap();
    assert!(matches!(repo.head(), Err(GitError::NoCommits { .. })));
    assert!(repo.recent_commits(3).is_empty());
}

#[test]
fn unsupported_formats_are_refused_with_a_way_out() {
    for (settings, what) in [
        (&[("extensions.refStorage", "reftable")][..], "reftable"),
        (&[("extensions.objectFormat", "sha256")], "SHA-256"),
        (&[("extensions.partialClone", "origin")], "partial clone"),
        (&[("remote.origin.promisor", "true")], "partial clone"),
        (&[("index.sparse", "true")], "sparse"),
        (&[("core.worktree", "/tmp")], "core.worktree"),
    ] {
        let Some(folder) = init() else { return };
        for (key, value) in settings {
            git(
                folder.path(),
                &["config", "--file", ".git/config", key, value],
            );
        }
        let error = open(folder.path()).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.fix().is_some(), "{error}");
    }
}

#[test]
fn objects_borrowed_from_elsewhere_are_refused() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let other = TempDir::new().unwrap();
    let target = other.path().join("copy");
    fixture.git(&["clone", "-q", "--shared", ".", target.to_str().unwrap()]);
    let error = open(&target).unwrap_err();
    assert!(error.to_string().contains("borrows objects"), "{error}");
}

#[test]
fn a_linked_work_tree_shares_the_common_folder() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let other = TempDir::new().unwrap();
    let target = other.path().join("linked");
    fixture.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "side",
        target.to_str().unwrap(),
    ]);
    let repo = open(&target).unwrap();
    assert_eq!(repo.common_dir(), fixture.repo.common_dir());
    assert_ne!(repo.git_dir(), repo.common_dir());
    assert_eq!(repo.head().unwrap().branch.as_deref(), Some("side"));
}

#[test]
fn a_folder_of_another_user_needs_the_persons_word() {
    let Some(folder) = init() else {
        return;
    };
    if !rustix::process::geteuid().is_root() {
        skipped("only root can give a folder away");
        return;
    }
    std::os::unix::fs::chown(folder.path(), Some(12_345), None).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(
        matches!(error, OpenError::ForeignOwner { owner: 12_345, .. }),
        "{error}"
    );
    assert!(error.fix().unwrap().contains("safe.directory"), "{error}");
    let mut person = person();
    person.safe_directories = vec!["*".to_owned()];
    assert!(Repo::discover_for(&person, folder.path()).is_ok());
}

#[test]
fn a_repository_can_be_handed_to_another_thread() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let head = fixture.head();
    let repo = fixture.repo;
    let other = std::thread::spawn(move || repo.head().unwrap().commit);
    assert_eq!(other.join().unwrap(), head);
}

#[test]
fn only_the_named_settings_are_read_from_the_person() {
    let Some(folder) = init() else { return };
    put(
        folder.path(),
        "one",
        b"[user]\n\tname = First\n\temail = f@localhost\n[safe]\n\tdirectory = /never\n[core]\n\texcludesFile = ~/ignore\n",
    );
    put(
        folder.path(),
        "two",
        b"[user]\n\tname = Second\n[safe]\n\tdirectory =\n\tdirectory = ~/here\n\tdirectory = /all/*\n[core]\n\thooksPath = /evil\n",
    );
    let files = ["one", "two", "missing"].map(|name| folder.path().join(name));
    let person = Person::read(Some(Path::new("/home/me")), &files).unwrap();
    assert_eq!(person.name.as_deref(), Some("Second"));
    assert_eq!(person.email.as_deref(), Some("f@localhost"));
    assert_eq!(
        person.excludes_file.as_deref(),
        Some(Path::new("/home/me/ignore"))
    );
    for (path, expected) in [
        ("/home/me/here", true),
        ("/all/of/it", true),
        ("/never", false),
    ] {
        assert_eq!(person.trusts(Path::new(path)), expected, "{path}");
    }
}

#[test]
fn a_broken_file_of_the_person_is_an_error_that_names_it() {
    let Some(folder) = init() else { return };
    put(folder.path(), "broken", b"[user\nname");
    let file = folder.path().join("broken");
    let error = Person::read(None, std::slice::from_ref(&file)).unwrap_err();
    assert!(error.to_string().contains("broken"), "{error}");
}

#[test]
fn a_split_or_sparse_index_is_refused_with_the_command_that_mends_it() {
    let split = &["update-index", "--split-index"][..];
    let sparse = &["sparse-checkout", "init", "--cone", "--sparse-index"][..];
    for (arguments, what) in [(split, "split"), (sparse, "sparse")] {
        let Some(fixture) = Fixture::new() else {
            return;
        };
        fixture.git(arguments);
        let error = open(fixture.root()).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        for command in error.fix().unwrap().split(" && ") {
            let words: Vec<&str> = command.split(' ').skip(1).collect();
            fixture.git(&words);
        }
        open(fixture.root()).unwrap();
    }
}
