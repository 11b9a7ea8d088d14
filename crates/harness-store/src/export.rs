//! A session in one file that stands for itself.
//!
//! ```text
//! {"export":1,"session":"S-0001","records":2,"head":"<hex>"}
//! {"blob":"<hex>","text":"..."}                              before the record that names it
//! {"v":1,"seq":1,...}                                        the records, byte for byte
//! ```
//!
//! So the chain holds in it as in the log, and nothing else of the machine is needed to check it.
//! Outputs in `output/` are not part of it: they are for the agent of that session alone.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
};

use harness_core::{ByteCount, SessionId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::{
    Defect, Hash, RECORD_BYTES_MAX, Store, StoreError, Verification,
    chain::Chain,
    file::{failed, open_to_read},
    log,
};

/// The longest line of an exported log: the longest text, each byte of it escaped.
pub const EXPORT_LINE_BYTES_MAX: ByteCount = ByteCount::mib(6 * 24 + 1);

const VERSION: u64 = 1;
const HEAD_PREFIX: &[u8] = br#"{"export":"#;
const BLOB_PREFIX: &[u8] = br#"{"blob":"#;

/// The first line of an exported log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExportHead {
    export: u64,
    pub(crate) session: SessionId,
    pub(crate) records: u64,
    pub(crate) head: Hash,
}

#[derive(Serialize, Deserialize)]
struct BlobLine {
    blob: Hash,
    text: String,
}

impl ExportHead {
    /// Reads a first line; `None` when it is of something else.
    pub(crate) fn parse(line: &[u8]) -> Result<Option<Self>, Defect> {
        if !line.starts_with(HEAD_PREFIX) {
            return Ok(None);
        }
        let head: Self = serde_json::from_slice(line).map_err(|_| Defect::NotARecord)?;
        match head.export {
            VERSION => Ok(Some(head)),
            version => Err(Defect::Newer { version }),
        }
    }
}

/// Reads a line with a text; `None` when it is something else.
pub(crate) fn parse_blob(line: &[u8]) -> Result<Option<(Hash, String)>, Defect> {
    if !line.starts_with(BLOB_PREFIX) {
        return Ok(None);
    }
    let line: BlobLine = serde_json::from_slice(line).map_err(|_| Defect::NotARecord)?;
    if Hash::of(&[line.text.as_bytes()]) != line.blob {
        return Err(Defect::BlobChanged { hash: line.blob });
    }
    Ok(Some((line.blob, line.text)))
}

impl Store {
    /// Writes the log of a session as one file, whole records alone, and returns what was found in it.
    ///
    /// A session that is running is written as far as it is.
    ///
    /// # Errors
    /// When the log cannot be read or is broken, and when `to` cannot be written; `Err` inside is the latter.
    pub fn export(
        &self,
        session: SessionId,
        to: &mut impl Write,
    ) -> Result<Result<Verification, io::Error>, StoreError> {
        let path = self.log_path(session);
        let found = log::verify(&path)?;
        if let Some(problem) = found.problem {
            return Err(StoreError::Unreadable {
                path,
                line: problem.line,
                defect: problem.what,
            });
        }
        let file = open_to_read(&path)?;
        let file = file.ok_or_else(|| failed("open", &path)(io::ErrorKind::NotFound.into()))?;
        let head = ExportHead {
            export: VERSION,
            session,
            records: found.head.seq,
            head: found.head.hash,
        };
        let mut chain = Chain::of_file(&path);
        Ok(copy(&file, &head, &mut chain, to).map(|()| found))
    }
}

/// Copies as many records as the head says, each behind the texts it is the first to name.
fn copy(file: &File, head: &ExportHead, chain: &mut Chain, to: &mut impl Write) -> io::Result<()> {
    let put = |to: &mut dyn Write, line: &[u8]| {
        to.write_all(line)?;
        to.write_all(b"\n")
    };
    put(to, &serde_json::to_vec(head)?)?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let (mut line, mut written) = (Vec::new(), HashSet::new());
    for _ in 0..head.records {
        line.clear();
        (&mut reader)
            .take(RECORD_BYTES_MAX.0)
            .read_until(b'\n', &mut line)?;
        let (stored, _) = chain.next::<IgnoredAny>(&line).map_err(io::Error::other)?;
        for hash in stored.blobs {
            if written.insert(hash) {
                let text = chain.blobs.text(hash).map_err(io::Error::other)?;
                put(to, &serde_json::to_vec(&BlobLine { blob: hash, text })?)?;
            }
        }
        to.write_all(&line)?;
    }
    to.flush()
}
