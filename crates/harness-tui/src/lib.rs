//! The screen of `harness`: a fold over the events of a run, drawn when something changes.
//!
//! [`update()`] takes one [`Input`] in and returns what is asked for in turn;
//! [`view()`] paints the state; [`show`] is the loop around both. The terminal is
//! touched in `term` alone, and nothing here starts, stops or decides anything
//! about a run: that is what a [`Host`] does with a [`Request`].

mod answers;
mod app;
mod approval;
mod attention;
mod command;
mod composer;
mod found;
mod ink;
mod input;
mod key;
mod keymap;
mod layout;
mod list;
mod markdown;
mod offer;
mod overlay;
mod page;
mod pages;
mod paint;
mod passage;
mod question;
mod reader;
mod review;
mod screen;
mod summary;
mod term;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod transcript;
mod update;
mod view;
mod vim;
mod work;

pub use app::{App, Motion, Origin, Setup};
pub use command::{Binding, COMMANDS, Command, Entry, Place};
pub use found::{
    CheckpointFound, CheckpointsFound, Errand, FeatureFound, FeaturesFound, FirstFound, Found,
    GateFound, GatesFound, Kept, Mine, Progress, ProofFound, Rank, Reach, SessionFound,
    SessionsFound, Standing, Wanted,
};
pub use input::{
    Answer, Decision, Failed, Input, Known, Loan, Over, Overview, Query, Request, Start,
};
pub use key::{Code, Key, NoKey};
pub use keymap::{KeyMap, Wish};
pub use layout::LEAST;
pub use paint::Painter;
pub use passage::{CLIPBOARD_MAX, Notify, Passage, Protocol};
pub use question::Question;
pub use review::{DressWanted, Dressed, ReviewAsked, ReviewFound, ReviewKept, ReviewSaved, Then};
pub use screen::{Host, Left, Line, frame, show};
pub use summary::summary;
pub use term::{leave, size};
pub use theme::{Colours, Depth, Ground, Palette, Signs, Theme};
pub use update::update;
pub use view::view;
