//! The chunks of a Gemini stream, folded into an answer.
//!
//! The stream has no last event: it ends with the connection, and a chunk with a
//! finish reason may be followed by more. So an answer has ended when the last
//! chunk with content says why, and nothing is left open.

use harness_core::{
    AssistantPart, FailureClass, ModelDelta, ModelFailure, ModelResponse, StopReason, ToolCall,
    Usage,
};
use serde_json::{Map, Value, json};

use super::{SIGNATURE, partial::set};
use crate::{
    assembly::{Room, close, finished, may_cut, name_calls},
    decoder::Payload,
    failure::{broken, failure_of_event},
};

/// Ends that mean that the model or a filter declined.
const REFUSALS: [&str; 9] = [
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
];

/// Ends of an answer that went wrong inside the model; asked again, it may go right.
const MISHAPS: [&str; 4] = [
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
];

/// The state of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reader {
    parts: Vec<AssistantPart>,
    /// A call whose arguments still come.
    open: Option<Open>,
    /// Whether the server runs code and has not said what came of it.
    running: bool,
    usage: Usage,
    finish: Option<StopReason>,
    room: Room,
}

#[derive(Clone, Debug, PartialEq)]
struct Open {
    id: String,
    name: String,
    arguments: Value,
}

impl Reader {
    /// Returns how many bytes the answer has so far.
    pub(crate) const fn said(&self) -> usize {
        self.room.said()
    }

    pub(crate) fn read(
        &mut self,
        payload: Payload,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let Payload::Object(chunk) = payload else {
            return Ok(());
        };
        if !chunk["error"].is_null() {
            return Err(failure_of_event(&chunk["error"]));
        }
        if let Some(reason) = chunk["promptFeedback"]["blockReason"].as_str() {
            return Err(blocked(reason));
        }
        let candidate = &chunk["candidates"][0];
        for part in candidate["content"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
        {
            self.finish = None;
            self.take_part(part, deltas)?;
        }
        self.count(&chunk["usageMetadata"], deltas);
        if let Some(reason) = candidate["finishReason"].as_str() {
            let said = candidate["finishMessage"].as_str().unwrap_or_default();
            self.finish = stop_of(reason, said)?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<ModelResponse, ModelFailure> {
        let Some(stop) = self.finish.filter(|_| !self.running) else {
            return Err(broken("the stream ended before the answer did"));
        };
        if self.open.is_some() && !may_cut(&stop) {
            return Err(broken("the stream ended inside a tool call"));
        }
        let mut parts = self.parts;
        if let Some(open) = self.open {
            // An empty text is no JSON: closing the answer leaves the call out.
            parts.push(AssistantPart::ToolCall(ToolCall {
                id: open.id,
                name: open.name,
                arguments: String::new(),
            }));
        }
        name_calls(&mut parts);
        close(parts, stop, self.usage)
    }

    fn take_part(
        &mut self,
        part: &Value,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let signature = part[SIGNATURE].as_str().filter(|it| !it.is_empty());
        if part["functionCall"].is_object() {
            return self.take_call(&part["functionCall"], signature, deltas);
        }
        if let Some(text) = part["text"].as_str() {
            return if part["thought"] == true {
                self.take_thought(part, text, signature, deltas)
            } else {
                self.take_text(text, signature, deltas)
            };
        }
        if part["executableCode"].is_object() {
            self.running = true;
        } else if part["codeExecutionResult"].is_object() {
            self.running = false;
        }
        Ok(())
    }

    fn take_thought(
        &mut self,
        part: &Value,
        text: &str,
        signature: Option<&str>,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        if signature.is_some() {
            self.push_opaque(part)?;
        }
        if text.is_empty() {
            return Ok(());
        }
        self.room.take_text(text)?;
        deltas.push(ModelDelta::Thinking(text.to_owned()));
        if let Some(AssistantPart::Thinking { text: whole, .. }) = self.parts.last_mut() {
            whole.push_str(text);
            return Ok(());
        }
        self.push(AssistantPart::Thinking {
            text: text.to_owned(),
            signature: None,
            maker: None,
        })
    }

    /// Takes a piece of text. A signature marks the text it came with; one that came with
    /// nothing worth saying is a part of its own, which goes back where it stood.
    fn take_text(
        &mut self,
        text: &str,
        signature: Option<&str>,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        if let Some(signature) = signature.filter(|_| text.trim().is_empty()) {
            return self.push_opaque(&json!({"text": text, SIGNATURE: signature}));
        }
        if text.is_empty() {
            return Ok(());
        }
        self.room.take_text(text)?;
        deltas.push(ModelDelta::Text(text.to_owned()));
        let goes_on = matches!(self.parts.last(), Some(AssistantPart::Text { .. }));
        let whole = match self.parts.pop_if(|_| goes_on) {
            Some(AssistantPart::Text { text: before }) => before + text,
            _ => text.to_owned(),
        };
        if let Some(signature) = signature {
            self.push_label(signature)?;
        }
        self.push(AssistantPart::Text { text: whole })
    }

    fn take_call(
        &mut self,
        call: &Value,
        signature: Option<&str>,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let name = call["name"].as_str().unwrap_or_default();
        match (&self.open, name.is_empty()) {
            (Some(_), false) => {
                return Err(broken("a tool call begins inside another"));
            }
            (None, true) => return Err(broken("the stream has a tool call without a name")),
            (Some(_), true) => {}
            (None, false) => self.start_call(call, name, signature, deltas)?,
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        for piece in call["partialArgs"].as_array().into_iter().flatten() {
            self.room.take_text(&piece.to_string())?;
            set(&mut open.arguments, piece, &mut self.room)?;
        }
        if call["willContinue"] == true {
            return Ok(());
        }
        match self.open.take() {
            Some(open) => self.push(finished(ToolCall {
                id: open.id,
                name: open.name,
                arguments: open.arguments.to_string(),
            })),
            None => Ok(()),
        }
    }

    fn start_call(
        &mut self,
        call: &Value,
        name: &str,
        signature: Option<&str>,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        let arguments = match &call["args"] {
            Value::Null => Value::Object(Map::new()),
            Value::Object(arguments) => Value::Object(arguments.clone()),
            _ => return Err(broken("the arguments of a tool call are no object")),
        };
        let id = call["id"].as_str().unwrap_or_default();
        self.room.take_call()?;
        for text in [id, name, &arguments.to_string()] {
            self.room.take_text(text)?;
        }
        if let Some(signature) = signature {
            self.push_label(signature)?;
        }
        deltas.push(ModelDelta::CallStarted {
            name: name.to_owned(),
        });
        self.open = Some(Open {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments,
        });
        Ok(())
    }

    /// Keeps the signature of the part that follows.
    fn push_label(&mut self, signature: &str) -> Result<(), ModelFailure> {
        self.push_opaque(&json!({SIGNATURE: signature}))
    }

    fn push_opaque(&mut self, part: &Value) -> Result<(), ModelFailure> {
        let data = part.to_string();
        self.room.take_text(&data)?;
        self.push(AssistantPart::Opaque { data, maker: None })
    }

    fn push(&mut self, part: AssistantPart) -> Result<(), ModelFailure> {
        self.room.take_part()?;
        self.parts.push(part);
        Ok(())
    }

    /// Replaces the counts by what the latest chunk says: every one is a total so far.
    ///
    /// `promptTokenCount` includes what came from the cache; thoughts are counted apart.
    fn count(&mut self, usage: &Value, deltas: &mut Vec<ModelDelta>) {
        let Some(prompt) = usage["promptTokenCount"].as_u64() else {
            return;
        };
        let count = |key: &str| usage[key].as_u64().unwrap_or_default();
        let cache_read = count("cachedContentTokenCount");
        let of_tools = count("toolUsePromptTokenCount");
        self.usage = Usage {
            input: prompt.saturating_sub(cache_read).saturating_add(of_tools),
            cache_read,
            cache_write: 0,
            output: count("candidatesTokenCount").saturating_add(count("thoughtsTokenCount")),
        };
        deltas.push(ModelDelta::Usage(self.usage));
    }
}

fn stop_of(reason: &str, said: &str) -> Result<Option<StopReason>, ModelFailure> {
    Ok(Some(match reason {
        "" | "FINISH_REASON_UNSPECIFIED" => return Ok(None),
        "STOP" => StopReason::EndTurn,
        "MAX_TOKENS" => StopReason::MaxTokens,
        refusal if REFUSALS.contains(&refusal) => StopReason::Refused,
        mishap if MISHAPS.contains(&mishap) => {
            let said: String = said.chars().take(512).collect();
            return Err(broken(
                format!("the server ended the answer with `{mishap}` {said}").trim_end(),
            ));
        }
        other => StopReason::Other(other.chars().take(64).collect()),
    }))
}

fn blocked(reason: &str) -> ModelFailure {
    let reason: String = reason.chars().take(64).collect();
    ModelFailure {
        class: FailureClass::Invalid,
        message: format!("the server blocked the prompt: {reason}"),
        status: None,
        retry_after_ms: None,
    }
}
