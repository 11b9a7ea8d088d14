//! What a person asks of a run while it goes on.

use serde::{Deserialize, Serialize};

use crate::{ApprovalAnswer, CallId, RewindWhat, TurnNumber};

/// What a person asks of a running run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Say this to the agent.
    Say {
        /// The text.
        text: String,
        /// When it reaches the agent.
        urgency: Urgency,
    },
    /// Forget words that wait for the next turn.
    TakeBack {
        /// The text.
        text: String,
    },
    /// The answer to the question that is open.
    Answer {
        /// The text.
        text: String,
    },
    /// The answer to the approval that is open for this call.
    Decide {
        /// The call that waits.
        call: CallId,
        /// The answer.
        answer: ApprovalAnswer,
    },
    /// Leave the question that is open for later: its feature waits, and others go on.
    PutOff,
    /// Go back to before the agent's answer in an earlier turn of the session.
    Rewind {
        /// The turn.
        turn: TurnNumber,
        /// What goes back.
        what: RewindWhat,
    },
    /// Let the gates decide although the agent has not called `finish`.
    TakeClaim,
    /// Stop in order after the step in hand: one answer of the model, one call, or one gate.
    Stop,
    /// Stop in order now: what is in flight is cancelled.
    Interrupt,
}

/// When a person's words reach the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// With the next turn.
    #[default]
    NextTurn,
    /// At once: what is in flight is cancelled and a turn begins.
    Now,
}

impl Urgency {
    /// Whether the words wait for the next turn.
    pub fn is_next_turn(&self) -> bool {
        *self == Self::NextTurn
    }
}
