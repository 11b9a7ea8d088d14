//! The Anthropic Messages wire.

mod decode;
mod encode;

pub(crate) use decode::Reader;
pub(crate) use encode::encode;
