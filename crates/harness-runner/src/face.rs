//! What shows a run while it goes on: a fold over its events.

use harness_core::{Event, ModelDelta, Timestamp};

/// A reader of events. It changes nothing about the run.
pub trait Face {
    /// Shows a logged event. `false` when nobody can see it any more, as with a closed pipe.
    fn event(&mut self, event: &Event, time: Timestamp) -> bool;

    /// Shows what was logged before this process began, oldest first.
    fn past(&mut self, events: &[(Event, Timestamp)]) {
        for (event, time) in events {
            self.event(event, *time);
        }
    }

    /// Shows a piece of an answer while it streams; most faces wait for the whole.
    fn delta(&mut self, delta: &ModelDelta) {
        let _ = delta;
    }
}
