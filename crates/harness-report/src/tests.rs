//! What is said about every kind of event, and what foreign text can do to it.

mod events;
pub(crate) use events::every_kind;
mod foreign;
mod told;
