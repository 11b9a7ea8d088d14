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
    /// Removes half-written files below `folders`, for whoever holds the lock of the work tree.
    ///
    /// Returns what was removed. Ignored folders are not looked into: nothing in them is ever saved.
    ///
    /// # Errors
    /// [`DiskError::Io`] when a file cannot be removed.
    pub fn remove_left_overs(
        &self,
        _act: HostAct,
        folders: &[RepoPath],
    ) -> Result<Vec<RepoPath>, DiskError> {
        let mut removed = Vec::new();
        for folder in folders {
            self.remove_found(&self.walk(folder), &mut removed)?;
        }
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
            self.remove_found(&walk, &mut removed)?;
        }
        Ok(removed)
    }

    fn remove_found(
        &self,
        walk: &WalkBuilder,
        removed: &mut Vec<RepoPath>,
    ) -> Result<(), DiskError> {
        // What cannot be walked is reported by the snapshot that follows.
        for entry in walk.build().flatten() {
            let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
            if !is_file || !is_left_over(entry.file_name().as_bytes()) {
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

/// Whether a name is one that only this program gives: a beginning, a process, a count.
fn is_left_over(name: &[u8]) -> bool {
    let rest = BEGINNINGS
        .iter()
        .find_map(|beginning| name.strip_prefix(*beginning));
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    rest.is_some_and(|rest| {
        let mut parts = rest.split(|byte| *byte == b'-');
        let both = (parts.next(), parts.next(), parts.next());
        matches!(both, (Some(process), Some(count), None) if is_number(process) && is_number(count))
    })
}
