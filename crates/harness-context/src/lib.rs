//! What stands in a model's window when a session begins.
//!
//! Pure: the texts were read before and come in with the session's first
//! record. [`map_candidates`] says where a folder's map may be, [`links`] finds
//! the deeper documents a map points to, [`about()`] says in one line what one of
//! them holds, [`snapshot`] words what a repository is made of, [`prompts`] has
//! what the agent is told, and [`assemble`] puts the window together within its
//! budget. Nothing here cuts silently: what does not fit is an error that names
//! the file. [`docs`] checks maps and documents against the repository. The
//! engine assembles; the runner reads the maps.

mod about;
mod beside;
pub mod docs;
mod index;
mod map;
pub mod prompts;
pub mod snapshot;
mod text;
mod window;

pub use about::about;
pub use beside::{Reviewed, explorer_head, explorer_question, review_task};
pub use index::{Link, documents, links};
pub use map::{is_map_name, map_candidates, override_name};
pub use window::{ContextError, Listed, Window, assemble, intent, lay_out};
