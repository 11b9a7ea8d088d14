//! One folder's entries, ignored files left out.

use std::{
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
};

use harness_core::{Action, ByteCount, RepoPath};
use harness_guard::Permit;
use ignore::{DirEntry, WalkBuilder};

use super::{
    DiskError, Root,
    open::{FOLDER, LOOK, open_beneath},
};

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, sorted by name, byte by byte.
    pub entries: Vec<Entry>,
    /// Whether there were more than were asked for.
    pub cut: bool,
    /// How many of the folder's own entries are ignored or hidden; `.git` is not counted.
    pub left_out: usize,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the root.
    pub path: RepoPath,
    /// What stands there; links are not followed.
    pub kind: EntryKind,
    /// The size of a file; of anything else nothing.
    pub size: ByteCount,
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
            Action::List { path, depth } => self.list_at((path, *depth), hidden, entries_max),
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    /// Lists a folder's own entries for the harness itself, as [`Root::list`] does.
    ///
    /// # Errors
    /// As the disk answers.
    pub fn host_list(
        &self,
        path: &RepoPath,
        hidden: &dyn Fn(&RepoPath) -> bool,
        entries_max: usize,
    ) -> Result<Listing, DiskError> {
        self.list_at((path, 1), hidden, entries_max)
    }

    fn list_at(
        &self,
        (path, depth): (&RepoPath, u32),
        hidden: &dyn Fn(&RepoPath) -> bool,
        entries_max: usize,
    ) -> Result<Listing, DiskError> {
        let folder = self.open_at(path, FOLDER)?;
        let mut own = 0;
        let mut listing = Listing::default();
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        for entry in self.walk(path).max_depth(Some(depth)).build() {
            let entry = match entry {
                Ok(entry) => entry,
                // Only the folder itself has to be readable.
                Err(_) if depth > 1 => continue,
                Err(error) => return Err(walk_failed(path, error)),
            };
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
            own += usize::from(entry.depth() == 1);
            let kind = kind_of(&entry);
            listing.entries.push(Entry {
                size: self.size_of(&found, kind),
                path: found,
                kind,
            });
        }
        if !listing.cut {
            listing.left_out = entry_count(&folder).saturating_sub(own);
        }
        Ok(listing)
    }

    /// Returns a file's size; nothing where it cannot be looked at any more.
    fn size_of(&self, path: &RepoPath, kind: EntryKind) -> ByteCount {
        let look = || {
            let file = self.open_at(path, LOOK).ok()?;
            let stat = rustix::fs::fstat(&file).ok()?;
            u64::try_from(stat.st_size).ok()
        };
        let size = (kind == EntryKind::File).then(look).flatten();
        ByteCount(size.unwrap_or_default())
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
        // Where git is, its folder ends the search for ignore files upwards: a home that is a
        // repository itself ignores everything in it, and that is none of this one's.
        let is_repository = self.has_git();
        walk.follow_links(false)
            .hidden(false)
            .git_global(false)
            .require_git(is_repository)
            .sort_by_file_name(|one, other| one.as_bytes().cmp(other.as_bytes()))
            .filter_entry(|entry| !is_git(entry.file_name().as_bytes()));
        walk
    }

    /// Whether git's own stands at the root.
    fn has_git(&self) -> bool {
        open_beneath(self.handle(), ".git", LOOK).is_ok()
    }

    pub(super) fn repo_path(&self, path: &Path) -> Option<RepoPath> {
        let inside = path.strip_prefix(self.path()).ok()?;
        RepoPath::parse(inside.as_os_str().as_bytes()).ok()
    }
}

/// Counts what a folder holds, without git's own.
fn entry_count(folder: &OwnedFd) -> usize {
    let entries = rustix::fs::Dir::read_from(folder).into_iter().flatten();
    let names = entries.flatten();
    names
        .filter(|entry| {
            let name = entry.file_name().to_bytes();
            name != b"." && name != b".." && !is_git(name)
        })
        .count()
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
