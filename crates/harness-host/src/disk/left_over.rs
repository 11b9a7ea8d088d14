//! What a killed process left beside the files it was writing.
//!
//! A file is written under a name of its own and then renamed. A process that
//! is killed in between leaves that name behind. No snapshot takes it for work;
//! it is removed so that people do not find it.

use std::{collections::BTreeSet, os::unix::ffi::OsStrExt};

use harness_core::RepoPath;
use harness_guard::HostAct;
use ignore::WalkBuilder;
use rustix::{fs::AtFlags, io::Errno};

use super::{
    DiskError, Root,
    open::{FOLDER, open_beneath},
};

/// How the names of half-written files begin: this crate's, and those of restored ones.
const BEGINNINGS: [&[u8]; 2] = [b".~harness-", b".harness-new-"];

impl Root {
    /// Removes the half-written files of `processes` that are dead, for whoever holds the lock of
    /// the work tree they had: a file of another name is somebody's.
    ///
    /// Returns what was removed. Ignored folders are looked into as well, git's own are not.
    ///
    /// # Errors
    /// [`DiskError::Io`] when a file cannot be removed.
    pub fn remove_left_overs_of(
        &self,
        _act: HostAct,
        processes: &[u32],
    ) -> Result<Vec<RepoPath>, DiskError> {
        let mut walk = self.walk(&RepoPath::root());
        walk.standard_filters(false)
            .filter_entry(|entry| !entry.file_name().eq_ignore_ascii_case(".git"));
        let mut removed = Vec::new();
        self.remove_found(&walk, &mut removed, &|process| processes.contains(&process))?;
        Ok(removed)
    }

    /// Removes half-written files that stand beside `files`: those that the harness itself writes.
    ///
    /// Returns what was removed. What lies deeper is not looked at.
    ///
    /// # Errors
    /// [`DiskError::Io`] when a file cannot be removed.
    pub fn remove_left_overs_beside(
        &self,
        _act: HostAct,
        files: &[RepoPath],
    ) -> Result<Vec<RepoPath>, DiskError> {
        let folders: BTreeSet<RepoPath> = files.iter().filter_map(RepoPath::parent).collect();
        let mut removed = Vec::new();
        for folder in folders {
            let mut walk = self.walk(&folder);
            // An ignore rule may name what is left over, and must not keep it.
            walk.max_depth(Some(1)).standard_filters(false);
            self.remove_found(&walk, &mut removed, &|_| true)?;
        }
        Ok(removed)
    }

    fn remove_found(
        &self,
        walk: &WalkBuilder,
        removed: &mut Vec<RepoPath>,
        is_wanted: &dyn Fn(u32) -> bool,
    ) -> Result<(), DiskError> {
        // What cannot be walked is reported by the snapshot that follows.
        for entry in walk.build().flatten() {
            let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
            let process = process_of(entry.file_name().as_bytes());
            if !is_file || !process.is_some_and(is_wanted) {
                continue;
            }
            if let Some(path) = self.repo_path(entry.path()) {
                self.remove(&path)?;
                removed.push(path);
            }
        }
        Ok(())
    }

    pub(super) fn remove(&self, path: &RepoPath) -> Result<(), DiskError> {
        let Some((folder, name)) = path.parent().zip(path.file_name()) else {
            return Ok(());
        };
        let folder = if folder.is_root() {
            open_beneath(self.handle(), ".", FOLDER)
                .map_err(|errno| DiskError::io("open", path, errno))?
        } else {
            self.open_at(&folder, FOLDER)?
        };
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(DiskError::io("remove", path, errno)),
        }
    }
}

/// Returns the process that gave a name which only this program gives: a beginning, a process, a count.
fn process_of(name: &[u8]) -> Option<u32> {
    let beginnings = BEGINNINGS.iter();
    let mut rests = beginnings.filter_map(|beginning| name.strip_prefix(*beginning));
    let mut parts = rests.next()?.split(|byte| *byte == b'-');
    let is_number = |part: &&[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let process = parts.next().filter(is_number)?;
    parts.next().filter(is_number)?;
    if parts.next().is_some() {
        return None;
    }
    std::str::from_utf8(process).ok()?.parse().ok()
}
