//! One line of the log: how it is written, sealed, and opened again.
//!
//! ```text
//! {"v":1,"seq":1,"time":"...","prev":"<hex>","event":{...},"hash":"<hex>"}
//! ```
//!
//! A record whose event has long texts lists their digests before it: `"blobs":["<hex>"]`.
//!
//! `hash` is SHA-256 over the 32 bytes of `prev`, then the line up to
//! `,"hash":"`, then `}`. It is always computed over the stored bytes, never
//! over text serialised again, so that a later serialiser cannot break an old
//! log. Pure: no file is touched here.

use harness_core::{ByteCount, Event, Timestamp};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use crate::{
    Hash,
    blob::{Blobs, put_back},
};

/// The longest record, line end included.
pub const RECORD_BYTES_MAX: ByteCount = ByteCount::mib(8);

const VERSION: u64 = 1;
const VERSION_PREFIX: &[u8] = br#"{"v":1,"#;
const SEAL_OPENING: &[u8] = br#","hash":""#;
const SEAL_CLOSING: &[u8] = br#""}"#;
const HASH_DIGITS: usize = 64;

/// An event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place, counted from 1.
    pub seq: u64,
    /// When it was appended.
    pub time: Timestamp,
    /// What happened, secrets taken out.
    pub event: Event,
    /// The hash of the record before.
    pub prev: Hash,
    /// The hash of this record.
    pub hash: Hash,
}

/// The end of a log: enough to show later that nothing before it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last record; 0 for an empty log.
    pub seq: u64,
    /// Its hash; for an empty log the one the first record will follow.
    pub hash: Hash,
}

/// What is wrong with a line of a log, as the end of a sentence about that line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The line does not have the form of a record.
    #[error("is not a record")]
    NotARecord,
    /// Its content was changed after it was written.
    #[error("was changed: its content does not have the hash it carries")]
    WrongHash,
    /// It does not follow the record before it.
    #[error("does not follow the record before it: something was changed, added or removed")]
    Unchained,
    /// Its number is not the next one.
    #[error("has number {found} where {expected} belongs")]
    Misnumbered {
        /// The number that stands there.
        found: u64,
        /// The number that belongs there.
        expected: u64,
    },
    /// The line is longer than a record can be.
    #[error("is longer than {RECORD_BYTES_MAX}")]
    TooLong,
    /// The log is longer than a log can be.
    #[error("is beyond what a log may hold")]
    TooMany,
    /// The record is of a later form.
    #[error("was written by a later version of the harness, in record version {version}")]
    Newer {
        /// That form's number.
        version: u64,
    },
    /// A text that the record names is not there.
    #[error("names the blob `{hash}`, which is missing or cannot be read")]
    BlobMissing {
        /// Its digest, which is its file's name.
        hash: Hash,
    },
    /// A text that the record names is not what it was.
    #[error("names the blob `{hash}`, which was changed")]
    BlobChanged {
        /// Its digest, which is its file's name.
        hash: Hash,
    },
    /// A text of an exported log stands where no record is the first to name it.
    #[error("has or follows the text `{hash}`, which no record here is the first to name")]
    BlobMisplaced {
        /// Its digest.
        hash: Hash,
    },
    /// An exported log does not end as its head says.
    #[error(
        "is missing: the head of the file promises {records} records, the last with hash `{hash}`"
    )]
    Shortened {
        /// How many there were.
        records: u64,
        /// The hash of the last.
        hash: Hash,
    },
    /// The head of an exported log tells of another end than the log has.
    #[error("promises {records} records, the last with hash `{hash}`, and the log ends otherwise")]
    OtherEnd {
        /// How many it tells of.
        records: u64,
        /// The hash that it tells of.
        hash: Hash,
    },
    /// The record is whole, but its event is not known here.
    #[error(
        "holds an event of type `{kind}` that only a later version of the harness can read ({detail})"
    )]
    UnknownEvent {
        /// The event's type.
        kind: String,
        /// What is not known about it.
        detail: String,
    },
}

/// A line's members but the hash. `E` is [`Event`], or [`IgnoredAny`] where events do not matter.
#[derive(Deserialize)]
pub(crate) struct Stored<E> {
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) prev: Hash,
    /// The long texts of the event, which stand elsewhere.
    #[serde(default)]
    pub(crate) blobs: Vec<Hash>,
    pub(crate) event: E,
}

#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
}

/// Writes a line up to where its event begins.
pub(crate) fn begin(line: &mut Vec<u8>, seq: u64, time: Timestamp, prev: Hash, blobs: &[Hash]) {
    let mut members = format!(r#"{{"v":{VERSION},"seq":{seq},"time":"{time}","prev":"{prev}","#);
    if !blobs.is_empty() {
        let digests: Vec<String> = blobs.iter().map(|hash| format!("\"{hash}\"")).collect();
        members.push_str(&format!(r#""blobs":[{}],"#, digests.join(",")));
    }
    members.push_str(r#""event":"#);
    line.extend_from_slice(members.as_bytes());
}

/// Hashes what was written since [`begin`] and ends the line.
pub(crate) fn seal(line: &mut Vec<u8>, prev: Hash) -> Hash {
    let hash = hash_of(prev, line);
    line.extend_from_slice(SEAL_OPENING);
    line.extend_from_slice(hash.to_string().as_bytes());
    line.extend_from_slice(SEAL_CLOSING);
    line.push(b'\n');
    hash
}

/// Reads a line, without its line end, and checks its hash.
pub(crate) fn open<E: DeserializeOwned>(line: &[u8]) -> Result<(Stored<E>, Hash), Defect> {
    refuse_newer(line)?;
    let (body, hash) = split_seal(line).ok_or(Defect::NotARecord)?;
    let stored: Stored<E> =
        serde_json::from_slice(line).map_err(|error| unreadable(line, body, hash, &error))?;
    if hash_of(stored.prev, body) == hash {
        Ok((stored, hash))
    } else {
        Err(Defect::WrongHash)
    }
}

/// Puts back what stands elsewhere of a record that was opened.
pub(crate) fn complete<E: DeserializeOwned>(
    line: &[u8],
    mut stored: Stored<E>,
    blobs: &Blobs,
) -> Result<Stored<E>, Defect> {
    if stored.blobs.is_empty() {
        return Ok(stored);
    }
    let whole: Stored<Value> = serde_json::from_slice(line).map_err(|_| Defect::NotARecord)?;
    let mut event = whole.event;
    put_back(&mut event, &whole.blobs, blobs)?;
    stored.event = E::deserialize(event).map_err(|_| Defect::NotARecord)?;
    Ok(stored)
}

fn hash_of(prev: Hash, body: &[u8]) -> Hash {
    Hash::of(&[prev.as_bytes(), body, b"}"])
}

fn refuse_newer(line: &[u8]) -> Result<(), Defect> {
    if line.starts_with(VERSION_PREFIX) {
        return Ok(());
    }
    match serde_json::from_slice(line) {
        Ok(Versioned { v }) if v > VERSION => Err(Defect::Newer { version: v }),
        _ => Err(Defect::NotARecord),
    }
}

fn split_seal(line: &[u8]) -> Option<(&[u8], Hash)> {
    let line = line.strip_suffix(SEAL_CLOSING)?;
    let (body, digits) = line.split_at_checked(line.len().checked_sub(HASH_DIGITS)?)?;
    let body = body.strip_suffix(SEAL_OPENING)?;
    let hash = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((body, hash))
}

/// Tells a damaged line from a whole one whose event this version does not know.
fn unreadable(line: &[u8], body: &[u8], hash: Hash, error: &serde_json::Error) -> Defect {
    let Ok(stored) = serde_json::from_slice::<Stored<IgnoredAny>>(line) else {
        return Defect::NotARecord;
    };
    if hash_of(stored.prev, body) != hash {
        return Defect::WrongHash;
    }
    match serde_json::from_slice::<Stored<Typed>>(line) {
        Ok(stored) => Defect::UnknownEvent {
            kind: shown(&stored.event.kind, 64),
            detail: shown(&error.to_string(), 120),
        },
        Err(_) => Defect::NotARecord,
    }
}

/// Bounds a text for a message and makes its control characters visible.
fn shown(text: &str, characters: usize) -> String {
    text.chars()
        .take(characters)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(before_event: &str, event: &str) -> Vec<u8> {
        let mut line = format!("{before_event}{event}").into_bytes();
        seal(&mut line, Hash::default());
        line.pop();
        line
    }

    fn version_1(event: &str) -> Vec<u8> {
        let mut line = Vec::new();
        begin(
            &mut line,
            1,
            Timestamp::from_millis(0),
            Hash::default(),
            &[],
        );
        sealed(&String::from_utf8(line).unwrap(), event)
    }

    fn defect(line: &[u8]) -> Option<Defect> {
        open::<Event>(line).err()
    }

    #[test]
    fn an_event_of_a_later_version_is_named() {
        assert_eq!(defect(&version_1(r#"{"type":"interrupted"}"#)), None);
        let cases = [
            (r#"{"type":"dreamt","of":[]}"#, "dreamt"),
            (r#"{"type":"run_ended","reason":"bored"}"#, "run_ended"),
        ];
        for (event, name) in cases {
            let found = defect(&version_1(event));
            assert!(
                matches!(&found, Some(Defect::UnknownEvent { kind, .. }) if kind == name),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_record_of_a_later_form_says_so_whatever_its_hash_rule() {
        let line = sealed(r#"{"v":2,"seq":"one","event":"#, "{}");
        assert_eq!(defect(&line), Some(Defect::Newer { version: 2 }));
        assert_eq!(
            defect(br#"{"event":{},"v":7}"#),
            Some(Defect::Newer { version: 7 })
        );
    }

    #[test]
    fn what_is_no_record_is_said_to_be_none() {
        let cases: [&[u8]; 6] = [
            b"",
            b"{}",
            b"\0\0\0",
            br#"{"v":1,"#,
            br#"{"v":0,"seq":1}"#,
            b"\xff\xfe",
        ];
        for line in cases {
            assert_eq!(defect(line), Some(Defect::NotARecord), "{line:?}");
        }
        assert_eq!(defect(&version_1("[]")), Some(Defect::NotARecord));
    }
}
