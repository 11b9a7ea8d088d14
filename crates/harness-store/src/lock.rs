//! One holder per name, known to the others, and free again when its process is gone.
//!
//! The kernel's lock on the file decides; what stands in the file is for
//! people, and tells the next holder who died with it. The file stays for ever: removing it would let two processes lock
//! two files of one name.

use std::{
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use harness_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    FileError, Store,
    file::{Locked, create_folder, failed, open_to_read, open_to_rewrite},
};

/// The longest text about a holder that is read.
const HOLDER_BYTES_MAX: u64 = 64 * 1024;
/// The most processes that are known to have died with a lock in their hands.
const LEFT_MAX: usize = 64;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// When that process began its work.
    pub started_at: Timestamp,
    /// The machine it runs on.
    pub host: String,
    /// Its command line, without secrets.
    pub command: String,
}

/// What stands in the file of a lock while somebody holds it; nothing once it was let go in order.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    holder: Holder,
    /// Earlier holders that died, and after whom nobody has cleared up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left: Vec<u32>,
}

/// A lock that another holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lock's name.
    pub name: String,
    /// The other; absent when its file cannot be read.
    pub holder: Option<Holder>,
}

/// A lock could not be acquired.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another holds it.
    #[error("cannot take lock `{}`: it is held by {}", .0.name, shown(.0.holder.as_ref()))]
    Held(Held),
    /// The name cannot be that of a file.
    #[error(
        "cannot take lock `{name}`: a lock's name must match `[A-Za-z0-9_-][A-Za-z0-9._-]{{0,99}}`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A lock that is held until it is dropped or its process ends, however it ends.
pub struct Lock {
    file: Locked,
    path: PathBuf,
    written: Written,
}

impl Lock {
    /// Takes the lock `name` of a store, or says at once who holds it.
    ///
    /// # Errors
    /// When another holds it, in this process or elsewhere; when the name does
    /// not match `[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}`; when the file cannot be
    /// opened, locked or written.
    pub fn acquire(store: &Store, name: &str, holder: &Holder) -> Result<Self, LockError> {
        if !is_name(name) {
            let name = name.to_owned();
            return Err(LockError::Name { name });
        }
        let folder = store.folder().join("locks");
        create_folder(&folder)?;
        let path = folder.join(name);
        // Whoever wins writes its name, and whoever loses reads it, under this gate: else a
        // loser could read the name of an earlier holder.
        let _gate = Locked::wait(&folder.join(".gate"))?;
        match Locked::try_new(open_to_rewrite(&path)?, &path)? {
            Some(file) => {
                let written = Written {
                    holder: holder.clone(),
                    left: left_in(&path, holder.pid)?,
                };
                write_holder(&file, &written).map_err(failed("write", &path))?;
                Ok(Self {
                    file,
                    path,
                    written,
                })
            }
            None => Err(LockError::Held(Held {
                name: name.to_owned(),
                holder: read_holder(&path)?,
            })),
        }
    }

    /// Returns the processes that held the lock and died, and after which nobody has cleared up.
    pub fn left_behind(&self) -> &[u32] {
        &self.written.left
    }

    /// Notes that what the dead processes left is cleared up.
    ///
    /// # Errors
    /// When the file cannot be written; the next holder is told of them again.
    pub fn cleared_up(&mut self) -> Result<(), LockError> {
        self.written.left.clear();
        let written = write_holder(&self.file, &self.written);
        Ok(written.map_err(failed("write", &self.path))?)
    }

    /// Returns the lock's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever dies leaves its name there, and so does whoever did not clear up after the dead.
        if self.written.left.is_empty() {
            let _ = self.file.set_len(0);
        }
    }
}

/// Returns who died with the lock, as far as its file tells.
fn left_in(path: &Path, own: u32) -> Result<Vec<u32>, FileError> {
    let Some(before) = read_written(path)? else {
        return Ok(Vec::new());
    };
    let mut left = before.left;
    left.push(before.holder.pid);
    left.retain(|pid| *pid != own);
    left.sort_unstable();
    left.dedup();
    left.truncate(LEFT_MAX);
    Ok(left)
}

fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=100).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(legal)
}

fn write_holder(mut file: &std::fs::File, written: &Written) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(written)?;
    text.push(b'\n');
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    harness_failpoint::write("lock.write", file, &text)
}

fn read_holder(path: &Path) -> Result<Option<Holder>, FileError> {
    Ok(read_written(path)?.map(|written| written.holder))
}

fn read_written(path: &Path) -> Result<Option<Written>, FileError> {
    let Some(file) = open_to_read(path)? else {
        return Ok(None);
    };
    let mut text = Vec::new();
    file.take(HOLDER_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(failed("read", path))?;
    Ok(serde_json::from_slice(&text).ok())
}

fn shown(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!(
            "process {} on `{}` since {} (`{}`)",
            holder.pid,
            holder.host,
            holder.started_at.to_seconds_text(),
            holder.command
        ),
        None => "a process that did not leave its name".to_owned(),
    }
}
