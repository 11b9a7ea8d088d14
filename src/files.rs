//! Files that are read whole: regular ones only, and never more than a bound.
//!
//! What belongs to the repository is opened beneath its root and never through
//! a link, for whoever made the repository may have put anything there. What
//! belongs to the person may be a link.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use harness_core::{ByteCount, RepoPath};
use harness_host::disk::{DiskError, FileText, Root};

use crate::failure::{Failure, chain};

/// The largest file of the repository that the harness itself reads: feature list, progress log, evidence, script.
pub(crate) const HOST_FILE_MAX: ByteCount = ByteCount::mib(16);

/// Reads a file of the repository; `None` when there is none.
pub(crate) fn read_beneath(
    root: &Root,
    path: &RepoPath,
    max: ByteCount,
) -> Result<Option<FileText>, Failure> {
    match root.host_read_file(path, max) {
        Ok(file) => Ok(Some(file)),
        Err(DiskError::NotFound { .. }) => Ok(None),
        Err(error) => Err(disk_failure("read", path, &error)),
    }
}

/// Says what could not be done with a file of the repository.
pub(crate) fn disk_failure(attempt: &str, path: &RepoPath, error: &DiskError) -> Failure {
    let failed = |why: String| format!("cannot {attempt} `{path}`: {why}");
    match error {
        DiskError::TooLarge { max, .. } => {
            Failure::usage(failed(format!("it is larger than {max}")))
        }
        DiskError::Io { .. } => Failure::failed(failed(chain(error))),
        _ => Failure::usage(failed(error.to_string())),
    }
}

/// Reads a file of the person's; `None` when there is none.
pub(crate) fn read_own(path: &Path, max: ByteCount) -> Result<Option<Vec<u8>>, Failure> {
    let refused = |why: String| Failure::usage(format!("cannot read `{}`: {why}", path.display()));
    // Looked at first: opening a pipe would wait for whoever writes it.
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
        Ok(stat) if !stat.is_file() => return Err(refused("it is not a regular file".to_owned())),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(max.0.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| refused(error.to_string()))?;
    if bytes.len() as u64 > max.0 {
        return Err(refused(format!("it is larger than {max}")));
    }
    Ok(Some(bytes))
}
