//! Finding what a cage has to hide.

use std::os::unix::ffi::OsStrExt;

use harness_core::RepoPath;
use ignore::WalkBuilder;

use super::{Root, list::is_git};

impl Root {
    /// Returns the outermost paths for which `is_wanted` holds, ignored ones too, in order.
    ///
    /// It is told whether a path is a folder.
    /// For the harness itself: it fills what a machine masks and pins. `.git` is
    /// left out, no link is followed, and at most `paths_max` are returned. A
    /// folder that cannot be read is passed over: no command can read it either.
    pub fn host_find(
        &self,
        is_wanted: &dyn Fn(&RepoPath, bool) -> bool,
        paths_max: usize,
    ) -> Vec<RepoPath> {
        let mut found: Vec<RepoPath> = Vec::new();
        let walk = WalkBuilder::new(self.path())
            .standard_filters(false)
            .follow_links(false)
            .sort_by_file_name(|one, other| one.as_bytes().cmp(other.as_bytes()))
            .filter_entry(|entry| !is_git(entry.file_name().as_bytes()))
            .build();
        for (path, is_folder) in walk.flatten().filter_map(|entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            Some((self.repo_path(entry.path())?, is_folder))
        }) {
            if found.len() == paths_max {
                break;
            }
            let is_inside = found.last().is_some_and(|outer| path.starts_with(outer));
            if !path.is_root() && !is_inside && is_wanted(&path, is_folder) {
                found.push(path);
            }
        }
        found
    }
}
