//! How large a prompt is, before a provider has said so.
//!
//! Only sums of lengths; what is counted is what the model reads, not the JSON around it.

use crate::{AssistantPart, ByteCount, Image, Message, Prompt, TokenCount, ToolResult, UserPart};

/// What a provider writes around one message. Unit: tokens. Measured on recorded requests: 4 to 12.
const TOKENS_PER_MESSAGE: u64 = 12;
/// What a provider says to the model about tools beside their schemas. Unit: tokens. Measured on
/// recorded requests: none at some, up to 500 at others.
const TOKENS_OF_TOOLS: u64 = 350;

/// What a token of text has, on the whole. Unit: bytes.
const BYTES_PER_TOKEN: usize = 4;
/// What a token of an image has at Anthropic, whose count is the largest.
///
/// Source: <https://platform.claude.com/docs/en/build-with-claude/vision>.
const PIXELS_PER_TOKEN: u64 = 750;
/// The fewest tokens of an image: what Gemini counts for a small one.
///
/// Source: <https://ai.google.dev/gemini-api/docs/image-understanding>.
const TOKENS_PER_IMAGE_MIN: u64 = 258;
/// The most tokens of an image that is read in full.
const TOKENS_PER_IMAGE_MAX: u64 = 4_800;

impl Prompt {
    /// Returns how many bytes of text the model reads; an image counts as the text of as many tokens.
    pub fn bytes(&self) -> ByteCount {
        let messages = self.messages.iter().map(|message| message.bytes().0);
        let tools = self
            .tools
            .iter()
            .map(|tool| (tool.name.len() + tool.description.len() + tool.schema.len()) as u64);
        ByteCount(self.system.len() as u64 + tools.sum::<u64>() + messages.sum::<u64>())
    }

    /// Estimates the tokens of a prompt of which no provider has said anything yet.
    ///
    /// A quarter of its bytes and what stands around messages and tools: rather too
    /// many than too few, since limits are held to it.
    pub fn estimate(&self) -> TokenCount {
        let around = self.messages.len() as u64 * TOKENS_PER_MESSAGE;
        let tools = if self.tools.is_empty() {
            0
        } else {
            TOKENS_OF_TOOLS
        };
        TokenCount(self.bytes().0.div_ceil(BYTES_PER_TOKEN as u64) + around + tools)
    }
}

impl UserPart {
    /// Returns how many bytes of text the model reads of it; an image counts as the text of as many tokens.
    pub fn bytes(&self) -> ByteCount {
        ByteCount(user_bytes(self) as u64)
    }

    /// Returns the same of a result.
    pub fn result_bytes(result: &ToolResult) -> ByteCount {
        ByteCount(bytes_of_result(result) as u64)
    }
}

impl Message {
    /// Returns how many bytes of text the model reads of it; an image counts as the text of as many tokens.
    pub fn bytes(&self) -> ByteCount {
        let bytes: usize = match self {
            Self::User(parts) => parts.iter().map(user_bytes).sum(),
            Self::Assistant(parts) => parts.iter().map(assistant_bytes).sum(),
        };
        ByteCount(bytes as u64)
    }

    /// Returns the same without reasoning, which is not always sent back and whose size only the provider knows.
    pub fn bytes_without_reasoning(&self) -> ByteCount {
        match self {
            Self::User(_) => self.bytes(),
            Self::Assistant(parts) => {
                let spoken: usize = parts.iter().filter_map(spoken_bytes).sum();
                ByteCount(spoken as u64)
            }
        }
    }
}

fn user_bytes(part: &UserPart) -> usize {
    match part {
        UserPart::Text { text } => text.len(),
        UserPart::ToolResult(result) => bytes_of_result(result),
    }
}

fn bytes_of_result(result: &ToolResult) -> usize {
    let images: u64 = result.images.iter().map(tokens_of).sum();
    result.content.len() + images as usize * BYTES_PER_TOKEN
}

/// Estimates what an image weighs: a large one is made smaller by whoever reads it.
fn tokens_of(image: &Image) -> u64 {
    let pixels = u64::from(image.width) * u64::from(image.height);
    pixels
        .div_ceil(PIXELS_PER_TOKEN)
        .clamp(TOKENS_PER_IMAGE_MIN, TOKENS_PER_IMAGE_MAX)
}

fn assistant_bytes(part: &AssistantPart) -> usize {
    match part {
        AssistantPart::Thinking { text, .. } => text.len(),
        AssistantPart::RedactedThinking { data, .. } | AssistantPart::Opaque { data, .. } => {
            data.len()
        }
        spoken => spoken_bytes(spoken).unwrap_or_default(),
    }
}

/// Returns the size of what is no reasoning.
fn spoken_bytes(part: &AssistantPart) -> Option<usize> {
    match part {
        AssistantPart::Text { text } => Some(text.len()),
        AssistantPart::ToolCall(call) => Some(call.name.len() + call.arguments.len()),
        AssistantPart::Thinking { .. }
        | AssistantPart::RedactedThinking { .. }
        | AssistantPart::Opaque { .. } => None,
    }
}
