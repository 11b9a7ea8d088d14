//! The index of runs: which sessions belong to which run.
//!
//! A convenience that saves opening every log. The first record of each log
//! says the same, so the index is not synced, and is told from the logs when
//! it is broken.

use harness_core::{ByteCount, Event, RunId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    FileError, Problem, Store, StoreError,
    file::{Locked, failed, open_to_read, read_some, set_tail_aside},
    log,
    record::Defect,
};

/// The longest index; about a hundred thousand sessions.
const INDEX_BYTES_MAX: ByteCount = ByteCount::mib(16);

/// One session of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEntry {
    /// The run.
    pub run: RunId,
    /// The session.
    pub session: SessionId,
    /// When the run began.
    pub started_at: Timestamp,
}

/// All sessions of all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunIndex {
    /// The sessions, oldest first.
    pub entries: Vec<RunEntry>,
    /// What is wrong with the index file; the entries are then told from the logs.
    pub problem: Option<Problem>,
}

impl Store {
    /// Appends a session to the index.
    ///
    /// What a crash left of a last line is put aside first.
    ///
    /// # Errors
    /// When the file cannot be locked within two seconds, or not written.
    pub fn append_run(&self, entry: &RunEntry) -> Result<(), StoreError> {
        let path = self.folder().join("runs.jsonl");
        let mut line = serde_json::to_vec(entry).map_err(|source| StoreError::Encode {
            path: path.clone(),
            source,
        })?;
        line.push(b'\n');
        let file = Locked::wait(&path)?;
        let text = read_some(&file, &path, INDEX_BYTES_MAX.0)?;
        if text.len() + line.len() > INDEX_BYTES_MAX.as_usize() {
            return Err(StoreError::Full { path });
        }
        let (whole, torn) = split_torn(&text);
        if !torn.is_empty() {
            set_tail_aside(&file, &path, whole.len() as u64, INDEX_BYTES_MAX.0)?;
        }
        harness_failpoint::write("runs.append", &*file, &line)
            .map_err(failed("append to", &path))?;
        Ok(())
    }

    /// Reads the index; a last line without its end is left out.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn runs(&self) -> Result<RunIndex, StoreError> {
        let path = self.folder().join("runs.jsonl");
        let text = match open_to_read(&path)? {
            Some(file) => read_some(&file, &path, INDEX_BYTES_MAX.0 + 1)?,
            None => return Ok(RunIndex::default()),
        };
        match parse(&text) {
            Ok(entries) => Ok(RunIndex {
                entries,
                problem: None,
            }),
            Err(problem) => Ok(RunIndex {
                entries: self.runs_of_logs()?,
                problem: Some(problem),
            }),
        }
    }

    fn runs_of_logs(&self) -> Result<Vec<RunEntry>, StoreError> {
        let sessions = self.sessions()?.into_iter();
        let entries = sessions.filter_map(|session| self.run_of_log(session).transpose());
        Ok(entries.collect::<Result<_, FileError>>()?)
    }

    fn run_of_log(&self, session: SessionId) -> Result<Option<RunEntry>, FileError> {
        let first = log::first_record(&self.log_path(session))?;
        Ok(first.and_then(|record| match record.event {
            Event::SessionOpened(opened) => Some(RunEntry {
                run: opened.run.run,
                session,
                started_at: opened.run.started_at,
            }),
            _ => None,
        }))
    }
}

fn parse(text: &[u8]) -> Result<Vec<RunEntry>, Problem> {
    if text.len() > INDEX_BYTES_MAX.as_usize() {
        let what = Defect::TooMany;
        return Err(Problem { line: 1, what });
    }
    let (whole, _) = split_torn(text);
    let lines = whole.split_inclusive(|&byte| byte == b'\n').zip(1..);
    lines
        .map(|(text, line)| {
            serde_json::from_slice(text).map_err(|_| Problem {
                line,
                what: Defect::NotARecord,
            })
        })
        .collect()
}

fn split_torn(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().rposition(|&byte| byte == b'\n');
    text.split_at(end.map_or(0, |at| at + 1))
}
