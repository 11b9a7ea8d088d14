//! What helps a provider find again what it has read before.
//!
//! Caches work on what a request begins with: tools, instructions, then messages. What is
//! said here never changes that beginning; it only marks places in it, or names it.
//! Called by the encoders.

use harness_core::{Message, Prompt, UserPart};
use serde::Serialize;

/// Marks on the last user messages. With the one on the instructions and the one on what
/// sessions share, they are the four that Anthropic allows.
///
/// The last message is marked for the next request, the one before it to find
/// what the last request wrote: the server looks back only some 20 blocks from
/// a mark, and one turn of many parallel calls is longer than that.
pub(crate) const MARKED_MESSAGES: usize = 2;

/// A place up to which a provider keeps what it has read.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum CacheControl {
    /// For five minutes from its last use.
    Ephemeral,
}

/// Names the conversation, so that its requests find the same cache: what begins alike has the same key.
///
/// FNV-1a of the instructions and what the first message begins with, which sessions of
/// one repository share; nothing of them can be read off it.
pub(crate) fn cache_key(prompt: &Prompt) -> String {
    let first = match prompt.messages.first().map(AsRef::as_ref) {
        Some(Message::User(parts)) => parts.first(),
        _ => None,
    };
    let first = first.map_or("", |part| match part {
        UserPart::Text { text } => text.as_str(),
        UserPart::ToolResult(result) => result.content.as_str(),
    });
    let bytes = [&*prompt.system, first];
    let bytes = bytes.iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("harness-{hash:016x}")
}
