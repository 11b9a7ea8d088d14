//! The wires from the server's side: reads a conversation, writes a stream.

mod gemini;
mod ollama;
mod responses;

use harness_core::{AssistantPart, ModelResponse};
use harness_provider::Seen;
use serde_json::{Value, json};

/// What a request says, whichever wire it came on.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    first: String,
    last: String,
    pub(crate) answers: usize,
    /// Whether the last thing said was the model's.
    is_answer: bool,
}

impl Talk {
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            first: &self.first,
            last: &self.last,
            answers: self.answers,
        }
    }

    /// Takes something said to the model; what comes in several pieces is one message of ours.
    fn hear(&mut self, text: &str) {
        if std::mem::take(&mut self.is_answer) {
            self.last.clear();
        }
        self.last.push_str(text);
        self.last.push('\n');
        if self.answers == 0 {
            self.first = self.last.clone();
        }
    }

    /// Takes a piece of an answer.
    fn answer(&mut self) {
        if !std::mem::replace(&mut self.is_answer, true) {
            self.answers += 1;
        }
    }
}

/// Reads the conversation of a request.
///
/// # Errors
/// When something that belongs to an answer did not come back with it.
pub(crate) fn read(body: &Value) -> Result<Talk, String> {
    if let Some(items) = body["input"].as_array() {
        return responses::read(items);
    }
    if let Some(contents) = body["contents"].as_array() {
        return gemini::read(contents);
    }
    let mut talk = Talk::default();
    for message in body["messages"].as_array().into_iter().flatten() {
        match message["role"].as_str() {
            Some("assistant") => talk.answer(),
            Some("user" | "tool") => talk.hear(&text_of(&message["content"])),
            _ => {}
        }
    }
    Ok(talk)
}

/// Writes the `number`th answer of a conversation on the wire that is spoken at `path`.
///
/// # Errors
/// When none is.
pub(crate) fn write(path: &str, response: &ModelResponse, number: usize) -> Result<String, String> {
    let gemini = "/v1beta/models/";
    Ok(match path {
        "/v1/messages" => anthropic(response),
        "/v1/chat/completions" => chat(response),
        "/v1/responses" => responses::write(response, number),
        "/api/chat" => ollama::write(response),
        path if path.starts_with(gemini) && path.ends_with(":streamGenerateContent?alt=sse") => {
            gemini::write(response, number)
        }
        other => return Err(format!("no wire at {other}")),
    })
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .map(|part| {
                if part["type"] == "tool_result" {
                    text_of(&part["content"])
                } else {
                    text_of(&part["text"])
                }
            })
            .collect::<Vec<_>>()
            .join("\n"),
        _ => String::new(),
    }
}

/// Writes an answer as an Anthropic stream.
fn anthropic(response: &ModelResponse) -> String {
    let mut stream = String::new();
    let mut send = |event: Value| {
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        stream.push_str(&format!("event: {name}\ndata: {event}\n\n"));
    };
    send(
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "content": [], "usage": {"input_tokens": response.usage.input, "output_tokens": 1}}}),
    );
    for (index, part) in response.parts.iter().enumerate() {
        match part {
            AssistantPart::Text { text } => {
                send(
                    json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}),
                );
                for piece in pieces(text) {
                    send(
                        json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}}),
                    );
                }
            }
            AssistantPart::ToolCall(call) => {
                send(json!({"type": "content_block_start", "index": index,
                    "content_block": {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}}));
                for piece in pieces(&call.arguments) {
                    send(json!({"type": "content_block_delta", "index": index,
                        "delta": {"type": "input_json_delta", "partial_json": piece}}));
                }
            }
            _ => continue,
        }
        send(json!({"type": "content_block_stop", "index": index}));
    }
    let stop = if response.calls().next().is_some() {
        "tool_use"
    } else {
        "end_turn"
    };
    send(
        json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": response.usage.output}}),
    );
    send(json!({"type": "message_stop"}));
    stream
}

/// Writes an answer as a Chat Completions stream.
fn chat(response: &ModelResponse) -> String {
    let mut stream = String::new();
    let mut send = |choices: Value, usage: Value| {
        let event = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices, "usage": usage});
        stream.push_str(&format!("data: {event}\n\n"));
    };
    let mut calls = 0;
    for part in &response.parts {
        match part {
            AssistantPart::Text { text } => {
                for piece in pieces(text) {
                    send(
                        json!([{"index": 0, "delta": {"content": piece}}]),
                        Value::Null,
                    );
                }
            }
            AssistantPart::ToolCall(call) => {
                send(
                    json!([{"index": 0, "delta": {"tool_calls": [{"index": calls, "id": call.id, "type": "function",
                    "function": {"name": call.name, "arguments": ""}}]}}]),
                    Value::Null,
                );
                for piece in pieces(&call.arguments) {
                    send(
                        json!([{"index": 0, "delta": {"tool_calls": [{"index": calls, "function": {"arguments": piece}}]}}]),
                        Value::Null,
                    );
                }
                calls += 1;
            }
            _ => {}
        }
    }
    let reason = if calls > 0 { "tool_calls" } else { "stop" };
    send(
        json!([{"index": 0, "delta": {}, "finish_reason": reason}]),
        Value::Null,
    );
    let usage =
        json!({"prompt_tokens": response.usage.input, "completion_tokens": response.usage.output});
    send(json!([]), usage);
    stream.push_str("data: [DONE]\n\n");
    stream
}

/// Splits a text as a model would send it: a few words at a time.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(24).map_or(rest.len(), |(at, _)| at);
        let (piece, left) = rest.split_at(end);
        pieces.push(piece);
        rest = left;
    }
    pieces
}
