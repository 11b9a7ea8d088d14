//! Features, the gates that prove them, and the proof.
//!
//! Pure: texts and facts come in, data comes out. Nothing here reads a disk or
//! a clock or starts a process; the runner does, and the engine decides what a
//! result means for a run.

mod canonical;
pub mod check;
pub mod control;
pub mod detect;
pub mod diagnostics;
pub mod evidence;
pub mod integrity;
pub mod list;
pub mod progress;
pub mod proof;
pub mod readers;
pub mod regression;
pub mod review;
pub mod schedule;
mod text;
