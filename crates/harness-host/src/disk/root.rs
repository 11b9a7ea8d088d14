//! The repository's root as a held handle.

use std::{
    fmt,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use super::{DiskError, open::open_folder};

/// One folder, opened once; what is read and written is found from this handle.
///
/// Moving or replacing the folder afterwards does not change what it means.
pub struct Root {
    handle: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens the folder at `path`, which is a path of the person's and may lead over links.
    ///
    /// # Errors
    /// [`DiskError::Io`] when it does not exist, is no folder or may not be read.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let failed = |source| DiskError::Io {
            attempt: "open the repository",
            path: path.display().to_string(),
            source,
        };
        let path = path.canonicalize().map_err(failed)?;
        let handle = open_folder(&path).map_err(|errno| failed(errno.into()))?;
        Ok(Self { handle, path })
    }

    /// Returns the folder's absolute path without links, as it was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", self.path.display())
    }
}
