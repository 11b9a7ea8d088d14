//! Reading a log: every record, or only whether the chain holds.
//!
//! A last line without its line end is what a crash leaves of a write: it is
//! counted and left out. Any other break is a problem, named with its line. An exported
//! log is read the same way, wherever it lies.
//! Changes nothing on disk; [`LogWriter::reopen`](crate::LogWriter::reopen) does.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use harness_core::{ByteCount, Event};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    Defect, FileError, Hash, Head, RECORD_BYTES_MAX, Record, StoreError,
    blob::Blobs,
    chain::{Chain, record_of},
    export::{self, EXPORT_LINE_BYTES_MAX, ExportHead},
    file::{failed, open_to_read},
    record::Stored,
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

/// Reads the events at the end of a log, oldest first, from its last `bytes`; the chain is not checked.
///
/// What cannot be read is left out: it is for a quick look at how a session stands.
///
/// # Errors
/// When there is no such file or it cannot be read.
pub fn tail(path: impl AsRef<Path>, bytes: ByteCount) -> Result<Vec<Event>, StoreError> {
    let path = path.as_ref();
    let mut file = existing(path)?;
    let size = file.metadata().map_err(failed("look at", path))?.len();
    let start = size.saturating_sub(bytes.0);
    file.seek(SeekFrom::Start(start))
        .map_err(failed("read", path))?;
    let mut text = Vec::new();
    (&mut file)
        .take(bytes.0)
        .read_to_end(&mut text)
        .map_err(failed("read", path))?;
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    if start > 0 {
        lines.next();
    }
    let whole = lines.filter(|line| line.ends_with(b"\n"));
    let records = whole.filter_map(|line| serde_json::from_slice::<Stored<Event>>(line).ok());
    Ok(records.map(|record| record.event).collect())
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

/// As [`verify`], and gives the hash of every record that holds to `each`.
///
/// # Errors
/// As [`verify`].
pub fn verify_each(
    path: impl AsRef<Path>,
    mut each: impl FnMut(Hash),
) -> Result<Verification, StoreError> {
    let path = path.as_ref();
    let end = scan::<IgnoredAny>(&existing(path)?, path, |(_, hash)| each(hash))?;
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
    let mut reader = LineReader::new(&file, path);
    Ok(match reader.next::<Event>()? {
        Next::Record(stored, hash) => Some(record_of((stored, hash))),
        Next::Problem(_) | Next::End(_) => None,
    })
}

fn existing(path: &Path) -> Result<File, FileError> {
    open_to_read(path)?.ok_or_else(|| failed("open", path)(rustix::io::Errno::NOENT.into()))
}

fn scan<E: DeserializeOwned>(
    file: &File,
    path: &Path,
    mut each: impl FnMut((Stored<E>, Hash)),
) -> Result<End, FileError> {
    let mut reader = LineReader::new(file, path);
    let (problem, torn) = loop {
        match reader.next::<E>()? {
            Next::Record(stored, hash) => each((stored, hash)),
            Next::Problem(problem) => break (Some(problem), 0),
            Next::End(torn) => break (None, torn),
        }
    };
    Ok(End {
        head: reader.chain.head,
        bytes: reader.chain.bytes,
        torn: ByteCount(torn),
        problem,
    })
}

/// What comes next in a file.
enum Next<E> {
    Record(Stored<E>, Hash),
    Problem(Problem),
    /// Nothing but this many bytes of a line without its end.
    End(u64),
}

/// Reads a log, or an exported one, line by line.
struct LineReader<'a> {
    reader: BufReader<&'a File>,
    path: &'a Path,
    chain: Chain,
    /// The lines that were read, and their bytes.
    lines: u64,
    read: u64,
    line: Vec<u8>,
    /// What the head of an exported log promises.
    promise: Option<ExportHead>,
    /// The texts that stand in an exported log since its last record: the next one is the first to name them.
    fresh: Vec<Hash>,
}

impl<'a> LineReader<'a> {
    fn new(file: &'a File, path: &'a Path) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            path,
            chain: Chain::of_file(path),
            lines: 0,
            read: 0,
            line: Vec::new(),
            promise: None,
            fresh: Vec::new(),
        }
    }

    fn next<E: DeserializeOwned>(&mut self) -> Result<Next<E>, FileError> {
        loop {
            let limit = match self.promise {
                Some(_) => EXPORT_LINE_BYTES_MAX.0,
                None => RECORD_BYTES_MAX.0,
            };
            self.line.clear();
            let length = (&mut self.reader)
                .take(limit + 1)
                .read_until(b'\n', &mut self.line)
                .map_err(failed("read", self.path))? as u64;
            let is_cut = !self.line.ends_with(b"\n") && length <= limit;
            if length == 0 || is_cut {
                return Ok(self.end(length));
            }
            self.lines += 1;
            self.read += length;
            let taken = match self.promise {
                None if self.lines == 1 => self.take_head(),
                Some(_) => self.take_blob(),
                None => Ok(false),
            };
            let read = match taken {
                Ok(true) => continue,
                Ok(false) => self.take_record::<E>(),
                Err(defect) => Err(defect),
            };
            return Ok(match read {
                Ok((stored, hash)) => Next::Record(stored, hash),
                Err(what) => Next::Problem(Problem {
                    line: self.lines,
                    what,
                }),
            });
        }
    }

    /// Takes a first line that is the head of an exported log; `false` when it is something else.
    fn take_head(&mut self) -> Result<bool, Defect> {
        let Some(head) = ExportHead::parse(&self.line)? else {
            return Ok(false);
        };
        let given = Blobs::Given {
            path: self.path.to_owned(),
            lines: HashMap::new(),
        };
        self.chain = Chain::begin(Some(head.session), given);
        self.promise = Some(head);
        Ok(true)
    }

    /// Takes a line with a text of a later record; `false` when it is something else.
    fn take_blob(&mut self) -> Result<bool, Defect> {
        let Some((hash, _)) = export::parse_blob(&self.line)? else {
            return Ok(false);
        };
        let place = (self.read - self.line.len() as u64, self.line.len());
        if let Blobs::Given { lines, .. } = &mut self.chain.blobs
            && lines.insert(hash, place).is_some()
        {
            return Err(Defect::BlobMisplaced { hash });
        }
        self.fresh.push(hash);
        Ok(true)
    }

    /// Takes a line with a record: it names the texts that stand before it, in that order.
    fn take_record<E: DeserializeOwned>(&mut self) -> Result<(Stored<E>, Hash), Defect> {
        let (stored, hash) = self.chain.next::<E>(&self.line)?;
        let mut named = stored.blobs.iter();
        for fresh in std::mem::take(&mut self.fresh) {
            if !named.any(|hash| *hash == fresh) {
                return Err(Defect::BlobMisplaced { hash: fresh });
            }
        }
        Ok((stored, hash))
    }

    fn end<E>(&self, torn: u64) -> Next<E> {
        let promised = self.promise.as_ref().map(|promise| Head {
            seq: promise.records,
            hash: promise.head,
        });
        if let Some(Head { seq, hash }) = promised.filter(|promised| *promised != self.chain.head) {
            let there = self.chain.head;
            // With as many records, or the same last one, it is the first line that is wrong.
            let is_short = there.seq < seq && there.hash != hash;
            return Next::Problem(match is_short {
                true => Problem {
                    line: self.lines + 1,
                    what: Defect::Shortened { records: seq, hash },
                },
                false => Problem {
                    line: 1,
                    what: Defect::OtherEnd { records: seq, hash },
                },
            });
        }
        match self.fresh.last() {
            Some(hash) => Next::Problem(Problem {
                line: self.lines,
                what: Defect::BlobMisplaced { hash: *hash },
            }),
            None => Next::End(torn),
        }
    }
}
