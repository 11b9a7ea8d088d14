//! Cache marks in a Chat Completions request, for models of Anthropic behind a router.
//!
//! Text without a mark stays a plain string. The router moves a mark on the text of a tool's
//! result to the result itself.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cache::{CacheControl, MARKED_MESSAGES},
    history::Turn,
};

/// Whether a model behind a router caches only what is marked.
pub(super) fn wants_marks(model: &str) -> bool {
    model.starts_with("anthropic/")
}

/// Marks the instructions, what sessions share, and the ends of the last two user turns.
pub(super) fn marked(body: &impl Serialize, turns: &[Turn<'_>]) -> Value {
    let mut body = serde_json::to_value(body).unwrap_or_default();
    let Some(messages) = body["messages"].as_array_mut() else {
        return body;
    };
    if let Some(system) = messages.first_mut().filter(|it| it["role"] == "system") {
        mark(&mut system["content"]);
    }
    if let Some(Turn::User { texts, .. }) = turns.first()
        && let [shared, rest @ ..] = texts.as_slice()
        && !rest.is_empty()
        && let Some(first) = messages.iter_mut().find(|it| it["role"] == "user")
    {
        let rest = rest.join("\n\n");
        first["content"] = json!([text(shared), text(&rest)]);
        mark(&mut first["content"][0]);
    }
    let mut is_last = true;
    let mut left = MARKED_MESSAGES;
    for message in messages.iter_mut().rev() {
        let is_said = message["role"] == "user" || message["role"] == "tool";
        if is_said && is_last && left > 0 {
            mark(&mut message["content"]);
            left -= 1;
        }
        is_last = !is_said;
    }
    body
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// Puts a mark on a part, or on the last text of a content: the router takes it on texts alone.
///
/// Source: <https://openrouter.ai/docs/features/prompt-caching>, Anthropic Claude.
fn mark(content: &mut Value) {
    match content {
        Value::String(said) if !said.is_empty() => {
            *content = json!([text(said)]);
            mark(content);
        }
        Value::Array(parts) => {
            if let Some(last) = parts.iter_mut().rfind(|part| part["type"] == "text") {
                mark(last);
            }
        }
        Value::Object(part) => {
            part.insert("cache_control".to_owned(), json!(CacheControl::Ephemeral));
        }
        _ => {}
    }
}
