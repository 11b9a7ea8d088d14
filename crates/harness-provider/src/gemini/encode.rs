//! A prompt as a `streamGenerateContent` request.

use std::borrow::Cow;

use harness_core::{AssistantPart, Maker, Prompt};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{SIGNATURE, schema::parameters};
use crate::{
    Api, effort,
    history::{Dialect, SentPart, SentResult, Turn, object, repaired},
    request::{Asked, RequestOptions, WireRequest, headers, json, schema},
};

const DIALECT: Dialect = Dialect {
    is_legal_id: |id| (1..=64).contains(&id.len()),
    takes: |part| {
        matches!(
            part,
            AssistantPart::Text { .. } | AssistantPart::ToolCall(_) | AssistantPart::Opaque { .. }
        )
    },
    // The signature of an answer comes with its end.
    may_end_opaque: true,
};

/// Stands for the signature of a call that another model made; documented for this purpose.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Instruction<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tools<'a>>,
    contents: Vec<Content>,
    generation_config: Generation,
}

#[derive(Serialize)]
struct Instruction<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    function_declarations: Vec<Declaration<'a>>,
}

#[derive(Serialize)]
struct Declaration<'a> {
    name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
}

#[derive(Serialize)]
struct Content {
    role: &'static str,
    parts: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generation {
    max_output_tokens: u64,
    #[serde(flatten)]
    effort: effort::Fields,
}

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions, maker: &Maker) -> WireRequest {
    let messages = prompt.messages.iter().map(AsRef::as_ref);
    let needs_signatures = needs_signatures(&options.model);
    let declarations: Vec<Declaration<'_>> = prompt
        .tools
        .iter()
        .map(|tool| Declaration {
            name: tool.name,
            description: tool.description,
            parameters: parameters(&schema(tool.schema)),
        })
        .collect();
    let body = Body {
        system_instruction: (!prompt.system.trim().is_empty()).then_some(Instruction {
            parts: [Text {
                text: &prompt.system,
            }],
        }),
        tools: (!declarations.is_empty())
            .then_some(Tools {
                function_declarations: declarations,
            })
            .into_iter()
            .collect(),
        contents: repaired(messages, &DIALECT, maker)
            .iter()
            .map(|turn| content(turn, needs_signatures))
            .collect(),
        generation_config: Generation {
            max_output_tokens: options.max_output.0,
            effort: effort::said(Api::Gemini, options),
        },
    };
    let base = options.base_url.trim_end_matches('/');
    WireRequest {
        url: format!(
            "{base}/models/{}:streamGenerateContent?alt=sse",
            name(&options.model)
        ),
        headers: headers(),
        key_header: ("x-goog-api-key", ""),
        body: json(&body),
        asked: Asked::of_model(options),
    }
}

/// Returns the name of a model as it stands in a path; a list of models writes `models/` before it.
fn name(model: &str) -> Cow<'_, str> {
    let name = model.strip_prefix("models/").unwrap_or(model);
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._~".contains(char);
    if name.chars().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let escaped = name.bytes().map(|byte| match char::from(byte) {
        char if is_plain(char) => char.to_string(),
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// Whether a model refuses calls without a signature; those before the third kind take them as they come.
fn needs_signatures(model: &str) -> bool {
    name(model)
        .strip_prefix("gemini-")
        .and_then(|rest| rest.split(['.', '-']).next()?.parse::<u32>().ok())
        .is_some_and(|kind| kind >= 3)
}

fn content(turn: &Turn<'_>, needs_signatures: bool) -> Content {
    match turn {
        Turn::User { results, texts } => {
            let texts = texts.iter().map(|text| json!({"text": text}));
            Content {
                role: "user",
                parts: results.iter().map(result).chain(texts).collect(),
            }
        }
        Turn::Assistant(parts) => Content {
            role: "model",
            parts: answer(parts, needs_signatures),
        },
    }
}

fn result(result: &SentResult<'_>) -> Value {
    let key = if result.is_error { "error" } else { "output" };
    json!({"functionResponse": {
        "id": result.id,
        "name": result.name,
        "response": {key: result.content},
    }})
}

/// Puts every signature on its part again.
fn answer(parts: &[SentPart<'_>], needs_signatures: bool) -> Vec<Value> {
    let mut sent = Vec::with_capacity(parts.len());
    let mut label = Map::new();
    let mut is_first_call = true;
    for part in parts {
        let mut part = match part {
            SentPart::Said(AssistantPart::Opaque { data, .. }) => {
                let data = object(data).unwrap_or_default();
                if data.contains_key("text") {
                    sent.push(Value::Object(data));
                } else {
                    label = data;
                }
                continue;
            }
            SentPart::Said(AssistantPart::Text { text }) => json!({"text": text}),
            SentPart::Call {
                id,
                name,
                arguments,
            } => {
                // Only the first of calls made together is signed.
                let is_unsigned = std::mem::take(&mut is_first_call) && label.is_empty();
                if needs_signatures && is_unsigned {
                    label.insert(SIGNATURE.to_owned(), json!(NO_SIGNATURE));
                }
                let args = object(arguments).unwrap_or_default();
                json!({"functionCall": {"id": id, "name": name, "args": args}})
            }
            SentPart::Said(_) => continue,
        };
        if let Value::Object(fields) = &mut part {
            fields.append(&mut label);
        }
        sent.push(part);
    }
    sent
}
