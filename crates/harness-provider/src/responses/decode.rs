//! The events of a Responses stream, folded into an answer.
//!
//! What counts is `response.output_item.done` alone; deltas are for showing. The
//! answer ends with a terminal event and with nothing else: a stream that closes
//! without one was cut, and `[DONE]` says nothing on this wire.

use harness_core::{
    AssistantPart, ModelDelta, ModelFailure, ModelResponse, StopReason, ToolCall, Usage,
};
use serde_json::{Map, Value};

use super::{FUNCTION_CALL, MESSAGE, REASONING};
use crate::{
    assembly::{Room, close, finished, name_calls},
    decoder::Payload,
    failure::{broken, failure_of_event},
};

/// The state of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reader {
    parts: Vec<AssistantPart>,
    /// How many items with calls were done, those that are left out counted too.
    calls: usize,
    refused: bool,
    usage: Usage,
    stop: Option<StopReason>,
    room: Room,
    /// What the pieces take that are shown: an item is taken only when it is whole.
    shown: Room,
}

impl Reader {
    /// Returns how many bytes the answer has so far.
    pub(crate) fn said(&self) -> usize {
        self.room.said().max(self.shown.said())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn read(
        &mut self,
        payload: Payload,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let Payload::Object(event) = payload else {
            return Ok(());
        };
        self.shown.take_text(text(&event, "delta"))?;
        match text(&event, "type") {
            "response.output_item.added" => show_call(&event["item"], deltas),
            "response.output_text.delta" | "response.refusal.delta" => {
                show(text(&event, "delta"), ModelDelta::Text, deltas);
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                show(text(&event, "delta"), ModelDelta::Thinking, deltas);
            }
            "response.reasoning_summary_part.added" if event["summary_index"] != 0 => {
                show("\n\n", ModelDelta::Thinking, deltas);
            }
            "response.output_item.done" => return self.take_item(&event["item"]),
            "response.completed" => return self.end(&event["response"], None, deltas),
            "response.incomplete" => {
                let reason = text(&event["response"]["incomplete_details"], "reason");
                return self.end(&event["response"], Some(stop_of(reason)), deltas);
            }
            "response.failed" => return Err(failure_of_event(&event["response"]["error"])),
            // The error stands in the event or is the event.
            "error" if event["error"].is_null() => return Err(failure_of_event(&event)),
            "error" => return Err(failure_of_event(&event["error"])),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<ModelResponse, ModelFailure> {
        let Some(stop) = self.stop else {
            return Err(broken("the stream ended before the answer did"));
        };
        let mut parts = self.parts;
        name_calls(&mut parts);
        close(parts, stop, self.usage)
    }

    fn take_item(&mut self, item: &Value) -> Result<(), ModelFailure> {
        let Some(fields) = item.as_object() else {
            return Err(broken("the stream ends an item that is none"));
        };
        match text(item, "type") {
            MESSAGE => self.take_message(item, fields),
            REASONING => self.take_reasoning(item),
            FUNCTION_CALL => self.take_call(item, fields),
            // Tools that run at the server are not asked for. Reasoning goes back only
            // with the item it led to, so it is left out with it.
            _ => {
                self.drop_reasoning();
                Ok(())
            }
        }
    }

    fn take_message(
        &mut self,
        item: &Value,
        fields: &Map<String, Value>,
    ) -> Result<(), ModelFailure> {
        let (mut said, mut refused) = (String::new(), String::new());
        for content in item["content"].as_array().into_iter().flatten() {
            said.push_str(text(content, "text"));
            refused.push_str(text(content, "refusal"));
        }
        self.refused |= !refused.is_empty();
        if !said.is_empty() {
            self.take_label(fields, &["content", "role"])?;
        }
        for text in [said, refused] {
            if !text.is_empty() {
                self.room.take_part()?;
                self.room.take_text(&text)?;
                self.parts.push(AssistantPart::Text { text });
            }
        }
        Ok(())
    }

    /// Takes reasoning: what of it is shown, and the item itself where it can go back.
    fn take_reasoning(&mut self, item: &Value) -> Result<(), ModelFailure> {
        let texts = |key: &str| {
            let pieces = item[key].as_array().into_iter().flatten();
            let pieces = pieces.map(|it| text(it, "text"));
            pieces
                .filter(|it| !it.is_empty())
                .collect::<Vec<_>>()
                .join("\n\n")
        };
        let summary = texts("summary");
        let content = texts("content");
        let shown = if summary.is_empty() {
            &content
        } else {
            &summary
        };
        if !shown.is_empty() {
            self.room.take_part()?;
            self.room.take_text(shown)?;
            self.parts.push(AssistantPart::Thinking {
                text: shown.clone(),
                signature: None,
                maker: None,
            });
        }
        // An item without either is a name for something the server has not kept.
        if !text(item, "encrypted_content").is_empty() || !content.is_empty() {
            self.push_opaque(item.to_string())?;
        }
        Ok(())
    }

    fn take_call(&mut self, item: &Value, fields: &Map<String, Value>) -> Result<(), ModelFailure> {
        self.calls += 1;
        self.room.take_call()?;
        if text(item, "status") == "incomplete" {
            self.drop_reasoning();
            return Ok(());
        }
        let arguments = match &item["arguments"] {
            Value::String(arguments) => arguments.clone(),
            Value::Null => String::new(),
            value => value.to_string(),
        };
        let id = match text(item, "call_id") {
            "" => text(item, "id"),
            id => id,
        };
        let name = text(item, "name");
        if name.is_empty() {
            return Err(broken("the stream has a tool call without a name"));
        }
        self.take_label(fields, &["arguments", "name", "call_id"])?;
        self.room.take_part()?;
        for text in [id, name, &arguments] {
            self.room.take_text(text)?;
        }
        self.parts.push(finished(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments,
        }));
        Ok(())
    }

    /// Keeps what an item says beside the part that follows: its id, its phase.
    fn take_label(
        &mut self,
        fields: &Map<String, Value>,
        said_by_part: &[&str],
    ) -> Result<(), ModelFailure> {
        if !fields.contains_key("id") {
            return Ok(());
        }
        let label: Map<String, Value> = fields
            .iter()
            .filter(|(key, _)| !said_by_part.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        self.push_opaque(Value::Object(label).to_string())
    }

    fn push_opaque(&mut self, data: String) -> Result<(), ModelFailure> {
        self.room.take_part()?;
        self.room.take_text(&data)?;
        self.parts.push(AssistantPart::Opaque { data, maker: None });
        Ok(())
    }

    fn drop_reasoning(&mut self) {
        while self
            .parts
            .pop_if(|part| matches!(part, AssistantPart::Opaque { .. }))
            .is_some()
        {}
    }

    fn end(
        &mut self,
        response: &Value,
        cut: Option<StopReason>,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        // Some gateways send the list empty; none sends more than there was.
        let listed = response["output"].as_array().into_iter().flatten();
        let listed = listed.filter(|item| text(item, "type") == FUNCTION_CALL);
        if listed.count() > self.calls {
            return Err(broken("the stream lost a tool call on the way"));
        }
        if response["usage"].is_object() {
            self.usage = usage_of(&response["usage"]);
            deltas.push(ModelDelta::Usage(self.usage));
        }
        let ended = if self.refused {
            StopReason::Refused
        } else {
            StopReason::EndTurn
        };
        self.stop = Some(cut.unwrap_or(ended));
        Ok(())
    }
}

fn stop_of(reason: &str) -> StopReason {
    match reason {
        "max_output_tokens" => StopReason::MaxTokens,
        "content_filter" => StopReason::Refused,
        other => StopReason::Other(other.chars().take(64).collect()),
    }
}

/// Splits the counts: `input_tokens` includes what came from or went to a cache, `output_tokens` reasoning.
fn usage_of(usage: &Value) -> Usage {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let details = &usage["input_tokens_details"];
    let cache_read = count(&details["cached_tokens"]);
    let cache_write = count(&details["cache_write_tokens"]);
    Usage {
        input: count(&usage["input_tokens"]).saturating_sub(cache_read.saturating_add(cache_write)),
        cache_read,
        cache_write,
        output: count(&usage["output_tokens"]),
    }
}

fn show_call(item: &Value, deltas: &mut Vec<ModelDelta>) {
    if text(item, "type") == FUNCTION_CALL {
        deltas.push(ModelDelta::CallStarted {
            name: text(item, "name").to_owned(),
        });
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
