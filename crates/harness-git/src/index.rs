//! The person's index, read as data: what is tracked, and what git knew about each file.

use std::{cell::OnceCell, fs, os::unix::fs::MetadataExt};

use git2::{Index, IndexEntry, IndexEntryExtendedFlag, IndexTime, Oid};
use harness_core::RepoPath;

use crate::{
    beneath::{Folder, OnDisk, Stat, look},
    repo::{During, GitError, Repo},
    tree::Mode,
};

/// The longest attributes file that is searched for filters; a longer one counts as having some.
const ATTRIBUTES_BYTES_MAX: u64 = 1024 * 1024;

/// The index as it stood when it was first needed.
pub(crate) struct IndexView<'repo> {
    repo: &'repo Repo,
    read: OnceCell<Read>,
}

struct Read {
    index: Index,
    /// When the index file was written; a file changed at that time or later may differ unseen.
    written_ns: i128,
}

impl<'repo> IndexView<'repo> {
    pub(crate) fn new(repo: &'repo Repo) -> Self {
        Self {
            repo,
            read: OnceCell::new(),
        }
    }

    pub(crate) fn index(&self) -> Result<&Index, GitError> {
        Ok(&self.read()?.index)
    }

    /// Whether git tracks the path, or something below it.
    pub(crate) fn tracks(&self, path: &RepoPath, is_folder: bool) -> Result<bool, GitError> {
        let index = self.index()?;
        Ok(if is_folder {
            let mut prefix = path.as_bytes().to_vec();
            prefix.push(b'/');
            index.find_prefix(prefix).is_ok()
        } else {
            index.get_path(path.as_path(), 0).is_some()
        })
    }

    /// Whether a missing file is missing on purpose (`git sparse-checkout`).
    pub(crate) fn is_left_out(&self, path: &RepoPath) -> Result<bool, GitError> {
        let entry = self.index()?.get_path(path.as_path(), 0);
        Ok(entry.is_some_and(|entry| has(&entry, IndexEntryExtendedFlag::SKIP_WORKTREE)))
    }

    /// Returns the blob git stored for a file that did not change since; `None` where that is uncertain.
    ///
    /// Right for raw bytes as long as no program converts them, see
    /// [`IndexView::is_unfiltered`]: git's own conversions change the size.
    pub(crate) fn blob_of_unchanged(
        &self,
        path: &RepoPath,
        stat: &Stat,
    ) -> Result<Option<Oid>, GitError> {
        let read = self.read()?;
        let Some(entry) = read.index.get_path(path.as_path(), 0) else {
            return Ok(None);
        };
        if !is_unchanged(&entry, stat) || self.is_racy(stat)? {
            return Ok(None);
        }
        let size = self
            .repo
            .git
            .odb()
            .and_then(|odb| odb.read_header(entry.id))
            .map(|(size, _)| size as u64);
        Ok(size.is_ok_and(|size| size == stat.size).then_some(entry.id))
    }

    /// Whether a file may have changed within the same tick in which git recorded it.
    pub(crate) fn is_racy(&self, stat: &Stat) -> Result<bool, GitError> {
        Ok(stat.mtime_ns >= self.read()?.written_ns)
    }

    /// Whether no attributes file names a filter, an encoding or a keyword expansion.
    pub(crate) fn is_unfiltered(&self, root: &Folder) -> Result<bool, GitError> {
        let converts = |bytes: &[u8]| {
            [&b"filter"[..], b"ident", b"encoding"]
                .iter()
                .any(|word| bytes.windows(word.len()).any(|part| part == *word))
        };
        let own = fs::read(self.repo.common_dir().join("info/attributes")).unwrap_or_default();
        if converts(&own) {
            return Ok(false);
        }
        let is_attributes = |entry: &IndexEntry| {
            entry.path == b".gitattributes" || entry.path.ends_with(b"/.gitattributes")
        };
        for entry in self.index()?.iter().filter(is_attributes) {
            let Ok(path) = RepoPath::parse(&entry.path) else {
                return Ok(false);
            };
            match look(root, &path, ATTRIBUTES_BYTES_MAX) {
                Ok(OnDisk::Absent) => {}
                Ok(OnDisk::Blob(_, bytes)) if !converts(&bytes) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn read(&self) -> Result<&Read, GitError> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let mut index = self.repo.git.index().during("open", "the index")?;
        // libgit2 keeps the index between calls; this looks whether the file changed.
        index.read(false).during("read", "the index")?;
        let written_ns = fs::metadata(self.repo.git_dir().join("index")).map_or(0, |metadata| {
            i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
        });
        Ok(self.read.get_or_init(|| Read { index, written_ns }))
    }
}

pub(crate) fn has(entry: &IndexEntry, flag: IndexEntryExtendedFlag) -> bool {
    entry.flags_extended & flag.bits() != 0
}

/// Returns the mode of an index entry; `None` for a folder of a sparse index.
pub(crate) fn mode_of(entry: &IndexEntry) -> Mode {
    Mode::of(i32::try_from(entry.mode).unwrap_or(0))
}

/// Whether a file looks as it did when git last read it.
pub(crate) fn is_unchanged(entry: &IndexEntry, stat: &Stat) -> bool {
    let same_time = |recorded: &IndexTime, found: i128| {
        // The index holds the low 32 bits of each number.
        let seconds = found.div_euclid(1_000_000_000) as i32;
        let nanoseconds = found.rem_euclid(1_000_000_000) as u32;
        recorded.seconds() == seconds && recorded.nanoseconds() == nanoseconds
    };
    same_time(&entry.mtime, stat.mtime_ns)
        && same_time(&entry.ctime, stat.ctime_ns)
        && entry.file_size == stat.size as u32
        && entry.ino == stat.inode as u32
        && mode_of(entry) == stat.blob_mode()
        && !has(entry, IndexEntryExtendedFlag::INTENT_TO_ADD)
}
