//! What the harness does itself, without a permit.

use std::fmt;

use serde::Serialize;

/// The harness's own acts on a repository: all of them.
///
/// A permit proves that what an *agent* asked for was judged. These are asked for
/// by no agent: they follow from the harness's rules or a person's command, touch
/// what agents never touch, and are named here so that an executor can match
/// them exhaustively and a reader sees that there is no other door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HostAct {
    /// Saves the work tree on a private ref.
    Checkpoint,
    /// Brings the work tree back to a checkpoint.
    Undo,
    /// Commits a proven feature to the run's branch.
    Commit,
    /// Brings proven commits to the person's branch.
    Land,
    /// Restores the files of the first checkpoint.
    Abort,
    /// Writes a candidate or base tree into a gate's work tree.
    CheckOutCandidate,
    /// Writes a host-owned file: feature list, progress log, evidence.
    WriteHostFile,
    /// Moves unproven or stray changes out of the way, their bytes kept.
    SetAside,
}

impl HostAct {
    /// Returns the word of lines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Undo => "undo",
            Self::Commit => "commit",
            Self::Land => "land",
            Self::Abort => "abort",
            Self::CheckOutCandidate => "check_out_candidate",
            Self::WriteHostFile => "write_host_file",
            Self::SetAside => "set_aside",
        }
    }
}

impl fmt::Display for HostAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
