//! A prompt as a Chat Completions request.

use std::borrow::Cow;

use harness_core::{AssistantPart, Maker, Prompt};
use serde::Serialize;
use serde_json::Value;

use super::REASONING_DETAILS;
use crate::{
    Api, effort,
    history::{Dialect, SentPart, Turn, object, repaired},
    request::{Asked, RequestOptions, WireRequest, headers, json, schema},
    server::{LimitKey, Manners, NoText, manners_of},
};

const DIALECT: Dialect = Dialect {
    // Ids of 41 characters and more are refused; any characters will do.
    is_legal_id: |id| (1..=40).contains(&id.len()),
    // Reasoning as text goes back to none: no form of it is taken by all. As parts of a
    // server's own it goes to the server that is known to take them.
    takes: |part| {
        matches!(
            part,
            AssistantPart::Text { .. } | AssistantPart::ToolCall(_) | AssistantPart::Opaque { .. }
        )
    },
    may_end_opaque: false,
};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    parallel_tool_calls: bool,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<Wire<'a>>,
    #[serde(flatten)]
    effort: effort::Fields,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", content = "function", rename_all = "snake_case")]
enum Tool<'a> {
    Function {
        name: &'a str,
        description: &'a str,
        parameters: Value,
    },
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum Wire<'a> {
    System {
        content: &'a str,
    },
    User {
        content: Cow<'a, str>,
    },
    Assistant {
        content: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        reasoning_details: Vec<Value>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions, maker: &Maker) -> WireRequest {
    let turns = repaired(prompt.messages.iter().map(AsRef::as_ref), &DIALECT, maker);
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if !prompt.system.trim().is_empty() {
        messages.push(Wire::System {
            content: &prompt.system,
        });
    }
    let base = options.base_url.trim_end_matches('/');
    let manners = manners_of(base, options.server);
    for turn in &turns {
        push(&mut messages, turn, manners);
    }
    let max_output = Some(options.max_output.0);
    let (max_tokens, max_completion_tokens) = match manners.limit {
        LimitKey::CompletionTokens => (None, max_output),
        LimitKey::Tokens => (max_output, None),
    };
    let body = Body {
        model: &options.model,
        max_tokens,
        max_completion_tokens,
        parallel_tool_calls: manners.asks_for_parallel_calls && !prompt.tools.is_empty(),
        stream: true,
        stream_options: StreamOptions {
            include_usage: true,
        },
        tools: prompt
            .tools
            .iter()
            .map(|tool| Tool::Function {
                name: tool.name,
                description: tool.description,
                parameters: schema(tool.schema),
            })
            .collect(),
        messages,
        effort: effort::said(Api::Chat, options),
    };
    WireRequest {
        url: format!("{base}/chat/completions"),
        headers: headers(),
        key_header: ("authorization", "Bearer "),
        body: json(&body),
        asked: Asked::of_model(options),
    }
}

fn push<'a>(messages: &mut Vec<Wire<'a>>, turn: &'a Turn<'_>, manners: Manners) {
    match turn {
        Turn::User { results, texts } => {
            messages.extend(results.iter().map(|result| Wire::Tool {
                tool_call_id: &result.id,
                content: result.content,
            }));
            messages.extend(joined(texts).map(|content| Wire::User { content }));
        }
        Turn::Assistant(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(text).collect();
            messages.push(Wire::Assistant {
                content: joined(&texts).or(match manners.no_text {
                    NoText::Null => None,
                    NoText::Empty => Some(Cow::Borrowed("")),
                }),
                tool_calls: parts.iter().filter_map(call).collect(),
                reasoning_details: if manners.takes_reasoning_details {
                    parts.iter().flat_map(details).collect()
                } else {
                    Vec::new()
                },
            });
        }
    }
}

/// Joins texts by blank lines; none of nothing.
fn joined<'a>(texts: &[&'a str]) -> Option<Cow<'a, str>> {
    match texts {
        [] => None,
        [text] => Some(Cow::Borrowed(text)),
        texts => Some(Cow::Owned(texts.join("\n\n"))),
    }
}

fn text<'a>(part: &SentPart<'a>) -> Option<&'a str> {
    match part {
        SentPart::Said(AssistantPart::Text { text }) => Some(text),
        _ => None,
    }
}

fn details(part: &SentPart<'_>) -> Vec<Value> {
    let SentPart::Said(AssistantPart::Opaque { data, .. }) = part else {
        return Vec::new();
    };
    match object(data).and_then(|mut data| data.remove(REASONING_DETAILS)) {
        Some(Value::Array(details)) => details,
        _ => Vec::new(),
    }
}

fn call<'a>(part: &'a SentPart<'_>) -> Option<Call<'a>> {
    match part {
        SentPart::Call {
            id,
            name,
            arguments,
        } => Some(Call {
            id,
            kind: "function",
            function: Function {
                name,
                // Servers that put arguments into a template parse them first.
                arguments: object(arguments).map_or("{}", |_| *arguments),
            },
        }),
        SentPart::Said(_) => None,
    }
}
