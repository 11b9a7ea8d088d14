//! A prompt as a `streamGenerateContent` request.

use std::borrow::Cow;

use harness_core::{AssistantPart, Image, ImageFormat, Maker, Prompt};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{SIGNATURE, schema::parameters};
use crate::{
    Api, effort,
    history::{Dialect, SentPart, SentResult, Turn, blind, is_object, object, plain_id, turns_of},
    request::{Asked, RequestOptions, WireRequest, headers, json, schema},
};

const DIALECT: Dialect = Dialect {
    is_legal_id: |id| (1..=64).contains(&id.len()),
    make_id: plain_id,
    takes: |part| match part {
        AssistantPart::Text { .. } | AssistantPart::ToolCall(_) => true,
        AssistantPart::Opaque { data, .. } => is_object(data),
        AssistantPart::Thinking { .. } | AssistantPart::RedactedThinking { .. } => false,
    },
    // The signature of an answer comes with its end.
    may_end_opaque: true,
    may_end_answered: false,
};

/// Stands for the signature of a call that another model made; documented for this purpose.
///
/// Source: <https://ai.google.dev/gemini-api/docs/thought-signatures>, questions and answers.
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
    let is_third = is_third(&options.model);
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
        contents: turns_of(prompt, &DIALECT, maker, |image| unshown(image, options))
            .iter()
            .map(|turn| content(turn, is_third))
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

/// Says why an image is not sent, where it is not.
///
/// Source: <https://ai.google.dev/gemini-api/docs/image-understanding>, supported formats.
fn unshown(image: &Image, options: &RequestOptions) -> Option<&'static str> {
    let is_gif = image.format == ImageFormat::Gif;
    blind(options.images).or_else(|| is_gif.then_some("this server takes no gif"))
}

/// Whether a model is of the third kind or a later one: it refuses calls without a signature, and
/// takes images inside of results. Those before it take calls as they come, and images behind results.
fn is_third(model: &str) -> bool {
    // A name without a number, such as `gemini-flash-latest`, is that of a newer one.
    name(model).strip_prefix("gemini-").is_some_and(|rest| {
        let kind = rest.split(['.', '-']).next().unwrap_or_default();
        kind.parse::<u32>().is_ok_and(|kind| kind >= 3) || !kind.starts_with(char::is_numeric)
    })
}

fn content(turn: &Turn<'_>, is_third: bool) -> Content {
    match turn {
        Turn::User { results, texts } => {
            let texts = texts.iter().map(|text| json!({"text": text}));
            let behind = if is_third { &[] } else { results.as_slice() };
            let behind = behind.iter().flat_map(images);
            let results = results.iter().map(|it| result(it, is_third));
            Content {
                role: "user",
                parts: results.chain(behind).chain(texts).collect(),
            }
        }
        Turn::Assistant(parts) => Content {
            role: "model",
            parts: answer(parts, is_third),
        },
    }
}

/// Makes a result, with its images in it where the model takes them there.
///
/// Source: <https://ai.google.dev/gemini-api/docs/function-calling>, multimodal function responses.
fn result(result: &SentResult<'_>, holds_images: bool) -> Value {
    let key = if result.is_error { "error" } else { "output" };
    let mut response = json!({
        "id": result.id,
        "name": result.name,
        "response": {key: result.content},
    });
    if holds_images && !result.images.is_empty() {
        response["parts"] = images(result).collect();
    }
    json!({ "functionResponse": response })
}

fn images(result: &SentResult<'_>) -> impl Iterator<Item = Value> {
    result.images.iter().map(|image| {
        json!({"inlineData": {"mimeType": image.format.media_type(), "data": &*image.data}})
    })
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
                let is_unsigned =
                    std::mem::take(&mut is_first_call) && !label.contains_key(SIGNATURE);
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
    if !label.is_empty() {
        label.insert("text".to_owned(), json!(""));
        sent.push(Value::Object(label));
    }
    sent
}
