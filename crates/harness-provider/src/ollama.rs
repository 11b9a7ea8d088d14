//! Ollama's own wire, `/api/chat`: JSON lines, arguments as objects, a window that has to be asked for.
//!
//! Used instead of its Chat Completions because only here the size of the
//! window can be said, and because a prompt that was cut can be noticed.

mod decode;
mod encode;

pub(crate) use decode::Reader;
pub(crate) use encode::encode;
