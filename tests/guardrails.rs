//! Attacks on the guard, each shown to work without it where that can be shown.

mod approval;
mod arena;
mod findings;
mod forgery;
mod formatter;
mod git;
mod isolation;
mod jobs;
mod large;
mod meanwhile;
mod network;
mod packed;
mod persons_work;
mod processes;
mod proof;
mod reading;
mod relocation;
mod scope;
mod secrets;
mod shared;
mod strays;
