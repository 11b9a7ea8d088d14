//! Gemini from the server's side. Calls have no ids, and the first one of an answer is signed.

use harness_core::{AssistantPart, ModelResponse};
use serde_json::{Value, json};

use super::{Talk, pieces};

/// Reads a conversation.
///
/// # Errors
/// When the signature of a call did not come back on it.
pub(super) fn read(contents: &[Value]) -> Result<Talk, String> {
    let mut talk = Talk::default();
    for content in contents {
        let parts = content["parts"].as_array().into_iter().flatten();
        if content["role"] == "model" {
            talk.answer();
            let mut calls = parts.filter(|part| part["functionCall"].is_object());
            match calls.next() {
                Some(call) if call["thoughtSignature"] != signature(talk.answers) => {
                    return Err(format!("call without its signature: {call}"));
                }
                _ => {}
            }
        } else {
            for part in parts {
                let response = &part["functionResponse"]["response"];
                for text in [&part["text"], &response["output"], &response["error"]] {
                    text.as_str().into_iter().for_each(|text| talk.hear(text));
                }
            }
        }
    }
    Ok(talk)
}

fn signature(answer: usize) -> String {
    format!("signed:{answer}")
}

/// Writes an answer, the `number`th of its conversation.
pub(super) fn write(response: &ModelResponse, number: usize) -> String {
    let mut stream = String::new();
    let usage = json!({"promptTokenCount": response.usage.input,
        "candidatesTokenCount": response.usage.output,
        "totalTokenCount": response.usage.input + response.usage.output});
    let mut send = |part: Value, finish: Value| {
        let candidate = json!({"content": {"role": "model", "parts": [part]}, "index": 0,
            "finishReason": finish});
        let chunk = json!({"candidates": [candidate], "usageMetadata": usage});
        stream.push_str(&format!("data: {chunk}\n\n"));
    };
    let mut is_first_call = true;
    for part in &response.parts {
        match part {
            AssistantPart::Text { text } => {
                for piece in pieces(text) {
                    send(json!({"text": piece}), Value::Null);
                }
            }
            AssistantPart::ToolCall(call) => {
                let args: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                let mut part = json!({"functionCall": {"name": call.name, "args": args}});
                if std::mem::take(&mut is_first_call) {
                    part["thoughtSignature"] = json!(signature(number));
                }
                send(part, Value::Null);
            }
            _ => {}
        }
    }
    send(json!({"text": ""}), json!("STOP"));
    stream
}
