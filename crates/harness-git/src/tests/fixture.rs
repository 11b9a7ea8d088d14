//! A repository in a temporary folder, driven by `git` in a clean environment.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
};

use harness_core::{Change, ChangeKind, CommitId, RepoPath, Timestamp, TreeId};
use tempfile::TempDir;

use crate::{Person, Repo, Snapshot, SnapshotCache};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_763_633_643_000);

pub(super) struct Fixture {
    pub(super) repo: Repo,
    folder: TempDir,
}

impl Fixture {
    /// Makes a repository with a few committed files; `None`, said aloud, without `git`.
    pub(super) fn new() -> Option<Self> {
        let folder = init()?;
        let write = |path: &str, text: &str| put(folder.path(), path, text.as_bytes());
        write("README.md", "# demo\n");
        write("src/main.rs", "fn main() {}\n");
        write(
            "src/lib/deep.rs",
            "// one\n// two\n// three\n// four\n// five\n",
        );
        write("run.sh", "#!/bin/sh\n");
        write(".gitignore", "*.log\nbuild/\n");
        fs::set_permissions(
            folder.path().join("run.sh"),
            PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        symlink("README.md", folder.path().join("link")).unwrap();
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "-m", "start"]);
        let repo = Repo::discover_for(&person(), folder.path()).unwrap();
        Some(Self { repo, folder })
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        git(self.root(), arguments)
    }

    pub(super) fn write(&self, path: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) {
        put(self.root(), path, bytes.as_ref());
    }

    pub(super) fn read(&self, path: impl AsRef<[u8]>) -> Vec<u8> {
        fs::read(self.at(path)).unwrap()
    }

    pub(super) fn remove(&self, path: impl AsRef<[u8]>) {
        fs::remove_file(self.at(path)).unwrap();
    }

    pub(super) fn at(&self, path: impl AsRef<[u8]>) -> PathBuf {
        self.root().join(path_of(path.as_ref()).as_path())
    }

    /// Takes a snapshot of the whole work tree on top of HEAD, with a fresh cache.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.snapshot_with(&mut SnapshotCache::default())
    }

    pub(super) fn snapshot_with(&self, cache: &mut SnapshotCache) -> Snapshot {
        let base = self.repo.head().unwrap().tree;
        self.repo
            .snapshot(cache, &base, &[RepoPath::root()], &|_| false)
            .unwrap()
    }

    pub(super) fn head(&self) -> CommitId {
        self.repo.head().unwrap().commit
    }

    /// Commits the work tree as it is to a run's branch, as a feature would be.
    pub(super) fn feature(&self, parent: &CommitId, message: &str) -> CommitId {
        let tip = self.repo.branch_tip("harness/R-0001").unwrap();
        let tree = self.snapshot().tree;
        self.repo
            .commit_to_branch(
                "harness/R-0001",
                tip.as_ref(),
                &tree,
                std::slice::from_ref(parent),
                message,
                NOW,
            )
            .unwrap()
    }

    /// Returns what a run must not move: HEAD, branches, stash, and the index entry by entry.
    pub(super) fn standing(&self) -> String {
        [
            fs::read_to_string(self.root().join(".git/HEAD")).unwrap(),
            self.git(&["for-each-ref", "refs/heads/main", "refs/stash", "refs/tags"]),
            self.git(&["ls-files", "--stage"]),
            self.git(&["stash", "list"]),
        ]
        .join("\n--\n")
    }

    /// Lists a tree as `git` sees it.
    pub(super) fn list(&self, tree: &TreeId) -> String {
        self.git(&["ls-tree", "-r", tree.as_str()])
    }
}

pub(super) fn init() -> Option<TempDir> {
    if Command::new("git").arg("--version").output().is_err() {
        skipped("there is no `git` program");
        return None;
    }
    let folder = TempDir::new().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"]);
    Some(folder)
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(super) fn skipped(reason: &str) {
    eprintln!("SKIPPED: {reason}");
}

pub(super) fn person() -> Person {
    Person {
        name: Some("Ada".to_owned()),
        email: Some("ada@localhost".to_owned()),
        ..Person::default()
    }
}

/// Runs `git` with nothing of this machine's configuration.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@localhost",
            "-c",
            "gc.auto=0",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(super) fn put(root: &Path, path: impl AsRef<[u8]>, bytes: &[u8]) {
    let file = root.join(std::ffi::OsStr::from_bytes(path.as_ref()));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

pub(super) fn path_of(path: &[u8]) -> RepoPath {
    RepoPath::parse(path).unwrap()
}

/// Writes changes as `A path`, `M path`, `D path`.
pub(super) fn shown(changes: &[Change]) -> Vec<String> {
    let letter = |kind| match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Modified => 'M',
        ChangeKind::Deleted => 'D',
    };
    changes
        .iter()
        .map(|change| format!("{} {}", letter(change.kind), change.path))
        .collect()
}

/// Every file and link below a folder with its kind, permissions and bytes, `.git` left out.
pub(super) fn manifest(root: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name() == Some(".git".as_ref()) {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let bytes = if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path)
                    .unwrap()
                    .as_os_str()
                    .as_bytes()
                    .to_vec()
            } else {
                fs::read(&path).unwrap()
            };
            found.push((path, metadata.permissions().mode(), bytes));
        }
    }
    found.sort();
    found
}
