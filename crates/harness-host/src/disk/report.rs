//! The files that a gate writes its report to: found, removed before it runs, read after it.
//!
//! A link is neither followed nor read, and whatever is not a regular file is
//! an error rather than nothing: a gate that names a report gets one or is not green.

use std::os::unix::ffi::OsStrExt;

use harness_core::{ByteCount, RepoPath};
use harness_guard::{Covering, HostAct};
use ignore::WalkBuilder;

use super::{DiskError, FileText, Root, list::is_git};

impl Root {
    /// Returns what a pattern matches, ignored files and links too, in order, at most `paths_max`.
    ///
    /// Folders are looked into and are never part of it. A folder that cannot be read is passed over.
    pub fn host_matching(&self, pattern: &Covering, paths_max: usize) -> Vec<RepoPath> {
        let start = match pattern.begins_at() {
            folder if folder.is_root() => self.path().to_owned(),
            folder => self.path().join(folder.as_path()),
        };
        let walk = WalkBuilder::new(start)
            .standard_filters(false)
            .follow_links(false)
            .sort_by_file_name(|one, other| one.as_bytes().cmp(other.as_bytes()))
            .filter_entry(|entry| !is_git(entry.file_name().as_bytes()))
            .build();
        let files = walk.flatten().filter(|entry| {
            let kind = entry.file_type();
            kind.is_some_and(|kind| !kind.is_dir())
        });
        files
            .filter_map(|entry| self.repo_path(entry.path()))
            .filter(|path| pattern.covers(path))
            .take(paths_max)
            .collect()
    }

    /// Removes files of a gate's checkout; one that is gone already is no error, and a link is removed itself.
    ///
    /// # Errors
    /// When one cannot be removed, or lies behind a link.
    pub fn host_remove(&self, _act: HostAct, paths: &[RepoPath]) -> Result<(), DiskError> {
        paths.iter().try_for_each(|path| self.remove(path))
    }

    /// Reads files one after the other, at most `bytes_max` of all together.
    ///
    /// # Errors
    /// With the first that is a link, no regular file, or too large.
    pub fn host_read_files(
        &self,
        paths: &[RepoPath],
        bytes_max: ByteCount,
    ) -> Result<Vec<FileText>, DiskError> {
        let mut left = bytes_max;
        let read = |path: &RepoPath| {
            let file = self.host_read_file(path, left)?;
            left = ByteCount(left.0.saturating_sub(file.bytes.len() as u64));
            Ok(file)
        };
        paths.iter().map(read).collect()
    }
}
