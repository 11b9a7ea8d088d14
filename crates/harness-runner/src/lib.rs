//! Drives a run: one queue of events, one place that waits, edges that do what the engine asks for.
//!
//! The dispatcher logs each event, hands it to the faces and to the engine, and
//! starts what the engine wants. The executor does it and answers with events.
//! Nothing is decided here but how to carry an effect out.

pub mod context;
mod dispatch;
mod execute;
mod face;
mod maps;
mod model;
mod programs;
mod turn_down;
mod workplace;

pub use dispatch::{
    Added, Finished, Launch, ProposalKeeper, RuleKeeper, RunnerError, drive, given_answer,
};
pub use execute::{
    Finder, GateBench, GateCandidate, GatePlace, Subject, changed_by_others, judge_work_tree,
    land_message, named_paths, redact_for_log, restore_ignored, subject_tree_of, with_closed,
    work_tree_now,
};
pub use face::Face;
pub use maps::NESTED_MAX;
pub use model::{HttpModel, ModelClient, Models, Pace, Recorded, Recorder, Replay};
pub use programs::{Known, Located};
pub use turn_down::{TurnDown, TurnedBack};
pub use workplace::{Lander, SetupPlan, Workplace};
