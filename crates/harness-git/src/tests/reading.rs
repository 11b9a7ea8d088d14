//! History, trees and uncommitted work.

use std::{fs, os::unix::fs::PermissionsExt};

use super::fixture::{Fixture, NOW, path_of, shown};
use crate::{GitError, RestoreMode};

#[test]
fn head_names_branch_commit_and_tree() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let head = fixture.repo.head().unwrap();
    assert_eq!(head.branch.as_deref(), Some("main"));
    assert_eq!(
        head.commit.as_str(),
        fixture.git(&["rev-parse", "HEAD"]).trim()
    );
    assert_eq!(
        head.tree.as_str(),
        fixture.git(&["rev-parse", "HEAD^{tree}"]).trim()
    );
    assert_eq!(fixture.repo.tree_of(&head.commit).unwrap(), head.tree);
    assert_eq!(fixture.repo.resolve("main").unwrap(), head.commit);
    assert!(fixture.repo.resolve("nothing").is_err());

    fixture.git(&["checkout", "-q", "--detach"]);
    assert_eq!(fixture.repo.head().unwrap().branch, None);
    let recent = fixture.repo.recent_commits(5);
    assert_eq!(recent, [format!("{} start", head.commit.short())]);
}

#[test]
fn blobs_are_read_whole_or_not_at_all() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let tree = fixture.repo.head().unwrap().tree;
    let read = |path: &[u8], bytes_max| fixture.repo.read_blob(&tree, &path_of(path), bytes_max);
    assert_eq!(read(b"README.md", 100).unwrap().unwrap(), b"# demo\n");
    assert_eq!(read(b"nothing/there", 100).unwrap(), None);
    assert!(matches!(
        read(b"README.md", 3),
        Err(GitError::TooLarge { bytes: 7, .. })
    ));
    assert!(matches!(read(b"src", 100), Err(GitError::NotAFile { .. })));
    assert!(matches!(read(b"link", 100), Err(GitError::NotAFile { .. })));
}

#[test]
fn the_files_of_a_tree_are_listed_as_git_lists_them() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let tree = fixture.repo.head().unwrap().tree;
    let files = fixture.repo.files(&tree).unwrap();
    let listed: String = files
        .iter()
        .map(|file| format!("{:o} blob {}\t{}\n", file.mode, file.blob, file.path))
        .collect();
    assert_eq!(listed, fixture.list(&tree));
}

#[test]
fn trees_are_edited_path_by_path() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let repo = &fixture.repo;
    let tree = repo.head().unwrap().tree;
    let file = |path: &[u8], text: &str| (path_of(path), Some(text.as_bytes().to_vec()));
    let edited = repo
        .with_files(
            &tree,
            &[
                file(b"new/file", "n\n"),
                file(b"run.sh", "#!/bin/bash\n"),
                (path_of(b"src/main.rs"), None),
                (path_of(b"src/lib/deep.rs"), None),
                (path_of(b"never/was"), None),
            ],
        )
        .unwrap();
    assert_eq!(
        shown(&repo.diff(&tree, &edited).unwrap()),
        [
            "A new/file",
            "M run.sh",
            "D src/lib/deep.rs",
            "D src/main.rs"
        ]
    );
    assert!(fixture.list(&edited).contains("100755 blob"));
    assert!(
        !fixture.list(&edited).contains("src"),
        "an emptied folder goes"
    );
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
    for evil in [&b".git/config"[..], b"a/.GIT/hooks/x"] {
        assert!(repo.with_files(&tree, &[file(evil, "x")]).is_err());
    }
    assert_eq!(repo.with_files(&tree, &[]).unwrap(), tree);
}

#[test]
fn a_file_and_a_folder_of_the_same_name_replace_each_other() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let repo = &fixture.repo;
    let before = fixture.snapshot().tree;
    fixture.remove("README.md");
    fixture.write("README.md/inner", "x\n");
    fs::remove_dir_all(fixture.at("src/lib")).unwrap();
    fixture.write("src/lib", "now a file\n");
    fixture.write("src-more", "sorts between\n");
    let after = fixture.snapshot();
    assert_eq!(
        shown(&after.changes),
        [
            "D README.md",
            "A README.md/inner",
            "A src-more",
            "A src/lib",
            "D src/lib/deep.rs"
        ]
    );
    assert_eq!(repo.diff(&before, &after.tree).unwrap(), after.changes);
    repo.restore(&after.tree, &before, RestoreMode::Write)
        .unwrap();
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    repo.restore(&before, &after.tree, RestoreMode::Write)
        .unwrap();
    assert_eq!(fixture.snapshot().tree, after.tree);
}

#[test]
fn apply_changes_takes_only_what_is_kept() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let repo = &fixture.repo;
    let head = repo.head().unwrap().tree;
    fixture.write("person.txt", "mine\n");
    let start = fixture.snapshot().tree;
    fixture.write("src/main.rs", "fn main() { todo() }\n");
    fixture.write("harness.toml", "[scope]\n");
    let end = fixture.snapshot().tree;
    let candidate = repo
        .apply_changes(&head, &start, &end, &|path| {
            path.to_text() != "harness.toml"
        })
        .unwrap();
    assert_eq!(
        shown(&repo.diff(&head, &candidate).unwrap()),
        ["M src/main.rs"]
    );
}

#[test]
fn a_commit_stores_line_endings_as_git_does() {
    for (attributes, stored) in [
        ("* text=auto\n", &b"a\nb\n"[..]),
        ("*.txt text\n", b"a\nb\n"),
        ("*.txt eol=crlf\n", b"a\nb\n"),
        ("*.txt -text\n", b"a\r\nb\r\n"),
        ("", b"a\r\nb\r\n"),
    ] {
        let Some(fixture) = Fixture::new() else {
            return;
        };
        let repo = &fixture.repo;
        fixture.write(".gitattributes", attributes);
        let head = repo.head().unwrap().tree;
        let start = fixture.snapshot().tree;
        fixture.write("new.txt", "a\r\nb\r\n");
        let end = fixture.snapshot().tree;
        let raw = repo.read_blob(&end, &path_of(b"new.txt"), 100).unwrap();
        assert_eq!(raw.unwrap(), b"a\r\nb\r\n", "a checkpoint is raw");
        let candidate = repo.apply_changes(&head, &start, &end, &|_| true).unwrap();
        let blob = repo
            .read_blob(&candidate, &path_of(b"new.txt"), 100)
            .unwrap();
        assert_eq!(blob.unwrap(), stored, "{attributes}");
        fixture.git(&["add", "new.txt"]);
        let by_git = fixture.git(&["ls-files", "--stage", "new.txt"]);
        let id = by_git.split(' ').nth(1).unwrap();
        assert!(
            fixture.list(&candidate).contains(id),
            "{attributes}: as git"
        );
    }
}

#[test]
fn a_change_that_needs_a_filter_program_is_refused() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write(".gitattributes", "*.bin filter=lfs\n");
    let head = fixture.repo.head().unwrap().tree;
    let start = fixture.snapshot().tree;
    fixture.write("big.bin", "raw");
    let end = fixture.snapshot().tree;
    let error = fixture
        .repo
        .apply_changes(&head, &start, &end, &|_| true)
        .unwrap_err();
    assert!(
        matches!(&error, GitError::Filtered { filter, .. } if filter == "lfs"),
        "{error}"
    );
}

#[test]
fn dirty_finds_staged_unstaged_and_untracked_work() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let dirty = |scope: &str| {
        let found = fixture
            .repo
            .dirty(&|path| path.to_text().starts_with(scope), &|path| {
                path.to_text() == "progress.md"
            });
        shown(&found.unwrap())
    };
    assert_eq!(dirty(""), [""; 0]);
    fixture.write("src/main.rs", "fn main() { 1 }\n");
    fixture.write("staged.txt", "s\n");
    fixture.git(&["add", "staged.txt"]);
    fixture.git(&["rm", "-q", "--cached", "README.md"]);
    fixture.write("src/new.rs", "n\n");
    fixture.write("docs/new.md", "n\n");
    fixture.write("noise.log", "ignored\n");
    fixture.write("build/out", "ignored\n");
    fixture.write("progress.md", "the host's\n");
    fs::set_permissions(
        fixture.at("src/lib/deep.rs"),
        PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    fixture.remove("link");
    assert_eq!(
        dirty("src/"),
        [
            "D README.md",
            "D link",
            "M src/lib/deep.rs",
            "M src/main.rs",
            "A src/new.rs",
            "A staged.txt"
        ]
    );
    assert!(dirty("").contains(&"A docs/new.md".to_owned()));
}

#[test]
fn a_touched_file_with_the_same_content_is_not_dirty() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let bytes = fixture.read("src/main.rs");
    fixture.remove("src/main.rs");
    fixture.write("src/main.rs", bytes);
    let found = fixture.repo.dirty(&|_| true, &|_| false).unwrap();
    assert_eq!(shown(&found), [""; 0]);
}

#[test]
fn a_commit_gives_its_trailers() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let head = fixture.repo.head().unwrap();
    let message = "add export\n\nWhy.\n\nHarness-Session: S-0001\nHarness-Feature: F-012\n";
    let commit = fixture
        .repo
        .commit_to_branch(
            "harness/R-0001",
            None,
            &head.tree,
            std::slice::from_ref(&head.commit),
            message,
            NOW,
        )
        .unwrap();
    let found = fixture.repo.commit_info(&commit).unwrap();
    assert_eq!(found.parents, [head.commit]);
    assert_eq!(found.tree, head.tree);
    assert_eq!(found.time, NOW);
    assert_eq!(
        found.trailers,
        [
            ("Harness-Session".to_owned(), "S-0001".to_owned()),
            ("Harness-Feature".to_owned(), "F-012".to_owned())
        ]
    );
    let author = fixture.git(&["log", "-1", "--format=%an <%ae>", commit.as_str()]);
    assert_eq!(author.trim(), "Ada <ada@localhost>");
}
