//! Work that was put aside comes back when its feature is taken up again.
//!
//! Before the first turn: the agent goes on with it, or is told where it is kept. Called by `steps`.

use harness_core::{FeatureId, RunState};

use super::{Session, Step};
use crate::{Effect, words};

/// Where the work that was put aside stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BringBack {
    /// It has not been looked at.
    #[default]
    Due,
    InFlight,
    /// It is back, was told of, or there was none.
    Done,
}

impl BringBack {
    pub(super) fn is_in_flight(self) -> bool {
        self == Self::InFlight
    }

    pub(super) fn resume(&mut self) {
        if *self == Self::InFlight {
            *self = Self::Due;
        }
    }
}

impl Session {
    /// Brings the work back, or waits until it is.
    pub(super) fn bring_back_step(&mut self, run: &RunState) -> Option<Step> {
        match self.bring_back {
            BringBack::Done => None,
            BringBack::InFlight => Some(Step::Wait),
            BringBack::Due => {
                let Some(work) = run.kept.aside_of(&self.feature.id) else {
                    self.bring_back = BringBack::Done;
                    return None;
                };
                self.bring_back = BringBack::InFlight;
                Some(Step::Do(Effect::BringBack(Box::new(work.clone()))))
            }
        }
    }

    pub(super) fn on_brought_back(&mut self, feature: &FeatureId, files: u32, message: &str) {
        if self.bring_back != BringBack::InFlight || *feature != self.feature.id {
            return;
        }
        self.bring_back = BringBack::Done;
        self.saving.due |= files > 0;
        self.talk.tell(words::brought_back(files, message));
    }
}
