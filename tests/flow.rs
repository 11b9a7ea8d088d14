//! Whole runs against a model server on loopback: features, tasks, tools, faults, limits.

mod dirty;
mod fallback;
mod faults;
mod feature;
mod gates;
mod hand_over;
mod images;
mod limits;
mod long;
pub(crate) mod money;
mod prefix;
mod record;
mod regression;
mod roles;
mod spend;
mod task;
mod tools;
mod wires;
