//! Deleting one name: a file, a link itself, or a folder with nothing in it.

use harness_core::{Action, RepoPath};
use harness_guard::Permit;
use rustix::{
    fs::{AtFlags, FileType},
    io::Errno,
};

use super::{
    DiskError, Expected, Root,
    open::{LOOK, open_beneath},
    write::{Target, as_path},
};

impl Root {
    /// Deletes what an agent was permitted to delete; a link goes itself and is not followed.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind, [`DiskError::Stale`] when
    /// `expected` does not hold of a file, [`DiskError::NotEmpty`] for a folder that holds
    /// anything; else as the disk answers.
    pub fn delete(&self, permit: &Permit, expected: Expected) -> Result<(), DiskError> {
        match permit.action() {
            Action::Delete { path } => self.delete_at(path, expected),
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    fn delete_at(&self, path: &RepoPath, expected: Expected) -> Result<(), DiskError> {
        let (folder, name) = self.folder_of(path)?;
        let there = open_beneath(&folder, as_path(name), LOOK)
            .map_err(|errno| self.explain("open", path, errno))?;
        let stat = rustix::fs::fstat(&there).map_err(|errno| DiskError::io("stat", path, errno))?;
        let flags = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => AtFlags::REMOVEDIR,
            FileType::Symlink => AtFlags::empty(),
            FileType::RegularFile => {
                let target = Target {
                    root: self,
                    folder: &folder,
                    name,
                    path,
                };
                target.current(expected)?;
                AtFlags::empty()
            }
            _ => return Err(DiskError::NotRegular { path: path.clone() }),
        };
        match rustix::fs::unlinkat(&folder, name, flags) {
            Ok(()) => Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Err(DiskError::NotEmpty { path: path.clone() }),
            Err(Errno::NOENT) => Err(DiskError::NotFound { path: path.clone() }),
            Err(errno) => Err(DiskError::io("delete", path, errno)),
        }
    }
}
