//! A prompt as a Chat Completions request.

use std::borrow::Cow;

use harness_core::{AssistantPart, Maker, Prompt};
use serde::Serialize;
use serde_json::Value;

use super::{REASONING_DETAILS, cache};
use crate::{
    Api,
    cache::cache_key,
    effort,
    history::{Dialect, SentPart, SentResult, Turn, blind, is_object, object, plain_id, turns_of},
    request::{Asked, RequestOptions, Tool, WireRequest, data_url, functions, headers, json},
    server::{CacheHelp, Ids, LimitKey, Manners, NoText, manners_of},
};

const DIALECT: Dialect = Dialect {
    // Any characters will do. OpenAI refused ids of 41 characters and more, of late those of 65 and more:
    // https://github.com/vercel/ai/issues/5171, https://github.com/decolua/9router/pull/3167.
    is_legal_id: |id| (1..=40).contains(&id.len()),
    // Reasoning as text goes back to none: no form of it is taken by all. As parts of a
    // server's own it goes to the server that is known to take them.
    takes: |part| match part {
        AssistantPart::Text { .. } | AssistantPart::ToolCall(_) => true,
        AssistantPart::Opaque { data, .. } => is_object(data),
        AssistantPart::Thinking { .. } | AssistantPart::RedactedThinking { .. } => false,
    },
    may_end_opaque: false,
    may_end_answered: false,
    make_id: plain_id,
};

/// As [`DIALECT`], for a server that takes ids of nine letters and digits alone.
const NINE: Dialect = Dialect {
    is_legal_id: |id| id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    make_id: |number| format!("call{number:05}"),
    ..DIALECT
};

/// As [`DIALECT`], for a server that wants its reasoning back.
const REASONED: Dialect = Dialect {
    takes: |part| match part {
        AssistantPart::Thinking { maker, .. } => maker.is_some(),
        other => (DIALECT.takes)(other),
    },
    ..DIALECT
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
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<String>,
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
#[serde(tag = "role", rename_all = "snake_case")]
enum Wire<'a> {
    System {
        content: &'a str,
    },
    User {
        content: Content<'a>,
    },
    Assistant {
        content: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        reasoning_details: Vec<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning_content: Option<String>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

/// What a user message holds: text alone as text, which every server takes.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Shown<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Shown<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: Address },
}

#[derive(Serialize)]
struct Address {
    url: String,
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
    let base = options.base_url.trim_end_matches('/');
    let manners = manners_of(base, options.server);
    let dialect = match manners.ids {
        Ids::Any if manners.wants_reasoning => REASONED,
        Ids::Any => DIALECT,
        Ids::Nine => NINE,
    };
    let turns = turns_of(prompt, &dialect, maker, |image| {
        blind(options.images).or_else(|| manners.refuses(image.format))
    });
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if !prompt.system.trim().is_empty() {
        messages.push(Wire::System {
            content: &prompt.system,
        });
    }
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
        prompt_cache_key: (manners.cache == CacheHelp::Key).then(|| cache_key(prompt)),
        tools: functions(prompt),
        messages,
        effort: effort::said(Api::Chat, options),
    };
    WireRequest {
        url: format!("{base}/chat/completions"),
        headers: headers(),
        key_header: ("authorization", "Bearer "),
        body: if manners.cache == CacheHelp::Marks && cache::wants_marks(&options.model) {
            json(&cache::marked(&body, &turns))
        } else {
            json(&body)
        },
        asked: Asked::of_model(options),
    }
}

fn push<'a>(messages: &mut Vec<Wire<'a>>, turn: &'a Turn<'_>, manners: Manners) {
    match turn {
        Turn::User { results, texts } => {
            messages.extend(results.iter().map(|result| Wire::Tool {
                tool_call_id: &result.id,
                content: &result.content,
            }));
            let said = said(results, texts);
            if manners.answers_results && !results.is_empty() && said.is_some() {
                messages.push(Wire::Assistant {
                    content: Some(Cow::Borrowed(RESULTS_SEEN)),
                    tool_calls: Vec::new(),
                    reasoning_details: Vec::new(),
                    reasoning_content: None,
                });
            }
            messages.extend(said.map(|content| Wire::User { content }));
        }
        Turn::Assistant(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(text).collect();
            let tool_calls: Vec<Call<'a>> = parts.iter().filter_map(call).collect();
            let reasons = manners.wants_reasoning && !tool_calls.is_empty();
            messages.push(Wire::Assistant {
                content: joined(&texts).or(match manners.no_text {
                    NoText::Null => None,
                    NoText::Empty => Some(Cow::Borrowed("")),
                }),
                tool_calls,
                reasoning_content: reasons.then(|| reasoning(parts)),
                reasoning_details: if manners.takes_reasoning_details {
                    parts.iter().flat_map(details).collect()
                } else {
                    Vec::new()
                },
            });
        }
    }
}

/// Stands for the answer that some servers want between results and a user's text.
const RESULTS_SEEN: &str = "I have the results.";

/// Returns what a user message behind results holds: their images, which results cannot hold here, and texts.
fn said<'a>(results: &'a [SentResult<'_>], texts: &[&'a str]) -> Option<Content<'a>> {
    let mut parts = Vec::new();
    for result in results {
        for image in &result.images {
            let text = Cow::Owned(format!("The image of call {}, {}:", result.id, image.path));
            let url = data_url(image);
            parts.push(Shown::Text { text });
            parts.push(Shown::ImageUrl {
                image_url: Address { url },
            });
        }
    }
    let text = joined(texts);
    if parts.is_empty() {
        return text.map(Content::Text);
    }
    parts.extend(text.map(|text| Shown::Text { text }));
    Some(Content::Parts(parts))
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

fn reasoning(parts: &[SentPart<'_>]) -> String {
    let thoughts = parts.iter().filter_map(|part| match part {
        SentPart::Said(AssistantPart::Thinking { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    thoughts.collect()
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
