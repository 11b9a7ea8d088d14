//! Ollama's own wire from the server's side.

use harness_core::{AssistantPart, ModelResponse};
use serde_json::{Value, json};

use super::pieces;

/// Writes an answer.
pub(super) fn write(response: &ModelResponse) -> String {
    let mut stream = String::new();
    let mut send = |line: Value| stream.push_str(&format!("{line}\n"));
    for part in &response.parts {
        match part {
            AssistantPart::Text { text } => {
                for piece in pieces(text) {
                    send(
                        json!({"model": "m", "message": {"role": "assistant", "content": piece},
                        "done": false}),
                    );
                }
            }
            AssistantPart::ToolCall(call) => {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                let call = json!({"function": {"name": call.name, "arguments": arguments}});
                send(json!({"model": "m", "done": false,
                    "message": {"role": "assistant", "content": "", "tool_calls": [call]}}));
            }
            _ => {}
        }
    }
    send(
        json!({"model": "m", "message": {"role": "assistant", "content": ""}, "done": true,
        "done_reason": "stop", "prompt_eval_count": response.usage.input,
        "eval_count": response.usage.output}),
    );
    stream
}
