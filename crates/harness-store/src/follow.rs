//! Reading a log while it grows, without a lock and without a write.
//!
//! A line that is not whole yet is left for the next look. When its writer dies, the next one puts
//! such a line aside and goes on behind the last whole record, which is where a look goes on too.
//! Never waits: how often to look is the caller's business.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use harness_core::{ByteCount, Event, SessionId};

use crate::{
    Defect, Head, RECORD_BYTES_MAX, Record, Store, StoreError,
    chain::{Chain, record_of},
    file::{failed, open_to_read},
    written::is_locked,
};

/// What one look at a log found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many records were new.
    pub records: u64,
    /// What stands behind the last whole record: a write that is going on, or was cut.
    pub torn: ByteCount,
    /// Whether the log was removed.
    pub is_gone: bool,
}

/// A reader of a log that may still be written.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<File>,
    chain: Chain,
    /// The last record that was given, which is not given again when the file is read anew.
    given: u64,
    /// How much stood behind the last whole record at the last look.
    torn: u64,
    /// A line that seemed broken once: it may have been cut and written anew in the middle of a look.
    doubt: Option<Defect>,
}

/// Whether a process writes the log of a session at present; `None` where the system does not tell.
///
/// Takes no lock on the log, so whoever wants to write it next can.
pub fn is_written(store: &Store, session: SessionId) -> Option<bool> {
    let path = store.log_path(session);
    let file = open_to_read(&path).ok()??;
    is_locked(&file, path.parent()?)
}

impl Follower {
    /// Follows the log of a session from its first record, also one that is not there yet.
    pub fn new(store: &Store, session: SessionId) -> Self {
        Self::of_file(store.log_path(session))
    }

    /// Follows a file.
    pub fn of_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            file: None,
            chain: Chain::of_file(&path),
            path,
            given: 0,
            torn: 0,
            doubt: None,
        }
    }

    /// Returns the last record that was read.
    pub const fn head(&self) -> Head {
        self.chain.head
    }

    /// Returns the file that is read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a process writes the log at present; `None` where the system does not tell.
    ///
    /// Takes no lock on the log, so whoever wants to write it next can.
    pub fn is_written(&self) -> Option<bool> {
        is_locked(self.file.as_ref()?, self.path.parent()?)
    }

    /// Gives every record that was appended since the last look to `each`, in order.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is broken: found so by two looks in a row, as a line
    /// can be cut and written anew while it is read.
    pub fn look(&mut self, mut each: impl FnMut(Record)) -> Result<Looked, StoreError> {
        if self.file.is_none() {
            self.file = open_to_read(&self.path)?;
        }
        let Some(file) = &self.file else {
            return Ok(Looked::default());
        };
        let meta = file.metadata().map_err(failed("read", &self.path))?;
        let mut looked = Looked {
            records: 0,
            torn: ByteCount(self.torn),
            is_gone: meta.nlink() == 0,
        };
        if meta.len() < self.chain.bytes {
            // Less than was read: what is there now is read from its start.
            self.chain = Chain::of_file(&self.path);
        }
        if meta.len() == self.chain.bytes + self.torn && self.doubt.is_none() {
            return Ok(looked);
        }
        let mut reader = BufReader::with_capacity(64 * 1024, file);
        reader
            .seek(SeekFrom::Start(self.chain.bytes))
            .map_err(failed("read", &self.path))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = (&mut reader)
                .take(RECORD_BYTES_MAX.0 + 1)
                .read_until(b'\n', &mut line)
                .map_err(failed("read", &self.path))? as u64;
            let is_cut = !line.ends_with(b"\n") && length <= RECORD_BYTES_MAX.0;
            if length == 0 || is_cut {
                self.torn = length;
                self.doubt = None;
                looked.torn = ByteCount(length);
                return Ok(looked);
            }
            match self.chain.next::<Event>(&line) {
                Ok(read) => {
                    let record = record_of(read);
                    if record.seq > self.given {
                        self.given = record.seq;
                        looked.records += 1;
                        each(record);
                    }
                }
                Err(defect) => return self.doubted(defect, looked),
            }
        }
    }

    fn doubted(&mut self, defect: Defect, looked: Looked) -> Result<Looked, StoreError> {
        if self.doubt.as_ref() == Some(&defect) && looked.records == 0 {
            return Err(StoreError::Unreadable {
                path: self.path.clone(),
                line: self.chain.head.seq + 1,
                defect,
            });
        }
        self.doubt = Some(defect);
        Ok(looked)
    }
}
