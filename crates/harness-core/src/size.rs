//! How large a prompt is, before a provider has said so.
//!
//! Only sums of lengths; what is counted is what the model reads, not the JSON around it.

use crate::{AssistantPart, ByteCount, Message, Prompt, TokenCount, UserPart};

/// What a provider writes around one message. Unit: tokens. Measured on recorded requests: 4 to 12.
const TOKENS_PER_MESSAGE: u64 = 12;
/// What a provider says to the model about tools beside their schemas. Unit: tokens. Measured on
/// recorded requests: none at some, up to 500 at others.
const TOKENS_OF_TOOLS: u64 = 350;

impl Prompt {
    /// Returns how many bytes of text the model reads.
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
        TokenCount(self.bytes().0.div_ceil(4) + around + tools)
    }
}

impl Message {
    /// Returns how many bytes of text the model reads of it.
    pub fn bytes(&self) -> ByteCount {
        let bytes: usize = match self {
            Self::User(parts) => parts.iter().map(user_bytes).sum(),
            Self::Assistant(parts) => parts.iter().map(assistant_bytes).sum(),
        };
        ByteCount(bytes as u64)
    }
}

fn user_bytes(part: &UserPart) -> usize {
    match part {
        UserPart::Text { text } => text.len(),
        UserPart::ToolResult(result) => result.content.len(),
    }
}

fn assistant_bytes(part: &AssistantPart) -> usize {
    match part {
        AssistantPart::Text { text } | AssistantPart::Thinking { text, .. } => text.len(),
        AssistantPart::RedactedThinking { data, .. } | AssistantPart::Opaque { data, .. } => {
            data.len()
        }
        AssistantPart::ToolCall(call) => call.name.len() + call.arguments.len(),
    }
}
