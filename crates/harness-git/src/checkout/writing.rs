//! Puts files of a tree into a kept folder, many of them by several at a time.
//!
//! The blobs are read on the caller's thread, whose repository it is; others write what was
//! read. Which files are to be written is decided by the checkout, which also settles what may
//! be said of them afterwards. Called by it alone.

use std::{
    io,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use harness_core::RepoPath;

use super::Known;
use crate::{
    beneath::{Folder, InTheWay, is_absent},
    repo::{GitError, OnPath, Repo},
    tree::{Entry, Mode},
};

/// So many files are written by the caller alone: to start others would take longer.
const ALONE_MAX: usize = 512;

/// How many write at a time.
const WRITERS: usize = 2;

/// How many files are handed over at a time, and how many bytes at about the most.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: usize = 1 << 20;

/// How many batches wait for each writer.
const BATCHES_MAX: usize = 4;

/// The clocks of file systems tick at least this often, where they count less than seconds.
const TICK: Duration = Duration::from_millis(20);

/// A file to be written.
struct Work {
    path: RepoPath,
    entry: Entry,
    bytes: Vec<u8>,
}

/// What was written: a file, as it was left, and its content.
type Written = Vec<(RepoPath, Known)>;

impl Repo {
    /// Writes files of a tree, and says how each was left.
    ///
    /// `None` when `is_over` said that nobody waits for it any more.
    pub(super) fn write_files(
        &self,
        files: &[(&RepoPath, Entry)],
        root: &Folder,
        folder: &Path,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<Written>, GitError> {
        if files.len() > ALONE_MAX {
            return self.write_together(files, root, folder, is_over);
        }
        let mut places = Places::new(root, folder);
        let mut written = Written::new();
        for (path, entry) in files {
            let work = self.work(path, *entry)?;
            written.push(places.write(work)?);
        }
        Ok(Some(written))
    }

    fn work(&self, path: &RepoPath, entry: Entry) -> Result<Work, GitError> {
        let bytes = self.blob_bytes(entry.id)?;
        let path = path.clone();
        Ok(Work { path, entry, bytes })
    }

    fn write_together(
        &self,
        files: &[(&RepoPath, Entry)],
        root: &Folder,
        folder: &Path,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<Written>, GitError> {
        let (ends, starts): (Vec<_>, Vec<_>) =
            (0..WRITERS).map(|_| sync_channel(BATCHES_MAX)).unzip();
        thread::scope(|scope| {
            // Dropped here whatever happens: whoever writes waits for more until then.
            let ends = ends;
            let writers = starts.into_iter().map(|works| {
                let mut places = Places::new(root, folder);
                scope.spawn(move || places.write_all(&works))
            });
            let writers: Vec<_> = writers.collect();
            let handed = self.hand_over(files, &ends, is_over);
            drop(ends);
            let mut written = Written::new();
            for writer in writers {
                let own = writer.join();
                written.extend(own.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            let is_whole = handed?;
            written.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
            Ok(is_whole.then_some(written))
        })
    }

    /// Reads every blob and hands it to one of those who write; `false` when it was ended early.
    fn hand_over(
        &self,
        files: &[(&RepoPath, Entry)],
        writers: &[SyncSender<Vec<Work>>],
        is_over: &dyn Fn() -> bool,
    ) -> Result<bool, GitError> {
        let mut next = writers.iter().cycle();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (at, (path, entry)) in files.iter().enumerate() {
            let work = self.work(path, *entry)?;
            bytes += work.bytes.len();
            batch.push(work);
            let is_last = at + 1 == files.len();
            if !is_last && batch.len() < BATCH_FILES && bytes < BATCH_BYTES {
                continue;
            }
            bytes = 0;
            let full = std::mem::take(&mut batch);
            let taken = next.next().is_some_and(|writer| writer.send(full).is_ok());
            // A writer that is gone has failed, and says why.
            if !taken || is_over() {
                return Ok(is_last && taken);
            }
        }
        Ok(true)
    }
}

/// Waits until whatever changes a file from now on shows in its times.
///
/// Returns those of which that can be said: a file system that counts in whole seconds, or in
/// hundredths, leaves zeros behind them.
pub(super) fn settled(written: Written) -> Written {
    const COARSE_NS: i128 = 1_000_000;
    thread::sleep(TICK);
    let is_fine = |(_, (stat, _)): &(RepoPath, Known)| stat.ctime_ns % COARSE_NS != 0;
    written.into_iter().filter(is_fine).collect()
}

/// Places of a tree's files, keeping the last folder open: sorted paths share most of them.
struct Places<'a> {
    root: &'a Folder,
    folder: &'a Path,
    last: Option<(RepoPath, Folder)>,
}

impl<'a> Places<'a> {
    fn new(root: &'a Folder, folder: &'a Path) -> Self {
        Self {
            root,
            folder,
            last: None,
        }
    }

    fn write_all(&mut self, works: &Receiver<Vec<Work>>) -> Result<Written, GitError> {
        let mut written = Written::new();
        for batch in works {
            for work in batch {
                written.push(self.write(work)?);
            }
        }
        Ok(written)
    }

    fn write(&mut self, work: Work) -> Result<(RepoPath, Known), GitError> {
        let Work { path, entry, bytes } = work;
        let stat = match self.put(&path, entry.mode, &bytes) {
            Ok(stat) => stat,
            failed => failed.on_path("write", self.folder.join(path.as_path()))?,
        };
        Ok((path, (stat, entry.id)))
    }

    fn put(
        &mut self,
        path: &RepoPath,
        mode: Mode,
        bytes: &[u8],
    ) -> io::Result<crate::beneath::Stat> {
        let folder = path.parent().unwrap_or_default();
        let parent = match self.last.take() {
            Some((known, parent)) if known == folder => parent,
            _ => self.root.make_parent_of(path, InTheWay::Remove)?,
        };
        let name = path.file_name().unwrap_or_default();
        // Removed first, so that permissions a program set do not stay. What a crash leaves half
        // written has another content than its tree, and is written anew.
        let made = match parent.make(name, mode, bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                clear(&parent, name).and_then(|()| parent.make(name, mode, bytes))
            }
            made => made,
        };
        self.last = Some((folder, parent));
        made
    }
}

fn clear(parent: &Folder, name: &[u8]) -> io::Result<()> {
    match parent.stat(name) {
        Ok(stat) if stat.is_blob() => parent.unlink(name),
        Ok(_) if parent.remove_all(name).is_err() => parent.unlink(name),
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}
