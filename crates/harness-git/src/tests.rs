//! Behaviour against real repositories, made and checked with the `git` program.

mod checkout;
mod checkpoints;
mod fixture;
mod keeping;
mod landing;
mod looking;
mod odd;
mod opening;
mod reading;
mod snapshots;
mod undo;
