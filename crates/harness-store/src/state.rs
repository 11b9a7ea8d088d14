//! Small state files, such as the trust store: whole or not there, never half.
//!
//! A file is JSON in an envelope that carries its version:
//! `{"v":1,"value":...}`. It is replaced by a rename, so a crash leaves the old
//! or the new one. What cannot be read is put aside and never overwritten;
//! what a later version wrote is left alone. What a value means, and what to do
//! without one, is the caller's business.

use std::{
    io,
    path::{Path, PathBuf},
};

use harness_core::ByteCount;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tempfile::NamedTempFile;

use crate::{
    FileError,
    file::{create_folder, failed, open_to_read, read_some, set_aside, sync_folder},
};

/// The longest state file that is read or written.
pub const STATE_BYTES_MAX: ByteCount = ByteCount::mib(16);

const VERSION: u64 = 1;

/// A state file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file was no state; it is not there any more.
    #[error("cannot read `{}`: it is broken, and is kept as `{}`", .path.display(), .kept.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where its bytes are now.
        kept: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A later version wrote the file; it was not touched.
    #[error("cannot read `{}`: a later version of the harness wrote it, in version {version}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The file or the value is longer than state may be; nothing was touched.
    #[error("cannot keep state in `{}`: it has at most {STATE_BYTES_MAX}", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The value could not be turned into JSON.
    #[error("cannot encode the state for `{}`", .path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    v: u64,
    value: T,
}

#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

/// Reads a state file; `None` when there is none.
///
/// A broken file is renamed to `<name>.broken-<n>` and reported once: the next
/// read finds none.
///
/// # Errors
/// When the file is broken, of a later version, too long, or cannot be read.
pub fn read_json<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<Option<T>, StateError> {
    let path = path.as_ref();
    let Some(file) = open_to_read(path)? else {
        return Ok(None);
    };
    let text = read_some(&file, path, STATE_BYTES_MAX.0 + 1)?;
    refuse_too_long(&text, path)?;
    if let Ok(Versioned { v: version }) = serde_json::from_slice(&text)
        && version > VERSION
    {
        let path = path.to_owned();
        return Err(StateError::Newer { path, version });
    }
    match serde_json::from_slice::<Envelope<T>>(&text) {
        Ok(envelope) => Ok(Some(envelope.value)),
        Err(source) => Err(StateError::Broken {
            kept: set_aside(path, "broken")?,
            path: path.to_owned(),
            source,
        }),
    }
}

/// Replaces a state file, durably, and creates its folder where there is none.
///
/// A broken file that stands in the way is put aside first.
///
/// # Errors
/// When the file that is there is of a later version, the value is too long,
/// or the folder cannot be written; the old file is then as it was.
pub fn write_json<T: Serialize + DeserializeOwned>(
    path: impl AsRef<Path>,
    value: &T,
) -> Result<(), StateError> {
    let path = path.as_ref();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let text = encode(path, value)?;
    match read_json::<T>(path) {
        Ok(_) | Err(StateError::Broken { .. }) => {}
        Err(error) => return Err(error),
    }
    create_folder(folder)?;
    replace(path, folder, &text).map_err(failed("write", path))?;
    Ok(sync_folder(folder)?)
}

fn encode<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, StateError> {
    let envelope = Envelope { v: VERSION, value };
    let mut text = serde_json::to_vec_pretty(&envelope).map_err(|source| StateError::Encode {
        path: path.to_owned(),
        source,
    })?;
    text.push(b'\n');
    refuse_too_long(&text, path)?;
    Ok(text)
}

fn refuse_too_long(text: &[u8], path: &Path) -> Result<(), StateError> {
    if text.len() > STATE_BYTES_MAX.as_usize() {
        let path = path.to_owned();
        return Err(StateError::TooLong { path });
    }
    Ok(())
}

pub(crate) fn replace(path: &Path, folder: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(folder)?;
    harness_failpoint::write("state.write", &mut file, text)?;
    file.as_file().sync_all()?;
    harness_failpoint::pass("state.rename")?;
    file.persist(path).map_err(|error| error.error)?;
    harness_failpoint::moment("state.renamed");
    Ok(())
}
