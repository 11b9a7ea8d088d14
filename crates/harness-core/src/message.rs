//! The conversation with a model, free of any wire format.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Image;

/// Everything one model request needs; codecs turn it into bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The instructions, the same bytes for the whole session.
    pub system: Arc<str>,
    /// The tools, sorted by name, the same for the whole session.
    pub tools: Arc<[ToolSpec]>,
    /// The conversation so far, append only, alternating from a user message.
    pub messages: Vec<Arc<Message>>,
}

/// What a model is told about one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSpec {
    /// The name the model calls it by.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// The arguments: JSON Schema of an object, as text.
    pub schema: &'static str,
}

/// One message of the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", content = "parts", rename_all = "snake_case")]
pub enum Message {
    /// From the person or from the harness: text and tool results.
    User(Vec<UserPart>),
    /// From the model.
    Assistant(Vec<AssistantPart>),
}

/// A part of what is sent to the model. Results come before text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UserPart {
    /// The result of one tool call.
    ToolResult(ToolResult),
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
}

/// What came of a tool call, as the model sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The model's own id of the call.
    pub id: String,
    /// Valid UTF-8, bounded by the tool.
    pub content: String,
    /// Whether the call failed or was refused.
    pub is_error: bool,
    /// Images that belong to it; a model that takes none is told so in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
}

/// A part of what a model answered, in the order it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AssistantPart {
    /// Text for the person.
    Text {
        /// The text.
        text: String,
    },
    /// Reasoning, kept byte for byte for the same model.
    Thinking {
        /// The reasoning as shown; may be empty.
        text: String,
        /// The provider's proof that it made this text; a block without one is not sent back where the provider requires it.
        signature: Option<String>,
        /// Who made it; a log of an older version does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maker: Option<Maker>,
    },
    /// Reasoning that only the provider can read.
    RedactedThinking {
        /// The opaque bytes, as sent.
        data: String,
        /// Who made it; a log of an older version does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maker: Option<Maker>,
    },
    /// A request to run a tool.
    ToolCall(ToolCall),
    /// Something that only the provider reads and wants back where it stood: an item of its
    /// own, or what belongs to the part right after it, such as a signature.
    Opaque {
        /// JSON, as sent, without what the part after it says.
        data: String,
        /// Who made it; no one else gets it back.
        maker: Option<Maker>,
    },
}

impl AssistantPart {
    /// Whether it is reasoning that a provider shows or hides; what only its maker can read counts as none.
    pub const fn is_thinking(&self) -> bool {
        matches!(self, Self::Thinking { .. } | Self::RedactedThinking { .. })
    }

    /// Returns who made a part that goes back to its maker alone; none for text and calls.
    pub const fn maker(&self) -> Option<&Maker> {
        match self {
            Self::Thinking { maker, .. }
            | Self::RedactedThinking { maker, .. }
            | Self::Opaque { maker, .. } => maker.as_ref(),
            Self::Text { .. } | Self::ToolCall(_) => None,
        }
    }

    /// Says who made a part that goes back to its maker alone.
    #[must_use]
    pub fn made_by(mut self, by: &Maker) -> Self {
        if let Self::Thinking { maker, .. }
        | Self::RedactedThinking { maker, .. }
        | Self::Opaque { maker, .. } = &mut self
        {
            *maker = Some(by.clone());
        }
        self
    }
}

/// The model that made a part, and the wire it came over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The wire, in the word of the configuration.
    pub wire: String,
    /// The provider's id of the model.
    pub model: String,
}

/// A complete tool call. A call whose stream was cut is never one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's own id, unique at most within one response.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments as the model wrote them: JSON text, not yet trusted to be valid.
    pub arguments: String,
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It has said what it wanted to say.
    EndTurn,
    /// It waits for the results of its tool calls.
    ToolUse,
    /// The answer reached the token limit; calls cut by it are dropped.
    MaxTokens,
    /// A stop sequence was written.
    StopSequence,
    /// The provider paused a long turn and wants it sent back as it is.
    Paused,
    /// The model or the provider declined.
    Refused,
    /// The context window is full.
    ContextFull,
    /// Something this version does not know, in the provider's word.
    Other(String),
}

/// Tokens of one request. Every field is a total, never a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input that was neither read from nor written to a cache.
    pub input: u64,
    /// Input read from the provider's cache.
    pub cache_read: u64,
    /// Input written to the provider's cache.
    pub cache_write: u64,
    /// Output, reasoning included.
    pub output: u64,
}

impl Usage {
    /// Returns everything the model read.
    pub const fn input_total(self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
    }

    /// Returns how much of the input came from a cache; `None` where the provider told of no cache.
    ///
    /// Unit: percent, rounded down, so that 100 is all of it.
    pub const fn cache_percent(self) -> Option<u64> {
        if self.cache_read == 0 && self.cache_write == 0 {
            return None;
        }
        let percent = self.cache_read as u128 * 100 / self.input_total() as u128;
        #[expect(clippy::cast_possible_truncation, reason = "at most 100")]
        Some(percent as u64)
    }

    /// Adds another request's tokens.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
        }
    }
}

/// A whole answer of a model, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelResponse {
    /// The complete parts, in order.
    pub parts: Vec<AssistantPart>,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it cost, zero where the server did not say.
    pub usage: Usage,
}

impl ModelResponse {
    /// Iterates over the tool calls, in order.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call),
            _ => None,
        })
    }

    /// Returns the text for the person, parts joined by blank lines.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            AssistantPart::Text { text } if !text.trim().is_empty() => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n\n")
    }
}

/// A piece of an answer while it streams: shown, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelDelta {
    /// More text.
    Text(String),
    /// More reasoning.
    Thinking(String),
    /// A tool call has begun; its arguments are not known yet.
    CallStarted {
        /// The tool's name.
        name: String,
    },
    /// Tokens so far.
    Usage(Usage),
    /// Bytes of everything said so far, arguments of calls included.
    Said(u64),
    /// What the answer's headers say is short at the provider.
    Allowances(Vec<crate::Allowance>),
    /// No piece of the answer: what a command that runs for it has just printed, as far as it is told.
    Printed {
        /// The call.
        call: crate::CallId,
        /// The piece, any text.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_cache_is_of_all_that_was_read() {
        for (input, cache_read, cache_write, percent) in [
            (0, 0, 0, None),
            (100, 0, 0, None),
            (0, 0, 10, Some(0)),
            (17, 83, 0, Some(83)),
            (0, 999, 1, Some(99)),
            (0, 7, 0, Some(100)),
            (u64::MAX, u64::MAX, 0, Some(100)),
        ] {
            let usage = Usage {
                input,
                cache_read,
                cache_write,
                output: 5,
            };
            assert_eq!(usage.cache_percent(), percent, "{usage:?}");
        }
    }
}
