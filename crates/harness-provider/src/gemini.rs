//! The Gemini wire, `streamGenerateContent` as server-sent events.
//!
//! Signatures of thoughts go back on the part they came on; without them newer
//! models refuse the conversation.

mod decode;
mod encode;
mod partial;
mod schema;

pub(crate) use decode::Reader;
pub(crate) use encode::encode;

/// The key that carries the signature of a thought.
const SIGNATURE: &str = "thoughtSignature";
