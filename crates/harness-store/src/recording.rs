//! Recordings of model traffic on disk: one folder, one entry for each exchange with a server.
//!
//! ```text
//! meta.json           what was recorded, and an entry for each exchange
//! 00.request.json     the body that was sent
//! 00.response.sse     the body that came (.ndjson, or .json where it is no stream)
//! 00.chunks.tsv       when its pieces came: milliseconds, a tab, bytes
//! ```
//!
//! `docs/recordings.md` has every key. Recordings that others made have the same
//! layout with fewer keys, and keys of their own are left alone. Nothing is known
//! here of keys and secrets: what is given is written. The runner records and
//! replays, a command opens.

mod reader;
mod writer;

use std::path::PathBuf;

use harness_core::{ByteCount, Timestamp, TokenCount};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use reader::{Recording, Replayed};
pub use writer::RecordingWriter;

use crate::FileError;

/// The largest body of a request or an answer that is recorded or replayed.
pub const EXCHANGE_BYTES_MAX: ByteCount = ByteCount::mib(64);

/// The largest sum of all bodies of a recording.
pub const RECORDING_BYTES_MAX: ByteCount = ByteCount::mib(1024);

/// How many exchanges a recording holds.
pub const EXCHANGES_MAX: usize = 1000;

/// The largest `meta.json`, and the largest `.chunks.tsv`.
const INDEX_BYTES_MAX: ByteCount = ByteCount::mib(16);

/// The name of the file that says what a folder holds.
const META: &str = "meta.json";

/// What `meta.json` says at its top.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Who made it; absent where others did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorder: Option<String>,
    /// The models that were asked, the first one first.
    #[serde(default)]
    models: Vec<RecordedModel>,
    /// Why the recording ends before the run did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
    interactions: Vec<ExchangeEntry>,
}

/// A model as far as a replayed run depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedModel {
    /// The person's name for it.
    pub name: String,
    /// The provider's id.
    #[serde(default)]
    pub id: String,
    /// Host and port.
    #[serde(default)]
    pub provider: String,
    /// The size of its window. Unit: tokens.
    #[serde(default)]
    pub context: TokenCount,
    /// The longest answer asked for. Unit: tokens.
    #[serde(default)]
    pub output: TokenCount,
}

/// One exchange in `meta.json`. What others leave out has a default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExchangeEntry {
    /// Its number, from 0.
    #[serde(default)]
    pub n: u64,
    /// The wire: `anthropic`, `openai-responses`, `openai-chat`, `gemini`, `ollama`.
    pub api: String,
    /// What it was for.
    #[serde(
        default,
        deserialize_with = "purpose",
        skip_serializing_if = "ExchangePurpose::is_turn"
    )]
    pub purpose: ExchangePurpose,
    /// The provider's id of the model that was asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// How it was sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Where it was sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The path of that.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url_path: String,
    /// When it was sent; absent where others recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// About how many tokens the prompt has; zero where nothing is compared with it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompt_tokens: u64,
    /// The headers that were sent.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub request_headers: Map<String, Value>,
    /// The file of the body that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The status of the answer; absent where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers of the answer.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The file of the body that came; absent where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The file that says when its pieces came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<String>,
    /// How many bytes of the body came.
    #[serde(default)]
    pub bytes: u64,
    /// How long the whole exchange took. Unit: milliseconds.
    #[serde(default)]
    pub ms: u64,
    /// How it ended.
    #[serde(default)]
    pub ended: ExchangeEnd,
    /// What was said about an end that is no good one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What an exchange was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangePurpose {
    /// A turn of the agent.
    #[default]
    Turn,
    /// The note for the next session: a replayed run makes it of facts and asks nobody.
    HandOver,
}

impl ExchangePurpose {
    const fn is_turn(&self) -> bool {
        matches!(self, Self::Turn)
    }
}

/// Reads what an exchange was for; a word that others have there for something else is no word of ours.
fn purpose<'de, D: Deserializer<'de>>(from: D) -> Result<ExchangePurpose, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(ExchangePurpose::deserialize(value).unwrap_or_default())
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeEnd {
    /// The body came whole, or nothing that still came mattered.
    #[default]
    Complete,
    /// The connection ended before the body did.
    Cut,
    /// The server reset the connection.
    Reset,
    /// Nothing came for as long as a stream may be silent.
    Silent,
    /// The person or a limit ended it.
    Cancelled,
    /// No connection.
    Unreachable,
    /// The connection could not be encrypted.
    Tls,
    /// The server answered with a redirect, which is not followed.
    Redirect,
    /// The request could not be sent as it is.
    Invalid,
    /// Not yet: the recording program was killed.
    Open,
}

/// A recording that cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder for a new recording holds one.
    #[error("cannot record into `{}`: it holds a recording already", .folder.display())]
    Taken {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder for a new recording holds something else.
    #[error("cannot record into `{}`: it is not empty, and what it holds is no recording", .folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds a recording of another program.
    #[error("cannot record into `{}`: another program made what it holds", .folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no recording where one is to be read.
    #[error("cannot read the recording `{}`: {what}", .folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// What is not there.
        what: &'static str,
    },
    /// `meta.json` is not what it should be; the cause says in which line.
    #[error("cannot read `{}`", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// Something else is wrong with a file.
    #[error("cannot read `{}`: {problem}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The key or line, and what is wrong with it.
        problem: String,
    },
    /// A bound is reached.
    #[error("a recording holds at most {what}")]
    Full {
        /// How much of what.
        what: String,
    },
}
