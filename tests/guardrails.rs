//! Attacks on the guard, each shown to work without it where that can be shown.

mod approval;
mod arena;
mod findings;
mod forgery;
mod git;
mod isolation;
mod jobs;
mod large;
mod meanwhile;
mod network;
mod processes;
mod proof;
mod relocation;
mod scope;
mod secrets;
mod strays;
