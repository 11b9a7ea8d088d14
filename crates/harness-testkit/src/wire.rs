//! The wires from the server's side: reads a conversation, writes a stream.

use harness_core::{AssistantPart, ModelResponse};
use harness_provider::Seen;
use serde_json::{Value, json};

/// What a request says, whichever wire it came on.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    first: String,
    last: String,
    pub(crate) answers: usize,
}

impl Talk {
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            first: &self.first,
            last: &self.last,
            answers: self.answers,
        }
    }
}

/// Reads the conversation of a request.
pub(crate) fn read(body: &Value) -> Talk {
    let mut talk = Talk::default();
    let mut after_answer = true;
    for message in body["messages"].as_array().into_iter().flatten() {
        match message["role"].as_str() {
            Some("assistant") => {
                talk.answers += 1;
                after_answer = true;
            }
            // What a chat server gets as several messages is one message of ours.
            Some("user" | "tool") => {
                if std::mem::take(&mut after_answer) {
                    talk.last.clear();
                }
                talk.last.push_str(&text_of(&message["content"]));
                talk.last.push('\n');
                if talk.answers == 0 {
                    talk.first = talk.last.clone();
                }
            }
            _ => {}
        }
    }
    talk
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
pub(crate) fn anthropic(response: &ModelResponse) -> String {
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
            AssistantPart::Thinking { .. } | AssistantPart::RedactedThinking { .. } => continue,
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
pub(crate) fn chat(response: &ModelResponse) -> String {
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
            AssistantPart::Thinking { .. } | AssistantPart::RedactedThinking { .. } => {}
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
