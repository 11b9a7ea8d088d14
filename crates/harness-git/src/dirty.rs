//! What a person has not committed yet.

use std::collections::BTreeMap;

use git2::{IndexEntry, IndexEntryExtendedFlag, ObjectType, Oid};
use harness_core::{Change, ChangeKind, RepoPath, TreeId};

use crate::{
    beneath::{Folder, OnDisk, look},
    index::{IndexView, has, is_unchanged, mode_of},
    repo::{During, GitError, OnPath, Repo},
    stats::look_at_all,
    tree::{Difference, Entry, Mode},
    walk::{Visitor, Walk},
};

/// The largest file that is read to see whether it changed; a larger one counts as changed.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

impl Repo {
    /// Returns what differs from HEAD in the index or the work tree, sorted by path.
    ///
    /// Tracked files count wherever they lie, untracked ones where `scope`
    /// holds, and neither where `ignore` does. Submodules are not looked into.
    ///
    /// # Errors
    /// When HEAD, the index or a folder cannot be read.
    pub fn dirty(
        &self,
        scope: &dyn Fn(&RepoPath) -> bool,
        ignore: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Vec<Change>, GitError> {
        let head = self.head()?.tree;
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let view = IndexView::new(self);
        let mut found = BTreeMap::new();
        self.staged(&view, &head, &mut found)?;
        self.unstaged(&view, &root, &mut found)?;
        let mut untracked = Untracked {
            index: &view,
            scope,
            found: &mut found,
        };
        let tree = self.tree_object(&head)?;
        let mut walk = Walk {
            repo: self,
            index: &view,
            visitor: &mut untracked,
        };
        walk.run(&root, &tree, &RepoPath::root())?;
        let changes = found
            .into_iter()
            .filter(|(path, _)| !ignore(path))
            .map(|(path, kind)| Change { path, kind });
        Ok(changes.collect())
    }

    /// Adds what differs between HEAD and the index.
    fn staged(
        &self,
        view: &IndexView<'_>,
        head: &TreeId,
        found: &mut BTreeMap<RepoPath, ChangeKind>,
    ) -> Result<(), GitError> {
        let tree = self.tree_object(head)?;
        let diff = self
            .git
            .diff_tree_to_index(Some(&tree), Some(view.index()?), None)
            .during("compare the index with", "HEAD")?;
        for delta in diff.deltas() {
            let side = |file: git2::DiffFile<'_>| {
                file.path_bytes()
                    .and_then(|path| RepoPath::parse(path).ok())
            };
            let Some(path) = side(delta.new_file()).or_else(|| side(delta.old_file())) else {
                continue;
            };
            let entry = |file: git2::DiffFile<'_>| {
                file.exists().then(|| Entry {
                    mode: Mode::File,
                    id: file.id(),
                })
            };
            let difference = Difference {
                path,
                old: entry(delta.old_file()),
                new: entry(delta.new_file()),
            };
            let change = difference.to_change();
            found.insert(change.path, change.kind);
        }
        Ok(())
    }

    /// Adds tracked files that differ between the index and the work tree.
    fn unstaged(
        &self,
        view: &IndexView<'_>,
        root: &Folder,
        found: &mut BTreeMap<RepoPath, ChangeKind>,
    ) -> Result<(), GitError> {
        let is_here = |entry: &IndexEntry| {
            mode_of(entry) != Mode::Module && !has(entry, IndexEntryExtendedFlag::SKIP_WORKTREE)
        };
        let mut paths = Vec::new();
        let mut entries = Vec::new();
        for entry in view.index()?.iter().filter(is_here) {
            if let Ok(path) = RepoPath::parse(&entry.path) {
                paths.push(path);
                // The name is in the path.
                entries.push(IndexEntry {
                    path: Vec::new(),
                    ..entry
                });
            }
        }
        let looked = look_at_all(root, &paths);
        for ((path, entry), looked) in paths.into_iter().zip(entries).zip(looked) {
            let mode = mode_of(&entry);
            let is_conflict = entry.flags & 0x3000 != 0;
            let stored = Entry { mode, id: entry.id };
            let stat = looked.on_path("look at", self.on_disk(&path))?;
            let change = match stat {
                _ if is_conflict => Some(ChangeKind::Modified),
                None => Some(ChangeKind::Deleted),
                Some(stat) if is_unchanged(&entry, &stat) && !view.is_racy(&stat)? => None,
                Some(_) => self.content_change(root, &path, stored)?,
            };
            if let Some(kind) = change {
                // A staged new file that was edited further is still new.
                found.entry(path).or_insert(kind);
            }
        }
        Ok(())
    }

    /// Reads a file whose looks changed and compares what git would store.
    fn content_change(
        &self,
        root: &Folder,
        path: &RepoPath,
        stored: Entry,
    ) -> Result<Option<ChangeKind>, GitError> {
        match look(root, path, FILE_BYTES_MAX) {
            Ok(OnDisk::Blob(mode, bytes)) => {
                let bytes = match mode {
                    Mode::Link => bytes.into(),
                    _ => self.to_stored(path, Some(stored), &bytes)?,
                };
                let id = Oid::hash_object(ObjectType::Blob, &bytes).during("hash", path)?;
                let mode = self.stored_mode(mode, Some(stored));
                let same = Entry { mode, id } == stored;
                Ok((!same).then_some(ChangeKind::Modified))
            }
            Ok(_) => Ok(Some(ChangeKind::Deleted)),
            Err(_) => Ok(Some(ChangeKind::Modified)),
        }
    }
}

struct Untracked<'a> {
    index: &'a IndexView<'a>,
    scope: &'a dyn Fn(&RepoPath) -> bool,
    found: &'a mut BTreeMap<RepoPath, ChangeKind>,
}

impl Visitor for Untracked<'_> {
    fn is_hidden(&self, _path: &RepoPath) -> bool {
        false
    }

    fn found(
        &mut self,
        _folder: &Folder,
        _name: &[u8],
        path: RepoPath,
        tracked: Option<Entry>,
    ) -> Result<(), GitError> {
        if tracked.is_none() && (self.scope)(&path) && !self.index.tracks(&path, false)? {
            self.found.insert(path, ChangeKind::Added);
        }
        Ok(())
    }

    fn missing(&mut self, _path: RepoPath, _tracked: Entry) -> Result<(), GitError> {
        Ok(())
    }

    fn unreadable(&mut self, _path: RepoPath) {}
}
