//! How a run ends, and what the process says about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a run ended. Absorbing: a run that has one does nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Every feature of the list is proven, or was taken by a person.
    AllPassing,
    /// The feature that was asked for is proven.
    FeaturePassed,
    /// The task was a question and has its answer; the tree is unchanged.
    Answered,
    /// Our bug or an I/O failure.
    Failed,
    /// Money or tokens are used up.
    Budget,
    /// Turns or time are used up.
    Limit,
    /// A person stopped it.
    Interrupted,
    /// A person gave the run up and took its files back.
    Aborted,
    /// Gates stayed red.
    GatesRed,
    /// A person must answer or approve something.
    NeedsHuman,
    /// Something outside the agent's reach is in the way.
    Blocked,
    /// The agent repeats itself.
    Stuck,
    /// The repository's content is not trusted.
    Untrusted,
    /// The model or the network failed for good.
    ProviderFailed,
    /// Refused by scope or policy.
    Refused,
}

impl EndReason {
    /// Returns the exit code of a process whose run ended so.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::AllPassing | Self::FeaturePassed | Self::Answered => 0,
            Self::Failed => 1,
            Self::Budget | Self::Limit | Self::Interrupted | Self::Aborted => 3,
            Self::GatesRed => 4,
            Self::NeedsHuman | Self::Blocked | Self::Stuck | Self::Untrusted => 5,
            Self::ProviderFailed => 6,
            Self::Refused => 7,
        }
    }

    /// Returns the word that stands in the log and in JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllPassing => "all_passing",
            Self::FeaturePassed => "feature_passed",
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Budget => "budget",
            Self::Limit => "limit",
            Self::Interrupted => "interrupted",
            Self::Aborted => "aborted",
            Self::GatesRed => "gates_red",
            Self::NeedsHuman => "needs_human",
            Self::Blocked => "blocked",
            Self::Stuck => "stuck",
            Self::Untrusted => "untrusted",
            Self::ProviderFailed => "provider_failed",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
