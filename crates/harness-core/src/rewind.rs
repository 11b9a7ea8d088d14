//! Going back to an earlier turn: what a person asks for, and what came of it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{CheckpointNumber, RepoPath, TurnNumber};

/// What goes back to an earlier turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewindWhat {
    /// The conversation: what was said since is forgotten by the agent.
    Talk,
    /// The files: the work tree is as it was when the turn began.
    Files,
    /// The conversation and the files.
    #[default]
    Both,
}

impl RewindWhat {
    /// Whether the conversation goes back.
    pub const fn has_talk(self) -> bool {
        matches!(self, Self::Talk | Self::Both)
    }

    /// Whether the files go back.
    pub const fn has_files(self) -> bool {
        matches!(self, Self::Files | Self::Both)
    }

    /// Returns the word of commands, of the log and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Talk => "talk",
            Self::Files => "files",
            Self::Both => "both",
        }
    }
}

impl fmt::Display for RewindWhat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RewindWhat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Talk, Self::Files, Self::Both];
        all.into_iter().find(|what| what.as_str() == text).ok_or(())
    }
}

/// A session that went back to an earlier turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewound {
    /// The turn: what the agent answered in it, and everything since, is what went.
    pub turn: TurnNumber,
    /// What went back.
    pub what: RewindWhat,
    /// The checkpoint the files went back to; absent where they stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointNumber>,
    /// The files that were written or removed, at most [`Rewound::PATHS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// How many more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

impl Rewound {
    /// The most paths that are named.
    pub const PATHS_MAX: usize = 20;

    /// Returns how many files were written or removed.
    pub fn files(&self) -> u64 {
        self.paths.len() as u64 + self.more
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde asks a field by"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
