//! The book of a review: what a person decided and said, kept with a session or with a range.
//!
//! Data and small operations on it; who calls them keeps the book. Nothing is ever removed from it:
//! what was withdrawn stays and is marked, so that two faces that write at the same time can be put
//! together without losing anything. Times are the caller's.

mod comments;
mod decide;
mod merge;

use harness_core::{CheckpointNumber, FeatureId, RepoPath, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Comment, CommentState, Decision, message::ANSWER_BYTES_MAX, text::head};

pub use comments::{Draft, Moved};

/// The version of the form.
pub const SCHEMA: u32 = 1;
/// The largest book, as JSON. Unit: bytes.
pub const BOOK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most decisions, withdrawn ones included.
pub const DECISIONS_MAX: usize = 20_000;
/// The most comments, withdrawn ones included.
pub const COMMENTS_MAX: usize = 2_000;
/// The longest comment, and the longest reason. Unit: bytes.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// The most answers of one comment; of more, the newest stay.
pub const ANSWERS_MAX: usize = 50;
/// The most that rejections which wait keep to be taken back. Unit: bytes.
pub const KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Digits of what tells decisions and comments apart.
const ID_DIGITS: usize = 16;

/// What a person decided and said about a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The version of the form.
    pub schema: u32,
    /// What the change is seen against.
    pub base: Base,
    /// When the base was chosen.
    #[serde(default)]
    pub based: Timestamp,
    /// What was decided, oldest first.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// What was said, by number.
    #[serde(default)]
    pub comments: Vec<Comment>,
}

/// What a change is seen against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Base {
    /// The state before the last checkpoint.
    LastCheckpoint,
    /// A checkpoint.
    Checkpoint {
        /// Its number.
        number: CheckpointNumber,
    },
    /// The state before a feature.
    Feature {
        /// Which.
        feature: FeatureId,
    },
    /// The state before a session.
    Session {
        /// Which.
        session: SessionId,
    },
    /// A branch, a commit, or a range of them, as it was typed.
    Range {
        /// What was typed.
        text: String,
    },
}

impl Base {
    /// Returns it in words.
    pub fn worded(&self) -> String {
        match self {
            Self::LastCheckpoint => "last checkpoint".to_owned(),
            Self::Checkpoint { number } => format!("checkpoint {}", number.0),
            Self::Feature { feature } => feature.to_string(),
            Self::Session { session } => session.to_string(),
            Self::Range { text } => text.clone(),
        }
    }
}

/// Why a book is not read or not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// It is larger than a book may be.
    #[error("the review book has {bytes} bytes, at most {BOOK_BYTES_MAX} are read")]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// It is no book.
    #[error("cannot read the review book: {0}")]
    Malformed(String),
    /// A later version wrote it.
    #[error("the review book has form {found}, this version knows {SCHEMA}")]
    TooNew {
        /// The form found.
        found: u32,
    },
    /// There is no room for more.
    #[error("the review book is full: at most {most} {what}")]
    Full {
        /// What there would be too much of.
        what: &'static str,
        /// How much there may be.
        most: usize,
    },
    /// There is nothing to decide there.
    #[error("`{path}` has no changed lines there")]
    NothingThere {
        /// The file.
        path: RepoPath,
    },
    /// A text is empty or too long.
    #[error("a comment has between 1 and {TEXT_BYTES_MAX} bytes, this one {bytes}")]
    Text {
        /// How long it is.
        bytes: usize,
    },
    /// There is no such comment.
    #[error("there is no comment #{number}")]
    NoComment {
        /// Its number.
        number: u32,
    },
    /// It cannot be done with a comment in this state.
    #[error("comment #{number} is {}", state.as_str())]
    State {
        /// Its number.
        number: u32,
        /// Its state.
        state: CommentState,
    },
}

impl BookError {
    /// Returns what a person can do about it.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooNew { .. } => Some("use the version of harness that wrote it"),
            Self::Malformed(_) => Some("move the file away; the review begins anew"),
            Self::Full { .. } => Some("choose another base, or send and resolve what is open"),
            Self::State { .. } => {
                Some("a comment that was sent is answered or resolved, and not edited")
            }
            _ => None,
        }
    }
}

impl Book {
    /// Makes an empty book.
    pub const fn new(base: Base, now: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            base,
            based: now,
            decisions: Vec::new(),
            comments: Vec::new(),
        }
    }

    /// Reads a book; fields that are not known are passed over.
    ///
    /// # Errors
    /// When it is too large, no book, of a later form, or has more in it than it may.
    pub fn from_json(json: &str) -> Result<Self, BookError> {
        #[derive(Deserialize)]
        struct Form {
            schema: u32,
        }
        if json.len() > BOOK_BYTES_MAX {
            return Err(BookError::TooLarge { bytes: json.len() });
        }
        let malformed = |error: serde_json::Error| BookError::Malformed(error.to_string());
        let form: Form = serde_json::from_str(json).map_err(malformed)?;
        if form.schema > SCHEMA {
            return Err(BookError::TooNew { found: form.schema });
        }
        let mut book: Self = serde_json::from_str(json).map_err(malformed)?;
        within(book.decisions.len(), "decisions", DECISIONS_MAX)?;
        within(book.comments.len(), "comments", COMMENTS_MAX)?;
        for comment in &mut book.comments {
            bound(comment);
        }
        book.schema = SCHEMA;
        Ok(book)
    }

    /// Returns it as JSON.
    ///
    /// # Errors
    /// When it is larger than what is read again.
    pub fn to_json(&self) -> Result<String, BookError> {
        let json =
            serde_json::to_string(self).map_err(|error| BookError::Malformed(error.to_string()))?;
        if json.len() > BOOK_BYTES_MAX {
            return Err(BookError::TooLarge { bytes: json.len() });
        }
        Ok(json)
    }

    /// Chooses what the change is seen against; what was decided and said stays, and is found again
    /// by content.
    pub fn choose_base(&mut self, base: Base, now: Timestamp) {
        (self.base, self.based) = (base, now);
    }
}

fn within(count: usize, what: &'static str, most: usize) -> Result<(), BookError> {
    if count > most {
        return Err(BookError::Full { what, most });
    }
    Ok(())
}

/// Cuts what a comment keeps.
fn bound(comment: &mut Comment) {
    comment
        .text
        .truncate(head(&comment.text, TEXT_BYTES_MAX).len());
    let too_many = comment.answers.len().saturating_sub(ANSWERS_MAX);
    comment.answers.drain(..too_many);
    for answer in &mut comment.answers {
        answer
            .text
            .truncate(head(&answer.text, ANSWER_BYTES_MAX).len());
    }
    comment.number = comment.number.max(1);
}

#[cfg(test)]
mod tests;
