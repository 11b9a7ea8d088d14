//! The work tree beside a tree, as a person looks at it: nothing is stored, moved or run.
//!
//! A snapshot stores what it finds; a look only reads it. Bytes are raw where the tree is a
//! checkpoint, and as git would store them where it is a commit, so that line endings alone are no
//! change. Called by whoever shows a change, off every drawing path.

use std::{borrow::Cow, io};

use git2::{ObjectType, Oid};
use harness_core::{CommitId, RepoPath, TreeId};

use crate::{
    beneath::{Folder, OnDisk, Stat, is_absent, look},
    contents::{FileKind, FileState},
    index::IndexView,
    repo::{During, GitError, OnPath, Repo, commit_id, oid},
    tree::{Edits, Entry, Mode},
    walk::{Visitor, Walk},
};

/// The largest file that is read to see whether it changed; a larger one counts as changed.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most bytes of changed files that one look keeps; of later files only the size is told.
const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How the bytes of the work tree are compared with those of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// As they are: the tree is a checkpoint.
    Raw,
    /// As git would store them: the tree is a commit's.
    Stored,
}

/// A file or link of the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFile {
    /// Its kind.
    pub kind: FileKind,
    /// What is in it.
    pub content: WorkContent,
}

/// What is in a file of the work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkContent {
    /// All of it; of a link, where it leads.
    Bytes(Vec<u8>),
    /// It is larger than was asked for.
    TooLarge {
        /// How large it is.
        bytes: u64,
        /// Another one for another content, as far as that is known without reading all of it.
        id: String,
    },
}

/// A path that a tree and the work tree hold differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkChange {
    /// The path.
    pub path: RepoPath,
    /// What the tree has; `None` for nothing.
    pub old: Option<FileState>,
    /// What the work tree has; `None` for nothing.
    pub new: Option<WorkFile>,
}

/// What a file is to be, for [`Repo::with_states`]; `None` for nothing.
pub type State = Option<(FileKind, Vec<u8>)>;

impl Repo {
    /// Returns what differs between a tree and the work tree, sorted by path, with files that cannot
    /// be read left out.
    ///
    /// The same files count as for [`Repo::snapshot`] of everything. Of a file with more than
    /// `bytes_max` bytes only the size is told.
    ///
    /// # Errors
    /// When the tree, the index or a folder at the root cannot be read.
    pub fn look(
        &self,
        tree: &TreeId,
        how: Looked,
        bytes_max: u64,
    ) -> Result<Vec<WorkChange>, GitError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let index = IndexView::new(self);
        let trusts_index = index.is_unfiltered(&root)?;
        let base = self.tree_object(tree)?;
        let mut sight = Sight {
            repo: self,
            index: &index,
            trusts_index,
            how,
            bytes_max,
            room: KEPT_BYTES_MAX,
            found: Vec::new(),
        };
        let mut walk = Walk {
            repo: self,
            index: &index,
            visitor: &mut sight,
        };
        walk.run(&root, &base, &RepoPath::root())?;
        let mut found = sight.found;
        found.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }

    /// Reads one file or link of the work tree as it is; `None` where there is none.
    ///
    /// # Errors
    /// When a folder stands there, or it cannot be read.
    pub fn work_file(&self, path: &RepoPath, bytes_max: u64) -> Result<Option<WorkFile>, GitError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        match look(&root, path, bytes_max) {
            Ok(OnDisk::Absent) => Ok(None),
            Ok(OnDisk::Blob(mode, bytes)) => Ok(Some(WorkFile {
                kind: FileKind::of(mode),
                content: WorkContent::Bytes(bytes),
            })),
            Ok(_) => Err(GitError::NotAFile { path: path.clone() }),
            Err(error) => Err(error).on_path("read", self.on_disk(path)),
        }
    }

    /// Returns how many bytes a state holds; 0 for a submodule.
    ///
    /// # Errors
    /// When the content is missing or damaged.
    pub fn size_of(&self, state: &FileState) -> Result<u64, GitError> {
        if state.kind == FileKind::Module {
            return Ok(0);
        }
        let id = oid(&state.blob);
        let odb = self.git.odb().during("open the objects for", id)?;
        let (bytes, _) = odb.read_header(id).during("read", id)?;
        Ok(bytes as u64)
    }

    /// Returns `tree` with these paths as they are given; the contents are stored.
    ///
    /// # Errors
    /// When an object cannot be read or written, or a path is no legal name in git.
    pub fn with_states<'a>(
        &self,
        tree: &TreeId,
        states: impl IntoIterator<Item = (&'a RepoPath, &'a State)>,
    ) -> Result<TreeId, GitError> {
        let mut edits = Edits::new();
        for (path, state) in states {
            let entry = match state {
                None => None,
                Some((kind, bytes)) => Some(Entry {
                    mode: kind.to_mode(),
                    id: self.write_blob(bytes, path)?,
                }),
            };
            edits.insert(path.clone(), entry);
        }
        self.edited(tree, edits)
    }

    /// Returns the commit that two have in common; `None` where there is none.
    ///
    /// # Errors
    /// When history cannot be read.
    pub fn merge_base(
        &self,
        one: &CommitId,
        other: &CommitId,
    ) -> Result<Option<CommitId>, GitError> {
        match self.git.merge_base(oid(one), oid(other)) {
            Ok(id) => Ok(Some(commit_id(id))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(source) => Err(source).during("find what is in common with", other),
        }
    }
}

struct Sight<'a> {
    repo: &'a Repo,
    index: &'a IndexView<'a>,
    trusts_index: bool,
    how: Looked,
    bytes_max: u64,
    room: usize,
    found: Vec<WorkChange>,
}

impl Visitor for Sight<'_> {
    fn is_hidden(&self, _path: &RepoPath) -> bool {
        false
    }

    fn found(
        &mut self,
        folder: &Folder,
        name: &[u8],
        path: RepoPath,
        tracked: Option<Entry>,
    ) -> Result<(), GitError> {
        let stat = match folder.stat(name) {
            Ok(stat) => stat,
            Err(error) if is_absent(&error) => return self.gone(path, tracked),
            Err(_) => return Ok(()),
        };
        if self.is_known(&path, &stat, tracked)? {
            return Ok(());
        }
        match folder.read(name, FILE_BYTES_MAX) {
            Ok(OnDisk::Blob(mode, bytes)) => self.compare(path, mode, &bytes, tracked),
            Ok(_) => self.gone(path, tracked),
            Err(error) if is_absent(&error) => self.gone(path, tracked),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let content = WorkContent::TooLarge {
                    bytes: stat.size,
                    id: format!("{} {}", stat.size, stat.mtime_ns),
                };
                self.add(path, tracked, Some((stat.blob_mode(), content)));
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    fn missing(&mut self, path: RepoPath, tracked: Entry) -> Result<(), GitError> {
        self.gone(path, Some(tracked))
    }

    fn unreadable(&mut self, _path: RepoPath) {}
}

impl Sight<'_> {
    /// Whether the index vouches that the file is as the tree has it.
    fn is_known(
        &self,
        path: &RepoPath,
        stat: &Stat,
        tracked: Option<Entry>,
    ) -> Result<bool, GitError> {
        let Some(tracked) = tracked.filter(|_| self.trusts_index) else {
            return Ok(false);
        };
        let mode = self.repo.stored_mode(stat.blob_mode(), Some(tracked));
        if mode != tracked.mode || mode == Mode::Link {
            return Ok(false);
        }
        Ok(self.index.blob_of_unchanged(path, stat)? == Some(tracked.id))
    }

    fn compare(
        &mut self,
        path: RepoPath,
        mode: Mode,
        bytes: &[u8],
        tracked: Option<Entry>,
    ) -> Result<(), GitError> {
        let bytes = match self.how {
            Looked::Stored if mode != Mode::Link => self.repo.to_stored(&path, tracked, bytes)?,
            _ => Cow::Borrowed(bytes),
        };
        let mode = match self.how {
            Looked::Stored => self.repo.stored_mode(mode, tracked),
            Looked::Raw => mode,
        };
        let id = Oid::hash_object(ObjectType::Blob, &bytes).during("hash", &path)?;
        if tracked == Some(Entry { mode, id }) {
            return Ok(());
        }
        let size = bytes.len();
        let content = if size as u64 > self.bytes_max || size > self.room {
            WorkContent::TooLarge {
                bytes: size as u64,
                id: id.to_string(),
            }
        } else {
            self.room -= size;
            WorkContent::Bytes(bytes.into_owned())
        };
        self.add(path, tracked, Some((mode, content)));
        Ok(())
    }

    fn gone(&mut self, path: RepoPath, tracked: Option<Entry>) -> Result<(), GitError> {
        if tracked.is_some() {
            self.add(path, tracked, None);
        }
        Ok(())
    }

    fn add(&mut self, path: RepoPath, old: Option<Entry>, new: Option<(Mode, WorkContent)>) {
        self.found.push(WorkChange {
            path,
            old: old.map(FileState::of),
            new: new.map(|(mode, content)| WorkFile {
                kind: FileKind::of(mode),
                content,
            }),
        });
    }
}
