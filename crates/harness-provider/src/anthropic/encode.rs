//! A prompt as a Messages request.

use harness_core::{AssistantPart, Maker, Prompt};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    effort,
    history::{Dialect, SentPart, SentResult, Turn, object, repaired},
    request::{Asked, RequestOptions, WireRequest, headers, json, schema},
};

const DIALECT: Dialect = Dialect {
    is_legal_id,
    takes,
    may_end_opaque: false,
};

/// Cache marks on user messages. With the one on the system text, fewer than the four allowed.
///
/// The last message is marked for the next request, the one before it to find
/// what the last request wrote: the server looks back only some 20 blocks from
/// a mark, and one turn of many parallel calls is longer than that.
const MARKED_MESSAGES: usize = 2;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Wire<'a>>,
    #[serde(flatten)]
    effort: effort::Fields,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: Value,
}

#[derive(Serialize)]
#[serde(tag = "role", content = "content", rename_all = "snake_case")]
enum Wire<'a> {
    User(Vec<Block<'a>>),
    Assistant(Vec<Block<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Map<String, Value>,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum CacheControl {
    Ephemeral,
}

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions, maker: &Maker) -> WireRequest {
    let turns = repaired(prompt.messages.iter().map(AsRef::as_ref), &DIALECT, maker);
    let mut messages: Vec<Wire<'_>> = turns.iter().map(wire).collect();
    mark(&mut messages);
    let body = Body {
        model: &options.model,
        max_tokens: options.max_output.0,
        stream: true,
        tools: prompt
            .tools
            .iter()
            .map(|tool| Tool {
                name: tool.name,
                description: tool.description,
                input_schema: schema(tool.schema),
            })
            .collect(),
        system: system(&prompt.system),
        messages,
        effort: effort::said_to_claude(options, &turns),
    };
    let mut headers = headers();
    headers.push(("anthropic-version", "2023-06-01".to_owned()));
    WireRequest {
        url: format!("{}/v1/messages", root(&options.base_url)),
        headers,
        key_header: ("x-api-key", ""),
        body: json(&body),
        asked: Asked::of_model(options),
    }
}

/// Returns the address without the version, which many people write all the same.
fn root(base_url: &str) -> &str {
    let base = base_url.trim_end_matches('/');
    base.strip_suffix("/v1").unwrap_or(base)
}

fn system(text: &str) -> Vec<Block<'_>> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    vec![Block::Text {
        text,
        cache_control: Some(CacheControl::Ephemeral),
    }]
}

fn wire<'a>(turn: &'a Turn<'_>) -> Wire<'a> {
    match turn {
        Turn::User { results, texts } => {
            let texts = texts.iter().map(|text| Block::Text {
                text,
                cache_control: None,
            });
            Wire::User(results.iter().map(result).chain(texts).collect())
        }
        Turn::Assistant(parts) => Wire::Assistant(parts.iter().filter_map(part).collect()),
    }
}

fn result<'a>(result: &'a SentResult<'_>) -> Block<'a> {
    Block::ToolResult {
        tool_use_id: &result.id,
        content: result.content,
        is_error: result.is_error,
        cache_control: None,
    }
}

fn part<'a>(part: &'a SentPart<'_>) -> Option<Block<'a>> {
    Some(match part {
        SentPart::Call {
            id,
            name,
            arguments,
        } => Block::ToolUse {
            id,
            name,
            input: object(arguments).unwrap_or_default(),
        },
        SentPart::Said(AssistantPart::Text { text }) => Block::Text {
            text,
            cache_control: None,
        },
        SentPart::Said(AssistantPart::Thinking {
            text, signature, ..
        }) => Block::Thinking {
            thinking: text,
            signature: signature.as_deref()?,
        },
        SentPart::Said(AssistantPart::RedactedThinking { data, .. }) => {
            Block::RedactedThinking { data }
        }
        SentPart::Said(AssistantPart::ToolCall(_) | AssistantPart::Opaque { .. }) => return None,
    })
}

fn mark(messages: &mut [Wire<'_>]) {
    let users = messages
        .iter_mut()
        .rev()
        .filter_map(|message| match message {
            Wire::User(blocks) => blocks.last_mut(),
            Wire::Assistant(_) => None,
        });
    for block in users.take(MARKED_MESSAGES) {
        if let Block::Text { cache_control, .. } | Block::ToolResult { cache_control, .. } = block {
            *cache_control = Some(CacheControl::Ephemeral);
        }
    }
}

fn is_legal_id(id: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&id.len()) && id.bytes().all(is_legal)
}

/// Thinking goes back only with the proof that this provider made it.
const fn takes(part: &AssistantPart) -> bool {
    !matches!(
        part,
        AssistantPart::Thinking {
            signature: None,
            ..
        } | AssistantPart::Opaque { .. }
    )
}
