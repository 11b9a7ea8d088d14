//! The Chat Completions wire, as the many servers that claim it speak it.

mod decode;
mod encode;

pub(crate) use decode::Reader;
pub(crate) use encode::encode;
