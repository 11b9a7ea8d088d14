//! Whole runs against a model server on loopback: features, tasks, tools, faults, limits.

mod dirty;
mod fallback;
mod faults;
mod feature;
mod gates;
mod limits;
mod record;
mod regression;
mod spend;
mod task;
mod tools;
mod wires;
