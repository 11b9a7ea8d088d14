//! How a run is told to stop: for a reason of its own, by a person, or after the step in hand.

use harness_core::EndReason;

use super::Engine;
use crate::session::Session;

impl Engine {
    pub(super) fn stop_for(&mut self, reason: EndReason, detail: &str) {
        self.stop.get_or_insert_with(|| (reason, detail.to_owned()));
    }

    /// Stops the run because a person wants it; a stop they only had to look at was an answer.
    pub(super) fn stop_for_person(&mut self) {
        let session = self.session.as_ref();
        let was_answered = session.is_some_and(|session| {
            session.has_planned()
                || session.is_awaiting_person()
                    && session.has_stopped()
                    && session.is_answer(&self.run)
        });
        let reason = if was_answered {
            EndReason::Answered
        } else {
            EndReason::Interrupted
        };
        self.stop_for(reason, "");
    }

    /// Stops the run that is to stop after the step in hand, as soon as that is over.
    pub(super) fn stop_after_step(&mut self) {
        let in_step = self.session.as_ref().is_some_and(Session::is_in_step);
        if self.stopping && !in_step {
            self.stop_for_person();
        }
    }
}
