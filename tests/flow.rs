//! Whole runs against a model server on loopback: features, tasks, tools, faults, limits.

pub(crate) mod beside;
mod dirty;
mod drift;
mod fallback;
mod faults;
mod feature;
mod format;
mod gates;
mod hand_over;
mod images;
pub(crate) mod jobs;
mod limits;
mod long;
mod maps;
pub(crate) mod money;
mod plan;
mod prefix;
mod questions;
mod record;
mod regression;
mod rewind;
mod roles;
mod spend;
mod task;
mod tools;
mod tools_files;
mod wires;
