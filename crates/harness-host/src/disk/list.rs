//! One folder's entries, ignored files left out.

use std::{os::unix::ffi::OsStrExt, path::Path};

use harness_core::{Action, RepoPath};
use harness_guard::Permit;
use ignore::{DirEntry, WalkBuilder};

use super::{DiskError, Root, open::FOLDER};

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, sorted by name, byte by byte.
    pub entries: Vec<Entry>,
    /// Whether there were more than were asked for.
    pub cut: bool,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the root.
    pub path: RepoPath,
    /// What stands there; links are not followed.
    pub kind: EntryKind,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, socket or device.
    Other,
}

impl Root {
    /// Lists the folder that an agent was permitted to list.
    ///
    /// Left out: what ignore files name, `.git`, and what `hidden` says. At most
    /// `entries_max` entries.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind; else as the disk answers.
    pub fn list(
        &self,
        permit: &Permit,
        hidden: &dyn Fn(&RepoPath) -> bool,
        entries_max: usize,
    ) -> Result<Listing, DiskError> {
        match permit.action() {
            Action::List { path } => self.list_at(path, hidden, entries_max),
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    /// Lists a folder for the harness itself, as [`Root::list`] does.
    ///
    /// # Errors
    /// As the disk answers.
    pub fn host_list(
        &self,
        path: &RepoPath,
        hidden: &dyn Fn(&RepoPath) -> bool,
        entries_max: usize,
    ) -> Result<Listing, DiskError> {
        self.list_at(path, hidden, entries_max)
    }

    fn list_at(
        &self,
        path: &RepoPath,
        hidden: &dyn Fn(&RepoPath) -> bool,
        entries_max: usize,
    ) -> Result<Listing, DiskError> {
        self.open_at(path, FOLDER)?;
        let mut listing = Listing::default();
        for entry in self.walk(path).max_depth(Some(1)).build() {
            let entry = entry.map_err(|error| walk_failed(path, error))?;
            let Some(found) = self.repo_path(entry.path()) else {
                continue;
            };
            if entry.depth() == 0 || hidden(&found) {
                continue;
            }
            if listing.entries.len() == entries_max {
                listing.cut = true;
                break;
            }
            listing.entries.push(Entry {
                path: found,
                kind: kind_of(&entry),
            });
        }
        Ok(listing)
    }

    /// Prepares a walk that follows no link and honours the repository's ignore files alone.
    ///
    /// The walk names candidates only; contents are always opened beneath the root.
    pub(super) fn walk(&self, path: &RepoPath) -> WalkBuilder {
        let start = if path.is_root() {
            self.path().to_owned()
        } else {
            self.path().join(path.as_path())
        };
        let mut walk = WalkBuilder::new(start);
        walk.follow_links(false)
            .hidden(false)
            .git_global(false)
            .require_git(false)
            .sort_by_file_name(|one, other| one.as_bytes().cmp(other.as_bytes()))
            .filter_entry(|entry| !is_git(entry.file_name().as_bytes()));
        walk
    }

    pub(super) fn repo_path(&self, path: &Path) -> Option<RepoPath> {
        let inside = path.strip_prefix(self.path()).ok()?;
        RepoPath::parse(inside.as_os_str().as_bytes()).ok()
    }
}

/// Words a failure to read a folder.
fn walk_failed(path: &RepoPath, error: ignore::Error) -> DiskError {
    let source = error
        .into_io_error()
        .unwrap_or_else(|| std::io::Error::other("the folder cannot be walked"));
    DiskError::io("list", path, source)
}

pub(super) fn is_git(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b".git")
}

pub(super) fn kind_of(entry: &DirEntry) -> EntryKind {
    match entry.file_type() {
        Some(kind) if kind.is_file() => EntryKind::File,
        Some(kind) if kind.is_dir() => EntryKind::Folder,
        Some(kind) if kind.is_symlink() => EntryKind::Link,
        _ => EntryKind::Other,
    }
}
