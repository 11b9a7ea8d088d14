//! The chunks of a Chat Completions stream, folded into an answer.
//!
//! A message has one text and one reasoning, whatever order their pieces come
//! in; the calls follow. Servers differ in what they repeat and leave out, so
//! each field is taken as it is found and a chunk is never refused for its shape.

use harness_core::{
    AssistantPart, ModelDelta, ModelFailure, ModelResponse, StopReason, ToolCall, Usage,
};
use serde_json::{Value, json};

use super::REASONING_DETAILS;
use crate::{
    assembly::{Room, close, finished, is_whole_json, name_calls},
    decoder::Payload,
    failure::{broken, failure_of_event, failure_of_finish},
};

/// Names under which servers send reasoning; the first that is there counts.
const REASONING_KEYS: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_text"];

/// The state of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reader {
    reasoning: String,
    details: Vec<Value>,
    content: String,
    refusal: String,
    calls: Vec<Call>,
    usage: Usage,
    finish: Option<StopReason>,
    done: bool,
    room: Room,
}

/// A call as far as its fragments have come.
#[derive(Clone, Debug, PartialEq)]
struct Call {
    index: Option<u64>,
    call: ToolCall,
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
        let Payload::Object(chunk) = payload else {
            self.done = true;
            return Ok(());
        };
        let choice = &chunk["choices"][0];
        for error in [&chunk["error"], &choice["error"]] {
            if !error.is_null() {
                return Err(failure_of_event(error));
            }
        }
        self.extend(&choice["delta"], deltas)?;
        if let Some(reason) = choice["finish_reason"].as_str().filter(|it| !it.is_empty()) {
            self.finish = Some(stop_of(reason)?);
        }
        for usage in [&choice["usage"], &chunk["usage"]] {
            if usage.is_object() {
                self.usage = usage_of(usage);
                deltas.push(ModelDelta::Usage(self.usage));
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<ModelResponse, ModelFailure> {
        let stop = match self.finish {
            Some(stop) => stop,
            None if self.done && self.calls.iter().all(Call::is_whole) => StopReason::EndTurn,
            None => return Err(broken("the stream ended before the answer did")),
        };
        let mut parts = Vec::with_capacity(self.calls.len() + 3);
        if !self.reasoning.is_empty() {
            parts.push(AssistantPart::Thinking {
                text: self.reasoning,
                signature: None,
                maker: None,
            });
        }
        if !self.details.is_empty() {
            parts.push(AssistantPart::Opaque {
                data: json!({REASONING_DETAILS: self.details}).to_string(),
                maker: None,
            });
        }
        let is_refused = !self.refusal.is_empty();
        for text in [self.content, self.refusal] {
            if !text.is_empty() {
                parts.push(AssistantPart::Text { text });
            }
        }
        parts.extend(self.calls.into_iter().map(|call| finished(call.call)));
        name_calls(&mut parts);
        let stop = if is_refused {
            StopReason::Refused
        } else {
            stop
        };
        close(parts, stop, self.usage)
    }

    fn extend(&mut self, delta: &Value, deltas: &mut Vec<ModelDelta>) -> Result<(), ModelFailure> {
        let reasoning = REASONING_KEYS
            .iter()
            .filter_map(|key| delta[*key].as_str())
            .find(|piece| !piece.is_empty())
            .unwrap_or_default();
        if !reasoning.is_empty() {
            self.room.take_text(reasoning)?;
            self.reasoning.push_str(reasoning);
            deltas.push(ModelDelta::Thinking(reasoning.to_owned()));
        }
        for chunk in delta["content"].as_array().into_iter().flatten() {
            self.extend_chunk(chunk, deltas)?;
        }
        for detail in delta[REASONING_DETAILS].as_array().into_iter().flatten() {
            self.extend_details(detail)?;
        }
        for (whole, key) in [
            (&mut self.content, "content"),
            (&mut self.refusal, "refusal"),
        ] {
            let piece = delta[key].as_str().unwrap_or_default();
            if !piece.is_empty() {
                self.room.take_text(piece)?;
                whole.push_str(piece);
                deltas.push(ModelDelta::Text(piece.to_owned()));
            }
        }
        for fragment in delta["tool_calls"].as_array().into_iter().flatten() {
            self.extend_call(fragment, deltas)?;
        }
        Ok(())
    }

    /// Adds a piece of a content that comes in chunks, as Mistral sends what a model thinks.
    ///
    /// Source: <https://docs.mistral.ai/capabilities/reasoning>.
    fn extend_chunk(
        &mut self,
        chunk: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        for thought in chunk["thinking"].as_array().into_iter().flatten() {
            let piece = thought["text"].as_str().unwrap_or_default();
            self.room.take_text(piece)?;
            self.reasoning.push_str(piece);
            deltas.push(ModelDelta::Thinking(piece.to_owned()));
        }
        let piece = chunk["text"].as_str().unwrap_or_default();
        if !piece.is_empty() {
            self.room.take_text(piece)?;
            self.content.push_str(piece);
            deltas.push(ModelDelta::Text(piece.to_owned()));
        }
        Ok(())
    }

    /// Adds a piece of reasoning that goes back as it came: texts of one part grow, all else is replaced.
    fn extend_details(&mut self, piece: &Value) -> Result<(), ModelFailure> {
        let Some(fields) = piece.as_object() else {
            return Ok(());
        };
        self.room.take_text(&piece.to_string())?;
        let is_same = |whole: &Value| {
            ["type", "index"]
                .iter()
                .all(|key| whole[*key] == piece[*key])
        };
        let place = self.details.iter().rposition(is_same);
        let Some(Value::Object(whole)) = place.and_then(|place| self.details.get_mut(place)) else {
            self.room.take_part()?;
            self.details.push(piece.clone());
            return Ok(());
        };
        for (key, value) in fields {
            match (whole.get_mut(key), value) {
                (Some(Value::String(text)), Value::String(more))
                    if matches!(key.as_str(), "text" | "summary" | "data") =>
                {
                    text.push_str(more);
                }
                (_, Value::Null) => {}
                _ => {
                    whole.insert(key.clone(), value.clone());
                }
            }
        }
        Ok(())
    }

    fn extend_call(
        &mut self,
        fragment: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let id = fragment["id"].as_str().unwrap_or_default();
        let name = fragment["function"]["name"].as_str().unwrap_or_default();
        let arguments = &fragment["function"]["arguments"];
        let position = match self.continued(fragment["index"].as_u64(), id, name) {
            Some(position) => position,
            None => self.start_call(fragment["index"].as_u64())?,
        };
        let call = &mut self.calls[position].call;
        if call.id.is_empty() && !id.is_empty() {
            self.room.take_text(id)?;
            id.clone_into(&mut call.id);
        }
        if call.name.is_empty() && !name.is_empty() {
            self.room.take_text(name)?;
            name.clone_into(&mut call.name);
            deltas.push(ModelDelta::CallStarted {
                name: name.to_owned(),
            });
        }
        match arguments {
            Value::String(piece) => {
                self.room.take_text(piece)?;
                call.arguments.push_str(piece);
            }
            // Some servers send the parsed object, and some of those repeat it.
            Value::Object(_) if call.arguments.is_empty() => {
                let whole = arguments.to_string();
                self.room.take_text(&whole)?;
                call.arguments = whole;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the place of the call that a fragment goes on with, none when it starts one.
    ///
    /// A repeated id or name belongs to the same call. Another id or name at an
    /// index in use starts a new one: some proxies number every call 0.
    fn continued(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let position = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index)?,
            None => self.calls.len().checked_sub(1)?,
        };
        let call = &self.calls[position].call;
        let is_same =
            |known: &str, said: &str| known.is_empty() || said.is_empty() || known == said;
        let is_named_again = index.is_none() && id.is_empty() && !name.is_empty();
        (is_same(&call.id, id) && is_same(&call.name, name) && !is_named_again).then_some(position)
    }

    fn start_call(&mut self, index: Option<u64>) -> Result<usize, ModelFailure> {
        self.room.take_part()?;
        self.room.take_call()?;
        self.calls.push(Call {
            index,
            call: ToolCall {
                id: String::new(),
                name: String::new(),
                arguments: String::new(),
            },
        });
        Ok(self.calls.len() - 1)
    }
}

impl Call {
    fn is_whole(&self) -> bool {
        is_whole_json(&self.call.arguments)
    }
}

fn stop_of(reason: &str) -> Result<StopReason, ModelFailure> {
    Ok(match reason {
        "stop" | "eos" => StopReason::EndTurn,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "length" | "model_length" => StopReason::MaxTokens,
        "content_filter" => StopReason::Refused,
        other => match failure_of_finish(other) {
            Some(failure) => return Err(failure),
            None => StopReason::Other(other.chars().take(64).collect()),
        },
    })
}

/// Splits the counts: here `prompt_tokens` includes what came from or went to a cache.
///
/// Servers that leave reasoning out of `completion_tokens` still have it in the total.
fn usage_of(usage: &Value) -> Usage {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let prompt = count(&usage["prompt_tokens"]);
    let details = &usage["prompt_tokens_details"];
    let cache_read = [
        &details["cached_tokens"],
        &usage["prompt_cache_hit_tokens"],
        &usage["cached_tokens"],
    ]
    .into_iter()
    .map(count)
    .find(|cached| *cached > 0)
    .unwrap_or_default();
    let cache_write = count(&details["cache_write_tokens"]);
    let beyond_prompt = count(&usage["total_tokens"]).saturating_sub(prompt);
    Usage {
        input: prompt.saturating_sub(cache_read.saturating_add(cache_write)),
        cache_read,
        cache_write,
        output: count(&usage["completion_tokens"]).max(beyond_prompt),
    }
}
