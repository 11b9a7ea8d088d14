//! Opening beneath the root: the one place where a path becomes a handle.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use harness_core::RepoPath;
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat},
    io::Errno,
};

use super::{DiskError, Root};

/// How often an open is tried again when the kernel saw a rename on the way.
const OPEN_ATTEMPTS: u32 = 64;

/// Files are never followed through links, never block on a pipe and never become a terminal.
pub(super) const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// A folder to work in.
pub(crate) const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A handle that can be looked at but not read; of a link the link itself.
pub(crate) const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens `path` below `folder`, following no link and leaving no root.
pub(crate) fn open_beneath(
    folder: impl AsFd,
    path: impl AsRef<Path>,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    let mut attempts = 0;
    loop {
        match rustix::fs::openat2(&folder, path.as_ref(), flags, Mode::empty(), resolve) {
            // The kernel answers EAGAIN when something was renamed meanwhile and it
            // cannot tell whether the walk stayed beneath.
            Err(Errno::AGAIN | Errno::INTR) if attempts < OPEN_ATTEMPTS => attempts += 1,
            result => return result,
        }
    }
}

/// Opens a folder by a path of the host's own, which may lead over links.
pub(crate) fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(CWD, path, FOLDER, Mode::empty())
}

/// Looks at a path of the host's own, which may lead over links.
pub(crate) fn look_at(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

impl Root {
    /// Opens a path of the repository and words the failure.
    pub(super) fn open_at(&self, path: &RepoPath, flags: OFlags) -> Result<OwnedFd, DiskError> {
        open_beneath(self.handle(), path.as_path(), flags)
            .map_err(|errno| self.explain("open", path, errno))
    }

    /// Opens a regular file for reading.
    pub(super) fn open_file(&self, path: &RepoPath) -> Result<(OwnedFd, Stat), DiskError> {
        let file = self.open_at(path, READ)?;
        let stat = rustix::fs::fstat(&file).map_err(|errno| DiskError::io("stat", path, errno))?;
        require_file(path, &stat)?;
        Ok((file, stat))
    }

    /// Words a failed open; where a link was met it says which and where it leads.
    pub(super) fn explain(
        &self,
        attempt: &'static str,
        path: &RepoPath,
        errno: Errno,
    ) -> DiskError {
        match errno {
            Errno::LOOP | Errno::NOTDIR => self
                .find_link(path)
                .unwrap_or_else(|| obstacle(attempt, path, errno)),
            _ => obstacle(attempt, path, errno),
        }
    }

    /// Walks `path` one component at a time and describes the first link on it.
    fn find_link(&self, path: &RepoPath) -> Option<DiskError> {
        let names: Vec<&[u8]> = path.components().collect();
        let mut link = RepoPath::root();
        for (at, name) in names.iter().enumerate() {
            link = link.join(name).ok()?;
            let handle = open_beneath(self.handle(), link.as_path(), LOOK).ok()?;
            let stat = rustix::fs::fstat(&handle).ok()?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
                let target = rustix::fs::readlinkat(&handle, c"", Vec::new())
                    .ok()?
                    .into_bytes();
                let resolved = self.follow(&link, &target, &names[at + 1..]);
                return Some(DiskError::IsLink {
                    link,
                    target,
                    resolved,
                });
            }
        }
        None
    }

    /// Resolves a link lexically; `None` when the result is not inside the repository.
    fn follow(&self, link: &RepoPath, target: &[u8], rest: &[&[u8]]) -> Option<RepoPath> {
        let folder = link.parent()?;
        let reached = if target.starts_with(b"/") {
            let inside = Path::new(OsStr::from_bytes(target))
                .strip_prefix(self.path())
                .ok()?;
            RepoPath::parse(inside.as_os_str().as_bytes()).ok()?
        } else {
            folder.join(target).ok()?
        };
        reached.join(rest.join(&b'/')).ok()
    }
}

/// Fails unless a regular file stands there.
pub(super) fn require_file(path: &RepoPath, stat: &Stat) -> Result<(), DiskError> {
    let path = path.clone();
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(DiskError::IsFolder { path }),
        _ => Err(DiskError::NotRegular { path }),
    }
}

fn obstacle(attempt: &'static str, path: &RepoPath, errno: Errno) -> DiskError {
    let owned = path.clone();
    match errno {
        Errno::NOENT => DiskError::NotFound { path: owned },
        Errno::NOTDIR => DiskError::NotFolder { path: owned },
        Errno::ISDIR => DiskError::IsFolder { path: owned },
        Errno::NXIO => DiskError::NotRegular { path: owned },
        other => DiskError::io(attempt, path, other),
    }
}
