//! What the harness keeps on disk: session logs, the run index, locks, small state files.
//!
//! Carries no meaning: it stores events and gives them back, and what they say
//! is folded elsewhere. It reads no clock and makes no policy; which texts are
//! secrets is said by the function given to [`LogWriter::with_redaction`].
//! Called by the runner, which writes, and by the commands that read logs.
//!
//! Layout below the folder that the caller names:
//!
//! ```text
//! sessions/S-0001/log.jsonl         one record per line, each chained to the one before
//! sessions/S-0001/log.synced        its last record that is known to be durable
//! sessions/S-0001/log.jsonl.torn-1  what a crash left of a last record
//! sessions/S-0001/blobs/<sha256>    long texts of its events, by the digest of their content
//! sessions/S-0001/session.json      its name, whether it is archived, and that its log was pruned
//! sessions/S-0001/output/1.txt      outputs too long for a record
//! runs.jsonl                        which sessions belong to which run; can be told from the logs
//! intent.jsonl                      what each feature was meant to be, by whose word
//! questions/Q-0001.json             what an agent asked a person, with the answer from outside
//! reviews/R-0001.json              what persons decided and said about the change of a run, or of a range
//! runs/R-0001                       claims the number of a run; empty
//! locks/<name>                      permanent; the kernel's lock on it counts, not its content
//! ```
//!
//! What a day has cost stands beside the person's other state instead: [`SpendLog`]. A recording
//! of model traffic is a folder wherever the person wants it: [`RecordingWriter`], [`Recording`].
//!
//! Folders have mode 0700, files 0600.

mod blob;
mod chain;
mod export;
mod file;
mod follow;
mod hash;
mod intent;
mod lock;
mod log;
mod marks;
mod questions;
mod record;
mod recording;
mod redaction;
mod reviews;
mod runs;
mod spend;
pub mod state;
mod store;
mod synced;
mod writer;
mod written;

pub use blob::{BLOB_BYTES_MAX, BLOB_BYTES_MIN};
pub use export::EXPORT_LINE_BYTES_MAX;
pub use file::FileError;
pub use follow::{Follower, Looked, is_written};
pub use hash::{Hash, HashError};
pub use intent::{IntentEntry, IntentWord, LEDGER_BYTES_MAX};
pub use lock::{Held, Holder, Lock, LockError};
pub use log::{Log, Problem, Verification, first, fold, read, tail, verify, verify_each};
pub use marks::{Marks, NAME_CHARS_MAX, PruneError, Pruned, is_session_name};
pub use questions::{
    ANSWER_BYTES_MAX, AskedQuestion, KeptAnswer, KeptQuestion, QUESTION_BYTES_MAX, QUESTIONS_MAX,
    QuestionError, QuestionState,
};
pub use record::{Defect, Head, RECORD_BYTES_MAX, Record};
pub use recording::{
    EXCHANGE_BYTES_MAX, EXCHANGES_MAX, ExchangeEnd, ExchangeEntry, ExchangePurpose,
    RECORDING_BYTES_MAX, RecordedModel, Recording, RecordingError, RecordingWriter, Replayed,
};
pub use redaction::Redaction;
pub use reviews::{
    BOOK_BYTES_MAX, BookStamp, FoundBook, NotRead, PATCHES_MAX, ReviewError, ReviewKey,
};
pub use runs::{RunEntry, RunIndex};
pub use spend::{SPEND_BYTES_MAX, SpendLog};
pub use store::{Store, StoreError};
pub use writer::{LOG_BYTES_MAX, LogWriter, RECORDS_MAX, TornTail};
