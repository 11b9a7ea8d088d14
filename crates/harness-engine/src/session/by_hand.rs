//! Work that a person did: it is claimed at once, judged once, and no model is asked.
//!
//! What is judged and how is the same as for an agent; only who claims differs,
//! and that a refusal ends the run instead of going back to somebody.

use harness_core::{EndReason, Event};

use super::{Session, steps::Step};
use crate::words;

impl Session {
    /// Claims the work, lets it be judged, and stops the run when it is refused.
    pub(super) fn by_hand_step(&mut self, summary: &str) -> Step {
        if self.check.is_some() {
            return self.check_step();
        }
        Step::Record(match self.story.refusals.last() {
            None => Event::FinishRequested {
                call: None,
                summary: summary.to_owned(),
            },
            // Why is told with the refusal itself.
            Some(_) => Event::StopDecided {
                reason: EndReason::GatesRed,
                detail: words::REFUSED_BY_HAND.to_owned(),
            },
        })
    }
}
