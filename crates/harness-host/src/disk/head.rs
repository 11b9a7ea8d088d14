//! The beginning of a file, for what is told of it.

use std::{fs::File, io::Read};

use harness_core::{ByteCount, RepoPath};

use super::{DiskError, Root};

/// How a file begins, and how large it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHead {
    /// Its first bytes, any; as many as were asked for, or all.
    pub bytes: Vec<u8>,
    /// The size of the whole file.
    pub size: ByteCount,
}

impl Root {
    /// Reads at most `max` bytes from the beginning of a file, for the harness itself.
    ///
    /// # Errors
    /// As [`Root::host_read_file`], without one for a large file.
    pub fn host_read_head(&self, path: &RepoPath, max: ByteCount) -> Result<FileHead, DiskError> {
        let (file, stat) = self.open_file(path)?;
        let mut bytes = Vec::new();
        File::from(file)
            .take(max.0)
            .read_to_end(&mut bytes)
            .map_err(|error| DiskError::io("read", path, error))?;
        let size = ByteCount(u64::try_from(stat.st_size).unwrap_or(0));
        Ok(FileHead { bytes, size })
    }
}
