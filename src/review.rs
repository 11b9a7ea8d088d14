//! Reviews behind the screen and the command: what differs, the book about it, and what comes of it.
//!
//! Nothing here draws or asks. Building a change reads trees and files and writes nothing; it takes
//! its time, so nobody calls it while drawing. The book is changed under the store's lock alone.

pub(crate) mod apply;
pub(crate) mod desk;
pub(crate) mod held;
pub(crate) mod proof;
mod remarks;
pub(crate) mod source;

pub(crate) use desk::Desk;
pub(crate) use source::{Asked, Source};
