//! Files below a folder, reached without following any link.
//!
//! Programs of the agent may still be at work in the same folders; a path that
//! was looked up by name could lead out of the work tree by the time it is
//! used. So every step opens one component of the folder above it.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::Path,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use harness_core::RepoPath;
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode as Permissions, OFlags},
    io::Errno,
};

use crate::tree::Mode;

const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open folder.
pub(crate) struct Folder(OwnedFd);

/// What the system says about a file without opening it. Times in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) size: u64,
    pub(crate) mtime_ns: i128,
    pub(crate) ctime_ns: i128,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OnDisk {
    /// Nothing.
    Absent,
    /// A file or link: its mode and bytes (of a link, its target).
    Blob(Mode, Vec<u8>),
    /// A folder.
    Folder,
    /// A socket, device or named pipe.
    Other,
}

/// What to do with a file or link that stands where a folder is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// Fail.
    Keep,
    /// Remove it.
    Remove,
}

impl Folder {
    /// Opens the folder everything is reached from; links on the way to it are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = FOLDER_FLAGS.difference(OFlags::NOFOLLOW);
        Ok(Self(rustix::fs::open(path, flags, Permissions::empty())?))
    }

    /// Opens a folder in this one; fails when `name` is a link.
    pub(crate) fn child(&self, name: &[u8]) -> io::Result<Self> {
        let fd = rustix::fs::openat(&self.0, name, FOLDER_FLAGS, Permissions::empty())?;
        Ok(Self(fd))
    }

    /// Opens a folder below this one.
    pub(crate) fn descend(&self, path: &RepoPath) -> io::Result<Self> {
        let mut folder = self.child(b".")?;
        for name in path.components() {
            folder = folder.child(name)?;
        }
        Ok(folder)
    }

    /// Opens the folder that holds `path`, making what is missing on the way.
    pub(crate) fn make_parent_of(&self, path: &RepoPath, other: InTheWay) -> io::Result<Self> {
        let mut folder = self.child(b".")?;
        for name in path.parent().unwrap_or_default().components() {
            folder = match folder.child(name) {
                Ok(child) => child,
                Err(error) if is_absent(&error) => {
                    let is_there = error.kind() != io::ErrorKind::NotFound;
                    if other == InTheWay::Remove && is_there {
                        folder.unlink_file(name)?;
                    }
                    match rustix::fs::mkdirat(&folder.0, name, Permissions::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => folder.child(name)?,
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error),
            };
        }
        Ok(folder)
    }

    /// Lists the names in this folder with their kinds, `.` and `..` left out, in no order.
    pub(crate) fn list(&self) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not tell.
                FileType::Unknown => match self.stat(name) {
                    Ok(stat) => FileType::from_raw_mode(stat.mode),
                    Err(error) if is_absent(&error) => continue,
                    Err(error) => return Err(error),
                },
                kind => kind,
            };
            names.push((name.to_vec(), kind));
        }
        Ok(names)
    }

    pub(crate) fn stat(&self, name: &[u8]) -> io::Result<Stat> {
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Stat::from(&stat))
    }

    /// Reads a file or a link's target; at most `bytes_max` bytes, more is an error.
    pub(crate) fn read(&self, name: &[u8], bytes_max: u64) -> io::Result<OnDisk> {
        let stat = match self.stat(name) {
            Ok(stat) => stat,
            Err(error) if is_absent(&error) => return Ok(OnDisk::Absent),
            Err(error) => return Err(error),
        };
        match FileType::from_raw_mode(stat.mode) {
            FileType::RegularFile => self.read_file(name, bytes_max),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&self.0, name, Vec::new())?;
                Ok(OnDisk::Blob(Mode::Link, target.into_bytes()))
            }
            FileType::Directory => Ok(OnDisk::Folder),
            _ => Ok(OnDisk::Other),
        }
    }

    /// Puts a file or link at `name`, replacing a file or link in one step.
    pub(crate) fn put(&self, name: &[u8], mode: Mode, bytes: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let fresh = format!(".harness-new-{}-{count}", process::id());
        let made = match mode {
            Mode::Link => {
                rustix::fs::symlinkat(bytes, &self.0, fresh.as_bytes()).map_err(io::Error::from)
            }
            _ => self.make_file(fresh.as_bytes(), mode, bytes, self.stat(name).ok()),
        };
        let placed = made.and_then(|()| {
            harness_failpoint::pass("tree.place")?;
            rustix::fs::renameat(&self.0, fresh.as_bytes(), &self.0, name)?;
            harness_failpoint::moment("tree.placed");
            Ok(())
        });
        if placed.is_err() {
            self.unlink(fresh.as_bytes())?;
        }
        placed
    }

    /// Makes a file or link where nothing is, and says how it was left.
    ///
    /// Not in one step as [`put`](Self::put): for folders that nobody else looks into meanwhile.
    pub(crate) fn make(&self, name: &[u8], mode: Mode, bytes: &[u8]) -> io::Result<Stat> {
        if mode == Mode::Link {
            rustix::fs::symlinkat(bytes, &self.0, name)?;
            return self.stat(name);
        }
        let mut file = self.make_empty(name, mode)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| Ok(rustix::fs::fstat(&file)?));
        match written {
            Ok(stat) => Ok(Stat::from(&stat)),
            Err(error) => {
                self.unlink(name)?;
                Err(error)
            }
        }
    }

    fn make_empty(&self, name: &[u8], mode: Mode) -> io::Result<File> {
        let fresh_bits = match mode {
            Mode::Executable => 0o777,
            _ => 0o666,
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let bits = Permissions::from_raw_mode(fresh_bits);
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, bits)?))
    }

    /// Removes a file or link; nothing there is fine.
    pub(crate) fn unlink(&self, name: &[u8]) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// As [`unlink`](Self::unlink), where another may have made a folder of it meanwhile.
    fn unlink_file(&self, name: &[u8]) -> io::Result<()> {
        match self.unlink(name) {
            Err(_) if self.child(name).is_ok() => Ok(()),
            removed => removed,
        }
    }

    /// Removes a folder if it is empty, and says whether it was.
    pub(crate) fn remove_empty(&self, name: &[u8]) -> io::Result<bool> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a folder with everything in it, following no link.
    pub(crate) fn remove_all(&self, name: &[u8]) -> io::Result<()> {
        let folder = self.child(name)?;
        for (inner, kind) in folder.list()? {
            match kind {
                FileType::Directory => folder.remove_all(&inner)?,
                _ => folder.unlink(&inner)?,
            }
        }
        self.remove_empty(name).map(|_| ())
    }

    fn read_file(&self, name: &[u8], bytes_max: u64) -> io::Result<OnDisk> {
        // NONBLOCK: a named pipe may have taken the file's place since it was looked at.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(
            &self.0,
            name,
            flags,
            Permissions::empty(),
        )?);
        let stat = Stat::from(&rustix::fs::fstat(&file)?);
        if FileType::from_raw_mode(stat.mode) != FileType::RegularFile {
            return Ok(OnDisk::Other);
        }
        let mut bytes =
            Vec::with_capacity(usize::try_from(stat.size.min(bytes_max)).unwrap_or(0) + 1);
        file.take(bytes_max + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(OnDisk::Blob(stat.blob_mode(), bytes))
    }

    /// Makes a file with the permissions of `before` where there was one.
    fn make_file(
        &self,
        name: &[u8],
        mode: Mode,
        bytes: &[u8],
        before: Option<Stat>,
    ) -> io::Result<()> {
        let executable = mode == Mode::Executable;
        let mut file = self.make_empty(name, mode)?;
        file.write_all(bytes)?;
        let before =
            before.filter(|stat| FileType::from_raw_mode(stat.mode) == FileType::RegularFile);
        if let Some(stat) = before {
            let bits = stat.mode & 0o777;
            let bits = match (executable, stat.blob_mode() == Mode::Executable) {
                (true, false) => bits | ((bits & 0o444) >> 2),
                (false, true) => bits & !0o111,
                _ => bits,
            };
            rustix::fs::fchmod(&file, Permissions::from_raw_mode(bits))?;
        }
        Ok(())
    }
}

impl Stat {
    /// Returns the mode git would store; folders and other kinds count as files.
    pub(crate) fn blob_mode(&self) -> Mode {
        match FileType::from_raw_mode(self.mode) {
            FileType::Symlink => Mode::Link,
            _ if self.mode & 0o100 != 0 => Mode::Executable,
            _ => Mode::File,
        }
    }

    pub(crate) fn is_blob(&self) -> bool {
        matches!(
            FileType::from_raw_mode(self.mode),
            FileType::RegularFile | FileType::Symlink
        )
    }
}

impl From<&rustix::fs::Stat> for Stat {
    fn from(stat: &rustix::fs::Stat) -> Self {
        let nanoseconds =
            |seconds, fraction| i128::from(seconds) * 1_000_000_000 + i128::from(fraction);
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
            inode: stat.st_ino,
            mode: stat.st_mode,
        }
    }
}

/// Finds the folders of many paths, keeping the last one open: sorted paths share most of them.
pub(crate) struct Cursor<'a> {
    root: &'a Folder,
    last: Option<(RepoPath, Option<Folder>)>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(root: &'a Folder) -> Self {
        Self { root, last: None }
    }

    /// Looks at the file or link at `path`; `None` when nothing stands there.
    pub(crate) fn stat(&mut self, path: &RepoPath) -> io::Result<Option<Stat>> {
        let Some(name) = path.file_name() else {
            return Ok(None);
        };
        let Some(folder) = self.parent_of(path)? else {
            return Ok(None);
        };
        match folder.stat(name) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parent_of(&mut self, path: &RepoPath) -> io::Result<Option<&Folder>> {
        let parent = path.parent().unwrap_or_default();
        let last = match self.last.take() {
            Some((folder, open)) if folder == parent => (folder, open),
            _ => match self.root.descend(&parent) {
                Ok(folder) => (parent, Some(folder)),
                Err(error) if is_absent(&error) => (parent, None),
                Err(error) => return Err(error),
            },
        };
        Ok(self.last.insert(last).1.as_ref())
    }
}

/// Reads what stands at `path` below `root`; below a link or file stands nothing.
pub(crate) fn look(root: &Folder, path: &RepoPath, bytes_max: u64) -> io::Result<OnDisk> {
    let Some(name) = path.file_name() else {
        return Ok(OnDisk::Folder);
    };
    match root.descend(&path.parent().unwrap_or_default()) {
        Ok(parent) => parent.read(name, bytes_max),
        Err(error) if is_absent(&error) => Ok(OnDisk::Absent),
        Err(error) => Err(error),
    }
}

/// Whether a failure means that nothing stands at the path.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}
