//! The files of the repository that an argv names: their content is part of what is trusted.

use std::io;

use harness_core::RepoPath;
use harness_host::disk::{DiskError, Root};
use sha2::{Digest as _, Sha256};

use super::{hex, word};
use crate::{
    failure::Failure,
    files::{HOST_FILE_MAX, disk_failure},
};

/// How many links are followed from one word.
const LINKS_MAX: usize = 8;

/// Returns a line for each file that a word of `argv` names, seen from the folder it runs in.
pub(super) fn lines(
    root: &Root,
    folder: &RepoPath,
    argv: &[String],
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for word in argv {
        if let Ok(path) = folder.join(word) {
            lines.extend(lines_of(root, path)?);
        }
    }
    Ok(lines)
}

/// Follows links, for what they lead to can be changed as well as the links.
fn lines_of(root: &Root, mut path: RepoPath) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for _ in 0..LINKS_MAX {
        match root.host_read_file(&path, HOST_FILE_MAX) {
            Ok(file) => {
                let digest = hex(&Sha256::digest(&file.bytes));
                lines.push(format!(
                    "content of {}: sha256 {digest}",
                    word(path.as_bytes())
                ));
                break;
            }
            Err(DiskError::IsLink {
                link,
                target,
                resolved,
            }) => {
                lines.push(format!(
                    "link {} to {}",
                    word(link.as_bytes()),
                    word(&target)
                ));
                match resolved {
                    Some(resolved) => path = resolved,
                    None => break,
                }
            }
            Err(error) if names_no_file(&error) => break,
            Err(error) => return Err(disk_failure("trust", &path, &error)),
        }
    }
    Ok(lines)
}

/// Whether a word is just a word.
fn names_no_file(error: &DiskError) -> bool {
    match error {
        DiskError::NotFound { .. }
        | DiskError::IsFolder { .. }
        | DiskError::NotFolder { .. }
        | DiskError::NotRegular { .. } => true,
        DiskError::Io { source, .. } => source.kind() == io::ErrorKind::InvalidFilename,
        _ => false,
    }
}
