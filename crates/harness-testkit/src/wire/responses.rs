//! OpenAI Responses from the server's side. Every answer begins with reasoning that has to come back.

use harness_core::{AssistantPart, ModelResponse};
use serde_json::{Value, json};

use super::{Talk, pieces};

/// Reads a conversation.
///
/// # Errors
/// When the reasoning of an answer did not come back before its calls.
pub(super) fn read(items: &[Value]) -> Result<Talk, String> {
    let mut talk = Talk::default();
    let mut reasoning = None;
    for item in items {
        match (item["type"].as_str(), item["role"].as_str()) {
            (Some("function_call_output"), _) => {
                reasoning = None;
                talk.hear(item["output"].as_str().unwrap_or_default());
            }
            (_, Some("user")) => {
                reasoning = None;
                let content = item["content"].as_array().into_iter().flatten();
                content
                    .filter_map(|part| part["text"].as_str())
                    .for_each(|text| talk.hear(text));
            }
            (Some("reasoning"), _) => {
                talk.answer();
                reasoning = item["encrypted_content"].as_str();
            }
            (Some("function_call"), _) => {
                talk.answer();
                if reasoning != Some(&sealed(talk.answers)) {
                    return Err(format!("call without its reasoning: {item}"));
                }
            }
            _ => talk.answer(),
        }
    }
    Ok(talk)
}

fn sealed(answer: usize) -> String {
    format!("sealed:{answer}")
}

/// Writes an answer, the `number`th of its conversation.
pub(super) fn write(response: &ModelResponse, number: usize) -> String {
    let mut stream = String::new();
    let mut sequence = 0;
    let mut send = |mut event: Value| {
        event["sequence_number"] = json!(sequence);
        sequence += 1;
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        stream.push_str(&format!("event: {name}\ndata: {event}\n\n"));
    };
    send(
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}),
    );
    let reasoning = json!({"type": "reasoning", "id": format!("rs_{number}"), "summary": [],
        "encrypted_content": sealed(number)});
    send(json!({"type": "response.output_item.done", "output_index": 0, "item": reasoning}));
    for (part, index) in response.parts.iter().zip(1..) {
        match part {
            AssistantPart::Text { text } => {
                let id = format!("msg_{number}_{index}");
                send(
                    json!({"type": "response.output_item.added", "output_index": index,
                    "item": {"type": "message", "id": id, "role": "assistant", "status": "in_progress", "content": []}}),
                );
                for piece in pieces(text) {
                    send(
                        json!({"type": "response.output_text.delta", "item_id": id, "output_index": index,
                        "content_index": 0, "delta": piece}),
                    );
                }
                send(
                    json!({"type": "response.output_item.done", "output_index": index,
                    "item": {"type": "message", "id": id, "role": "assistant", "status": "completed",
                        "content": [{"type": "output_text", "text": text, "annotations": []}]}}),
                );
            }
            AssistantPart::ToolCall(call) => {
                let id = format!("fc_{}", call.id);
                let item = |arguments: &str, status: &str| {
                    json!({"type": "function_call", "id": id, "call_id": call.id, "name": call.name,
                    "arguments": arguments, "status": status})
                };
                send(
                    json!({"type": "response.output_item.added", "output_index": index,
                    "item": item("", "in_progress")}),
                );
                for piece in pieces(&call.arguments) {
                    send(
                        json!({"type": "response.function_call_arguments.delta", "item_id": id,
                        "output_index": index, "delta": piece}),
                    );
                }
                send(
                    json!({"type": "response.output_item.done", "output_index": index,
                    "item": item(&call.arguments, "completed")}),
                );
            }
            _ => {}
        }
    }
    let usage =
        json!({"input_tokens": response.usage.input, "output_tokens": response.usage.output});
    send(json!({"type": "response.completed",
        "response": {"id": "resp_1", "status": "completed", "output": [], "usage": usage}}));
    stream
}
