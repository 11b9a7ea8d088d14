//! A prompt as a Chat Completions request.

use std::borrow::Cow;

use harness_core::{AssistantPart, Prompt};
use serde::Serialize;
use serde_json::Value;

use crate::{
    history::{Dialect, SentPart, Turn, object, repaired},
    request::{RequestOptions, WireRequest, headers, json, schema},
};

const DIALECT: Dialect = Dialect {
    // Ids of 41 characters and more are refused; any characters will do.
    is_legal_id: |id| (1..=40).contains(&id.len()),
    // No server takes reasoning back in a form that others do not refuse.
    takes: |part| {
        matches!(
            part,
            AssistantPart::Text { .. } | AssistantPart::ToolCall(_)
        )
    },
};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<Wire<'a>>,
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

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions) -> WireRequest {
    let turns = repaired(prompt.messages.iter().map(AsRef::as_ref), &DIALECT);
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if !prompt.system.trim().is_empty() {
        messages.push(Wire::System {
            content: &prompt.system,
        });
    }
    for turn in &turns {
        push(&mut messages, turn);
    }
    let base = options.base_url.trim_end_matches('/');
    let max_output = Some(options.max_output.0);
    let (max_tokens, max_completion_tokens) = match host(base) {
        "api.openai.com" => (None, max_output),
        _ => (max_output, None),
    };
    let body = Body {
        model: &options.model,
        max_tokens,
        max_completion_tokens,
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
    };
    WireRequest {
        url: format!("{base}/chat/completions"),
        headers: headers(),
        key_header: ("authorization", "Bearer "),
        body: json(&body),
    }
}

fn push<'a>(messages: &mut Vec<Wire<'a>>, turn: &'a Turn<'_>) {
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
                content: joined(&texts),
                tool_calls: parts.iter().filter_map(call).collect(),
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

/// Returns the host of an address, without user and port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}
