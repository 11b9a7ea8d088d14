//! What stands at the paths of two trees, for whoever shows or mixes them.
//!
//! Bytes are raw: no line ending is converted and no filter is asked. Called by
//! the commands that show checkpoints and undo them.

use std::collections::BTreeSet;

use harness_core::{BlobId, RepoPath, TreeId};

use crate::{
    repo::{During, GitError, Repo, blob_id},
    tree::{Edits, Entry, Mode},
};

/// What kind of thing stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
    /// A commit of another repository; it has no content here.
    Module,
}

impl FileKind {
    /// Returns the mode as git writes it.
    pub const fn mode(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
            Self::Module => "160000",
        }
    }

    pub(crate) const fn to_mode(self) -> Mode {
        match self {
            Self::File => Mode::File,
            Self::Executable => Mode::Executable,
            Self::Link => Mode::Link,
            Self::Module => Mode::Module,
        }
    }

    pub(crate) const fn of(mode: Mode) -> Self {
        match mode {
            Mode::File => Self::File,
            Mode::Executable => Self::Executable,
            Mode::Link => Self::Link,
            Mode::Module => Self::Module,
        }
    }
}

/// What stands at a path of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Its kind.
    pub kind: FileKind,
    /// Its content.
    pub blob: BlobId,
    entry: Entry,
}

impl FileState {
    pub(crate) fn of(entry: Entry) -> Self {
        Self {
            kind: FileKind::of(entry.mode),
            blob: blob_id(entry.id),
            entry,
        }
    }
}

/// A path that two trees hold differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The path.
    pub path: RepoPath,
    /// What the first tree has; `None` for nothing.
    pub old: Option<FileState>,
    /// What the second tree has; `None` for nothing.
    pub new: Option<FileState>,
}

impl Repo {
    /// Returns what differs between two trees with both sides, sorted by path.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn file_changes(&self, from: &TreeId, to: &TreeId) -> Result<Vec<FileChange>, GitError> {
        let changes = self.differences(from, to)?.into_iter();
        Ok(changes
            .map(|difference| FileChange {
                path: difference.path,
                old: difference.old.map(FileState::of),
                new: difference.new.map(FileState::of),
            })
            .collect())
    }

    /// Returns what a tree has at a path; `None` for nothing and for a folder.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn file_state(
        &self,
        tree: &TreeId,
        path: &RepoPath,
    ) -> Result<Option<FileState>, GitError> {
        Ok(self.entry_in(tree, path)?.map(FileState::of))
    }

    /// Reads what a state holds; `None` for a submodule and for more than `bytes_max` bytes.
    ///
    /// # Errors
    /// When the content is missing or damaged.
    pub fn content(&self, state: &FileState, bytes_max: u64) -> Result<Option<Vec<u8>>, GitError> {
        if state.kind == FileKind::Module {
            return Ok(None);
        }
        let id = state.entry.id;
        let odb = self.git.odb().during("open the objects for", id)?;
        let (bytes, _) = odb.read_header(id).during("read", id)?;
        if bytes as u64 > bytes_max {
            return Ok(None);
        }
        self.blob_bytes(id).map(Some)
    }

    /// Returns `tree` with what `from` has at these paths, which may be nothing.
    ///
    /// # Errors
    /// When a tree cannot be read or written.
    pub fn with_paths_of(
        &self,
        tree: &TreeId,
        from: &TreeId,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<TreeId, GitError> {
        let mut edits = Edits::new();
        for path in paths {
            edits.insert(path.clone(), self.entry_in(from, path)?);
        }
        self.edited(tree, edits)
    }
}
