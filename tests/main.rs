//! The one integration binary: the real program, real repositories, real processes.
//!
//! Only the model is a fake: a script, or a server on loopback that speaks the
//! wires from one.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by panicking"
)]

mod architecture;
mod bad_input;
mod commands;
mod crash;
mod demo;
mod flow;
mod guardrails;
mod json;
mod real_crate;
mod real_work;
mod regressions;
mod screen;
mod support;
mod transcripts;
