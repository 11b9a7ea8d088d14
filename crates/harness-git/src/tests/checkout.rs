//! Kept folders: what is written, removed, found and repaired.

use std::{
    cell::Cell,
    fs,
    os::unix::{fs::PermissionsExt, fs::symlink},
    path::{Path, PathBuf},
    time::SystemTime,
};

use harness_core::TreeId;
use tempfile::TempDir;

use super::fixture::{Fixture, path_of, put};
use crate::{CheckedOut, CheckoutStamp, GitError};

struct Kept {
    fixture: Fixture,
    folder: PathBuf,
    stamp: CheckoutStamp,
    _home: TempDir,
}

impl Kept {
    fn new() -> Option<Self> {
        let home = TempDir::new().unwrap();
        Some(Self {
            fixture: Fixture::new()?,
            folder: home.path().join("candidate"),
            stamp: CheckoutStamp::default(),
            _home: home,
        })
    }

    fn check_out(&mut self, tree: &TreeId) -> CheckedOut {
        self.fixture
            .repo
            .check_out(tree, &self.folder, &mut self.stamp)
            .unwrap()
    }

    fn verify(&mut self, tree: &TreeId) -> Vec<String> {
        let found = self
            .fixture
            .repo
            .verify_checkout(tree, &self.folder, &mut self.stamp);
        found.unwrap().iter().map(|path| path.to_text()).collect()
    }

    fn modified(&self, path: &str) -> SystemTime {
        fs::metadata(self.folder.join(path))
            .unwrap()
            .modified()
            .unwrap()
    }
}

#[test]
fn a_tree_is_brought_out_whole_without_git() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = kept.fixture.snapshot().tree;
    assert_eq!(kept.check_out(&tree).written.len(), 6);
    let source = super::fixture::manifest(kept.fixture.root());
    let copy = super::fixture::manifest(&kept.folder);
    let relative = |manifest: Vec<(PathBuf, u32, Vec<u8>)>, root: &Path| -> Vec<_> {
        let entries = manifest.into_iter();
        entries
            .map(|(path, mode, bytes)| {
                (path.strip_prefix(root).unwrap().to_path_buf(), mode, bytes)
            })
            .collect()
    };
    assert_eq!(
        relative(copy, &kept.folder),
        relative(source, kept.fixture.root())
    );
    assert!(!kept.folder.join(".git").exists());
    assert_eq!(kept.check_out(&tree), CheckedOut::default());
    assert!(kept.verify(&tree).is_empty());
}

#[test]
fn only_what_differs_is_touched_and_build_outputs_stay() {
    let Some(mut kept) = Kept::new() else { return };
    let base = kept.fixture.snapshot().tree;
    kept.check_out(&base);
    put(&kept.folder, "build/out.o", b"warm");
    let old = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for path in ["README.md", "src/main.rs"] {
        let file = fs::File::options()
            .write(true)
            .open(kept.folder.join(path))
            .unwrap();
        file.set_modified(old).unwrap();
    }
    kept.fixture.write("src/main.rs", "changed\n");
    kept.fixture.remove("src/lib/deep.rs");
    let next = kept.fixture.snapshot().tree;
    let done = kept.check_out(&next);
    assert_eq!(done.written, [path_of(b"src/main.rs")]);
    assert_eq!(done.removed, [path_of(b"src/lib/deep.rs")]);
    assert_eq!(kept.modified("README.md"), old);
    assert!(kept.modified("src/main.rs") > old);
    assert!(!kept.folder.join("src/lib").exists());
    assert_eq!(fs::read(kept.folder.join("build/out.o")).unwrap(), b"warm");
}

#[test]
fn files_of_an_earlier_process_are_cleared_away() {
    let Some(mut kept) = Kept::new() else { return };
    kept.fixture.write("tests/stale.rs", "x");
    let first = kept.fixture.snapshot().tree;
    kept.check_out(&first);
    kept.fixture.remove("tests/stale.rs");
    let second = kept.fixture.snapshot().tree;
    kept.stamp = CheckoutStamp::default();
    let done = kept.check_out(&second);
    assert_eq!(done.removed, [path_of(b"tests/stale.rs")]);
    assert!(done.written.is_empty(), "equal files are not written again");
}

#[test]
fn a_folder_from_an_unknown_tree_is_emptied() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = kept.fixture.snapshot().tree;
    kept.check_out(&tree);
    put(&kept.folder, "tests/stale.rs", b"x");
    let record = kept.folder.with_file_name("candidate.tree");
    fs::write(record, format!("{}\n", "1".repeat(40))).unwrap();
    assert_eq!(kept.check_out(&tree).written.len(), 6);
    assert!(!kept.folder.join("tests").exists());
}

#[test]
fn what_a_gate_changed_is_found_and_repaired() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = kept.fixture.snapshot().tree;
    kept.check_out(&tree);
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("deep.rs"), "outside").unwrap();
    let at = |path: &str| kept.folder.join(path);
    let modified = kept.modified("README.md");
    fs::write(at("README.md"), "# demO\n").unwrap();
    let file = fs::File::options()
        .write(true)
        .open(at("README.md"))
        .unwrap();
    file.set_modified(modified).unwrap();
    fs::set_permissions(at("run.sh"), PermissionsExt::from_mode(0o644)).unwrap();
    fs::remove_file(at("link")).unwrap();
    fs::create_dir(at("link")).unwrap();
    fs::write(at("link/junk"), "x").unwrap();
    fs::remove_dir_all(at("src/lib")).unwrap();
    symlink(outside.path(), at("src/lib")).unwrap();
    let expected = ["README.md", "link", "run.sh", "src/lib/deep.rs"];
    assert_eq!(kept.verify(&tree), expected);
    let done = kept.check_out(&tree);
    assert_eq!(done.written.len(), expected.len());
    assert!(kept.verify(&tree).is_empty());
    assert_eq!(
        fs::read(outside.path().join("deep.rs")).unwrap(),
        b"outside"
    );
}

#[test]
fn the_repository_itself_is_never_checked_out_into() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = kept.fixture.snapshot().tree;
    let root = kept.fixture.root().to_path_buf();
    for folder in [
        root.join("build"),
        root.join(".git/harness/x"),
        root.parent().unwrap().to_path_buf(),
    ] {
        let result = kept.fixture.repo.check_out(&tree, &folder, &mut kept.stamp);
        assert!(
            matches!(result, Err(GitError::FolderOverlaps { .. })),
            "{}",
            folder.display()
        );
    }
}

/// A tree so large that several write it.
fn large(kept: &Kept) -> TreeId {
    for number in 0..700 {
        let path = format!("many/{}/{number}.txt", number % 7);
        kept.fixture.write(path, format!("{number:04}\n"));
    }
    kept.fixture.snapshot().tree
}

#[test]
fn what_was_just_written_is_known_and_a_change_right_after_is_seen() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = large(&kept);
    put(
        kept.folder.parent().unwrap(),
        "candidate/many",
        b"in the way",
    );
    fs::write(kept.folder.with_file_name("candidate.tree"), "").unwrap();
    assert_eq!(kept.check_out(&tree).written.len(), 706);
    fs::write(kept.folder.join("many/3/346.txt"), "0364\n").unwrap();
    assert_eq!(kept.verify(&tree), ["many/3/346.txt"]);
    assert_eq!(kept.check_out(&tree).written, [path_of(b"many/3/346.txt")]);
    let source = super::fixture::manifest(&kept.fixture.root().join("many"));
    let copy = super::fixture::manifest(&kept.folder.join("many"));
    let bytes = |manifest: Vec<(PathBuf, u32, Vec<u8>)>| -> Vec<_> {
        let entries = manifest.into_iter();
        entries.map(|(_, mode, bytes)| (mode, bytes)).collect()
    };
    assert_eq!(bytes(copy), bytes(source));
}

#[test]
fn what_is_known_of_the_files_is_kept_for_the_next_process() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = large(&kept);
    kept.check_out(&tree);
    if kept.stamp.files.len() < 700 {
        return super::fixture::skipped("the file system counts in seconds");
    }
    kept.stamp.keep_beside(&kept.folder).unwrap();
    let at = kept.folder.join("many/1/8.txt");
    fs::remove_file(&at).unwrap();
    fs::write(&at, "0009\n").unwrap();
    kept.stamp = CheckoutStamp::kept_beside(&kept.folder);
    assert_eq!(kept.verify(&tree), ["many/1/8.txt"]);
    assert_eq!(kept.stamp.news, 1, "the others were not read");
    let place = kept.folder.with_file_name("candidate.files");
    let whole = fs::read(&place).unwrap();
    for wrong in [&b""[..], b"garbage", &whole[..whole.len() - 1], &whole[1..]] {
        fs::write(&place, wrong).unwrap();
        assert!(CheckoutStamp::kept_beside(&kept.folder).files.is_empty());
    }
}

#[test]
fn a_checkout_that_nobody_waits_for_ends_and_is_gone_on_with() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = large(&kept);
    // Before anything was looked at, in the middle of it, and among the files that are written.
    let files = kept.fixture.repo.files_of(&tree).unwrap().len();
    for asked_max in [0, 300, files] {
        let asked = Cell::new(0);
        let is_over = || asked.replace(asked.get() + 1) >= asked_max;
        let repo = &kept.fixture.repo;
        let ended =
            repo.check_out_alone(&tree, &kept.folder, &mut kept.stamp, &|_| false, &is_over);
        assert!(matches!(ended, Err(GitError::CutShort { .. })), "{ended:?}");
    }
    assert!(kept.check_out(&tree).written.len() > 600);
    assert!(kept.verify(&tree).is_empty());
}

#[test]
fn what_was_looked_at_until_it_ended_early_is_known() {
    let Some(mut kept) = Kept::new() else { return };
    let tree = large(&kept);
    kept.check_out(&tree);
    kept.stamp = CheckoutStamp::default();
    let asked = Cell::new(0);
    let is_over = || asked.replace(asked.get() + 1) >= 500;
    let repo = &kept.fixture.repo;
    let ended = repo.check_out_alone(&tree, &kept.folder, &mut kept.stamp, &|_| false, &is_over);
    assert!(matches!(ended, Err(GitError::CutShort { .. })), "{ended:?}");
    if kept.stamp.files.is_empty() {
        return super::fixture::skipped("the file system counts in seconds");
    }
    kept.stamp.keep_beside(&kept.folder).unwrap();
    kept.stamp = CheckoutStamp::kept_beside(&kept.folder);
    assert!(kept.verify(&tree).is_empty());
    assert!(kept.stamp.news < 300, "{} were read again", kept.stamp.news);
}
