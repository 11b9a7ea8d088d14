//! How far a log is known to have reached, beside the log itself.
//!
//! A log that was emptied, or cut behind a whole record, holds as a chain and tells nothing of what
//! is gone. So whatever was made durable is noted in a small file beside it, after it was. The note
//! is never ahead of the log, so nothing a crash can leave contradicts it; it may be behind, and where it cannot be
//! written or read nothing is known.

use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use harness_core::SessionId;

use crate::{
    Head, Store,
    file::{open_to_note, open_to_read},
};

const NAME: &str = "log.synced";
/// The length of a note: a number, a digest and a line end.
const BYTES: usize = 20 + 1 + 64 + 1;

/// Keeps the note of one log.
#[derive(Debug, Default)]
pub(crate) struct Note {
    file: Option<File>,
    /// Whether it stays as it is, because it tells of what the log has not.
    stays: bool,
}

impl Note {
    /// Keeps a note that tells of more than the log has.
    pub(crate) const fn keep(&mut self) {
        self.stays = true;
    }

    /// Lets the next write take the place of a note that was kept.
    pub(crate) const fn let_go(&mut self) {
        self.stays = false;
    }

    /// Writes where the log stands; a note that cannot be written is none.
    pub(crate) fn write(&mut self, log: &Path, head: Head) {
        if head.seq == 0 || self.stays {
            return;
        }
        if self.file.is_none() {
            self.file = open_to_note(&log.with_file_name(NAME)).ok();
        }
        let text = format!("{:020} {}\n", head.seq, head.hash);
        debug_assert_eq!(text.len(), BYTES, "a note is written over the one before");
        if let Some(file) = &self.file {
            let _ = file.write_all_at(text.as_bytes(), 0);
        }
    }
}

impl Store {
    /// Returns the last record of a session's log that is known to have been durable.
    ///
    /// `None` where nothing is known: there is no note, or it cannot be read.
    pub fn synced(&self, session: SessionId) -> Option<Head> {
        let path: PathBuf = self.log_path(session).with_file_name(NAME);
        let mut text = String::new();
        let file = open_to_read(&path).ok()??;
        file.take(BYTES as u64 + 1).read_to_string(&mut text).ok()?;
        let (seq, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        Some(Head {
            seq: seq.parse().ok()?,
            hash: hash.parse().ok()?,
        })
    }
}
