//! Reading a log: every record, or only whether the chain holds.
//!
//! A last line without its line end is what a crash leaves of a write: it is
//! counted and left out. Any other break is a problem, named with its line.
//! Changes nothing on disk; [`LogWriter::reopen`](crate::LogWriter::reopen) does.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use harness_core::{ByteCount, Event};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    Defect, FileError, Hash, Head, RECORD_BYTES_MAX, Record, StoreError,
    chain::{Chain, record_of},
    file::{failed, open_to_read},
    record::{self, Stored},
};

/// A whole log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// What stands behind the last record: a write that a crash cut, or that is still going on.
    pub torn: ByteCount,
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many records hold, counted from the first.
    pub records: u64,
    /// The last record that holds.
    pub head: Head,
    /// Why the next line does not; nothing behind it was looked at.
    pub problem: Option<Problem>,
    /// What stands behind the last line end.
    pub torn: ByteCount,
}

impl Verification {
    /// Whether the log is whole: no problem and no torn end.
    pub const fn is_whole(&self) -> bool {
        self.problem.is_none() && self.torn.0 == 0
    }
}

/// A line that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: Defect,
}

/// Reads a log and checks its chain.
///
/// In a folder named after a session the chain must begin with that session;
/// elsewhere, such as in an exported copy, the first record's `prev` is taken as given.
///
/// # Errors
/// When there is no such file, it cannot be read, or a line of it is broken.
pub fn read(path: impl AsRef<Path>) -> Result<Log, StoreError> {
    let path = path.as_ref();
    let (records, end) = collect(&existing(path)?, path)?;
    Ok(Log {
        records,
        torn: end.torn,
    })
}

/// Gives every record of a log to `each`, one after the other, as far as they hold.
///
/// One record is in memory at a time. A broken line ends it and is part of the answer,
/// so that what stands before it can be told all the same. The chain begins as for [`read`].
///
/// # Errors
/// When there is no such file or it cannot be read.
pub fn fold(
    path: impl AsRef<Path>,
    mut each: impl FnMut(Record),
) -> Result<Verification, StoreError> {
    let path = path.as_ref();
    let end = scan::<Event>(&existing(path)?, path, |record| each(record_of(record)))?;
    Ok(verification(end))
}

/// Reads the first record of a log alone; `None` when there is none that can be read.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn first(path: impl AsRef<Path>) -> Result<Option<Record>, StoreError> {
    Ok(first_record(path.as_ref())?)
}

/// Checks the chain of a log without a look at its events, so that logs of later versions pass.
///
/// The chain begins as for [`read`].
///
/// # Errors
/// When there is no such file or it cannot be read; broken lines are part of the answer.
pub fn verify(path: impl AsRef<Path>) -> Result<Verification, StoreError> {
    let path = path.as_ref();
    let end = scan::<IgnoredAny>(&existing(path)?, path, |_| {})?;
    Ok(verification(end))
}

fn verification(end: End) -> Verification {
    Verification {
        records: end.head.seq,
        head: end.head,
        problem: end.problem,
        torn: end.torn,
    }
}

/// Where the good part of a log ends.
pub(crate) struct End {
    pub(crate) head: Head,
    pub(crate) bytes: u64,
    pub(crate) torn: ByteCount,
    pub(crate) problem: Option<Problem>,
}

/// Reads all records of an open log from its start.
pub(crate) fn collect(file: &File, path: &Path) -> Result<(Vec<Record>, End), StoreError> {
    let mut records = Vec::new();
    let mut end = scan::<Event>(file, path, |record| records.push(record_of(record)))?;
    match end.problem.take() {
        Some(problem) => Err(StoreError::Unreadable {
            path: path.to_owned(),
            line: problem.line,
            defect: problem.what,
        }),
        None => Ok((records, end)),
    }
}

/// Reads the first record alone; `None` when there is none that can be read.
pub(crate) fn first_record(path: &Path) -> Result<Option<Record>, FileError> {
    let Some(file) = open_to_read(path)? else {
        return Ok(None);
    };
    let mut line = Vec::new();
    read_line(&mut BufReader::new(&file), &mut line).map_err(failed("read", path))?;
    let text = line.strip_suffix(b"\n");
    let read = text.and_then(|text| record::open::<Event>(text).ok());
    Ok(read.map(record_of))
}

fn existing(path: &Path) -> Result<File, FileError> {
    open_to_read(path)?.ok_or_else(|| failed("open", path)(io::ErrorKind::NotFound.into()))
}

fn scan<E: DeserializeOwned>(
    file: &File,
    path: &Path,
    mut each: impl FnMut((Stored<E>, Hash)),
) -> Result<End, FileError> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut chain = Chain::of_file(path);
    let mut line = Vec::new();
    let (problem, torn) = loop {
        line.clear();
        let length = read_line(&mut reader, &mut line).map_err(failed("read", path))?;
        if length == 0 {
            break (None, 0);
        }
        if !line.ends_with(b"\n") && length <= RECORD_BYTES_MAX.0 {
            break (None, length);
        }
        match chain.next::<E>(&line) {
            Ok(read) => each(read),
            Err(what) => {
                let line = chain.head.seq + 1;
                break (Some(Problem { line, what }), 0);
            }
        }
    };
    Ok(End {
        head: chain.head,
        bytes: chain.bytes,
        torn: ByteCount(torn),
        problem,
    })
}

/// Reads one line with its end, and one byte more than a record may have at most.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    let length = reader
        .take(RECORD_BYTES_MAX.0 + 1)
        .read_until(b'\n', line)?;
    Ok(length as u64)
}
