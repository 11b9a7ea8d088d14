//! How a run stands before another process takes it up: a look at the fold, and what is kept of it.
//!
//! Called by the command that resumes; what it says goes into the log with the resume.

use harness_core::{DifferenceKind, EndReason, TakenUp};

use crate::Engine;

impl Engine {
    /// Says where the run stood and what had no end when its process ended.
    ///
    /// A run that ended in order had nothing under way.
    pub fn taken_up(&self) -> TakenUp {
        let Some(session) = &self.session else {
            return TakenUp {
                is_fresh: true,
                ..TakenUp::default()
            };
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
            spent: (!ended).then(|| session.lost_spend(&self.run)).flatten(),
            ..TakenUp::default()
        }
    }

    /// Keeps what the next session has to know of files, where none is open to be told.
    pub(crate) fn keep_untold(&mut self, found: &TakenUp) {
        if self.session.is_some() {
            return;
        }
        let mut differs = found.differs.iter();
        let files = differs.find(|difference| difference.kind == DifferenceKind::Files);
        if let Some(files) = files {
            self.run.kept.untold = Some(files.clone());
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
