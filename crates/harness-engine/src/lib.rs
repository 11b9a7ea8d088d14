//! The run as a state machine: logged facts in, effects out.
//!
//! Pure: no disk, clock, network or task. The runner feeds [`Engine::handle`]
//! every event it has logged and carries out the effects; replay and resume
//! feed the same events again and throw the effects away. What is not logged
//! (time passing, tokens while they stream) goes through [`Engine::observe`],
//! which can only propose an event.
//!
//! State is level-triggered: an event changes what is known, then
//! [`Engine::handle`] asks "what is to be done now?" until the answer is to
//! wait. So a crash at any point is mended by folding the log and asking again.

mod album;
mod breaker;
mod calls;
mod check;
mod conversation;
mod drift;
mod effect;
mod engine;
mod limits;
mod loops;
mod pacing;
mod proposal;
mod questions;
mod retry;
mod session;
mod taken_up;
mod talk;
mod window;
mod words;

pub use conversation::{BESIDE_OUTPUT_MAX, BESIDE_TURNS_MAX};
pub use effect::{
    AskBeside, CommitFeature, Effect, OpenSession, RewindFiles, RunGate, RunNegativeControl,
    SettleProposal, WriteHandOver,
};
pub use engine::{Engine, Tick};
pub use proposal::{check_proposal, read_proposal, title_key};
pub use session::{ANSWER_WAIT_MAX, HAND_OVER_OUTPUT_MAX, first_prompt};
