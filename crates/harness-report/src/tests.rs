//! What is said about every kind of event, and what foreign text can do to it.

mod events;
mod foreign;
mod told;
