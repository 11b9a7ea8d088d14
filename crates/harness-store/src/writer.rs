//! Appending to a log: one write per record, made durable when the caller says so.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, Event, SessionId, Timestamp};

use crate::{
    Hash, Head, RECORD_BYTES_MAX, Record, Redaction, Store, StoreError,
    blob::{EVENT_BYTES_MAX, Taken, keep, sweep, take_out},
    file::{Locked, claim_file, failed, open_to_append, open_to_read, set_tail_aside, sync_folder},
    log, record,
    redaction::redacted,
    synced::Note,
};

/// The most records one log holds.
pub const RECORDS_MAX: u64 = 1_000_000;

/// The most bytes one log holds; a log is read into memory as a whole.
pub const LOG_BYTES_MAX: ByteCount = ByteCount::gib(1);

/// What is kept of the line buffer between records.
const BUFFER_BYTES_KEPT: usize = 64 * 1024;

/// The only writer of one session's log, which it locks as long as it lives.
pub struct LogWriter {
    file: Locked,
    path: PathBuf,
    head: Head,
    bytes: u64,
    is_synced: bool,
    /// Whether the folders that lead to the file are durable too.
    is_findable: bool,
    /// Whether a failure left the file in a state that is not known.
    is_halted: bool,
    line: Vec<u8>,
    redaction: Option<Redaction>,
    /// Says beside the log how far it reaches.
    note: Note,
}

/// A cut last record, put aside when its log was opened again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// How much it was.
    pub bytes: ByteCount,
    /// Where it is now.
    pub kept: PathBuf,
}

impl LogWriter {
    /// Takes up the log of a session that another process left.
    ///
    /// Checks the whole chain, moves a torn last line to `log.jsonl.torn-<n>`,
    /// and returns the records. The first [`sync`](Self::sync) makes them
    /// durable, whether or not the earlier process did.
    ///
    /// # Errors
    /// When the session has no folder, another process writes its log, or any
    /// line but a torn last one is broken; the file is then as it was.
    pub fn reopen(
        store: &Store,
        session: SessionId,
    ) -> Result<(Self, Vec<Record>, Option<TornTail>), StoreError> {
        let path = store.log_path(session);
        let file = lock(open_to_append(&path)?, &path)?;
        let (records, end) = log::collect(&file, &path)?;
        let torn = match end.torn {
            ByteCount(0) => None,
            bytes => {
                let kept = set_tail_aside(&file, &path, end.bytes, RECORD_BYTES_MAX.0)?;
                Some(TornTail { bytes, kept })
            }
        };
        sweep(&path);
        let mut writer = Self::new(file, path, end.head, end.bytes);
        writer.is_synced = records.is_empty();
        let is_missing = |known: Head| {
            let is_cut = torn.is_some() && known.seq == end.head.seq + 1;
            !is_cut && records.iter().all(|record| record.hash != known.hash)
        };
        if store.synced(session).is_some_and(is_missing) {
            writer.note.keep();
        }
        Ok((writer, records, torn))
    }

    /// Whether a process has the log of a session; asks by taking its lock for a moment.
    ///
    /// # Errors
    /// When there is no such log or it cannot be read.
    pub fn is_in_use(store: &Store, session: SessionId) -> Result<bool, StoreError> {
        let path = store.log_path(session);
        let file = open_to_read(&path)?
            .ok_or_else(|| failed("open", &path)(std::io::ErrorKind::NotFound.into()))?;
        Ok(Locked::try_new(file, &path)?.is_none())
    }

    /// Creates the log of a session whose folder was claimed just now.
    pub(crate) fn create(path: PathBuf, session: SessionId) -> Result<Self, StoreError> {
        let claimed = claim_file(&path)?.ok_or_else(|| StoreError::InUse { path: path.clone() })?;
        let file = lock(claimed, &path)?;
        let head = Head {
            seq: 0,
            hash: Hash::of_session(session),
        };
        Ok(Self::new(file, path, head, 0))
    }

    fn new(file: Locked, path: PathBuf, head: Head, bytes: u64) -> Self {
        Self {
            file,
            path,
            head,
            bytes,
            is_synced: true,
            is_findable: false,
            is_halted: false,
            line: Vec::new(),
            redaction: None,
            note: Note::default(),
        }
    }

    /// Takes secrets out of every event from now on, before it is hashed and written.
    #[must_use]
    pub fn with_redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = Some(redaction);
        self
    }

    /// Appends one record in one write and returns it as the new head; it is not durable yet.
    ///
    /// # Errors
    /// When the record or the log would be longer than allowed, or the write
    /// fails; the log then ends as before. When even that cannot be brought
    /// about, every later call fails too.
    pub fn append(&mut self, event: &Event, now: Timestamp) -> Result<Head, StoreError> {
        self.refuse_halted()?;
        let head = self.encode(event, now)?;
        self.write_line()?;
        harness_failpoint::moment("log.appended");
        self.head = head;
        self.bytes += self.line.len() as u64;
        self.is_synced = false;
        self.line.shrink_to(BUFFER_BYTES_KEPT);
        Ok(head)
    }

    /// Makes everything appended so far durable; does nothing when it is.
    ///
    /// # Errors
    /// When the system cannot do it. What is on disk is not known then, so
    /// every later call fails too.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.refuse_halted()?;
        if self.is_synced {
            return Ok(());
        }
        let result = self.sync_all();
        self.is_halted = result.is_err();
        self.is_synced = result.is_ok();
        result
    }

    /// Takes the log as it is for the whole one, although it is known to have had more.
    pub const fn accept_loss(&mut self) {
        self.note.let_go();
    }

    /// Returns the last record's number and hash.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Whether everything appended so far is durable.
    pub const fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Returns the file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn encode(&mut self, event: &Event, now: Timestamp) -> Result<Head, StoreError> {
        let Head { seq, hash: prev } = self.head;
        let seq = seq + 1;
        self.line.clear();
        record::begin(&mut self.line, seq, now, prev, &[]);
        let event_start = self.line.len();
        serde_json::to_writer(&mut self.line, event).map_err(|source| StoreError::Encode {
            path: self.path.clone(),
            source,
        })?;
        if let Some(redaction) = &self.redaction {
            let json = std::str::from_utf8(&self.line[event_start..])
                .expect("serde_json writes valid UTF-8");
            if let Some(clean) = redacted(json, redaction) {
                self.line.truncate(event_start);
                self.line.extend_from_slice(clean.as_bytes());
            }
        }
        let json =
            std::str::from_utf8(&self.line[event_start..]).expect("serde_json writes valid UTF-8");
        let taken = take_out(json);
        if let Some((short, taken)) = &taken {
            self.refuse_texts(taken)?;
            let digests: Vec<Hash> = taken.iter().map(|(hash, _)| *hash).collect();
            self.line.clear();
            record::begin(&mut self.line, seq, now, prev, &digests);
            self.line.extend_from_slice(short.as_bytes());
        }
        let hash = record::seal(&mut self.line, prev);
        self.refuse_excess(seq)?;
        // Durable before its record is: a record never names what is not there.
        if let Some((_, taken)) = &taken {
            keep(&self.path, taken)?;
        }
        Ok(Head { seq, hash })
    }

    fn refuse_texts(&self, taken: &Taken) -> Result<(), StoreError> {
        let bytes = taken.iter().map(|(_, text)| text.len() as u64).sum();
        if bytes > EVENT_BYTES_MAX.0 {
            return Err(StoreError::RecordTooLong {
                path: self.path.clone(),
                bytes: ByteCount(bytes),
            });
        }
        Ok(())
    }

    fn refuse_excess(&self, seq: u64) -> Result<(), StoreError> {
        let bytes = self.line.len() as u64;
        if bytes > RECORD_BYTES_MAX.0 {
            return Err(StoreError::RecordTooLong {
                path: self.path.clone(),
                bytes: ByteCount(bytes),
            });
        }
        if seq > RECORDS_MAX || self.bytes + bytes > LOG_BYTES_MAX.0 {
            return Err(StoreError::Full {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    fn write_line(&mut self) -> Result<(), StoreError> {
        let mut file: &File = &self.file;
        // One write(2), but for a full disk or a signal in the middle of it.
        harness_failpoint::write("log.append", &mut file, &self.line).map_err(|source| {
            // What was written of the record must not stand before the next one.
            self.is_halted = self.file.set_len(self.bytes).is_err();
            failed("append to", &self.path)(source).into()
        })
    }

    fn sync_all(&mut self) -> Result<(), StoreError> {
        harness_failpoint::pass("log.sync")
            .and_then(|()| self.file.sync_data())
            .map_err(failed("sync", &self.path))?;
        harness_failpoint::moment("log.synced");
        if !self.is_findable {
            // The session's folder, `sessions`, the store, and the folder the store was made in.
            for folder in self.path.ancestors().skip(1).take(4) {
                sync_folder(folder)?;
            }
            self.is_findable = true;
        }
        self.note.write(&self.path, self.head);
        Ok(())
    }

    fn refuse_halted(&self) -> Result<(), StoreError> {
        if self.is_halted {
            return Err(StoreError::Halted {
                path: self.path.clone(),
            });
        }
        Ok(())
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter")
            .field("path", &self.path)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

fn lock(file: File, path: &Path) -> Result<Locked, StoreError> {
    Locked::try_new(file, path)?.ok_or_else(|| StoreError::InUse {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_failed_write_that_cannot_be_taken_back_halts_the_log() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.jsonl");
        std::fs::write(&path, "").unwrap();
        let read_only = lock(File::open(&path).unwrap(), &path).unwrap();
        let head = Head {
            seq: 0,
            hash: Hash::default(),
        };
        let mut log = LogWriter::new(read_only, path, head, 0);
        let mut append = || log.append(&Event::Interrupted, Timestamp::from_millis(0));
        assert!(matches!(append(), Err(StoreError::File(_))));
        assert!(matches!(append(), Err(StoreError::Halted { .. })));
        assert!(matches!(log.sync(), Err(StoreError::Halted { .. })));
        assert_eq!(log.head(), head);
    }

    #[test]
    fn a_full_log_takes_no_more() {
        let folder = TempDir::new().unwrap();
        for (seq, bytes) in [(RECORDS_MAX, 0), (7, LOG_BYTES_MAX.0 - 10)] {
            let path = folder.path().join(format!("{seq}.jsonl"));
            let file = lock(open_to_append(&path).unwrap(), &path).unwrap();
            let hash = Hash::default();
            let mut log = LogWriter::new(file, path.clone(), Head { seq, hash }, bytes);
            let error = log.append(&Event::Interrupted, Timestamp::from_millis(0));
            assert!(matches!(error, Err(StoreError::Full { .. })));
            assert_eq!(std::fs::read(&path).unwrap(), b"");
        }
    }
}
