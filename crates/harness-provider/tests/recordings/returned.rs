//! What goes back to a provider, held against what its recorded clients sent back.

use std::sync::Arc;

use harness_core::{Message, ModelResponse, Prompt, TokenCount, ToolResult, UserPart};
use harness_provider::{Api, Asked, Decoder, RequestOptions, encode};
use serde_json::{Value, json};

/// The model that is asked, and that its own answers go back to.
const MODEL: &str = "gemini-2.5-pro";

/// Decodes an answer, and encodes it as history with a result for each of its calls.
pub(crate) fn after(api: Api, bytes: &[u8]) -> Vec<Value> {
    let asked = Asked {
        model: MODEL.to_owned(),
        prompt: TokenCount(0),
    };
    let mut decoder = Decoder::new(api, asked);
    decoder.push(bytes);
    encoded(api, &decoder.finish().unwrap())
}

/// Checks that what is sent holds every field of what was recorded, byte for byte.
///
/// An id of a call that the server did not give is its client's own, and arguments are values.
pub(crate) fn assert_holds(sent: &Value, recorded: &Value, name: &str) {
    let Some(fields) = recorded.as_object() else {
        assert_eq!(sent, recorded, "{name}");
        return;
    };
    for (key, recorded) in fields {
        let sent = &sent[key];
        match key.as_str() {
            "functionCall" | "input" | "args" => assert_holds(sent, recorded, name),
            "id" if recorded.as_str().is_some_and(|id| id.len() == 1) => {}
            "arguments" => {
                let value =
                    |it: &Value| -> Value { serde_json::from_str(it.as_str().unwrap()).unwrap() };
                assert_eq!(value(sent), value(recorded), "{name}");
            }
            "cache_control" => {}
            _ => assert_eq!(sent, recorded, "{name}: {key}"),
        }
    }
}

fn encoded(api: Api, response: &ModelResponse) -> Vec<Value> {
    let results = response.calls().map(|call| {
        UserPart::ToolResult(ToolResult {
            id: call.id.clone(),
            content: "done".to_owned(),
            is_error: false,
            images: Vec::new(),
        })
    });
    let text = UserPart::Text {
        text: "hi".to_owned(),
    };
    let messages = [
        Message::User(vec![text.clone()]),
        Message::Assistant(response.parts.clone()),
        Message::User(results.chain([text]).collect()),
    ];
    let prompt = Prompt {
        system: "".into(),
        tools: Arc::new([]),
        messages: messages.into_iter().map(Arc::new).collect(),
    };
    let options = RequestOptions {
        model: MODEL.to_owned(),
        max_output: TokenCount(9),
        context: TokenCount(99),
        base_url: "https://model.invalid".to_owned(),
        server: None,
        images: false,
        effort: None,
    };
    let request = encode(api, &prompt, &options);
    answers(&serde_json::from_slice(&request.body).unwrap())
}

/// Returns the blocks, parts or items of a request that a model said.
pub(crate) fn answers(body: &Value) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let of_role = |key: &str, role: &str, inner: &str| {
        let said = list(&body[key]).into_iter();
        let said = said.filter(|it| it["role"] == role);
        said.flat_map(|it| match &it[inner] {
            Value::String(text) => vec![json!({"type": "text", "text": text})],
            parts => list(parts),
        })
        .collect::<Vec<Value>>()
    };
    match () {
        () if body["contents"].is_array() => of_role("contents", "model", "parts"),
        () if body["input"].is_array() => list(&body["input"])
            .into_iter()
            .filter(|it| {
                it["role"] == "assistant"
                    || it["type"] == "reasoning"
                    || it["type"] == "function_call"
            })
            .collect(),
        () => of_role("messages", "assistant", "content"),
    }
}
