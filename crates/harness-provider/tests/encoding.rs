//! Encoding of prompts: the whole body of each wire once, the rules by table.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use harness_core::{
    AssistantPart, Message, Prompt, TokenCount, ToolCall, ToolResult, ToolSpec, UserPart,
};
use harness_provider::{Api, RequestOptions, WireRequest, encode};
use serde_json::{Value, json};

fn text(text: &str) -> UserPart {
    UserPart::Text {
        text: text.to_owned(),
    }
}

fn result(id: &str, content: &str, is_error: bool) -> UserPart {
    UserPart::ToolResult(ToolResult {
        id: id.to_owned(),
        content: content.to_owned(),
        is_error,
    })
}

fn said(text: &str) -> AssistantPart {
    AssistantPart::Text {
        text: text.to_owned(),
    }
}

fn thinking(text: &str, signature: Option<&str>) -> AssistantPart {
    AssistantPart::Thinking {
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        maker: None,
    }
}

fn call(id: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "read".to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn prompt(messages: Vec<Message>) -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        tools: Arc::new([ToolSpec {
            name: "read",
            description: "Reads a file.",
            schema: r#"{"type":"object","properties":{"path":{"type":"string"}}}"#,
        }]),
        messages: messages.into_iter().map(Arc::new).collect(),
    }
}

fn conversation() -> Prompt {
    prompt(vec![
        Message::User(vec![text("hi")]),
        Message::Assistant(vec![
            thinking("unsigned", None),
            thinking("signed  ", Some("c2ln")),
            AssistantPart::RedactedThinking {
                data: "b3A=".to_owned(),
                maker: None,
            },
            said("I look."),
            call("functions.read:0", r#"{"path": "b", "a": 1}"#),
            call("b", "{oops"),
        ]),
        Message::User(vec![
            text("and hurry"),
            result("b", "bad arguments", true),
            result("functions.read:0", "fn main() {}", false),
        ]),
        Message::Assistant(vec![call("c", "")]),
    ])
}

fn request(api: Api, base_url: &str, prompt: &Prompt) -> WireRequest {
    let options = RequestOptions {
        model: "model-a".to_owned(),
        max_output: TokenCount(4096),
        context: TokenCount(32_000),
        base_url: base_url.to_owned(),
        server: None,
    };
    encode(api, prompt, &options)
}

fn body(request: &WireRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn the_anthropic_request() {
    let request = request(Api::Anthropic, "https://api.anthropic.com", &conversation());
    assert_eq!(request.url, "https://api.anthropic.com/v1/messages");
    assert_eq!(request.key_header, ("x-api-key", ""));
    assert_eq!(
        request.headers,
        [
            ("content-type", "application/json".to_owned()),
            ("accept", "text/event-stream".to_owned()),
            ("anthropic-version", "2023-06-01".to_owned()),
        ]
    );
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        body(&request),
        json!({
            "model": "model-a",
            "max_tokens": 4096,
            "stream": true,
            "tools": [{
                "name": "read",
                "description": "Reads a file.",
                "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}},
            }],
            "system": [{"type": "text", "text": "Be brief.", "cache_control": mark}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "signed  ", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "b3A="},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "call_0", "name": "read", "input": {"path": "b", "a": 1}},
                    {"type": "tool_use", "id": "b", "name": "read", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_0", "content": "fn main() {}"},
                    {"type": "tool_result", "tool_use_id": "b", "content": "bad arguments", "is_error": true},
                    {"type": "text", "text": "and hurry", "cache_control": mark},
                ]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "c", "name": "read", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": "no result was recorded",
                     "is_error": true, "cache_control": mark},
                ]},
            ],
        })
    );
}

#[test]
fn the_chat_request() {
    let request = request(Api::Chat, "http://localhost:9080/v1/", &conversation());
    assert_eq!(request.url, "http://localhost:9080/v1/chat/completions");
    assert_eq!(request.key_header, ("authorization", "Bearer "));
    let function = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "read", "arguments": arguments}});
    assert_eq!(
        body(&request),
        json!({
            "model": "model-a",
            "max_tokens": 4096,
            "stream": true,
            "stream_options": {"include_usage": true},
            "tools": [{"type": "function", "function": {
                "name": "read",
                "description": "Reads a file.",
                "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
            }}],
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    function("functions.read:0", r#"{"path": "b", "a": 1}"#),
                    function("b", "{}"),
                ]},
                {"role": "tool", "tool_call_id": "functions.read:0", "content": "fn main() {}"},
                {"role": "tool", "tool_call_id": "b", "content": "bad arguments"},
                {"role": "user", "content": "and hurry"},
                {"role": "assistant", "content": null, "tool_calls": [function("c", "{}")]},
                {"role": "tool", "tool_call_id": "c", "content": "no result was recorded"},
            ],
        })
    );
}

#[test]
fn the_same_prompt_gives_the_same_bytes() {
    for api in [Api::Anthropic, Api::Chat] {
        let once = request(api, "https://a", &conversation());
        assert_eq!(once, request(api, "https://a", &conversation()));
    }
}

#[test]
fn addresses_are_completed() {
    let prompt = prompt(vec![Message::User(vec![text("hi")])]);
    for (api, base, url) in [
        (
            Api::Anthropic,
            "https://a/api/",
            "https://a/api/v1/messages",
        ),
        (Api::Anthropic, "https://a/v1", "https://a/v1/messages"),
        (Api::Chat, "https://a/v1", "https://a/v1/chat/completions"),
        (Api::Chat, "https://a", "https://a/chat/completions"),
    ] {
        assert_eq!(request(api, base, &prompt).url, url);
    }
}

#[test]
fn only_openai_itself_takes_the_new_name_of_the_token_limit() {
    let prompt = prompt(vec![Message::User(vec![text("hi")])]);
    for (base, key) in [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://api.openai.com:443/v1", "max_completion_tokens"),
        ("https://api.openai.com.example/v1", "max_tokens"),
        ("http://localhost/api.openai.com/v1", "max_tokens"),
    ] {
        let body = body(&request(Api::Chat, base, &prompt));
        assert_eq!(body[key], 4096, "{base}");
        let names = ["max_tokens", "max_completion_tokens"];
        assert_eq!(
            names.iter().filter(|name| !body[**name].is_null()).count(),
            1
        );
    }
}

#[test]
fn cache_marks_stay_within_the_four_allowed() {
    let turns = (0..20).flat_map(|_| {
        [
            Message::User(vec![text("go")]),
            Message::Assistant(vec![said("ok")]),
        ]
    });
    let request = request(Api::Anthropic, "https://a", &prompt(turns.collect()));
    let body = String::from_utf8(request.body).unwrap();
    assert_eq!(body.matches("cache_control").count(), 3);
}

#[test]
fn an_empty_system_text_and_no_tools_are_left_out() {
    let bare = Prompt {
        system: "".into(),
        tools: Arc::new([]),
        messages: vec![Arc::new(Message::User(vec![text("hi")]))],
    };
    for api in [Api::Anthropic, Api::Chat] {
        let body = body(&request(api, "https://a", &bare));
        assert!(body["system"].is_null() && body["tools"].is_null());
        assert_eq!(body["messages"].as_array().unwrap().len(), 1);
    }
}
