//! A prompt as a Messages request.

use harness_core::{AssistantPart, Maker, Prompt};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    cache::{CacheControl, MARKED_MESSAGES},
    effort,
    history::{Dialect, SentPart, SentResult, Turn, blind, object, plain_id, turns_of},
    request::{Asked, RequestOptions, WireRequest, headers, json, schema},
};

const DIALECT: Dialect = Dialect {
    is_legal_id,
    make_id: plain_id,
    takes,
    may_end_opaque: false,
    // A paused answer is sent back as it is.
    may_end_answered: true,
};

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
        content: Content<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
}

/// What a result holds: text alone as text, so that requests without images stay as they were.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Parts(Vec<Shown<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Shown<'a> {
    Text { text: &'a str },
    Image { source: Source<'a> },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Source<'a> {
    Base64 {
        media_type: &'static str,
        data: &'a str,
    },
}

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions, maker: &Maker) -> WireRequest {
    let turns = turns_of(prompt, &DIALECT, maker, |_| blind(options.images));
    let mut messages: Vec<Wire<'_>> = turns.iter().map(wire).collect();
    trim_end(&mut messages);
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
    // The only version. Models that think adaptively do so between calls without any beta header:
    // https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking.
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
        content: content(result),
        is_error: result.is_error,
        cache_control: None,
    }
}

fn content<'a>(result: &'a SentResult<'_>) -> Content<'a> {
    let text = &*result.content;
    if result.images.is_empty() {
        return Content::Text(text);
    }
    let images = result.images.iter().map(|image| Shown::Image {
        source: Source::Base64 {
            media_type: image.format.media_type(),
            data: &image.data,
        },
    });
    Content::Parts([Shown::Text { text }].into_iter().chain(images).collect())
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

/// Takes blanks off the end of an answer that is to be gone on with: the server refuses them.
fn trim_end(messages: &mut [Wire<'_>]) {
    if let Some(Wire::Assistant(blocks)) = messages.last_mut()
        && let Some(Block::Text { text, .. }) = blocks.last_mut()
    {
        *text = text.trim_end();
    }
}

/// Marks what the next request, and the next session, find again.
fn mark(messages: &mut [Wire<'_>]) {
    // What the first message begins with is the same for all sessions of a run.
    if let Some(Wire::User(blocks)) = messages.first_mut()
        && let [shared, _, ..] = blocks.as_mut_slice()
    {
        set_mark(shared);
    }
    let users = messages
        .iter_mut()
        .rev()
        .filter_map(|message| match message {
            Wire::User(blocks) => blocks.last_mut(),
            Wire::Assistant(_) => None,
        });
    users.take(MARKED_MESSAGES).for_each(set_mark);
}

const fn set_mark(block: &mut Block<'_>) {
    if let Block::Text { cache_control, .. } | Block::ToolResult { cache_control, .. } = block {
        *cache_control = Some(CacheControl::Ephemeral);
    }
}

fn is_legal_id(id: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&id.len()) && id.bytes().all(is_legal)
}

/// Thinking goes back only with the proof that this provider made it.
fn takes(part: &AssistantPart) -> bool {
    match part {
        AssistantPart::Thinking { signature, .. } => {
            signature.as_ref().is_some_and(|proof| !proof.is_empty())
        }
        AssistantPart::RedactedThinking { data, .. } => !data.is_empty(),
        AssistantPart::Opaque { .. } => false,
        AssistantPart::Text { .. } | AssistantPart::ToolCall(_) => true,
    }
}
