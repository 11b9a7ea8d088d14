//! The lines of an Ollama answer, folded together.
//!
//! A server whose window is smaller than the prompt drops the front of it, the
//! instructions first, and answers as if nothing had happened. The count of what
//! it read gives it away.

use harness_core::{
    AssistantPart, FailureClass, ModelDelta, ModelFailure, ModelResponse, StopReason, TokenCount,
    ToolCall, Usage,
};
use serde_json::Value;

use crate::{
    assembly::{Room, close, finished, name_calls},
    decoder::Payload,
    failure::{broken, failure_of_event, failure_of_finish},
};

/// The smallest prompt whose count is compared with our estimate: small ones are estimated badly.
const COMPARED_MIN: u64 = 1024;

/// A server that read less than one such part of our estimate has cut the prompt.
const READ_PART_MIN: u64 = 2;

/// The state of one stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reader {
    /// About how many tokens were sent; zero when nothing is compared.
    sent: TokenCount,
    thinking: String,
    content: String,
    calls: Vec<ToolCall>,
    usage: Usage,
    stop: Option<StopReason>,
    room: Room,
}

impl Reader {
    /// Returns how many bytes the answer has so far.
    pub(crate) const fn said(&self) -> usize {
        self.room.said()
    }

    pub(crate) fn new(sent: TokenCount) -> Self {
        Self {
            sent,
            thinking: String::new(),
            content: String::new(),
            calls: Vec::new(),
            usage: Usage::default(),
            stop: None,
            room: Room::default(),
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn read(
        &mut self,
        payload: Payload,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let Payload::Object(line) = payload else {
            return Ok(());
        };
        if !line["error"].is_null() {
            return Err(failure_of_event(&line["error"]));
        }
        let message = &line["message"];
        for (whole, key, delta) in [
            (
                &mut self.thinking,
                "thinking",
                ModelDelta::Thinking as fn(String) -> ModelDelta,
            ),
            (&mut self.content, "content", ModelDelta::Text),
        ] {
            let piece = message[key].as_str().unwrap_or_default();
            if !piece.is_empty() {
                self.room.take_text(piece)?;
                whole.push_str(piece);
                deltas.push(delta(piece.to_owned()));
            }
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            self.take_call(call, deltas)?;
        }
        if line["done"] == true {
            self.end(&line, deltas)?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<ModelResponse, ModelFailure> {
        let Some(stop) = self.stop else {
            return Err(broken("the stream ended before the answer did"));
        };
        let mut parts = Vec::with_capacity(self.calls.len() + 2);
        if !self.thinking.is_empty() {
            parts.push(AssistantPart::Thinking {
                text: self.thinking,
                signature: None,
                maker: None,
            });
        }
        if !self.content.is_empty() {
            parts.push(AssistantPart::Text { text: self.content });
        }
        parts.extend(self.calls.into_iter().map(finished));
        name_calls(&mut parts);
        close(parts, stop, self.usage)
    }

    /// Takes a call, which comes whole or not at all.
    fn take_call(
        &mut self,
        call: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let function = &call["function"];
        let name = function["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            return Err(broken("the stream has a tool call without a name"));
        }
        let arguments = match &function["arguments"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let id = call["id"].as_str().unwrap_or_default();
        self.room.take_part()?;
        self.room.take_call()?;
        for text in [id, name, &arguments] {
            self.room.take_text(text)?;
        }
        deltas.push(ModelDelta::CallStarted {
            name: name.to_owned(),
        });
        self.calls.push(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments,
        });
        Ok(())
    }

    fn end(&mut self, line: &Value, deltas: &mut Vec<ModelDelta>) -> Result<(), ModelFailure> {
        let count = |key: &str| line[key].as_u64().unwrap_or_default();
        let read = count("prompt_eval_count");
        if is_cut(read, self.sent.0) {
            return Err(cut(read, self.sent));
        }
        self.usage = Usage {
            input: read,
            output: count("eval_count"),
            ..Usage::default()
        };
        deltas.push(ModelDelta::Usage(self.usage));
        self.stop = Some(match line["done_reason"].as_str().unwrap_or_default() {
            // Older servers do not say why.
            "stop" | "" => StopReason::EndTurn,
            "length" => StopReason::MaxTokens,
            other => match failure_of_finish(other) {
                Some(failure) => return Err(failure),
                None => StopReason::Other(other.chars().take(64).collect()),
            },
        });
        Ok(())
    }
}

/// Whether a server that read so much has cut a prompt of about that size.
///
/// A server that does not say how much it read is believed.
const fn is_cut(read: u64, sent: u64) -> bool {
    read > 0 && sent >= COMPARED_MIN && read.saturating_mul(READ_PART_MIN) < sent
}

fn cut(read: u64, sent: TokenCount) -> ModelFailure {
    ModelFailure {
        class: FailureClass::ContextOverflow,
        message: format!(
            "the server read {read} tokens of a prompt of about {}: its window is smaller than the \
             model's `context` here, and it drops what does not fit without a word",
            sent.0
        ),
        status: None,
        retry_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_cut_when_far_less_was_read_than_sent() {
        for (read, sent, expected) in [
            (2_051, 15_750, true),
            (7_874, 15_750, true),
            (7_875, 15_750, false),
            (15_000, 15_750, false),
            (30_000, 15_750, false),
            (0, 15_750, false),
            (10, 1_023, false),
            (10, 0, false),
        ] {
            assert_eq!(is_cut(read, sent), expected, "{read} of {sent}");
        }
    }
}
