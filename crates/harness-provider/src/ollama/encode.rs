//! A prompt as a request to `/api/chat`.

use harness_core::{AssistantPart, Image, Maker, Prompt, TokenCount};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Api, effort,
    history::{Dialect, SentPart, Turn, blind, object, plain_id, turns_of},
    request::{Asked, RequestOptions, Tool, WireRequest, functions, headers, json},
};

const DIALECT: Dialect = Dialect {
    is_legal_id: |id| !id.is_empty(),
    make_id: plain_id,
    // Reasoning goes back to the model that is marked as its maker: the template of
    // some models wants it between calls.
    takes: |part| match part {
        AssistantPart::Text { .. } | AssistantPart::ToolCall(_) => true,
        AssistantPart::Thinking { maker, .. } => maker.is_some(),
        AssistantPart::RedactedThinking { .. } | AssistantPart::Opaque { .. } => false,
    },
    may_end_opaque: false,
    may_end_answered: false,
};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    options: Options,
    /// Makes a server that knows the key refuse a prompt it would cut; the default is to cut it silently.
    ///
    /// Source: <https://github.com/ollama/ollama/blob/main/server/prompt.go> and `issues/16800` there.
    truncate: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<Wire<'a>>,
    #[serde(flatten)]
    effort: effort::Fields,
}

#[derive(Serialize)]
struct Options {
    /// Without it the server takes its own default, which is small.
    num_ctx: u64,
    num_predict: u64,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum Wire<'a> {
    System {
        content: &'a str,
    },
    User {
        content: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        images: Vec<&'a str>,
    },
    Assistant {
        content: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        thinking: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_name: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: Map<String, Value>,
}

pub(crate) fn encode(prompt: &Prompt, options: &RequestOptions, maker: &Maker) -> WireRequest {
    let turns = turns_of(prompt, &DIALECT, maker, |_| blind(options.images));
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if !prompt.system.trim().is_empty() {
        messages.push(Wire::System {
            content: &prompt.system,
        });
    }
    for turn in &turns {
        push(&mut messages, turn);
    }
    let body = Body {
        model: &options.model,
        stream: true,
        options: Options {
            num_ctx: options.context.0,
            num_predict: options.max_output.0,
        },
        truncate: false,
        tools: functions(prompt),
        messages,
        effort: effort::said(Api::Ollama, options),
    };
    let mut headers = headers();
    for (name, value) in &mut headers {
        if *name == "accept" {
            "application/x-ndjson".clone_into(value);
        }
    }
    WireRequest {
        url: format!("{}/api/chat", options.base_url.trim_end_matches('/')),
        headers,
        // A server behind a gate may want one.
        key_header: ("authorization", "Bearer "),
        asked: Asked {
            prompt: estimate(prompt, &body.messages),
            ..Asked::of_model(options)
        },
        body: json(&body),
    }
}

fn push<'a>(messages: &mut Vec<Wire<'a>>, turn: &'a Turn<'_>) {
    match turn {
        Turn::User { results, texts } => {
            messages.extend(results.iter().map(|result| Wire::Tool {
                tool_name: &result.name,
                content: &result.content,
            }));
            // Templates look for images in what the user says.
            let images: Vec<&Image> = results.iter().flat_map(|it| it.images.clone()).collect();
            let names = images.iter().map(|image| format!("[image {}]", image.path));
            let said: Vec<String> = names.chain(texts.iter().map(ToString::to_string)).collect();
            if !said.is_empty() {
                messages.push(Wire::User {
                    content: said.join("\n\n"),
                    images: images.iter().map(|image| &*image.data).collect(),
                });
            }
        }
        Turn::Assistant(parts) => messages.push(Wire::Assistant {
            content: joined(parts, |part| match part {
                AssistantPart::Text { text } => Some(text),
                _ => None,
            }),
            thinking: joined(parts, |part| match part {
                AssistantPart::Thinking { text, .. } => Some(text),
                _ => None,
            }),
            tool_calls: parts.iter().filter_map(call).collect(),
        }),
    }
}

fn joined(parts: &[SentPart<'_>], text: fn(&AssistantPart) -> Option<&String>) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        SentPart::Said(part) => text(part).map(String::as_str),
        SentPart::Call { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

fn call<'a>(part: &'a SentPart<'_>) -> Option<Call<'a>> {
    match part {
        SentPart::Call {
            name, arguments, ..
        } => Some(Call {
            function: Function {
                name,
                arguments: object(arguments).unwrap_or_default(),
            },
        }),
        SentPart::Said(_) => None,
    }
}

/// Estimates what the server has to read, rather too low than too high.
///
/// Reasoning is left out: templates drop most of it.
fn estimate(prompt: &Prompt, messages: &[Wire<'_>]) -> TokenCount {
    let tools = prompt
        .tools
        .iter()
        .map(|tool| squeezed(tool.name) + squeezed(tool.description) + squeezed(tool.schema));
    let said = messages.iter().map(|message| match message {
        Wire::System { content } | Wire::Tool { content, .. } => squeezed(content),
        Wire::User { content, .. } => squeezed(content),
        Wire::Assistant {
            content,
            tool_calls,
            ..
        } => squeezed(content) + tool_calls.iter().map(size_of_call).sum::<usize>(),
    });
    let bytes = tools.sum::<usize>() + said.sum::<usize>();
    TokenCount((bytes / 4) as u64)
}

fn size_of_call(call: &Call<'_>) -> usize {
    let values = call.function.arguments.iter();
    let values = values.map(|(key, value)| match value {
        Value::String(text) => key.len() + squeezed(text),
        value => key.len() + value.to_string().len(),
    });
    call.function.name.len() + values.sum::<usize>()
}

/// Counts bytes, a run of the same one as one: indentation and rules are few tokens.
fn squeezed(text: &str) -> usize {
    let bytes = text.as_bytes();
    let changes = bytes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    changes + usize::from(!bytes.is_empty())
}
