//! What the vendors' clients made of recorded answers on the wires with items of their own.

use harness_core::{StopReason, Usage};
use serde_json::{Value, json};

/// Parts, stop and usage in a form that two clients can agree on.
pub(crate) type Expected = (Vec<Value>, StopReason, Usage);

/// Calls whose arguments come in pieces, which the client leaves to its caller to put together.
const CALLS_IN_PIECES: [(&str, [(&str, &str); 2]); 1] = [(
    "gemini--stream-tool-args--vercel-ai/0",
    [("location", "Boston"), ("location", "San Francisco")],
)];

pub(crate) fn responses(result: &Value, is_dropped: bool) -> Expected {
    let mut parts = Vec::new();
    let mut is_refused = false;
    for item in list(&result["output_items"]) {
        match item["type"].as_str().unwrap() {
            "reasoning" => parts.extend(reasoning(item)),
            "message" => {
                for content in list(&item["content"]) {
                    if content["type"] == "refusal" {
                        is_refused = true;
                        parts.push(json!({"text": content["refusal"]}));
                    } else {
                        parts.push(json!({"opaque": {"type": "message", "id": item["id"]}}));
                        parts.push(json!({"text": content["text"]}));
                    }
                }
            }
            "function_call" if !is_dropped => {
                parts.push(json!({"opaque": {"type": "function_call", "id": item["id"]}}));
                parts.push(json!({
                    "call": item["name"],
                    "id": item["call_id"],
                    "arguments": parsed(&item["arguments"]),
                }));
            }
            "function_call" | "local_shell_call" => {}
            other => panic!("{other}"),
        }
    }
    let has_calls = parts.iter().any(|part| part["call"].is_string());
    let stop = match result["status"].as_str().unwrap() {
        "completed" if is_refused => StopReason::Refused,
        "completed" if has_calls => StopReason::ToolUse,
        "completed" => StopReason::EndTurn,
        "incomplete" => StopReason::MaxTokens,
        other => panic!("{other}"),
    };
    let usage = &result["usage"];
    let cached = count(&usage["input_tokens_details"]["cached_tokens"]);
    let usage = Usage {
        input: count(&usage["input_tokens"]) - cached,
        cache_read: cached,
        cache_write: 0,
        output: count(&usage["output_tokens"]),
    };
    (parts, stop, usage)
}

fn reasoning(item: &Value) -> Vec<Value> {
    let texts = |key: &str| -> Vec<&str> {
        let all = list(&item[key]).iter();
        all.filter_map(|it| it["text"].as_str()).collect()
    };
    let shown = [texts("summary"), texts("content")].into_iter();
    let shown = shown.filter(|texts| !texts.is_empty()).take(1);
    let mut parts: Vec<Value> = shown
        .map(|texts| json!({"thinking": texts.join("\n\n"), "signature": null}))
        .collect();
    let encrypted = &item["encrypted_content"];
    if encrypted.is_string() || !texts("content").is_empty() {
        let mut opaque = json!({"type": "reasoning", "id": item["id"]});
        if encrypted.is_string() {
            opaque["encrypted_content"] = encrypted.clone();
        }
        parts.push(json!({"opaque": opaque}));
    }
    parts
}

pub(crate) fn gemini(name: &str, result: &Value) -> Expected {
    let in_pieces = CALLS_IN_PIECES.iter().find(|row| row.0 == name);
    let mut parts: Vec<Value> = Vec::new();
    let mut calls = 0;
    for part in list(&result["parts"]) {
        let signature = &part["thought_signature"];
        if let Some(text) = part["text"].as_str() {
            match parts.last_mut() {
                _ if text.is_empty() && signature.is_string() => {
                    parts.push(json!({"opaque": {"text": "", "thoughtSignature": signature}}));
                }
                _ if text.is_empty() => {}
                Some(last) if last["text"].is_string() => {
                    last["text"] = json!(last["text"].as_str().unwrap().to_owned() + text);
                }
                _ => parts.push(json!({"text": text})),
            }
        } else if let Some(call) = part["function_call"].as_object() {
            let Some(called) = call.get("name") else {
                continue;
            };
            if signature.is_string() {
                parts.push(json!({"opaque": {"thoughtSignature": signature}}));
            }
            let id = call.get("id").and_then(Value::as_str);
            let id = id.map_or_else(|| format!("call_{calls}"), str::to_owned);
            let arguments = match in_pieces {
                Some((_, pieces)) => json!({pieces[calls].0: pieces[calls].1}),
                None => call["args"].clone(),
            };
            parts.push(json!({"call": called, "id": id, "arguments": arguments}));
            calls += 1;
        }
    }
    let last = list(&result["finish_reasons"]).last().unwrap();
    let stop = match last.as_str().unwrap() {
        "STOP" if calls > 0 => StopReason::ToolUse,
        "STOP" => StopReason::EndTurn,
        "MAX_TOKENS" => StopReason::MaxTokens,
        other => panic!("{other}"),
    };
    let usage = &result["usage"];
    let cached = count(&usage["cached_content_token_count"]);
    let usage = Usage {
        input: count(&usage["prompt_token_count"]) - cached
            + count(&usage["tool_use_prompt_token_count"]),
        cache_read: cached,
        cache_write: 0,
        output: count(&usage["total_token_count"])
            - count(&usage["prompt_token_count"])
            - count(&usage["tool_use_prompt_token_count"]),
    };
    (parts, stop, usage)
}

/// The client leaves ids out, so they are not compared.
pub(crate) fn ollama(result: &Value) -> Expected {
    let mut parts = Vec::new();
    for (key, name) in [("thinking", "thinking"), ("content", "text")] {
        if let Some(text) = result[key].as_str().filter(|text| !text.is_empty()) {
            parts.push(match name {
                "thinking" => json!({"thinking": text, "signature": null}),
                name => json!({name: text}),
            });
        }
    }
    for call in list(&result["tool_calls"]) {
        let function = &call["function"];
        parts.push(json!({
            "call": function["name"],
            "id": null,
            "arguments": function["arguments"],
        }));
    }
    let has_calls = parts.iter().any(|part| part["call"].is_string());
    let stop = match result["done_reason"].as_str().unwrap() {
        "stop" if has_calls => StopReason::ToolUse,
        "stop" => StopReason::EndTurn,
        other => panic!("{other}"),
    };
    let usage = Usage {
        input: count(&result["prompt_eval_count"]),
        output: count(&result["eval_count"]),
        ..Usage::default()
    };
    (parts, stop, usage)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}
