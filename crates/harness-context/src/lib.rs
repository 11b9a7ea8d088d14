//! What stands in a model's window when a session begins.
//!
//! Pure: the texts were read before and come in with the session's first
//! record. [`map_candidates`] says where a folder's map may be, [`links`] finds
//! the deeper documents a map points to, [`assemble`] puts the window together
//! within its budget. Nothing here cuts silently: what does not fit is an error
//! that names the file. The engine assembles; the runner reads the maps.

mod index;
mod instructions;
mod map;
mod text;
mod window;

pub use index::{Link, documents, links};
pub use map::map_candidates;
pub use window::{ContextError, Listed, Window, assemble, intent};
