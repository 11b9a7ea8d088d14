//! How a run stands before another process takes it up: a look at the fold, which changes nothing.
//!
//! Called by the command that resumes; what it says goes into the log with the resume.

use harness_core::{EndReason, TakenUp};

use crate::Engine;

impl Engine {
    /// Says where the run stood and what had no end when its process ended.
    ///
    /// A run that ended in order had nothing under way.
    pub fn taken_up(&self) -> TakenUp {
        let Some(session) = &self.session else {
            return TakenUp::default();
        };
        let ended = self.end().is_some();
        TakenUp {
            turn: session.turn(),
            feature: Some(session.feature.id.clone()),
            in_flight: if ended {
                Vec::new()
            } else {
                session.in_flight()
            },
            differs: Vec::new(),
            spent: (!ended).then(|| session.lost_spend(&self.run)).flatten(),
        }
    }

    /// Whether the feature of the open session is proven, so that nothing of it is left to do.
    pub fn is_proven(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.is_proven())
    }

    /// Whether a resume has something to go on with; a run that was given up or ended well has not.
    pub fn has_work_left(&self) -> bool {
        match self.end() {
            None => true,
            Some(end) => end.exit_code() != 0 && end != EndReason::Aborted,
        }
    }
}
