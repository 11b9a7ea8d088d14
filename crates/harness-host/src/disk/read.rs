//! Reading a file, and recognising it again later.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    time::SystemTime,
};

use harness_core::{Action, ByteCount, RepoPath};
use harness_guard::Permit;
use rustix::fs::Stat;
use sha2::{Digest, Sha256};

use super::{DiskError, Root};

/// What a file was when it was read: who it is, and what it held.
///
/// Two stamps are equal when neither the file nor its content was replaced
/// between them. The content counts as well, because a size and a time can be
/// put back by whoever changed the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    sha256: [u8; 32],
}

impl Stamp {
    /// The stamp of no file: whoever expects it has to read first.
    pub const NONE: Self = Self {
        device: 0,
        inode: 0,
        size: u64::MAX,
        modified: (0, 0),
        sha256: [0; 32],
    };

    pub(super) fn of(stat: &Stat, bytes: &[u8]) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: bytes.len() as u64,
            modified: modified(stat),
            sha256: Sha256::digest(bytes).into(),
        }
    }

    /// Reads a file to its end, or to one byte more than `max`, and hands its parts on.
    ///
    /// Memory does not grow with the file.
    pub(super) fn read(
        file: OwnedFd,
        stat: &Stat,
        max: ByteCount,
        take: &mut dyn FnMut(&[u8]),
    ) -> io::Result<Self> {
        let mut file = File::from(file).take(max.0.saturating_add(1));
        let mut part = vec![0; PART_BYTES];
        let mut digest = Sha256::new();
        let mut size = 0;
        loop {
            match file.read(&mut part) {
                Ok(0) => break,
                Ok(length) => {
                    size += length as u64;
                    digest.update(&part[..length]);
                    take(&part[..length]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size,
            modified: modified(stat),
            sha256: digest.finalize().into(),
        })
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Whether the content was written before a time, as the file system says.
    pub fn is_older_than(&self, time: SystemTime) -> bool {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let since = since.map_or(0, |since| since.as_secs());
        self.modified.0 < i64::try_from(since).unwrap_or(i64::MAX)
    }

    /// Returns the SHA-256 of the content.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

/// How much of a large file is in memory at a time.
const PART_BYTES: usize = 256 * 1024;

/// A file's content and its stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// The whole content, any bytes.
    pub bytes: Vec<u8>,
    /// For a later write that must not overwrite somebody else's.
    pub stamp: Stamp,
}

impl Root {
    /// Reads the file that an agent was permitted to read or to change.
    ///
    /// # Errors
    /// [`DiskError::NotPermitted`] for a permit of another kind; else as the disk answers,
    /// with [`DiskError::TooLarge`] for a file of more than `max`.
    pub fn read_file(&self, permit: &Permit, max: ByteCount) -> Result<FileText, DiskError> {
        match permit.action() {
            Action::Read { path, .. }
            | Action::Write { path, .. }
            | Action::Edit { path, .. }
            | Action::Delete { path } => self.read_at(path, max),
            other => Err(DiskError::NotPermitted {
                path: other.path().clone(),
            }),
        }
    }

    /// Reads the file that an agent was permitted to read part by part, in memory that does not
    /// grow with it.
    ///
    /// # Errors
    /// As [`Root::read_file`]; a file that grew beyond `max` meanwhile was handed on up to there.
    pub fn scan_file(
        &self,
        permit: &Permit,
        max: ByteCount,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Stamp, DiskError> {
        let Action::Read { path, .. } = permit.action() else {
            return Err(DiskError::NotPermitted {
                path: permit.action().path().clone(),
            });
        };
        let too_large = |size| DiskError::TooLarge {
            path: path.clone(),
            size,
            max,
        };
        let (file, stat) = self.open_file(path)?;
        let size = ByteCount(u64::try_from(stat.st_size).unwrap_or(0));
        if size > max {
            return Err(too_large(size));
        }
        let stamp = Stamp::read(file, &stat, max, take)
            .map_err(|error| DiskError::io("read", path, error))?;
        match ByteCount(stamp.size) {
            read if read > max => Err(too_large(read)),
            _ => Ok(stamp),
        }
    }

    /// Reads a file for the harness itself.
    ///
    /// # Errors
    /// As [`Root::read_file`].
    pub fn host_read_file(&self, path: &RepoPath, max: ByteCount) -> Result<FileText, DiskError> {
        self.read_at(path, max)
    }

    fn read_at(&self, path: &RepoPath, max: ByteCount) -> Result<FileText, DiskError> {
        let (file, stat) = self.open_file(path)?;
        let size = ByteCount(u64::try_from(stat.st_size).unwrap_or(0));
        let too_large = |size| DiskError::TooLarge {
            path: path.clone(),
            size,
            max,
        };
        if size > max {
            return Err(too_large(size));
        }
        let bytes = read_bounded(file, max).map_err(|error| DiskError::io("read", path, error))?;
        // The file may have grown since it was measured.
        let read = ByteCount(bytes.len() as u64);
        if read > max {
            return Err(too_large(read));
        }
        let stamp = Stamp::of(&stat, &bytes);
        Ok(FileText { bytes, stamp })
    }
}

/// Reads at most one byte more than `max`, so that the caller can tell.
fn read_bounded(file: OwnedFd, max: ByteCount) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::from(file)
        .take(max.0.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

// The type of the nanoseconds differs between architectures.
#[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap)]
fn modified(stat: &Stat) -> (i64, i64) {
    (stat.st_mtime as i64, stat.st_mtime_nsec as i64)
}
