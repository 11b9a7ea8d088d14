//! Snapshots: names, modes, ignore rules, and what is never entered or run.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, fs::symlink, net::UnixListener},
};

use harness_core::RepoPath;

use super::fixture::{Fixture, path_of, person, shown};
use crate::{Repo, SkipReason, SnapshotCache};

#[test]
fn a_clean_work_tree_is_heads_tree() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let snapshot = fixture.snapshot();
    assert_eq!(snapshot.tree, fixture.repo.head().unwrap().tree);
    assert!(snapshot.changes.is_empty() && snapshot.skipped.is_empty());
}

#[test]
fn any_name_a_file_can_have_is_kept() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let long = [b'x'; 200];
    let names: [&[u8]; 7] = [
        b"new\nline",
        b"-rf",
        b"\x1b[31mred\x1b[0m",
        b"\xff\xfe\x80",
        b"sp ace/\xc3\xa9",
        b"back\\slash",
        &long,
    ];
    for name in names {
        fixture.write(name, b"x");
    }
    let snapshot = fixture.snapshot();
    assert_eq!(snapshot.changes.len(), names.len());
    for name in names {
        let blob = fixture.repo.read_blob(&snapshot.tree, &path_of(name), 10);
        assert_eq!(blob.unwrap().unwrap(), b"x");
    }
    fixture.git(&["add", "-A"]);
    let by_git = fixture.git(&["write-tree"]);
    assert_eq!(
        snapshot.tree.as_str(),
        by_git.trim(),
        "the tree is git's own"
    );
}

#[test]
fn modes_and_links_are_kept_and_links_not_followed() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let outside = tempfile::TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    symlink(outside.path(), fixture.at("away")).unwrap();
    symlink("nowhere", fixture.at("dangling")).unwrap();
    fs::set_permissions(fixture.at("README.md"), PermissionsExt::from_mode(0o755)).unwrap();
    fixture.remove("link");
    symlink("run.sh", fixture.at("link")).unwrap();
    let snapshot = fixture.snapshot();
    assert_eq!(
        shown(&snapshot.changes),
        ["M README.md", "A away", "A dangling", "M link"]
    );
    fixture.git(&["add", "-A"]);
    assert_eq!(snapshot.tree.as_str(), fixture.git(&["write-tree"]).trim());
}

#[test]
fn a_scope_that_is_a_link_is_not_entered() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let outside = tempfile::TempDir::new().unwrap();
    fs::write(outside.path().join("main.rs"), "foreign").unwrap();
    fs::remove_dir_all(fixture.at("src")).unwrap();
    symlink(outside.path(), fixture.at("src")).unwrap();
    let base = fixture.repo.head().unwrap().tree;
    let mut cache = SnapshotCache::default();
    for (scope, expected) in [
        (
            &b"src"[..],
            &["A src", "D src/lib/deep.rs", "D src/main.rs"][..],
        ),
        (b"src/lib", &["D src/lib/deep.rs"]),
    ] {
        let snapshot = fixture
            .repo
            .snapshot(&mut cache, &base, &[path_of(scope)], &|_| false)
            .unwrap();
        assert_eq!(shown(&snapshot.changes), expected);
    }
}

#[test]
fn ignored_files_are_left_out_unless_tracked() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("build/kept.txt", "k\n");
    fixture.git(&["add", "-f", "build/kept.txt"]);
    fixture.git(&["commit", "-q", "-m", "keep"]);
    fixture.write("build/kept.txt", "changed\n");
    fixture.write("build/out.o", "ignored\n");
    fixture.write("noise.log", "ignored\n");
    fixture.write("forced.log", "staged although ignored\n");
    fixture.git(&["add", "-f", "forced.log"]);
    fixture.write("src/.gitignore", "!wanted.log\n/top\n");
    fixture.write("src/wanted.log", "whitelisted below\n");
    fixture.write("src/top", "ignored\n");
    fixture.write("src/lib/top", "only ignored beside its rule\n");
    fs::write(fixture.root().join(".git/info/exclude"), "*.tmp\n").unwrap();
    fixture.write("src/x.tmp", "ignored\n");
    let snapshot = fixture.snapshot();
    assert_eq!(
        shown(&snapshot.changes),
        [
            "M build/kept.txt",
            "A forced.log",
            "A src/.gitignore",
            "A src/lib/top",
            "A src/wanted.log"
        ]
    );
    fixture.git(&["add", "-A"]);
    assert_eq!(snapshot.tree.as_str(), fixture.git(&["write-tree"]).trim());
}

#[test]
fn the_persons_excludes_file_is_honoured() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let excludes = folder.path().join("ignore");
    fs::write(&excludes, "*.swp\n").unwrap();
    let mut person = person();
    person.excludes_file = Some(excludes);
    let repo = Repo::discover_for(&person, fixture.root()).unwrap();
    fixture.write("a.swp", "x");
    fixture.write("b.txt", "x");
    let found = repo.dirty(&|_| true, &|_| false).unwrap();
    assert_eq!(shown(&found), ["A b.txt"]);
}

#[test]
fn only_the_scope_is_taken_and_hidden_paths_stay() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let base = fixture.repo.head().unwrap().tree;
    fixture.write("README.md", "outside\n");
    fixture.write("src/main.rs", "inside\n");
    fixture.write("src/.env", "secret\n");
    fixture.write("tests/new.rs", "inside\n");
    fixture.remove("src/lib/deep.rs");
    let hidden =
        |path: &RepoPath| path.to_text() == "src/.env" || path.starts_with(&path_of(b"src/lib"));
    let under = [b"src".as_slice(), b"tests", b"src/lib", b"missing"].map(path_of);
    let snapshot = fixture
        .repo
        .snapshot(&mut SnapshotCache::default(), &base, &under, &hidden)
        .unwrap();
    assert_eq!(
        shown(&snapshot.changes),
        ["M src/main.rs", "A tests/new.rs"]
    );
    assert_eq!(
        fixture.repo.diff(&base, &snapshot.tree).unwrap(),
        snapshot.changes
    );
}

#[test]
fn repositories_inside_stay_as_the_base_has_them() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.write("vendor/inner/file", "x\n");
    fixture.git(&["init", "-q", "vendor/inner"]);
    fixture.write("vendor/outer", "x\n");
    assert_eq!(shown(&fixture.snapshot().changes), ["A vendor/outer"]);
}

#[test]
fn a_git_folder_put_into_tracked_files_hides_nothing() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fs::create_dir_all(fixture.at("src/.git")).unwrap();
    fixture.write("src/.GIT/config", "x");
    fixture.remove("src/main.rs");
    fixture.write("src/new.rs", "x");
    assert_eq!(
        shown(&fixture.snapshot().changes),
        ["D src/main.rs", "A src/new.rs"]
    );
}

#[test]
fn a_submodule_is_left_alone() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let other = Fixture::new().unwrap();
    let url = other.root().to_str().unwrap();
    fixture.git(&["submodule", "--quiet", "add", url, "sub"]);
    fixture.git(&["commit", "-q", "-m", "sub"]);
    fixture.write("sub/README.md", "changed inside\n");
    let snapshot = fixture.snapshot();
    assert!(snapshot.changes.is_empty());
    fs::remove_dir_all(fixture.at("sub")).unwrap();
    assert_eq!(fixture.snapshot().tree, snapshot.tree);
    assert!(
        fixture
            .repo
            .dirty(&|_| true, &|_| false)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_is_no_file_is_passed_over() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let _socket = UnixListener::bind(fixture.at("socket")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        fixture.at("pipe"),
        rustix::fs::Mode::from_raw_mode(0o644),
    )
    .unwrap();
    fixture.remove("README.md");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        fixture.at("README.md"),
        rustix::fs::Mode::from_raw_mode(0o644),
    )
    .unwrap();
    assert_eq!(shown(&fixture.snapshot().changes), ["D README.md"]);
}

#[test]
fn what_cannot_be_taken_is_named() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let large = fs::File::create(fixture.at("large")).unwrap();
    large.set_len(64 * 1024 * 1024 + 1).unwrap();
    fixture.write("src/git~1", "no name in git\n");
    fixture.write("src/fine", "x\n");
    let snapshot = fixture.snapshot();
    assert_eq!(shown(&snapshot.changes), ["A src/fine"]);
    let skipped: Vec<_> = snapshot
        .skipped
        .iter()
        .map(|skipped| (skipped.path.to_text(), skipped.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            ("large".to_owned(), SkipReason::TooLarge),
            ("src/git~1".to_owned(), SkipReason::IllegalName)
        ]
    );
}

#[test]
fn a_change_is_seen_however_short_ago_the_last_snapshot_was() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let mut cache = SnapshotCache::default();
    let times = fs::metadata(fixture.at("README.md"))
        .unwrap()
        .modified()
        .unwrap();
    for round in 0..20 {
        let text = format!("{round:04}\n");
        fixture.write("src/main.rs", &text);
        // Even the modification time gives nothing away.
        let file = fs::File::options()
            .write(true)
            .open(fixture.at("src/main.rs"))
            .unwrap();
        file.set_modified(times).unwrap();
        let tree = fixture.snapshot_with(&mut cache).tree;
        let blob = fixture.repo.read_blob(&tree, &path_of(b"src/main.rs"), 100);
        assert_eq!(blob.unwrap().unwrap(), text.as_bytes());
    }
}

#[test]
fn the_index_vouches_for_raw_bytes_only() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.git(&["config", "core.autocrlf", "input"]);
    fixture.write("text.txt", "a\r\nb\r\n");
    fixture.git(&["add", "text.txt"]);
    fixture.git(&["commit", "-q", "-m", "stored with LF"]);
    // Old enough for git, and for a cache, to believe what they remember.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let file = fs::File::options()
        .write(true)
        .open(fixture.at("text.txt"))
        .unwrap();
    file.set_modified(old).unwrap();
    fixture.git(&["update-index", "--refresh"]);
    let snapshot = fixture.snapshot();
    assert_eq!(
        shown(&snapshot.changes),
        ["M text.txt"],
        "raw bytes differ from the blob"
    );
    let blob = fixture
        .repo
        .read_blob(&snapshot.tree, &path_of(b"text.txt"), 100);
    assert_eq!(blob.unwrap().unwrap(), b"a\r\nb\r\n");
    assert!(
        fixture
            .repo
            .dirty(&|_| true, &|_| false)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn files_left_out_by_sparse_checkout_are_not_deleted() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    fixture.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/src/lib/"]);
    assert!(!fixture.at("src/lib/deep.rs").exists());
    assert!(fixture.snapshot().changes.is_empty());
    assert!(
        fixture
            .repo
            .dirty(&|_| true, &|_| false)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn nothing_configured_is_run() {
    let Some(fixture) = Fixture::new() else {
        return;
    };
    let marker = fixture.root().join(".git/marker");
    let command = format!("touch {}", marker.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "gpg.program",
        "diff.external",
        "merge.x.driver",
    ] {
        fixture.git(&["config", key, &command]);
    }
    fixture.git(&["config", "commit.gpgsign", "true"]);
    let hook = format!("#!/bin/sh\n{command}\n");
    for name in [
        "pre-commit",
        "post-checkout",
        "reference-transaction",
        "post-index-change",
    ] {
        let path = fixture.root().join(".git/hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &hook).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    fixture.write(".gitattributes", "*.x filter=x merge=x\n");
    fixture.write("a.x", "x");
    let repo = Repo::discover_for(&person(), fixture.root()).unwrap();
    let head = repo.head().unwrap();
    repo.dirty(&|_| true, &|_| false).unwrap();
    let tree = fixture.snapshot().tree;
    let commit = repo
        .commit_to_branch(
            "harness/R-0001",
            None,
            &tree,
            &[head.commit],
            "x",
            super::fixture::NOW,
        )
        .unwrap();
    repo.land(
        "harness/R-0001",
        &[commit],
        crate::LandStyle::EachCommit,
        crate::Own::NONE,
        super::fixture::NOW,
    )
    .unwrap();
    repo.restore(&tree, &head.tree, crate::RestoreMode::Write)
        .unwrap();
    assert!(!marker.exists());
}
