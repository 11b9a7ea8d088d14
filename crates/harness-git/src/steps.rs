//! Bringing paths of the work tree from one known state to another.
//!
//! Undo and landing share it. Nothing is written unless every path holds what
//! it is known to hold or already what is wanted, so that a person's bytes are
//! never overwritten and a second try after a crash goes on where it stopped.

use std::{collections::BTreeSet, io};

use git2::{ObjectType, Oid};
use harness_core::RepoPath;
use rustix::fs::FileType;

use crate::{
    beneath::{Folder, InTheWay, OnDisk, is_absent, look},
    repo::{During, GitError, OnPath, Repo},
    restore::Refused,
    tree::{Entry, Mode},
};

/// The largest file that is compared; a larger one is never overwritten.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// One path to bring to another state.
pub(crate) struct Step {
    pub(crate) path: RepoPath,
    /// What may stand there and be overwritten; `None` for nothing.
    pub(crate) known: Vec<Option<Entry>>,
    /// What shall stand there.
    pub(crate) want: Option<Entry>,
}

/// How the bytes on the disk are compared with blobs, and written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// As they are.
    Raw,
    /// With the line endings git would convert.
    AsGit,
}

/// What stands at a step's path, seen from what is wanted.
enum Verdict {
    Done,
    Ready,
    Refused(String),
}

pub(crate) struct Steps<'a> {
    repo: &'a Repo,
    root: Folder,
    bytes: Bytes,
    steps: Vec<Step>,
    /// Paths that end up with nothing.
    vanishing: BTreeSet<RepoPath>,
}

/// What was done.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) written: Vec<RepoPath>,
    pub(crate) removed: Vec<RepoPath>,
    pub(crate) refused: Vec<Refused>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(repo: &'a Repo, bytes: Bytes, steps: Vec<Step>) -> Result<Self, GitError> {
        let vanishing = steps.iter().filter(|step| step.want.is_none());
        Ok(Self {
            repo,
            root: Folder::open(repo.root()).on_path("open", repo.root())?,
            bytes,
            vanishing: vanishing.map(|step| step.path.clone()).collect(),
            steps,
        })
    }

    /// Finds what would be done and what stands against it, and changes nothing.
    pub(crate) fn check(&self) -> Result<Outcome, GitError> {
        let mut outcome = Outcome::default();
        for step in &self.steps {
            match self.judge(step)? {
                Verdict::Done => {}
                Verdict::Ready if step.want.is_some() => outcome.written.push(step.path.clone()),
                Verdict::Ready => outcome.removed.push(step.path.clone()),
                Verdict::Refused(reason) => outcome.refused.push(Refused {
                    path: step.path.clone(),
                    reason,
                }),
            }
        }
        Ok(outcome)
    }

    /// Makes the changes; a path that a person changed since the check is refused and left.
    pub(crate) fn act(&self) -> Result<Outcome, GitError> {
        let mut outcome = Outcome::default();
        // What goes makes room for what comes; the innermost first empties folders.
        let removals = self.steps.iter().rev().filter(|step| step.want.is_none());
        let writes = self.steps.iter().filter(|step| step.want.is_some());
        for step in removals.chain(writes) {
            match (self.judge(step)?, step.want) {
                (Verdict::Done, _) => {}
                (Verdict::Refused(reason), _) => outcome.refused.push(Refused {
                    path: step.path.clone(),
                    reason,
                }),
                (Verdict::Ready, None) => {
                    self.remove(&step.path)?;
                    outcome.removed.push(step.path.clone());
                }
                (Verdict::Ready, Some(entry)) => {
                    self.write(&step.path, entry)?;
                    outcome.written.push(step.path.clone());
                }
            }
        }
        outcome.removed.reverse();
        Ok(outcome)
    }

    /// Whether the path holds `entry` now.
    pub(crate) fn holds_now(&self, path: &RepoPath, entry: Entry) -> Result<bool, GitError> {
        match look(&self.root, path, FILE_BYTES_MAX) {
            Ok(disk) => self.holds(path, &disk, Some(entry)),
            Err(_) => Ok(false),
        }
    }

    fn judge(&self, step: &Step) -> Result<Verdict, GitError> {
        let refused = |reason: &str| Ok(Verdict::Refused(reason.to_owned()));
        let is_module = |entry: &Entry| entry.mode == Mode::Module;
        if step.known.iter().flatten().chain(&step.want).any(is_module) {
            return refused("it is a submodule");
        }
        let disk = match look(&self.root, &step.path, FILE_BYTES_MAX) {
            Ok(disk) => disk,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return refused("it is too large to be compared");
            }
            Err(error) => return Ok(Verdict::Refused(format!("it cannot be read: {error}"))),
        };
        if self.holds(&step.path, &disk, step.want)? {
            return Ok(Verdict::Done);
        }
        match disk {
            OnDisk::Folder if step.want.is_none() => return Ok(Verdict::Done),
            OnDisk::Folder if !self.empties(&step.path)? => {
                return refused("a folder with other files stands there");
            }
            OnDisk::Folder => {}
            OnDisk::Other => return refused("it is no file any more"),
            OnDisk::Absent | OnDisk::Blob(..) => {
                let mut known = false;
                for entry in &step.known {
                    known = known || self.holds(&step.path, &disk, *entry)?;
                }
                if !known {
                    return refused("it was changed meanwhile");
                }
            }
        }
        match self.blocker(&step.path)? {
            Some(blocker) => Ok(Verdict::Refused(format!(
                "`{blocker}` is no folder any more"
            ))),
            None => Ok(Verdict::Ready),
        }
    }

    fn holds(
        &self,
        path: &RepoPath,
        disk: &OnDisk,
        entry: Option<Entry>,
    ) -> Result<bool, GitError> {
        let (mode, bytes, entry) = match (disk, entry) {
            (OnDisk::Absent, None) => return Ok(true),
            (OnDisk::Blob(mode, bytes), Some(entry)) if self.is_mode_of(*mode, entry) => {
                (mode, bytes, entry)
            }
            _ => return Ok(false),
        };
        let hash = |bytes: &[u8]| Oid::hash_object(ObjectType::Blob, bytes).during("hash", path);
        if hash(bytes)? == entry.id {
            return Ok(true);
        }
        if self.bytes == Bytes::Raw || *mode == Mode::Link {
            return Ok(false);
        }
        let stored = self.repo.to_stored(path, Some(entry), bytes)?;
        Ok(hash(&stored)? == entry.id)
    }

    /// Whether a file of this mode can be what an entry says; raw bytes come with their mode.
    fn is_mode_of(&self, mode: Mode, entry: Entry) -> bool {
        let stored = match self.bytes {
            Bytes::Raw => mode,
            Bytes::AsGit => self.repo.stored_mode(mode, Some(entry)),
        };
        stored == entry.mode
    }

    /// Whether every file in a folder is about to vanish.
    fn empties(&self, path: &RepoPath) -> Result<bool, GitError> {
        let on_disk = || self.repo.on_disk(path);
        let folder = match self.root.descend(path) {
            Ok(folder) => folder,
            Err(error) if is_absent(&error) => return Ok(true),
            Err(error) => return Err(error).on_path("open", on_disk()),
        };
        for (name, kind) in folder.list().on_path("list", on_disk())? {
            let Ok(child) = path.join(&name) else {
                return Ok(false);
            };
            let goes = match kind {
                FileType::Directory => self.empties(&child)?,
                _ => self.vanishing.contains(&child),
            };
            if !goes {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns what stands on the way to `path` and stays, if anything does.
    fn blocker(&self, path: &RepoPath) -> Result<Option<RepoPath>, GitError> {
        let mut above = path.parent();
        while let Some(folder) = above.filter(|folder| !folder.is_root()) {
            let disk = look(&self.root, &folder, FILE_BYTES_MAX)
                .on_path("look at", self.repo.on_disk(&folder))?;
            match disk {
                OnDisk::Folder => return Ok(None),
                OnDisk::Absent => {}
                _ if self.vanishing.contains(&folder) => {}
                _ => return Ok(Some(folder)),
            }
            above = folder.parent();
        }
        Ok(None)
    }

    fn remove(&self, path: &RepoPath) -> Result<(), GitError> {
        let mut path = path.clone();
        let mut is_file = true;
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let removed = self.root.descend(&parent).and_then(|folder| {
                if is_file {
                    folder.unlink(name).map(|()| true)
                } else {
                    folder.remove_empty(name)
                }
            });
            let removed = removed.on_path("remove", self.repo.on_disk(&path))?;
            if !removed {
                break;
            }
            is_file = false;
            path = parent;
        }
        Ok(())
    }

    fn write(&self, path: &RepoPath, entry: Entry) -> Result<(), GitError> {
        let bytes = self.repo.blob_bytes(entry.id)?;
        let bytes = match (self.bytes, entry.mode) {
            (Bytes::AsGit, Mode::File | Mode::Executable) => self.repo.to_work_tree(path, bytes),
            _ => bytes,
        };
        let name = path.file_name().unwrap_or_default();
        let written = self
            .root
            .make_parent_of(path, InTheWay::Keep)
            .and_then(|folder| {
                // Only empty folders can be left in a folder that was judged to empty itself.
                if folder.stat(name).is_ok_and(|stat| !stat.is_blob()) {
                    folder.remove_all(name)?;
                }
                folder.put(name, entry.mode, &bytes)
            });
        written.on_path("write", self.repo.on_disk(path))
    }
}
