//! A session that another process takes up: what was in flight, what differs, and where it comes from.
//!
//! Kept in the log with the resume, so that every face and every later fold says the same. Nothing
//! is decided here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CheckpointNumber, FeatureId, RepoPath, RunId, SessionId, Spent, TurnNumber};

/// How a session stood when it was taken up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenUp {
    /// The turn it stood in.
    #[serde(default)]
    pub turn: TurnNumber,
    /// The feature in work; absent where no session was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureId>,
    /// Whether the last session was over, so that a fresh one goes on with what is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_fresh: bool,
    /// What was under way and has no end in the log, at most [`TakenUp::NAMED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_flight: Vec<InFlight>,
    /// What is not as it was, and what is done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Difference>,
    /// What the request in flight has cost at least: its input, estimated. Absent where none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
}

impl TakenUp {
    /// The most that is named of what was in flight, and the most paths of one difference.
    pub const NAMED_MAX: usize = 20;

    /// Whether nothing is known, as in logs of earlier versions.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that was under way when its process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// What it is.
    pub kind: InFlightKind,
    /// Which one, in a few words.
    pub what: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// Kinds of what can be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InFlightKind {
    /// A request to a model.
    Request,
    /// A shell command.
    Command,
    /// A command that went on when its call had returned.
    Job,
    /// A file that was being written.
    Edit,
    /// Any other call of a tool.
    Call,
    /// A gate, or what comes before and behind the gates of a finish.
    Gate,
    /// A review of a change.
    Review,
    /// A proof on its way into a commit.
    Commit,
    /// The work tree on its way into a checkpoint.
    Checkpoint,
    /// A setup step.
    Setup,
    /// Files on their way to another state: put aside, brought back, rewound.
    Files,
    /// The note for the next session.
    HandOver,
    /// A question or an approval that waits for a person.
    Question,
}

impl InFlightKind {
    /// Returns the word of lines, of the log and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Command => "command",
            Self::Job => "job",
            Self::Edit => "edit",
            Self::Call => "call",
            Self::Gate => "gate",
            Self::Review => "review",
            Self::Commit => "commit",
            Self::Checkpoint => "checkpoint",
            Self::Setup => "setup",
            Self::Files => "files",
            Self::HandOver => "hand_over",
            Self::Question => "question",
        }
    }
}

impl fmt::Display for InFlightKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What becomes of something that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// What it did is not known: it is not repeated, and the agent is told.
    Unknown,
    /// It is the harness's own and is done again.
    Again,
    /// A person is asked again.
    Asked,
}

impl Fate {
    /// Returns the word of the log and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Again => "again",
            Self::Asked => "asked",
        }
    }
}

/// Something that is not as the log left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What it is about.
    pub kind: DifferenceKind,
    /// What differs, in one line.
    pub text: String,
    /// What is done about it, in one line.
    pub done: String,
    /// The files it is about, at most [`TakenUp::NAMED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// How many more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

impl Difference {
    /// Makes one that is about no file.
    pub fn new(kind: DifferenceKind, text: impl Into<String>, done: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            done: done.into(),
            paths: Vec::new(),
            more: 0,
        }
    }

    /// Names the files it is about, as many as a record takes.
    #[must_use]
    pub fn about(mut self, mut paths: Vec<RepoPath>) -> Self {
        self.more = paths.len().saturating_sub(TakenUp::NAMED_MAX) as u64;
        paths.truncate(TakenUp::NAMED_MAX);
        self.paths = paths;
        self
    }
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Files that the agent may write.
    Files,
    /// The commit the person stands on.
    Head,
    /// The run's branch.
    Branch,
    /// What the configuration says of scope, gates and the rest.
    Configuration,
    /// The model that answers.
    Model,
    /// A checkpoint.
    Checkpoint,
    /// The log itself.
    Log,
}

impl DifferenceKind {
    /// Returns the word of lines, of the log and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Head => "head",
            Self::Branch => "branch",
            Self::Configuration => "configuration",
            Self::Model => "model",
            Self::Checkpoint => "checkpoint",
            Self::Log => "log",
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a session comes from that began with the conversation and the files of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forked {
    /// The other session; it stays as it is.
    pub session: SessionId,
    /// Its run.
    pub run: RunId,
    /// The checkpoint whose files it begins with.
    pub checkpoint: CheckpointNumber,
    /// The last turn of the other that it knows of.
    pub turn: TurnNumber,
    /// How many files were written or removed for it.
    #[serde(default)]
    pub files: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde asks a field by"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
