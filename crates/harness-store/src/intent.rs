//! The ledger of intent: what each feature was meant to be, by whose word, and since when.
//!
//! One line of JSON per entry, only ever appended to: `{"v":1,"entry":{...}}`. What an
//! intent means and whether a change is allowed is the caller's business; here
//! entries are kept and given back. A last line that a crash cut short is left
//! out when it is read, and put aside when the next one is written.

use harness_core::{ByteCount, FeatureId, FeatureStatus, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Store, StoreError,
    file::{Locked, failed, open_to_read, read_some, set_tail_aside},
    record::Defect,
};

/// The longest ledger; some ten thousand features with their histories.
pub const LEDGER_BYTES_MAX: ByteCount = ByteCount::mib(64);

const VERSION: u64 = 1;

/// What happened to a feature's intent or, by a word of its own, to its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentWord {
    /// It stood in the list when the harness first saw it.
    Adopted,
    /// A person added it.
    Added,
    /// A person changed it.
    Amended,
    /// A person took it out of the list.
    Removed,
    /// A person does not want it any more.
    Cancelled,
    /// A person says that it waits for something else.
    Blocked,
    /// A person wants it worked on again.
    Reopened,
    /// A person took it without proof.
    Accepted,
    /// A run gave it up: a person must decide.
    NeedsHuman,
    /// It was passing, and a gate is red now.
    Failing,
}

impl IntentWord {
    /// Returns the status that the word gives a feature; `None` where it leaves it as it is.
    pub const fn status(self) -> Option<FeatureStatus> {
        match self {
            Self::Adopted | Self::Added | Self::Amended | Self::Removed => None,
            Self::Cancelled => Some(FeatureStatus::Cancelled),
            Self::Blocked => Some(FeatureStatus::Blocked),
            Self::Reopened => Some(FeatureStatus::Pending),
            Self::Accepted => Some(FeatureStatus::Accepted),
            Self::NeedsHuman => Some(FeatureStatus::NeedsHuman),
            Self::Failing => Some(FeatureStatus::Failing),
        }
    }

    /// Returns the word for a status; `None` for one that is not kept here.
    pub const fn of_status(status: FeatureStatus) -> Option<Self> {
        match status {
            FeatureStatus::Cancelled => Some(Self::Cancelled),
            FeatureStatus::Blocked => Some(Self::Blocked),
            FeatureStatus::Pending => Some(Self::Reopened),
            FeatureStatus::Accepted => Some(Self::Accepted),
            FeatureStatus::NeedsHuman => Some(Self::NeedsHuman),
            FeatureStatus::Failing => Some(Self::Failing),
            FeatureStatus::InProgress | FeatureStatus::Verifying | FeatureStatus::Passing => None,
        }
    }
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentEntry {
    /// When.
    pub time: Timestamp,
    /// What happened.
    pub what: IntentWord,
    /// To which feature.
    pub feature: FeatureId,
    /// Its intent from then on: the fields that are not empty.
    pub intent: Map<String, Value>,
    /// The SHA-256 of that intent's canonical JSON, in hexadecimal.
    pub sha256: String,
    /// Why, in a person's words or the harness's; empty where nobody gave a reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The session that wrote it; absent where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

#[derive(Serialize, Deserialize)]
struct Line<E> {
    v: u64,
    entry: E,
}

#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

impl Store {
    /// Appends entries to the ledger, durably and all or none of them in one write.
    ///
    /// What a crash left of a last line is put aside first.
    ///
    /// # Errors
    /// When the file cannot be locked within two seconds, is full, or cannot be written.
    pub fn append_intent(&self, entries: &[IntentEntry]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let path = self.ledger_path();
        let mut lines = Vec::new();
        for entry in entries {
            let line = Line { v: VERSION, entry };
            serde_json::to_writer(&mut lines, &line).map_err(|source| StoreError::Encode {
                path: path.clone(),
                source,
            })?;
            lines.push(b'\n');
        }
        let file = Locked::wait(&path)?;
        let text = read_some(&file, &path, LEDGER_BYTES_MAX.0)?;
        if text.len() + lines.len() > LEDGER_BYTES_MAX.as_usize() {
            return Err(StoreError::Full { path });
        }
        let whole = whole_lines(&text);
        if whole.len() < text.len() {
            set_tail_aside(&file, &path, whole.len() as u64, LEDGER_BYTES_MAX.0)?;
        }
        harness_failpoint::write("intent.append", &*file, &lines)
            .and_then(|()| file.sync_data())
            .map_err(failed("append to", &path))?;
        Ok(())
    }

    /// Reads the ledger, oldest entry first; none where there is no file. A last line without its
    /// end is left out.
    ///
    /// # Errors
    /// When the file cannot be read, is too long, or a line in it is no entry or
    /// of a later version.
    pub fn intent(&self) -> Result<Vec<IntentEntry>, StoreError> {
        let path = self.ledger_path();
        let text = match open_to_read(&path)? {
            Some(file) => read_some(&file, &path, LEDGER_BYTES_MAX.0 + 1)?,
            None => return Ok(Vec::new()),
        };
        if text.len() > LEDGER_BYTES_MAX.as_usize() {
            return Err(StoreError::Full { path });
        }
        let lines = whole_lines(&text).split_inclusive(|&byte| byte == b'\n');
        let entries = lines.zip(1..).map(|(text, line)| {
            parse(text).map_err(|defect| StoreError::Unreadable {
                path: path.clone(),
                line,
                defect,
            })
        });
        entries.collect()
    }

    /// Returns where the ledger is, whether or not it exists.
    pub fn ledger_path(&self) -> std::path::PathBuf {
        self.folder().join("intent.jsonl")
    }
}

fn parse(line: &[u8]) -> Result<IntentEntry, Defect> {
    let version: Versioned = serde_json::from_slice(line).map_err(|_| Defect::NotARecord)?;
    if version.v > VERSION {
        return Err(Defect::Newer { version: version.v });
    }
    let line: Line<IntentEntry> = serde_json::from_slice(line).map_err(|_| Defect::NotARecord)?;
    Ok(line.entry)
}

fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte == b'\n');
    &text[..end.map_or(0, |at| at + 1)]
}
