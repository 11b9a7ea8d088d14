//! What a person says of a session: its name, that it is archived, that its log may go.
//!
//! Kept beside the log, which itself is never changed for it.

use std::{fs, io, path::Path};

use harness_core::{ByteCount, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Hash, Store, StoreError,
    file::{Locked, failed, open_to_read},
    log,
    state::{StateError, read_json, write_json},
};

/// The longest name of a session. Unit: characters.
pub const NAME_CHARS_MAX: usize = 64;
/// The deepest folder whose bytes are counted.
const DEPTH_MAX: usize = 8;

/// What is said of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Its name, beside its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether lists leave it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// That its log was removed, and what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Pruned>,
}

/// What is left of a log that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// When.
    pub at: Timestamp,
    /// How many records it had.
    pub records: u64,
    /// The hash of the last, which commits may name.
    pub head: Hash,
}

/// Whether a text can name a session: no id, no number, nothing that a shell or a terminal minds.
pub fn is_session_name(text: &str) -> bool {
    let legal = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    let upper = text.to_ascii_uppercase();
    let is_id = ["S-", "R-", "F-", "T-", "Q-"].iter().any(|prefix| {
        let rest = upper.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.chars().all(|char| char.is_ascii_digit()))
    });
    text.chars().count() <= NAME_CHARS_MAX
        && text.starts_with(char::is_alphabetic)
        && text.chars().all(legal)
        && !is_id
        && !matches!(text, "last" | "all")
}

impl Store {
    /// Returns what is said of a session; nothing where nobody has said anything.
    ///
    /// # Errors
    /// When it cannot be read; what is broken is put aside.
    pub fn marks(&self, session: SessionId) -> Result<Marks, StateError> {
        Ok(read_json(self.marks_path(session))?.unwrap_or_default())
    }

    /// Says something of a session.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_marks(&self, session: SessionId, marks: &Marks) -> Result<(), StateError> {
        write_json(self.marks_path(session), marks)
    }

    /// Finds the session with a name.
    ///
    /// # Errors
    /// When the sessions cannot be listed.
    pub fn session_named(&self, name: &str) -> Result<Option<SessionId>, StoreError> {
        let mut sessions = self.sessions()?.into_iter();
        Ok(sessions.find(|session| {
            let marks = self.marks(*session);
            marks.is_ok_and(|marks| marks.name.as_deref() == Some(name))
        }))
    }

    /// Returns how many bytes a session takes, its log and what lies beside it.
    pub fn session_bytes(&self, session: SessionId) -> ByteCount {
        ByteCount(bytes_beneath(&self.session_folder(session), DEPTH_MAX))
    }

    /// Removes the log of a session and what lies beside it; what is left says so.
    ///
    /// The log goes last: what a crash leaves can be pruned again.
    ///
    /// # Errors
    /// When a process writes the log, and when something cannot be read or removed.
    pub fn prune_session(&self, session: SessionId, now: Timestamp) -> Result<(), PruneError> {
        let path = self.log_path(session);
        let file = open_to_read(&path).map_err(StoreError::from)?;
        let file = file.ok_or_else(|| failed("open", &path)(io::ErrorKind::NotFound.into()));
        let locked = Locked::try_new(file.map_err(StoreError::from)?, &path);
        let _lock = locked
            .map_err(StoreError::from)?
            .ok_or_else(|| StoreError::InUse { path: path.clone() })?;
        let head = log::verify(&path)?.head;
        let mut marks = self.marks(session)?;
        marks.pruned = Some(Pruned {
            at: now,
            records: head.seq,
            head: head.hash,
        });
        self.set_marks(session, &marks)?;
        let folder = self.session_folder(session);
        let entries = fs::read_dir(&folder).map_err(failed("list", &folder));
        for entry in entries.map_err(StoreError::from)? {
            let entry = entry
                .map_err(failed("list", &folder))
                .map_err(StoreError::from)?
                .path();
            if entry != path && entry != self.marks_path(session) {
                remove(&entry)?;
            }
        }
        remove(&path)
    }

    pub(crate) fn marks_path(&self, session: SessionId) -> std::path::PathBuf {
        self.session_folder(session).join("session.json")
    }
}

/// A session could not be pruned.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// Its log could not be read or removed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is said of it could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

fn remove(path: &Path) -> Result<(), PruneError> {
    let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    Ok(removed
        .map_err(failed("remove", path))
        .map_err(StoreError::from)?)
}

fn bytes_beneath(folder: &Path, depth: usize) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() && depth > 0 => bytes_beneath(&entry.path(), depth - 1),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
