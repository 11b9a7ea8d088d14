//! The Chat Completions wire, as the many servers that claim it speak it.

mod cache;
mod decode;
mod encode;

pub(crate) use decode::Reader;
pub(crate) use encode::encode;

/// The key of reasoning in parts, some of which only its maker can read.
const REASONING_DETAILS: &str = "reasoning_details";
