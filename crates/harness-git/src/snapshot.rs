//! The work tree as a tree: what a checkpoint keeps.
//!
//! Raw bytes, no filter; tracked and untracked files, no ignored ones; only
//! what changed is read, hashed and stored.

use std::{
    collections::HashMap,
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use git2::{ObjectType, Oid};
use harness_core::{ByteCount, Change, ChangeKind, RepoPath, TreeId};

use crate::{
    beneath::{Folder, OnDisk, Stat, is_absent},
    index::IndexView,
    repo::{During, GitError, OnPath, Repo},
    tree::{Edits, Entry, Mode},
    walk::{Visitor, Walk},
};

/// The largest file a snapshot takes.
const FILE_BYTES_MAX: ByteCount = ByteCount::mib(64);

/// The most files whose bytes one snapshot stores. What is beyond is no source anybody wrote,
/// but what a program made and no ignore rule names.
const STORED_FILES_MAX: usize = 20_000;

/// The most bytes one snapshot stores.
const STORED_BYTES_MAX: ByteCount = ByteCount::mib(512);

/// A file changed this short a time ago may change again within the same tick of its clock.
const RACY: Duration = Duration::from_secs(2);

/// The work tree at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The tree, stored in the repository.
    pub tree: TreeId,
    /// What differs from the base, sorted by path.
    pub changes: Vec<Change>,
    /// What is in the tree as the base has it, although it may have changed.
    pub skipped: Vec<Skipped>,
}

/// A path that a snapshot could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The path.
    pub path: RepoPath,
    /// Why.
    pub reason: SkipReason,
}

/// Why a snapshot could not take a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The file is larger than 64 MiB.
    TooLarge,
    /// The file or folder cannot be read, or lies too deep.
    Unreadable,
    /// Git does not allow the name, such as `git~1`.
    IllegalName,
    /// There are more new or changed files, or bytes of them, than one snapshot stores.
    TooMuch,
}

impl SkipReason {
    /// Returns the words of sentences.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "larger than 64 MiB",
            Self::Unreadable => "it cannot be read",
            Self::IllegalName => "git does not allow the name",
            Self::TooMuch => "too much is new at once; it comes with a later checkpoint",
        }
    }
}

/// What earlier snapshots know about files, so that an unchanged one is not read again.
///
/// Belongs to one work tree and lives as long as a run. About 130 bytes per file.
#[derive(Debug, Default)]
pub struct SnapshotCache {
    files: HashMap<RepoPath, Known>,
    /// Whether the index may vouch for blobs; found out when first needed.
    trusts_index: Option<bool>,
    pub(crate) stored_max: StoredMax,
}

/// The most that one snapshot stores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredMax {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

impl Default for StoredMax {
    fn default() -> Self {
        Self {
            files: STORED_FILES_MAX,
            bytes: STORED_BYTES_MAX.0,
        }
    }
}

#[derive(Debug)]
struct Known {
    stat: Stat,
    id: Oid,
    /// Whether the file was old enough when it was read that a later change shows in `stat`.
    is_settled: bool,
}

impl Repo {
    /// Stores the work tree under the folders `under` as a tree that equals `base` elsewhere.
    ///
    /// Ignored files are left out unless git tracks them; so are sockets,
    /// devices and named pipes, anything named `.git`, and repositories inside.
    /// Paths for which `hidden` holds, and folders for which it holds with all
    /// they contain, stay as in `base`.
    ///
    /// # Errors
    /// When a folder of `under` cannot be opened, or an object cannot be read or written.
    pub fn snapshot(
        &self,
        cache: &mut SnapshotCache,
        base: &TreeId,
        under: &[RepoPath],
        hidden: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Snapshot, GitError> {
        let was_empty = cache.files.is_empty();
        match self.take_snapshot(cache, base, under, hidden) {
            // The cache may name blobs that `git gc` removed meanwhile.
            Err(GitError::Git { .. }) if !was_empty => {
                *cache = SnapshotCache::default();
                self.take_snapshot(cache, base, under, hidden)
            }
            taken => taken,
        }
    }

    fn take_snapshot(
        &self,
        cache: &mut SnapshotCache,
        base: &TreeId,
        under: &[RepoPath],
        hidden: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Snapshot, GitError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let index = IndexView::new(self);
        let tree = self.tree_object(base)?;
        let mut shot = Shot {
            repo: self,
            index: &index,
            root: &root,
            hidden,
            cache,
            now_ns: now_ns(),
            edits: Edits::new(),
            changes: Vec::new(),
            skipped: Vec::new(),
            stored: (0, 0),
        };
        for start in outermost(under) {
            let mut walk = Walk {
                repo: self,
                index: &index,
                visitor: &mut shot,
            };
            walk.run(&root, &tree, start)?;
        }
        shot.finish(base)
    }
}

struct Shot<'a> {
    repo: &'a Repo,
    index: &'a IndexView<'a>,
    root: &'a Folder,
    hidden: &'a dyn Fn(&RepoPath) -> bool,
    cache: &'a mut SnapshotCache,
    now_ns: i128,
    edits: Edits,
    changes: Vec<Change>,
    skipped: Vec<Skipped>,
    /// Files and bytes that were stored.
    stored: (usize, u64),
}

/// What a snapshot makes of a file.
enum Content {
    Entry(Entry),
    Gone,
    Skipped(SkipReason),
}

impl Visitor for Shot<'_> {
    fn is_hidden(&self, path: &RepoPath) -> bool {
        (self.hidden)(path)
    }

    fn found(
        &mut self,
        folder: &Folder,
        name: &[u8],
        path: RepoPath,
        tracked: Option<Entry>,
    ) -> Result<(), GitError> {
        match self.content(folder, name, &path, tracked)? {
            Content::Entry(entry) => self.record(path, tracked, entry),
            Content::Skipped(reason) => self.skipped.push(Skipped { path, reason }),
            // It vanished between being listed and being read.
            Content::Gone => {
                if let Some(tracked) = tracked {
                    self.missing(path, tracked)?;
                }
            }
        }
        Ok(())
    }

    fn missing(&mut self, path: RepoPath, _tracked: Entry) -> Result<(), GitError> {
        self.changes.push(Change {
            path: path.clone(),
            kind: ChangeKind::Deleted,
        });
        self.edits.insert(path, None);
        Ok(())
    }

    fn unreadable(&mut self, path: RepoPath) {
        self.skipped.push(Skipped {
            path,
            reason: SkipReason::Unreadable,
        });
    }
}

impl Shot<'_> {
    /// Finds the blob of a file, reading and storing it only if it may be new.
    fn content(
        &mut self,
        folder: &Folder,
        name: &[u8],
        path: &RepoPath,
        tracked: Option<Entry>,
    ) -> Result<Content, GitError> {
        let stat = match folder.stat(name) {
            Ok(stat) => stat,
            Err(error) if is_absent(&error) => return Ok(Content::Gone),
            Err(_) => return Ok(Content::Skipped(SkipReason::Unreadable)),
        };
        if stat.is_blob() && stat.size > FILE_BYTES_MAX.0 {
            return Ok(Content::Skipped(SkipReason::TooLarge));
        }
        if let Some(id) = self.known_blob(path, &stat)? {
            let mode = stat.blob_mode();
            return Ok(Content::Entry(Entry { mode, id }));
        }
        let most = self.cache.stored_max;
        if self.stored.0 >= most.files || self.stored.1 >= most.bytes {
            return Ok(Content::Skipped(SkipReason::TooMuch));
        }
        Ok(match folder.read(name, FILE_BYTES_MAX.0) {
            Ok(OnDisk::Blob(mode, bytes)) => {
                let id = self.store(path, &bytes, tracked)?;
                self.remember(folder, name, path, stat, id);
                Content::Entry(Entry { mode, id })
            }
            Ok(_) => Content::Gone,
            Err(error) if is_absent(&error) => Content::Gone,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Content::Skipped(SkipReason::TooLarge)
            }
            Err(_) => Content::Skipped(SkipReason::Unreadable),
        })
    }

    fn record(&mut self, path: RepoPath, tracked: Option<Entry>, entry: Entry) {
        if tracked == Some(entry) {
            return;
        }
        let kind = match tracked {
            Some(_) => ChangeKind::Modified,
            None => ChangeKind::Added,
        };
        self.changes.push(Change {
            path: path.clone(),
            kind,
        });
        self.edits.insert(path, Some(entry));
    }

    /// Returns the blob of a file that needs no reading.
    fn known_blob(&mut self, path: &RepoPath, stat: &Stat) -> Result<Option<Oid>, GitError> {
        if let Some(known) = self.cache.files.get(path) {
            return Ok((known.is_settled && known.stat == *stat).then_some(known.id));
        }
        let trusts_index = match self.cache.trusts_index {
            Some(trusts) => trusts,
            None => *self
                .cache
                .trusts_index
                .insert(self.index.is_unfiltered(self.root)?),
        };
        if !trusts_index || stat.blob_mode() == Mode::Link {
            return Ok(None);
        }
        let id = self.index.blob_of_unchanged(path, stat)?;
        if let Some(id) = id {
            let known = Known {
                stat: *stat,
                id,
                is_settled: true,
            };
            self.cache.files.insert(path.clone(), known);
        }
        Ok(id)
    }

    /// Stores the bytes unless the base has them already.
    fn store(
        &mut self,
        path: &RepoPath,
        bytes: &[u8],
        tracked: Option<Entry>,
    ) -> Result<Oid, GitError> {
        let id = Oid::hash_object(ObjectType::Blob, bytes).during("hash", path)?;
        let known = self.cache.files.get(path).map(|known| known.id);
        if tracked.map(|entry| entry.id) == Some(id) || known == Some(id) {
            return Ok(id);
        }
        self.stored.0 += 1;
        self.stored.1 += bytes.len() as u64;
        self.repo.write_blob(bytes, path)
    }

    fn remember(&mut self, folder: &Folder, name: &[u8], path: &RepoPath, stat: Stat, id: Oid) {
        // What changed while it was read is read again next time.
        let is_still = folder.stat(name).is_ok_and(|after| after == stat);
        let racy_ns = i128::try_from(RACY.as_nanos()).unwrap_or(i128::MAX);
        let is_settled = is_still && stat.ctime_ns.max(stat.mtime_ns) < self.now_ns - racy_ns;
        let known = Known {
            stat,
            id,
            is_settled,
        };
        self.cache.files.insert(path.clone(), known);
    }

    fn finish(mut self, base: &TreeId) -> Result<Snapshot, GitError> {
        let mut illegal = Vec::new();
        let tree = self.repo.edited_but(base, self.edits, &mut illegal)?;
        for (path, _) in illegal {
            self.changes
                .retain(|change| !change.path.starts_with(&path));
            self.skipped.push(Skipped {
                path,
                reason: SkipReason::IllegalName,
            });
        }
        self.changes
            .sort_by(|left, right| left.path.cmp(&right.path));
        self.skipped
            .sort_by(|left, right| left.path.cmp(&right.path));
        Ok(Snapshot {
            tree,
            changes: self.changes,
            skipped: self.skipped,
        })
    }
}

/// Returns the folders that lie in no other of the list.
fn outermost(under: &[RepoPath]) -> impl Iterator<Item = &RepoPath> {
    under.iter().enumerate().filter_map(|(index, path)| {
        let covered = under
            .iter()
            .enumerate()
            .any(|(other, folder)| path.starts_with(folder) && (path != folder || other < index));
        (!covered).then_some(path)
    })
}

fn now_ns() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i128::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(0)
}
