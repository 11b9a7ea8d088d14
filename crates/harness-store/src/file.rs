//! Opening, locking and setting aside files, with the path in every error.
//!
//! Links are not followed at the last component: nothing in the store is one.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Deref,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{FlockOperation, OFlags, flock};

/// How many files of one name are set aside before a person has to clear them.
const ASIDE_MAX: u32 = 1000;

/// How long a lock that is only ever held for one write is waited for.
const SHORT_LOCK_WAIT: Duration = Duration::from_secs(2);

/// Something that could not be done with a file or a folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt} `{}`", .path.display())]
pub struct FileError {
    /// What was attempted, such as `write`.
    pub attempt: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Makes the error of an attempt on a path, for `map_err`.
pub(crate) fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError {
        attempt,
        path,
        source,
    }
}

/// Creates a folder and what is above it, or takes the one that is there.
pub(crate) fn create_folder(path: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("create folder", path))
}

/// Creates a folder that must not exist; the system makes sure that one of many callers wins.
pub(crate) fn claim_folder(path: &Path) -> Result<bool, FileError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed("create folder", path)(error)),
    }
}

/// Creates an empty file that must not exist, as [`claim_folder`].
pub(crate) fn claim_file(path: &Path) -> Result<Option<File>, FileError> {
    match options().append(true).create_new(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(failed("create", path)(error)),
    }
}

/// Opens a file to be written over in place, and creates it where there is none.
pub(crate) fn open_to_note(path: &Path) -> Result<File, FileError> {
    options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed("open", path))
}

/// Opens a file for reading and appending, and creates it where there is none.
pub(crate) fn open_to_append(path: &Path) -> Result<File, FileError> {
    options()
        .append(true)
        .create(true)
        .open(path)
        .map_err(failed("open", path))
}

/// Opens a file for reading and writing in place, and creates it where there is none.
pub(crate) fn open_to_rewrite(path: &Path) -> Result<File, FileError> {
    options()
        .write(true)
        .create(true)
        .open(path)
        .map_err(failed("open", path))
}

/// Opens a file for reading; `None` when there is none.
pub(crate) fn open_to_read(path: &Path) -> Result<Option<File>, FileError> {
    match options().open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("open", path)(error)),
    }
}

/// Reads at most `limit` bytes from where the file stands.
pub(crate) fn read_some(file: &File, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(failed("read", path))?;
    Ok(bytes)
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), FileError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync folder", path))
}

/// Renames a file to the first free `<name>.<why>-<n>` and returns that path.
pub(crate) fn set_aside(path: &Path, why: &str) -> Result<PathBuf, FileError> {
    let (_, kept) = claim_aside(path, why)?;
    fs::rename(path, &kept).map_err(failed("set aside", path))?;
    Ok(kept)
}

/// Moves what stands behind byte `start` into the first free `<name>.torn-<n>`.
///
/// The copy is durable before the file is cut, so a crash in between loses nothing.
pub(crate) fn set_tail_aside(
    mut file: &File,
    path: &Path,
    start: u64,
    limit: u64,
) -> Result<PathBuf, FileError> {
    file.seek(SeekFrom::Start(start))
        .map_err(failed("read", path))?;
    let tail = read_some(file, path, limit)?;
    let (mut copy, kept) = claim_aside(path, "torn")?;
    copy.write_all(&tail)
        .and_then(|()| copy.sync_all())
        .map_err(failed("write", &kept))?;
    harness_failpoint::moment("tail.kept");
    file.set_len(start)
        .and_then(|()| file.sync_data())
        .map_err(failed("cut the torn end off", path))?;
    Ok(kept)
}

/// A file with the kernel's lock on it. Freed by drop, and by the end of the process.
pub(crate) struct Locked(File);

impl Locked {
    /// Locks the file; `None` when another holds it.
    pub(crate) fn try_new(file: File, path: &Path) -> Result<Option<Self>, FileError> {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(failed("lock", path)(errno.into())),
        }
    }

    /// Locks a file that nobody holds for longer than one write.
    ///
    /// Waits two seconds at most: the holder may be a stopped process.
    pub(crate) fn wait(path: &Path) -> Result<Self, FileError> {
        let start = Instant::now();
        loop {
            if let Some(locked) = Self::try_new(open_to_append(path)?, path)? {
                return Ok(locked);
            }
            if start.elapsed() > SHORT_LOCK_WAIT {
                return Err(failed("lock", path)(io::ErrorKind::TimedOut.into()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing would do, but for a child between fork and exec that still has a copy.
        // A failure leaves what closing does.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn claim_aside(path: &Path, why: &str) -> Result<(File, PathBuf), FileError> {
    for number in 1..=ASIDE_MAX {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{why}-{number}"));
        let kept = PathBuf::from(name);
        if let Some(file) = claim_file(&kept)? {
            return Ok((file, kept));
        }
    }
    Err(failed("set aside", path)(
        io::ErrorKind::AlreadyExists.into(),
    ))
}
