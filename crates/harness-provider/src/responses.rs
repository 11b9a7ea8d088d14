//! The OpenAI Responses wire, without state on the server: every request carries the whole conversation.
//!
//! What the server makes for itself (encrypted reasoning, the ids of its items)
//! comes back as it was sent, to the same model alone.

mod decode;
mod encode;

pub(crate) use decode::Reader;
pub(crate) use encode::encode;

/// The type of an item that holds reasoning.
const REASONING: &str = "reasoning";

/// The type of an item that holds text.
const MESSAGE: &str = "message";

/// The type of an item that calls a tool.
const FUNCTION_CALL: &str = "function_call";
