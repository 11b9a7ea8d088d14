//! Replacing a file in one step, if it is still what the writer thinks it is.
//!
//! The new content goes to a file beside the old one, which then takes the old
//! one's name: a reader sees the old bytes or the new ones, a second name of the
//! old file keeps the old bytes, and a failure leaves the old file. The new
//! file is not synced to disk: what must outlive a power loss stands in the log.

use std::{
    fs::File,
    os::fd::{AsFd, OwnedFd},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use harness_core::{Action, ByteCount, RepoPath};
use harness_guard::{HostAct, Permit};
use rustix::{
    fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Stat, Uid},
    io::Errno,
};

use super::{
    DiskError, Root, Stamp,
    open::{FOLDER, READ, open_beneath, require_file},
};

/// What must be at the path for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// The file as it was when this stamp was taken.
    Unchanged(Stamp),
    /// Nothing, or any regular file.
    Any,
}

/// How often creating a folder is tried again when somebody removes it meanwhile.
const FOLDER_ATTEMPTS: u32 = 8;

/// Rights of a new file and a new folder before the umask.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

impl Root {
    /// Writes the whole file that an agent was permitted to write or edit; parent folders are made.
    ///
    /// The file keeps its rights. Returns the stamp of what was written.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind, [`DiskError::Stale`]
    /// when `expected` does not hold; else as the disk answers.
    pub fn write_file(
        &self,
        permit: &Permit,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Stamp, DiskError> {
        match permit.action() {
            Action::Write { path, .. } | Action::Edit { path, .. } => {
                self.write_at(path, bytes, expected)
            }
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    /// Writes a whole file for the harness itself; parent folders are made.
    ///
    /// # Errors
    /// As [`Root::write_file`].
    pub fn host_write_file(
        &self,
        _act: HostAct,
        path: &RepoPath,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Stamp, DiskError> {
        self.write_at(path, bytes, expected)
    }

    /// Makes a folder for the harness itself, such as one for build output, unless it is there.
    ///
    /// # Errors
    /// As [`Root::write_file`].
    pub fn host_create_folder(&self, _act: HostAct, path: &RepoPath) -> Result<(), DiskError> {
        self.open_or_create_folder(path, path).map(|_| ())
    }

    fn write_at(
        &self,
        path: &RepoPath,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Stamp, DiskError> {
        let Some((folder, name)) = path.parent().zip(path.file_name()) else {
            return Err(DiskError::IsFolder { path: path.clone() });
        };
        let folder = self.open_or_create_folder(&folder, path)?;
        let target = Target {
            root: self,
            folder: &folder,
            name,
            path,
        };
        let old = target.current(expected)?;
        let mut temporary = Temporary::create(&folder)
            .map_err(|errno| DiskError::io("create a file beside", path, errno))?;
        let stamp = temporary
            .fill(bytes, old.as_ref())
            .map_err(|error| DiskError::io("write", path, error))?;
        // Looked at again as late as possible: what happens after this is a race
        // that only a lock which the other side honours could close.
        target.current(expected)?;
        target.replace(temporary, expected)?;
        Ok(stamp)
    }

    /// Opens a folder of the repository, making each missing one on the way to `wanted`.
    pub(super) fn open_or_create_folder(
        &self,
        path: &RepoPath,
        wanted: &RepoPath,
    ) -> Result<OwnedFd, DiskError> {
        let mut folder = open_beneath(self.handle(), ".", FOLDER)
            .map_err(|errno| DiskError::io("open", path, errno))?;
        for name in path.components() {
            folder = open_or_create(&folder, name)
                .map_err(|errno| self.explain("create", wanted, errno))?;
        }
        Ok(folder)
    }
}

fn open_or_create(folder: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let mut attempts = 0;
    loop {
        match open_beneath(folder, as_path(name), FOLDER) {
            Err(Errno::NOENT) if attempts < FOLDER_ATTEMPTS => attempts += 1,
            result => return result,
        }
        match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(FOLDER_MODE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
}

pub(super) fn as_path(name: &[u8]) -> &std::path::Path {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    std::path::Path::new(OsStr::from_bytes(name))
}

/// The name that is to be replaced, in a folder that is held open.
pub(super) struct Target<'a> {
    pub(super) root: &'a Root,
    pub(super) folder: &'a OwnedFd,
    pub(super) name: &'a [u8],
    pub(super) path: &'a RepoPath,
}

impl Target<'_> {
    /// Returns what stands there, `None` when nothing does, and fails when `expected` does not hold.
    pub(super) fn current(&self, expected: Expected) -> Result<Option<Stat>, DiskError> {
        let file = match open_beneath(self.folder, as_path(self.name), READ) {
            Err(Errno::NOENT) if matches!(expected, Expected::Unchanged(_)) => {
                return Err(self.stale());
            }
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.root.explain("open", self.path, errno)),
            Ok(file) => file,
        };
        let io = |errno| DiskError::io("stat", self.path, errno);
        let stat = rustix::fs::fstat(&file).map_err(io)?;
        require_file(self.path, &stat)?;
        match expected {
            Expected::Any => {}
            Expected::Absent => return Err(self.stale()),
            Expected::Unchanged(stamp) => {
                // One byte more than it had is enough to see that it grew.
                let now = Stamp::read(file, &stat, ByteCount(stamp.size()), &mut |_| {})
                    .map_err(|error| DiskError::io("read", self.path, error))?;
                if now != stamp {
                    return Err(self.stale());
                }
            }
        }
        Ok(Some(stat))
    }

    fn replace(&self, mut temporary: Temporary<'_>, expected: Expected) -> Result<(), DiskError> {
        let flags = match expected {
            Expected::Absent => RenameFlags::NOREPLACE,
            Expected::Unchanged(_) | Expected::Any => RenameFlags::empty(),
        };
        let (folder, name) = (self.folder, self.name);
        harness_failpoint::pass("file.replace")
            .map_err(|error| DiskError::io("replace", self.path, error))?;
        let renamed = rustix::fs::renameat_with(folder, &temporary.name, folder, name, flags);
        match renamed {
            Ok(()) => {
                temporary.is_placed = true;
                harness_failpoint::moment("file.replaced");
                Ok(())
            }
            Err(Errno::EXIST) => Err(self.stale()),
            Err(errno) => Err(self.root.explain("replace", self.path, errno)),
        }
    }

    fn stale(&self) -> DiskError {
        DiskError::Stale {
            path: self.path.clone(),
        }
    }
}

/// A file that is removed again unless it got its final name.
struct Temporary<'a> {
    folder: &'a OwnedFd,
    name: String,
    file: File,
    is_placed: bool,
}

impl<'a> Temporary<'a> {
    fn create(folder: &'a OwnedFd) -> Result<Self, Errno> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".~harness-{}-{count}", process::id());
            match rustix::fs::openat(folder, &name, flags, Mode::from_raw_mode(FILE_MODE)) {
                // Left by an earlier process with the same id.
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
                Ok(file) => {
                    return Ok(Self {
                        folder,
                        name,
                        file: file.into(),
                        is_placed: false,
                    });
                }
            }
        }
    }

    /// Writes the content and takes over rights and owner of the file that will be replaced.
    fn fill(&mut self, bytes: &[u8], old: Option<&Stat>) -> std::io::Result<Stamp> {
        harness_failpoint::write("file.write", &mut self.file, bytes)?;
        if let Some(old) = old {
            keep_owner(&self.file, old)?;
            // Bits that lend the owner's rights are not passed on to new content.
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(old.st_mode & 0o777))?;
        }
        let stat = rustix::fs::fstat(&self.file)?;
        Ok(Stamp::of(&stat, bytes))
    }
}

/// Gives a file to the owner of the old one; only a privileged process meets a foreign one.
fn keep_owner(file: impl AsFd, old: &Stat) -> Result<(), Errno> {
    let new = rustix::fs::fstat(&file)?;
    if (new.st_uid, new.st_gid) == (old.st_uid, old.st_gid) {
        return Ok(());
    }
    let owner = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
    match rustix::fs::fchown(&file, Some(owner.0), Some(owner.1)) {
        // Without the right to give it away the writer owns it, as any editor would.
        Err(Errno::PERM) => Ok(()),
        result => result,
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.is_placed {
            // Nothing can be done about a failure, and the name says what it is.
            let _ = rustix::fs::unlinkat(self.folder, &self.name, AtFlags::empty());
        }
    }
}
