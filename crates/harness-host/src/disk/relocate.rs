//! Giving a file another name, and never over anything that stands there.
//!
//! Both folders are held open, so neither end can be swapped for a link on the
//! way; a link at either end is not followed, and a link itself is not moved: what
//! it leads to depends on where it stands.

use std::os::fd::OwnedFd;

use harness_core::{Action, RepoPath};
use harness_guard::Permit;
use rustix::{
    fs::{RenameFlags, Stat},
    io::Errno,
};

use super::{
    DiskError, Expected, Root,
    open::{FOLDER, LOOK, open_beneath},
    write::Target,
};

impl Root {
    /// Moves the file that an agent was permitted to move; missing parent folders are made.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind, [`DiskError::Stale`] when
    /// `expected` does not hold of the file, [`DiskError::Exists`] when anything stands at
    /// the new path; else as the disk answers.
    pub fn move_file(&self, permit: &Permit, expected: Expected) -> Result<(), DiskError> {
        match permit.action() {
            Action::Move { path, to } => self.move_at(path, to, expected),
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    fn move_at(&self, path: &RepoPath, to: &RepoPath, expected: Expected) -> Result<(), DiskError> {
        let (folder, name) = self.folder_of(path)?;
        let source = Target {
            root: self,
            folder: &folder,
            name,
            path,
        };
        let Some(stat) = source.current(expected)? else {
            return Err(DiskError::NotFound { path: path.clone() });
        };
        // Before any folder is made for it.
        let flags = self.rename_flags(path, to, &stat)?;
        let Some((new_folder, new_name)) = to.parent().zip(to.file_name()) else {
            return Err(DiskError::Exists { path: to.clone() });
        };
        let new_folder = self.open_or_create_folder(&new_folder, to)?;
        match rustix::fs::renameat_with(&folder, name, &new_folder, new_name, flags) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(DiskError::Exists { path: to.clone() }),
            Err(errno) => Err(DiskError::io("move", path, errno)),
        }
    }

    /// Opens the folder that a path lies in, and returns it with the path's name.
    pub(super) fn folder_of<'a>(
        &self,
        path: &'a RepoPath,
    ) -> Result<(OwnedFd, &'a [u8]), DiskError> {
        let Some((folder, name)) = path.parent().zip(path.file_name()) else {
            return Err(DiskError::IsFolder { path: path.clone() });
        };
        let folder = match folder.is_root() {
            true => open_beneath(self.handle(), ".", FOLDER),
            false => open_beneath(self.handle(), folder.as_path(), FOLDER),
        };
        let folder = folder.map_err(|errno| self.explain("open", path, errno))?;
        Ok((folder, name))
    }

    /// Returns how to rename: over nothing, but for the same file where case does not tell names apart.
    fn rename_flags(
        &self,
        path: &RepoPath,
        to: &RepoPath,
        source: &Stat,
    ) -> Result<RenameFlags, DiskError> {
        let there = match self.open_at(to, LOOK) {
            Ok(there) => there,
            Err(DiskError::NotFound { .. }) => return Ok(RenameFlags::NOREPLACE),
            Err(error) => return Err(error),
        };
        let stat = rustix::fs::fstat(&there).map_err(|errno| DiskError::io("stat", to, errno))?;
        let is_same = (stat.st_dev, stat.st_ino) == (source.st_dev, source.st_ino);
        let is_case = path != to && path.to_text().to_lowercase() == to.to_text().to_lowercase();
        // Two names of one file are two files to whoever moves one of them.
        if is_same && is_case && stat.st_nlink == 1 {
            Ok(RenameFlags::empty())
        } else {
            Err(DiskError::Exists { path: to.clone() })
        }
    }
}
