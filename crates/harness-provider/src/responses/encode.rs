//! A prompt as a Responses request.

use harness_core::{AssistantPart, Maker, Prompt};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{FUNCTION_CALL, MESSAGE, REASONING};
use crate::{
    Api,
    cache::cache_key,
    effort,
    history::{Dialect, SentPart, SentResult, Turn, blind, is_object, object, plain_id, turns_of},
    request::{Asked, RequestOptions, WireRequest, data_url, headers, json, schema},
};

const DIALECT: Dialect = Dialect {
    // Longer ones are refused: https://github.com/RooCodeInc/Roo-Code/pull/10763.
    is_legal_id: |id| (1..=64).contains(&id.len()),
    make_id: plain_id,
    takes: |part| match part {
        AssistantPart::Text { .. } | AssistantPart::ToolCall(_) => true,
        AssistantPart::Opaque { data, .. } => is_object(data),
        AssistantPart::Thinking { .. } | AssistantPart::RedactedThinking { .. } => false,
    },
    // Reasoning that led to nothing is refused.
    may_end_opaque: false,
    may_end_answered: true,
};

/// What asks for reasoning in a form that can be sent back.
const ENCRYPTED: &[&str] = &["reasoning.encrypted_content"];

/// Models that do not reason, beside all with `-chat` in their name; they refuse to be asked for it:
/// `Encrypted content is not supported with this model`.
///
/// Source: <https://github.com/pydantic/pydantic-ai/issues/3326> and `pull/2867` there.
const WITHOUT_REASONING: [&str; 3] = ["gpt-3", "gpt-4", "chatgpt-"];

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_output_tokens: u64,
    stream: bool,
    store: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    include: &'static [&'static str],
    prompt_cache_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    input: Vec<Value>,
    #[serde(flatten)]
    effort: effort::Fields,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tool<'a> {
    Function {
        name: &'a str,
        description: &'a str,
        parameters: Value,
        /// Said because the default changes the schema.
        strict: bool,
    },
}

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions, maker: &Maker) -> WireRequest {
    let mut input = Vec::new();
    for turn in &turns_of(prompt, &DIALECT, maker, |_| blind(options.images)) {
        match turn {
            Turn::User { results, texts } => {
                input.extend(results.iter().map(result));
                input.extend(texts.iter().map(|text| user(text)));
            }
            Turn::Assistant(parts) => push_answer(&mut input, parts),
        }
    }
    let body = Body {
        model: &options.model,
        max_output_tokens: options.max_output.0,
        stream: true,
        store: false,
        include: if reasons(&options.model) {
            ENCRYPTED
        } else {
            &[]
        },
        prompt_cache_key: cache_key(prompt),
        instructions: Some(&*prompt.system).filter(|text| !text.trim().is_empty()),
        tools: prompt
            .tools
            .iter()
            .map(|tool| Tool::Function {
                name: tool.name,
                description: tool.description,
                parameters: schema(tool.schema),
                strict: false,
            })
            .collect(),
        input,
        effort: effort::said(Api::Responses, options),
    };
    WireRequest {
        url: format!("{}/responses", options.base_url.trim_end_matches('/')),
        headers: headers(),
        key_header: ("authorization", "Bearer "),
        body: json(&body),
        asked: Asked::of_model(options),
    }
}

fn reasons(model: &str) -> bool {
    // Routers put a vendor before the name.
    let name = model.rsplit('/').next().unwrap_or_default();
    let is_chat = name.contains("-chat");
    !is_chat
        && !WITHOUT_REASONING
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn user(text: &str) -> Value {
    json!({"type": MESSAGE, "role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn result(result: &SentResult<'_>) -> Value {
    let text = &result.content;
    let output = if result.images.is_empty() {
        json!(text)
    } else {
        let images = result.images.iter();
        let images =
            images.map(|image| json!({"type": "input_image", "image_url": data_url(image)}));
        let text = json!({"type": "input_text", "text": text});
        [text].into_iter().chain(images).collect()
    };
    json!({"type": "function_call_output", "call_id": result.id, "output": output})
}

fn push_answer(input: &mut Vec<Value>, parts: &[SentPart<'_>]) {
    let mut label = Map::new();
    for part in parts {
        match part {
            SentPart::Said(AssistantPart::Opaque { data, .. }) => {
                let item = object(data).unwrap_or_default();
                if item.get("type").is_some_and(|kind| kind == REASONING) {
                    input.push(Value::Object(item));
                } else {
                    label = item;
                }
            }
            SentPart::Said(AssistantPart::Text { text }) => {
                let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
                let said = [("role", json!("assistant")), ("content", content)];
                input.push(item(MESSAGE, std::mem::take(&mut label), said));
            }
            SentPart::Call {
                id,
                name,
                arguments,
            } => {
                // The server parses them; what is no object is refused.
                let arguments = object(arguments).map_or("{}", |_| *arguments);
                let said = [
                    ("call_id", json!(id)),
                    ("name", json!(name)),
                    ("arguments", json!(arguments)),
                ];
                input.push(item(FUNCTION_CALL, std::mem::take(&mut label), said));
            }
            SentPart::Said(_) => {}
        }
    }
}

/// Makes an item of what the provider said of it and what its part says; a label of another kind is none.
fn item<const N: usize>(
    kind: &str,
    label: Map<String, Value>,
    said: [(&'static str, Value); N],
) -> Value {
    let mut item = match label.get("type") {
        Some(labelled) if labelled == kind => label,
        _ => Map::from_iter([("type".to_owned(), json!(kind))]),
    };
    item.extend(said.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(item)
}
