//! Drives a run: one queue of events, one place that waits, edges that do what the engine asks for.
//!
//! The dispatcher logs each event, hands it to the faces and to the engine, and
//! starts what the engine wants. The executor does it and answers with events.
//! Nothing is decided here but how to carry an effect out.

mod dispatch;
mod execute;
mod face;
mod model;
mod workplace;

pub use dispatch::{Finished, Launch, RuleKeeper, RunnerError, drive, given_answer};
pub use execute::{
    Finder, GateBench, GateCandidate, GatePlace, Subject, changed_by_others, judge_work_tree,
    land_message, redact_for_log, restore_ignored, subject_tree_of, with_closed,
};
pub use face::Face;
pub use model::{HttpModel, ModelClient, Models, Pace, Recorded, Recorder, Replay};
pub use workplace::{SetupPlan, Workplace};
