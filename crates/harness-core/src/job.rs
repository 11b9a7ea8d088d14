//! Commands that go on when their call has returned: how one ends, and where long output is kept.

use serde::{Deserialize, Serialize};

use crate::{CallId, RepoPath, Stop, TurnNumber};

/// The folder that the tools show kept output in. It is in no work tree.
pub const KEPT_FOLDER: &str = "@output";

/// How a job came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum JobEnd {
    /// By itself, or at a limit.
    Ended {
        /// How its command ended.
        stop: Stop,
    },
    /// The agent or the harness stopped it.
    Stopped,
    /// It could not be run, or not be kept.
    Failed {
        /// Why.
        message: String,
    },
    /// The process that ran it is gone, and it with that.
    Lost,
}

impl CallId {
    /// Returns the name that an agent uses for the call's job and its kept output, such as `t3c0`.
    pub fn handle(self) -> String {
        format!("t{}c{}", self.turn.0, self.index)
    }

    /// Reads what [`CallId::handle`] returns.
    pub fn of_handle(handle: &str) -> Option<Self> {
        let (turn, index) = handle.trim().strip_prefix('t')?.split_once('c')?;
        Some(Self {
            turn: TurnNumber(turn.parse().ok()?),
            index: index.parse().ok()?,
        })
    }

    /// Returns where the tools find the call's output, should it be kept.
    pub fn kept_output(self) -> Option<RepoPath> {
        RepoPath::parse(format!("{KEPT_FOLDER}/{}.txt", self.handle())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_names_its_call() {
        let call = CallId {
            turn: TurnNumber(12),
            index: 3,
        };
        assert_eq!(call.handle(), "t12c3");
        assert_eq!(CallId::of_handle(" t12c3 "), Some(call));
        for wrong in ["", "t", "t1", "12c3", "t1c", "tc", "t1c2.txt", "t-1c2"] {
            assert_eq!(CallId::of_handle(wrong), None, "{wrong}");
        }
        let kept = call.kept_output().map(|path| path.to_text());
        assert_eq!(kept.as_deref(), Some("@output/t12c3.txt"));
    }
}
