//! Any conversation becomes a request that its wire takes.
//!
//! Conversations are made up of everything a log can hold: parts of all makers, calls without results
//! and results without calls, ids that repeat or are illegal, blank texts, images. What the servers
//! refuse stands here as rules, one checker for each wire.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "history/rules.rs"]
mod rules;

use std::sync::Arc;

use harness_core::{
    AssistantPart, Image, ImageFormat, Maker, Message, Prompt, RepoPath, TokenCount, ToolCall,
    ToolResult, ToolSpec, UserPart,
};
use harness_provider::{Api, RequestOptions, Server, encode};
use proptest::prelude::*;
use serde_json::Value;

/// A wire, a model on it, and what answers there.
#[derive(Clone, Copy, Debug)]
struct Target {
    api: Api,
    model: &'static str,
    server: Option<Server>,
}

const fn target(api: Api, model: &'static str, server: Option<Server>) -> Target {
    Target { api, model, server }
}

const TARGETS: [Target; 10] = [
    target(Api::Anthropic, "claude-sonnet-5-5", None),
    target(Api::Chat, "m", Some(Server::OpenAi)),
    target(Api::Chat, "m", Some(Server::Mistral)),
    target(Api::Chat, "m", Some(Server::OpenRouter)),
    target(
        Api::Chat,
        "anthropic/claude-sonnet-5-5",
        Some(Server::OpenRouter),
    ),
    target(Api::Chat, "m", Some(Server::DeepSeek)),
    target(Api::Responses, "gpt-6.2-sol", None),
    target(Api::Gemini, "gemini-3.8-flash", None),
    target(Api::Gemini, "gemini-2.5-pro", None),
    target(Api::Ollama, "m", None),
];

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn texts() -> impl Strategy<Value = String> {
    one_of(&["", " \n", "hi", "go on \n", "\u{0}\u{1b}[31m", "é"])
}

fn ids() -> impl Strategy<Value = String> {
    const LONG: &str =
        "an-id-of-a-server-that-likes-its-ids-very-much-longer-than-sixty-four-characters";
    one_of(&[
        "",
        "a",
        "a",
        "b",
        "call_0",
        "call00000",
        "abcDEF123",
        "functions.read:0",
        "a b",
        LONG,
    ])
}

fn makers() -> impl Strategy<Value = Option<Maker>> {
    let maker = |at: usize| {
        TARGETS.get(at).map(|target| Maker {
            wire: target.api.as_str().to_owned(),
            model: target.model.to_owned(),
        })
    };
    (0..=TARGETS.len()).prop_map(maker)
}

fn opaque_data() -> impl Strategy<Value = String> {
    one_of(&[
        r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"}"#,
        r#"{"type":"message","id":"msg_1","status":"completed"}"#,
        r#"{"type":"function_call","id":"fc_1","status":"completed"}"#,
        r#"{"thoughtSignature":"c2ln"}"#,
        r#"{"text":"","thoughtSignature":"c2ln"}"#,
        r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]}"#,
        "{}",
        "[]",
        "no json",
        "",
    ])
}

fn calls() -> impl Strategy<Value = AssistantPart> {
    let long_name = "x".repeat(90);
    let names = prop_oneof![
        one_of(&["read", "read", "", "1st", "a.b c", "-", "é"]),
        Just(long_name),
    ];
    let arguments = one_of(&["{}", r#"{"a":1}"#, "", "[1]", "{oops", "null", "\"{}\""]);
    (ids(), names, arguments).prop_map(|(id, name, arguments)| {
        AssistantPart::ToolCall(ToolCall {
            id,
            name,
            arguments,
        })
    })
}

fn answer_parts() -> impl Strategy<Value = AssistantPart> {
    let signature = prop::option::of(one_of(&["", "c2ln"]));
    prop_oneof![
        3 => texts().prop_map(|text| AssistantPart::Text { text }),
        3 => calls(),
        1 => (texts(), signature, makers()).prop_map(|(text, signature, maker)| {
            AssistantPart::Thinking { text, signature, maker }
        }),
        1 => (one_of(&["", "b3A="]), makers()).prop_map(|(data, maker)| {
            AssistantPart::RedactedThinking { data, maker }
        }),
        2 => (opaque_data(), makers()).prop_map(|(data, maker)| AssistantPart::Opaque { data, maker }),
    ]
}

fn images() -> impl Strategy<Value = Image> {
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::Webp,
    ];
    prop::sample::select(formats.to_vec()).prop_map(|format| Image {
        path: RepoPath::parse("docs/a").unwrap(),
        format,
        width: 2,
        height: 3,
        data: "AAAA".into(),
    })
}

fn user_parts() -> impl Strategy<Value = UserPart> {
    let images = prop::collection::vec(images(), 0..2);
    prop_oneof![
        1 => texts().prop_map(|text| UserPart::Text { text }),
        3 => (ids(), texts(), any::<bool>(), images).prop_map(|(id, content, is_error, images)| {
            UserPart::ToolResult(ToolResult { id, content, is_error, images })
        }),
    ]
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let message = prop_oneof![
        prop::collection::vec(user_parts(), 0..5).prop_map(Message::User),
        prop::collection::vec(answer_parts(), 0..6).prop_map(Message::Assistant),
    ];
    prop::collection::vec(message, 0..8)
}

fn prompt(messages: &[Message]) -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        tools: Arc::new([ToolSpec {
            name: "read",
            description: "Reads a file.",
            schema: r#"{"type":"object","properties":{"path":{"type":"string"}}}"#,
        }]),
        messages: messages.iter().cloned().map(Arc::new).collect(),
    }
}

fn sent(target: Target, messages: &[Message], images: bool) -> Vec<u8> {
    let options = RequestOptions {
        model: target.model.to_owned(),
        max_output: TokenCount(4096),
        context: TokenCount(32_000),
        base_url: "https://model.invalid".to_owned(),
        server: target.server,
        effort: None,
        images,
    };
    encode(target.api, &prompt(messages), &options).body
}

fn checked(target: Target, body: &Value) -> Result<(), String> {
    match target.api {
        Api::Anthropic => rules::anthropic(body),
        Api::Chat => rules::chat(body, target.server == Some(Server::Mistral)).and_then(|()| {
            let is_reasoned = target.server == Some(Server::DeepSeek);
            rules::chat_reasoning(body, is_reasoned)
        }),
        Api::Responses => rules::responses(body),
        Api::Gemini => rules::gemini(body, target.model.starts_with("gemini-3")),
        Api::Ollama => rules::ollama(body),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_conversation_becomes_a_request_that_its_wire_takes(
        at in 0..TARGETS.len(), messages in messages(), images in any::<bool>(),
    ) {
        let target = TARGETS[at];
        let bytes = sent(target, &messages, images);
        prop_assert_eq!(&bytes, &sent(target, &messages, images), "not the same twice");
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        let checked = checked(target, &body);
        prop_assert!(checked.is_ok(), "{target:?}: {}\n{body:#}", checked.unwrap_err());
        if !images {
            prop_assert!(!String::from_utf8_lossy(&bytes).contains("AAAA"), "an image was sent");
        }
    }

    /// Claude from 5.1 on binds what it thinks to all that stood before it and refuses the
    /// conversation when that is sent otherwise later; a mark that moves and another effort change nothing:
    /// <https://platform.claude.com/docs/en/build-with-claude/preserved-thinking/prefix-checks>.
    #[test]
    fn what_was_sent_before_an_answer_is_sent_so_for_ever(
        at in 0..TARGETS.len(), rounds in rounds(), cut in any::<prop::sample::Index>(),
    ) {
        let target = TARGETS[at];
        let whole: Vec<Message> = rounds.concat();
        // Up to the user message of a round, which the answer of that round came to.
        let before = cut.index(rounds.len()) * 2 + 1;
        let (early, late) = (said(target, &whole[..before]), said(target, &whole));
        prop_assert_eq!(&early[..], &late[..early.len()], "{:?}", target);
    }
}

/// Rounds of a user and an answer, none of which is left out.
fn rounds() -> impl Strategy<Value = Vec<[Message; 2]>> {
    let text = || "say".to_owned();
    let user = prop::collection::vec(user_parts(), 0..4).prop_map(move |mut parts| {
        parts.push(UserPart::Text { text: text() });
        Message::User(parts)
    });
    let answer = prop::collection::vec(answer_parts(), 0..5).prop_map(move |mut parts| {
        parts.insert(0, AssistantPart::Text { text: text() });
        Message::Assistant(parts)
    });
    prop::collection::vec(
        (user, answer).prop_map(|(user, answer)| [user, answer]),
        1..5,
    )
}

/// Returns the messages of a request without its cache marks, and without the shape a mark gives a text.
fn said(target: Target, messages: &[Message]) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&sent(target, messages, true)).unwrap();
    let key = ["messages", "input", "contents"]
        .into_iter()
        .find(|key| body[key].is_array())
        .unwrap();
    let mut said = body[key].as_array().unwrap().clone();
    said.iter_mut().for_each(unmark);
    said
}

fn unmark(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("cache_control");
            fields.values_mut().for_each(unmark);
            if let Some(Value::Array(parts)) = fields.get("content")
                && let [only] = parts.as_slice()
                && only["type"] == "text"
            {
                let text = only["text"].clone();
                fields.insert("content".to_owned(), text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unmark),
        _ => {}
    }
}
