//! What a person's review of the change wants of a run, and what came of it.
//!
//! The book of the review stands outside of the log; what a run does because of it is here.

use serde::{Deserialize, Serialize};

use crate::{CallId, RepoPath, Timestamp};

/// The book of the run's review as far as the run goes by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewChanged {
    /// Comments that must be fixed and that nobody has resolved, at most [`Self::MUST_FIX_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_fix: Vec<OpenMustFix>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: u64,
    /// Comments that wait for the agent's answer, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<u32>,
    /// Comments that were sent and that this session was not told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ToldComments>,
    /// What is to be taken back at the end of the turn, at most [`Self::REJECTIONS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejections: Vec<Rejection>,
    /// Whether a session begins with it: its first turn begins anew with the words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opening: bool,
}

impl ReviewChanged {
    /// The most comments that are named one by one.
    pub const MUST_FIX_MAX: usize = 50;
    /// The most rejections that are carried out at once; what is more comes behind them.
    pub const REJECTIONS_MAX: usize = 50;
    /// The most that is told of one comment, one reason or one hunk. Unit: bytes.
    pub const TEXT_BYTES_MAX: usize = 2 * 1024;
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_none(number: &u64) -> bool {
    *number == 0
}

/// A comment that keeps the feature from finishing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMustFix {
    /// What it is called by.
    pub number: u32,
    /// What it is about, in words.
    pub place: String,
    /// What was said.
    pub text: String,
    /// Whether a person's word is all that is missing: the agent has answered, or was not told yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits_for_person: bool,
}

/// Comments that go to the agent as one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldComments {
    /// Which, and since when each waits.
    pub comments: Vec<ToldComment>,
    /// The message.
    pub text: String,
}

/// A comment that goes to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldComment {
    /// What it is called by.
    pub number: u32,
    /// When it was sent; a later time is another time.
    pub since: Timestamp,
}

/// Something that a person rejected and that is not taken back yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The decision in the book.
    pub id: String,
    /// The hunk.
    pub hunk: String,
    /// The file.
    pub path: RepoPath,
    /// Why; empty where nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The lines that go and those that come back.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub patch: String,
}

/// Rejections that were carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedDown {
    /// One for each rejection that was asked for.
    pub parts: Vec<TurnedDownPart>,
    /// Why nothing could be done; empty when all went well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

/// What became of a rejection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedDownPart {
    /// The decision in the book.
    pub id: String,
    /// The hunk.
    pub hunk: String,
    /// The file.
    pub path: RepoPath,
    /// How it came out.
    pub end: TurnedDownEnd,
}

/// How a rejection came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TurnedDownEnd {
    /// It was taken back, now or before.
    Applied,
    /// The person changed their mind before.
    Withdrawn,
    /// It could not be taken back: a person decides anew.
    Clash {
        /// Why.
        why: String,
        /// Where it stood, from 1.
        line: u32,
        /// What would stand there.
        wanted: String,
        /// What stands there.
        found: String,
    },
}

/// What the agent answered to a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentAnswered {
    /// The call that answers; absent where it was said in the agent's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The comment.
    pub number: u32,
    /// What was said.
    pub text: String,
}
