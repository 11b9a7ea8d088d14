//! Undoing what a manifest found: bad things move away with their bytes, old ones come back.
//!
//! Everything goes through the root's handle; a link on the way is never followed.
//! Rights are set on the very file that was looked at, whatever its name means by
//! then.

use std::{
    ffi::OsStr,
    fs,
    io::Read,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{ffi::OsStrExt as _, fs::DirBuilderExt as _},
    },
    path::Path,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use harness_core::RepoPath;
use harness_guard::{Attributes, FileKind, HostAct};
use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid},
    io::Errno,
};

use super::walk::attributes_of_handle;
use crate::disk::{FOLDER, LOOK, Root, open_beneath, open_folder};

/// The deepest folder that is moved to another file system; a rename knows no bound.
const DEPTH_MAX: u32 = 200;

/// What stood at a path, to be put back.
#[derive(Clone, Copy, Debug)]
pub struct Former<'a> {
    /// How it was.
    pub attributes: &'a Attributes,
    /// What a file held.
    pub bytes: &'a [u8],
}

/// Why something could not be undone; what stood there is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum PutBackError {
    /// The disk refused.
    #[error("cannot {attempt} `{path}`")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: RepoPath,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A socket or a device cannot be made again.
    #[error("a {} cannot be made again", .0.as_str())]
    Unmakeable(FileKind),
}

impl PutBackError {
    fn disk(attempt: &'static str, path: &RepoPath, source: impl Into<std::io::Error>) -> Self {
        Self::Disk {
            attempt,
            path: path.clone(),
            source: source.into(),
        }
    }
}

impl Root {
    /// Moves what stands at a path, with all below it, to the same path below the folder `into`.
    ///
    /// `into` is a folder of the host's own; nothing in it is ever overwritten.
    ///
    /// # Errors
    /// When it cannot be moved; it is then where it was.
    pub fn take_away(
        &self,
        _act: HostAct,
        path: &RepoPath,
        into: &Path,
    ) -> Result<(), PutBackError> {
        let (folder, name) = self.place(path)?;
        let kept = into.join(path.as_path());
        let above = kept.parent().unwrap_or(into);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(above);
        made.map_err(|error| PutBackError::disk("make a place in quarantine for", path, error))?;
        let target = open_folder(above)
            .map_err(|errno| PutBackError::disk("make a place in quarantine for", path, errno))?;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(&folder, name, &target, name, flags) {
            Err(Errno::XDEV) => carry(&folder, name, &target, DEPTH_MAX),
            result => result,
        }
        .map_err(|errno| PutBackError::disk("put into quarantine", path, errno))
    }

    /// Removes what stands at a path, with all below it; its bytes are lost.
    ///
    /// # Errors
    /// When it cannot be removed whole.
    pub fn remove_stray(&self, _act: HostAct, path: &RepoPath) -> Result<(), PutBackError> {
        let (folder, name) = self.place(path)?;
        remove_tree(&folder, name, DEPTH_MAX)
            .map_err(|errno| PutBackError::disk("remove", path, errno))
    }

    /// Puts back what stood at a path where nothing stands now, with its rights, owner and times.
    ///
    /// Returns what stands there afterwards: owner and group differ where the process may
    /// not give files away.
    ///
    /// # Errors
    /// [`PutBackError::Unmakeable`] for a socket or device; when something stands there or
    /// the disk refuses.
    pub fn put_back(
        &self,
        _act: HostAct,
        path: &RepoPath,
        former: Former<'_>,
    ) -> Result<Attributes, PutBackError> {
        let (folder, name) = self.place(path)?;
        let failed = |errno: Errno| PutBackError::disk("put back", path, errno);
        match former.attributes.kind {
            FileKind::File => {
                self.write_anew(&folder, name, &mut &*former.bytes, former.attributes)
                    .map_err(|error| PutBackError::disk("put back", path, error))?;
            }
            FileKind::Folder => {
                rustix::fs::mkdirat(&folder, name, Mode::RWXU).map_err(failed)?;
            }
            FileKind::Link => {
                let target = former.attributes.target.as_deref().unwrap_or_default();
                rustix::fs::symlinkat(OsStr::from_bytes(target), &folder, name).map_err(failed)?;
            }
            FileKind::Fifo => {
                rustix::fs::mknodat(&folder, name, FileType::Fifo, Mode::RWXU, 0)
                    .map_err(failed)?;
            }
            kind @ (FileKind::Socket | FileKind::Device) => {
                return Err(PutBackError::Unmakeable(kind));
            }
        }
        self.rights_at(path, &folder, name, former.attributes)
    }

    /// Sets rights, owner and times of what stands at a path.
    ///
    /// # Errors
    /// When nothing stands there or the disk refuses the rights or the times.
    pub fn set_rights(
        &self,
        _act: HostAct,
        path: &RepoPath,
        wanted: &Attributes,
    ) -> Result<Attributes, PutBackError> {
        if path.is_root() {
            return self.rights_at(path, self.handle(), b".", wanted);
        }
        let (folder, name) = self.place(path)?;
        self.rights_at(path, &folder, name, wanted)
    }

    /// Makes the file at a path one of its own: other names keep the old one.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn break_link(
        &self,
        _act: HostAct,
        path: &RepoPath,
        attributes: &Attributes,
    ) -> Result<Attributes, PutBackError> {
        let (folder, name) = self.place(path)?;
        let failed = |error: std::io::Error| PutBackError::disk("copy", path, error);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = open_beneath(&folder, OsStr::from_bytes(name), flags)
            .map_err(|errno| failed(errno.into()))?;
        let mut file = fs::File::from(file).take(attributes.size);
        self.write_anew(&folder, name, &mut file, attributes)
            .map_err(failed)?;
        self.rights_at(path, &folder, name, attributes)
    }

    /// Opens the folder that holds a path.
    fn place<'a>(&self, path: &'a RepoPath) -> Result<(OwnedFd, &'a [u8]), PutBackError> {
        let failed = |errno: Errno| PutBackError::disk("open the folder of", path, errno);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(failed(Errno::ISDIR));
        };
        let folder = open_beneath(self.handle(), folder.as_path(), FOLDER).map_err(failed)?;
        Ok((folder, name))
    }

    /// Writes a file beside the name and gives it the name.
    fn write_anew(
        &self,
        folder: &OwnedFd,
        name: &[u8],
        content: &mut dyn Read,
        attributes: &Attributes,
    ) -> std::io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Named like every half-written file, so that one left by a crash is found.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let beside = format!(".~harness-{}-9{count}", process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(attributes.mode & 0o700);
        let file = rustix::fs::openat(folder, &beside, flags, mode)?;
        let placed = std::io::copy(content, &mut fs::File::from(file))
            .and_then(|_| Ok(rustix::fs::renameat(folder, &beside, folder, name)?));
        if placed.is_err() {
            // Nothing can be done about a failure, and the name says what it is.
            let _ = rustix::fs::unlinkat(folder, &beside, AtFlags::empty());
        }
        placed
    }

    fn rights_at(
        &self,
        path: &RepoPath,
        folder: impl std::os::fd::AsFd,
        name: &[u8],
        wanted: &Attributes,
    ) -> Result<Attributes, PutBackError> {
        let failed = |attempt| move |errno: Errno| PutBackError::disk(attempt, path, errno);
        let handle =
            open_beneath(&folder, OsStr::from_bytes(name), LOOK).map_err(failed("look at"))?;
        let now = attributes_of_handle(&handle).map_err(failed("look at"))?;
        if (now.uid, now.gid) != (wanted.uid, wanted.gid) {
            let owner = (Uid::from_raw(wanted.uid), Gid::from_raw(wanted.gid));
            let given = rustix::fs::chownat(
                &handle,
                c"",
                Some(owner.0),
                Some(owner.1),
                AtFlags::EMPTY_PATH,
            );
            match given {
                // Without the right to give it away the writer owns it; the caller compares.
                Ok(()) | Err(Errno::PERM) => {}
                Err(errno) => return Err(failed("give back the owner of")(errno)),
            }
        }
        // A handle that only looks takes no `fchmod`; its own name in `/proc` does.
        let own_name = format!("/proc/self/fd/{}", handle.as_raw_fd());
        if now.kind != FileKind::Link {
            rustix::fs::chmod(&own_name, Mode::from_raw_mode(wanted.mode))
                .map_err(failed("set the rights of"))?;
            if wanted.modified != Attributes::UNTOLD {
                rustix::fs::utimensat(CWD, &own_name, &times(wanted), AtFlags::empty())
                    .map_err(failed("set the times of"))?;
            }
        } else if wanted.modified != Attributes::UNTOLD {
            rustix::fs::utimensat(
                &folder,
                OsStr::from_bytes(name),
                &times(wanted),
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .map_err(failed("set the times of"))?;
        }
        let mut set = attributes_of_handle(&handle).map_err(failed("look at"))?;
        set.target.clone_from(&wanted.target);
        if wanted.modified == Attributes::UNTOLD {
            set.modified = Attributes::UNTOLD;
        }
        Ok(set)
    }
}

fn times(wanted: &Attributes) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: wanted.modified.0,
            tv_nsec: wanted.modified.1,
        },
    }
}

/// Copies an entry to a folder of another file system, then removes it. What is no file,
/// folder or link has no bytes and only goes.
fn carry(from: &OwnedFd, name: &[u8], to: &OwnedFd, depth: u32) -> Result<(), Errno> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Errno::NAMETOOLONG);
    };
    let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            rustix::fs::mkdirat(to, name, Mode::RWXU)?;
            let source = open_beneath(from, OsStr::from_bytes(name), FOLDER)?;
            let target = open_beneath(to, OsStr::from_bytes(name), FOLDER)?;
            for name in names_in(&source)? {
                carry(&source, &name, &target, depth)?;
            }
            rustix::fs::unlinkat(from, name, AtFlags::REMOVEDIR)
        }
        FileType::RegularFile => {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let source = open_beneath(from, OsStr::from_bytes(name), flags)?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mode = Mode::RUSR | Mode::WUSR;
            let target = rustix::fs::openat(to, name, flags, mode)?;
            std::io::copy(&mut fs::File::from(source), &mut fs::File::from(target))
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            rustix::fs::unlinkat(from, name, AtFlags::empty())
        }
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(from, name, Vec::new())?;
            rustix::fs::symlinkat(target, to, name)?;
            rustix::fs::unlinkat(from, name, AtFlags::empty())
        }
        _ => rustix::fs::unlinkat(from, name, AtFlags::empty()),
    }
}

fn remove_tree(folder: &OwnedFd, name: &[u8], depth: u32) -> Result<(), Errno> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Errno::NAMETOOLONG);
    };
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        result => return result,
    }
    let inner = open_beneath(folder, OsStr::from_bytes(name), FOLDER)?;
    for name in names_in(&inner)? {
        remove_tree(&inner, &name, depth)?;
    }
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
}

fn names_in(folder: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}
