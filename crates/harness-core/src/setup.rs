//! What setup steps prepare, and how one ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a setup step prepares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupPlace {
    /// The work tree, for the agent.
    WorkTree,
    /// The checkout of the base, for its gates.
    Base,
    /// The checkout of the candidate, for its gates.
    Candidate,
}

impl SetupPlace {
    /// Returns the word of lines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkTree => "work_tree",
            Self::Base => "base",
            Self::Candidate => "candidate",
        }
    }
}

impl fmt::Display for SetupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WorkTree => "the work tree",
            Self::Base => "the base",
            Self::Candidate => "the candidate",
        })
    }
}

/// How a setup step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupEnd {
    /// With exit code 0.
    Done,
    /// In any other way of its own.
    Failed,
    /// It was not wanted any more.
    Cancelled,
}

impl SetupEnd {
    /// Returns the word of lines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}
