//! The events of a Messages stream, folded into an answer.
//!
//! Unknown events and blocks are skipped, and so are blocks of tools that the
//! server runs itself: only a `tool_use` is a call of ours.

use harness_core::{
    AssistantPart, ModelDelta, ModelFailure, ModelResponse, StopReason, ToolCall, Usage,
};
use serde_json::Value;

use crate::{
    assembly::{Room, close, finished, may_cut},
    decoder::Payload,
    failure::{broken, failure_of_event},
};

/// The state of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reader {
    blocks: Vec<Block>,
    usage: Usage,
    stop: Option<StopReason>,
    done: bool,
    room: Room,
}

/// One content block.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    index: u64,
    closed: bool,
    /// What it holds so far; none for a kind that is skipped.
    part: Option<AssistantPart>,
    /// Arguments that came with the start of a call, used when no fragment follows.
    given: Option<String>,
}

impl Reader {
    /// Returns how many bytes the answer has so far.
    pub(crate) const fn said(&self) -> usize {
        self.room.said()
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.done
    }

    pub(crate) fn read(
        &mut self,
        payload: Payload,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        // Some gateways end every stream with `[DONE]`; on this wire it says nothing.
        let Payload::Object(event) = payload else {
            return Ok(());
        };
        match text(&event, "type") {
            "message_start" => self.count(&event["message"]["usage"], deltas),
            "content_block_start" => return self.start_block(&event, deltas),
            "content_block_delta" => return self.extend_block(&event, deltas),
            "content_block_stop" => self.stop_block(index_of(&event)),
            "message_delta" => self.change_message(&event, deltas),
            "message_stop" => self.done = true,
            "error" => return Err(failure_of_event(&event["error"])),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<ModelResponse, ModelFailure> {
        let Some(stop) = self.stop.filter(|_| self.done) else {
            return Err(broken("the stream ended before the answer did"));
        };
        let mut parts = Vec::with_capacity(self.blocks.len());
        for block in self.blocks {
            match block.part {
                Some(AssistantPart::ToolCall(mut call)) if !block.closed => {
                    if !may_cut(&stop) {
                        return Err(broken("the stream ended inside a tool call"));
                    }
                    // An empty text is no JSON: closing the answer leaves the call out.
                    call.arguments.clear();
                    parts.push(AssistantPart::ToolCall(call));
                }
                Some(AssistantPart::ToolCall(call)) => parts.push(finished(call)),
                Some(part) if !is_empty(&part) => parts.push(part),
                _ => {}
            }
        }
        close(parts, stop, self.usage)
    }

    fn start_block(
        &mut self,
        event: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        self.room.take_part()?;
        let content = &event["content_block"];
        let part = empty_part(content);
        if let Some(AssistantPart::ToolCall(call)) = &part {
            self.room.take_call()?;
            self.room.take_text(&call.id)?;
            self.room.take_text(&call.name)?;
            deltas.push(ModelDelta::CallStarted {
                name: call.name.clone(),
            });
        }
        let given = content["input"]
            .as_object()
            .filter(|input| part.is_some() && !input.is_empty())
            .map(|_| content["input"].to_string());
        self.room.take_text(given.as_deref().unwrap_or_default())?;
        self.blocks.push(Block {
            index: index_of(event),
            closed: false,
            part,
            given,
        });
        // A block may start with its first piece, which has the shape of a delta.
        self.extend_block_with(index_of(event), content, deltas)
    }

    fn extend_block(
        &mut self,
        event: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        self.extend_block_with(index_of(event), &event["delta"], deltas)
    }

    fn extend_block_with(
        &mut self,
        index: u64,
        piece: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let Some(block) = self.blocks.iter_mut().rfind(|block| block.index == index) else {
            return Err(broken("the stream extends a block that never started"));
        };
        let Some(part) = &mut block.part else {
            return Ok(());
        };
        match part {
            AssistantPart::Text { text: whole } => {
                let piece = text(piece, "text");
                self.room.take_text(piece)?;
                whole.push_str(piece);
                show(piece, ModelDelta::Text, deltas);
            }
            AssistantPart::Thinking {
                text: whole,
                signature,
                ..
            } => {
                let thought = text(piece, "thinking");
                self.room.take_text(thought)?;
                whole.push_str(thought);
                show(thought, ModelDelta::Thinking, deltas);
                let proof = text(piece, "signature");
                if !proof.is_empty() {
                    self.room.take_text(proof)?;
                    *signature = Some(proof.to_owned());
                }
            }
            AssistantPart::RedactedThinking { data, .. } => {
                let piece = text(piece, "data");
                self.room.take_text(piece)?;
                data.push_str(piece);
            }
            AssistantPart::ToolCall(call) => {
                let piece = text(piece, "partial_json");
                self.room.take_text(piece)?;
                call.arguments.push_str(piece);
            }
            // No block of this wire is one.
            AssistantPart::Opaque { .. } => {}
        }
        Ok(())
    }

    fn stop_block(&mut self, index: u64) {
        let Some(block) = self.blocks.iter_mut().rfind(|block| block.index == index) else {
            return;
        };
        block.closed = true;
        if let Some(AssistantPart::ToolCall(call)) = &mut block.part
            && call.arguments.trim().is_empty()
            && let Some(given) = block.given.take()
        {
            call.arguments = given;
        }
    }

    fn change_message(&mut self, event: &Value, deltas: &mut Vec<ModelDelta>) {
        if let Some(reason) = event["delta"]["stop_reason"].as_str() {
            self.stop = Some(stop_of(reason));
        }
        self.count(&event["usage"], deltas);
    }

    /// Replaces the counts that are there: every one is a total so far.
    fn count(&mut self, usage: &Value, deltas: &mut Vec<ModelDelta>) {
        for (count, key) in [
            (&mut self.usage.input, "input_tokens"),
            (&mut self.usage.cache_read, "cache_read_input_tokens"),
            (&mut self.usage.cache_write, "cache_creation_input_tokens"),
            (&mut self.usage.output, "output_tokens"),
        ] {
            *count = usage[key].as_u64().unwrap_or(*count);
        }
        deltas.push(ModelDelta::Usage(self.usage));
    }
}

fn stop_of(reason: &str) -> StopReason {
    match reason {
        "end_turn" => StopReason::EndTurn,
        "tool_use" => StopReason::ToolUse,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "pause_turn" => StopReason::Paused,
        "refusal" => StopReason::Refused,
        "model_context_window_exceeded" => StopReason::ContextFull,
        other => StopReason::Other(other.chars().take(64).collect()),
    }
}

fn empty_part(content: &Value) -> Option<AssistantPart> {
    match text(content, "type") {
        "text" => Some(AssistantPart::Text {
            text: String::new(),
        }),
        "thinking" => Some(AssistantPart::Thinking {
            text: String::new(),
            signature: None,
            maker: None,
        }),
        "redacted_thinking" => Some(AssistantPart::RedactedThinking {
            data: String::new(),
            maker: None,
        }),
        "tool_use" => Some(AssistantPart::ToolCall(ToolCall {
            id: text(content, "id").to_owned(),
            name: text(content, "name").to_owned(),
            arguments: String::new(),
        })),
        _ => None,
    }
}

fn is_empty(part: &AssistantPart) -> bool {
    match part {
        AssistantPart::Text { text } => text.is_empty(),
        AssistantPart::Thinking {
            text, signature, ..
        } => text.is_empty() && signature.is_none(),
        AssistantPart::RedactedThinking { data, .. } | AssistantPart::Opaque { data, .. } => {
            data.is_empty()
        }
        AssistantPart::ToolCall(_) => false,
    }
}

fn show(piece: &str, delta: fn(String) -> ModelDelta, deltas: &mut Vec<ModelDelta>) {
    if !piece.is_empty() {
        deltas.push(delta(piece.to_owned()));
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn index_of(event: &Value) -> u64 {
    event["index"].as_u64().unwrap_or_default()
}
