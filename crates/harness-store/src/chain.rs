//! The chain of a log as it is read: what the next line has to follow.
//!
//! Pure but for the blobs a record names. Called by whoever reads a log: once from its start,
//! or again and again as it grows.

use std::path::Path;

use harness_core::{Event, SessionId};
use serde::de::DeserializeOwned;

use crate::{
    Defect, Hash, Head, LOG_BYTES_MAX, RECORD_BYTES_MAX, RECORDS_MAX, Record,
    blob::Blobs,
    record::{self, Stored},
};

/// Where reading stands: everything before it holds.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) head: Head,
    /// How many bytes hold.
    pub(crate) bytes: u64,
    /// What the next record has to follow; `None` where the first one's word is taken for it.
    prev: Option<Hash>,
    pub(crate) blobs: Blobs,
}

impl Chain {
    /// Begins the chain of a file: with its session where its folder is named after one.
    pub(crate) fn of_file(path: &Path) -> Self {
        Self::begin(session_of(path), Blobs::beside(path))
    }

    /// Begins the chain of a session; of whichever where it is not known.
    pub(crate) fn begin(session: Option<SessionId>, blobs: Blobs) -> Self {
        let start = session.map(Hash::of_session);
        Self {
            head: Head {
                seq: 0,
                hash: start.unwrap_or_default(),
            },
            bytes: 0,
            prev: start,
            blobs,
        }
    }

    /// Takes the next line, which ends in its line end, or says what is wrong with it.
    pub(crate) fn next<E: DeserializeOwned>(
        &mut self,
        line: &[u8],
    ) -> Result<(Stored<E>, Hash), Defect> {
        let length = line.len() as u64;
        if length > RECORD_BYTES_MAX.0 {
            return Err(Defect::TooLong);
        }
        if self.bytes + length > LOG_BYTES_MAX.0 || self.head.seq >= RECORDS_MAX {
            return Err(Defect::TooMany);
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let (stored, hash) = record::open::<E>(text)?;
        let expected = self.head.seq + 1;
        if stored.seq != expected {
            return Err(Defect::Misnumbered {
                found: stored.seq,
                expected,
            });
        }
        if self.prev.is_some_and(|prev| prev != stored.prev) {
            return Err(Defect::Unchained);
        }
        let stored = record::complete(text, stored, &self.blobs)?;
        self.head = Head {
            seq: expected,
            hash,
        };
        self.bytes += length;
        self.prev = Some(hash);
        Ok((stored, hash))
    }
}

/// Makes the record of a line.
pub(crate) fn record_of((stored, hash): (Stored<Event>, Hash)) -> Record {
    Record {
        seq: stored.seq,
        time: stored.time,
        event: stored.event,
        prev: stored.prev,
        hash,
    }
}

fn session_of(path: &Path) -> Option<SessionId> {
    path.parent()?.file_name()?.to_str()?.parse().ok()
}
