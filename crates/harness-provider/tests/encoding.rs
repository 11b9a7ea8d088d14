//! Encoding of prompts: the whole body of each wire once, the rules by table.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use harness_core::{
    AssistantPart, Maker, Message, Prompt, TokenCount, ToolCall, ToolResult, ToolSpec, UserPart,
};
use harness_provider::{Api, RequestOptions, Server, WireRequest, encode};
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
        images: Vec::new(),
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

const WIRES: [Api; 5] = [
    Api::Anthropic,
    Api::Chat,
    Api::Responses,
    Api::Gemini,
    Api::Ollama,
];

fn maker(api: Api, model: &str) -> Maker {
    Maker {
        wire: api.as_str().to_owned(),
        model: model.to_owned(),
    }
}

fn opaque(data: &Value, maker: Maker) -> AssistantPart {
    AssistantPart::Opaque {
        data: data.to_string(),
        maker: Some(maker),
    }
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
        images: true,
        effort: None,
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
    for api in WIRES {
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
        (Api::Responses, "https://a/v1/", "https://a/v1/responses"),
        (
            Api::Gemini,
            "https://a/v1beta/",
            "https://a/v1beta/models/model-a:streamGenerateContent?alt=sse",
        ),
        (Api::Ollama, "http://a:11434/", "http://a:11434/api/chat"),
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
    let mut turns: Vec<Message> = turns.collect();
    let marks = |turns: &[Message]| {
        let request = request(Api::Anthropic, "https://a", &prompt(turns.to_vec()));
        let body = String::from_utf8(request.body).unwrap();
        body.matches("cache_control").count()
    };
    assert_eq!(marks(&turns), 3);
    // What sessions share stands in a text of its own.
    turns[0] = Message::User(vec![text("map"), text("go")]);
    assert_eq!(marks(&turns), 4);
    assert_eq!(marks(&turns[..1]), 3);
}

#[test]
fn a_router_is_told_what_models_of_anthropic_may_keep() {
    let said = |texts: &[&str]| Message::User(texts.iter().map(|it| text(it)).collect());
    let asked = |id: &str| call(id, "{}");
    let turns = vec![
        said(&["map", "one", "two"]),
        Message::Assistant(vec![asked("a"), asked("b")]),
        Message::User(vec![result("a", "A", false), result("b", "", false)]),
        Message::Assistant(vec![asked("c")]),
        Message::User(vec![result("c", "C", false), text("and hurry")]),
    ];
    let send = |model: &str| {
        let options = RequestOptions {
            model: model.to_owned(),
            max_output: TokenCount(1),
            context: TokenCount(1),
            base_url: "https://openrouter.ai/api/v1".to_owned(),
            server: None,
            images: true,
            effort: None,
        };
        body(&encode(Api::Chat, &prompt(turns.clone()), &options))
    };
    let mark = json!({"type": "ephemeral"});
    let marked = |text: &str| json!({"type": "text", "text": text, "cache_control": mark});
    let body = send("anthropic/claude-sonnet-4.5");
    let contents: Vec<&Value> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["content"])
        .collect();
    assert_eq!(*contents[0], json!([marked("Be brief.")]));
    assert_eq!(
        *contents[1],
        json!([marked("map"), {"type": "text", "text": "one\n\ntwo"}])
    );
    assert_eq!(*contents[3], "A");
    assert_eq!(*contents[4], json!([marked("(no output)")]));
    assert_eq!(*contents[6], "C");
    assert_eq!(*contents[7], json!([marked("and hurry")]));
    let others = send("google/gemini-2.5-pro").to_string();
    assert!(!others.contains("cache_control"));
    assert!(!others.contains("prompt_cache_key"));
}

#[test]
fn a_chat_server_that_takes_a_cache_key_gets_one_that_tells_nothing() {
    for (base, takes) in [
        ("https://api.openai.com/v1", true),
        ("https://api.mistral.ai/v1", true),
        ("https://openrouter.ai/api/v1", false),
        ("http://localhost:8080/v1", false),
    ] {
        let secret = Message::User(vec![text("/home/someone/secret")]);
        let body = body(&request(Api::Chat, base, &prompt(vec![secret])));
        let key = body["prompt_cache_key"].as_str();
        assert_eq!(key.is_some(), takes, "{base}");
        let is_plain = |key: &str| key.len() == 24 && !key.contains("secret");
        assert!(key.is_none_or(is_plain), "{key:?}");
    }
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

/// Two turns with reasoning and tools, as this wire's own decoder leaves them, and one of another model's.
fn own_history(api: Api, first: &[Value; 3], end: &Value) -> Prompt {
    let own = |data: &Value| opaque(data, maker(api, "model-a"));
    prompt(vec![
        Message::User(vec![text("hi")]),
        Message::Assistant(vec![
            thinking("shown", None).made_by(&maker(api, "model-a")),
            own(&first[0]),
            opaque(
                &json!({"type": "reasoning", "id": "foreign"}),
                maker(api, "model-b"),
            ),
            opaque(
                &json!({"thoughtSignature": "foreign"}),
                maker(Api::Chat, "model-a"),
            ),
            own(&first[1]),
            said("I look."),
            own(&first[2]),
            call("a", r#"{"path": "b"}"#),
            call("b", "{oops"),
        ]),
        Message::User(vec![
            result("a", "fn main() {}", false),
            result("b", "bad arguments", true),
            text("and hurry"),
        ]),
        Message::Assistant(vec![call("c", ""), own(end)]),
    ])
}

#[test]
fn the_responses_request() {
    let reasoning =
        json!({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "b3A="});
    let items = [
        reasoning.clone(),
        json!({"id": "msg_1", "type": "message", "status": "completed", "phase": "commentary"}),
        json!({"id": "fc_1", "type": "function_call", "status": "completed"}),
    ];
    // Reasoning that led to nothing is not sent back.
    let prompt = own_history(Api::Responses, &items, &reasoning);
    let request = request(Api::Responses, "https://api.openai.com/v1", &prompt);
    assert_eq!(request.key_header, ("authorization", "Bearer "));
    let mut body = body(&request);
    let key = body["prompt_cache_key"].take();
    assert_eq!(
        key.as_str().unwrap().len(),
        "harness-0123456789abcdef".len()
    );
    let said = |text: &str| json!([{"type": "output_text", "text": text, "annotations": []}]);
    let user = |text: &str| json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]});
    let output = |id: &str, text: &str| json!({"type": "function_call_output", "call_id": id, "output": text});
    assert_eq!(
        body,
        json!({
            "model": "model-a",
            "max_output_tokens": 4096,
            "stream": true,
            "store": false,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": null,
            "instructions": "Be brief.",
            "tools": [{
                "type": "function",
                "name": "read",
                "description": "Reads a file.",
                "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
                "strict": false,
            }],
            "input": [
                user("hi"),
                reasoning,
                {"id": "msg_1", "type": "message", "status": "completed", "phase": "commentary",
                 "role": "assistant", "content": said("I look.")},
                {"id": "fc_1", "type": "function_call", "status": "completed",
                 "call_id": "a", "name": "read", "arguments": r#"{"path": "b"}"#},
                {"type": "function_call", "call_id": "b", "name": "read", "arguments": "{}"},
                output("a", "fn main() {}"),
                output("b", "bad arguments"),
                user("and hurry"),
                {"type": "function_call", "call_id": "c", "name": "read", "arguments": "{}"},
                output("c", "no result was recorded"),
            ],
        })
    );
}

#[test]
fn reasoning_is_sent_back_byte_for_byte() {
    let data =
        r#"{"type":"reasoning","z":1,"encrypted_content":"aä+/=\u001b","a":[ ],"summary":[]}"#;
    let sealed = AssistantPart::Opaque {
        data: data.to_owned(),
        maker: Some(maker(Api::Responses, "model-a")),
    };
    let prompt = prompt(vec![
        Message::User(vec![text("hi")]),
        Message::Assistant(vec![sealed, call("a", "{}")]),
    ]);
    let request = request(Api::Responses, "https://a", &prompt);
    let sent = String::from_utf8(request.body).unwrap();
    assert!(sent.contains(&data.replace("[ ]", "[]")), "{sent}");
}

#[test]
fn conversations_that_begin_alike_have_one_cache_key() {
    let key = |messages: Vec<Message>| {
        let request = request(Api::Responses, "https://a", &prompt(messages));
        body(&request)["prompt_cache_key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let hi = || Message::User(vec![text("hi")]);
    let longer = vec![hi(), Message::Assistant(vec![said("a")]), hi()];
    assert_eq!(key(vec![hi()]), key(longer));
    assert_ne!(key(vec![hi()]), key(vec![Message::User(vec![text("ho")])]));
}

#[test]
fn only_models_that_reason_are_asked_for_their_reasoning() {
    for (model, asked) in [
        ("gpt-5", true),
        ("o3", true),
        ("openai/gpt-5.2-codex", true),
        ("local", true),
        ("gpt-4.1-mini", false),
        ("openai/gpt-4o", false),
    ] {
        let options = RequestOptions {
            model: model.to_owned(),
            max_output: TokenCount(1),
            context: TokenCount(1),
            base_url: "https://a".to_owned(),
            server: None,
            images: true,
            effort: None,
        };
        let request = encode(Api::Responses, &conversation(), &options);
        assert_eq!(body(&request)["include"].is_array(), asked, "{model}");
    }
}

#[test]
fn the_gemini_request() {
    let items = [
        json!({"text": "t", "thought": true, "thoughtSignature": "dA=="}),
        json!({"thoughtSignature": "bQ=="}),
        json!({"thoughtSignature": "Yw=="}),
    ];
    let end = json!({"text": "", "thoughtSignature": "ZW5k"});
    let prompt = own_history(Api::Gemini, &items, &end);
    let request = request(Api::Gemini, "https://a/v1beta", &prompt);
    assert_eq!(request.key_header, ("x-goog-api-key", ""));
    let called = |id: &str, args: Value| json!({"id": id, "name": "read", "args": args});
    let response = |id: &str, key: &str, text: &str| json!({"functionResponse": {"id": id, "name": "read", "response": {key: text}}});
    assert_eq!(
        body(&request),
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [{
                "name": "read",
                "description": "Reads a file.",
                "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}},
            }]}],
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]},
                {"role": "model", "parts": [
                    {"text": "t", "thought": true, "thoughtSignature": "dA=="},
                    {"text": "I look.", "thoughtSignature": "bQ=="},
                    {"functionCall": called("a", json!({"path": "b"})), "thoughtSignature": "Yw=="},
                    {"functionCall": called("b", json!({}))},
                ]},
                {"role": "user", "parts": [
                    response("a", "output", "fn main() {}"),
                    response("b", "error", "bad arguments"),
                    {"text": "and hurry"},
                ]},
                {"role": "model", "parts": [
                    {"functionCall": called("c", json!({}))},
                    {"text": "", "thoughtSignature": "ZW5k"},
                ]},
                {"role": "user", "parts": [response("c", "error", "no result was recorded")]},
            ],
            "generationConfig": {"maxOutputTokens": 4096},
        })
    );
}

#[test]
fn a_call_of_another_model_is_marked_for_a_gemini_that_wants_signatures() {
    for (model, signature) in [
        (
            "gemini-3-pro-preview",
            Some("skip_thought_signature_validator"),
        ),
        (
            "models/gemini-3.1-pro",
            Some("skip_thought_signature_validator"),
        ),
        ("gemini-2.5-pro", None),
        ("gemma-3", None),
    ] {
        let options = RequestOptions {
            model: model.to_owned(),
            max_output: TokenCount(1),
            context: TokenCount(1),
            base_url: "https://a".to_owned(),
            server: None,
            images: true,
            effort: None,
        };
        let request = encode(Api::Gemini, &conversation(), &options);
        assert!(!request.url.contains("models/models/"), "{}", request.url);
        let body = body(&request);
        let parts = body["contents"][1]["parts"].as_array().unwrap();
        let signatures: Vec<Option<&str>> = parts
            .iter()
            .filter(|part| part["functionCall"].is_object())
            .map(|part| part["thoughtSignature"].as_str())
            .collect();
        assert_eq!(signatures, [signature, None], "{model}");
    }
}

#[test]
fn the_ollama_request() {
    let nothing = json!({});
    let items = [nothing.clone(), nothing.clone(), nothing.clone()];
    let prompt = own_history(Api::Ollama, &items, &nothing);
    let request = request(Api::Ollama, "http://127.0.0.1:11434", &prompt);
    assert!(
        request
            .headers
            .contains(&("accept", "application/x-ndjson".to_owned()))
    );
    let function = |arguments: Value| json!({"function": {"name": "read", "arguments": arguments}});
    let tool = |content: &str| json!({"role": "tool", "tool_name": "read", "content": content});
    assert_eq!(
        body(&request),
        json!({
            "model": "model-a",
            "stream": true,
            "options": {"num_ctx": 32000, "num_predict": 4096},
            "truncate": false,
            "tools": [{"type": "function", "function": {
                "name": "read",
                "description": "Reads a file.",
                "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
            }}],
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": "I look.", "thinking": "shown", "tool_calls": [
                    function(json!({"path": "b"})), function(json!({})),
                ]},
                tool("fn main() {}"),
                tool("bad arguments"),
                {"role": "user", "content": "and hurry"},
                {"role": "assistant", "content": "", "tool_calls": [function(json!({}))]},
                tool("no result was recorded"),
            ],
        })
    );
}

#[test]
fn the_size_of_a_prompt_is_known_where_it_is_compared() {
    let size = |text: &str| {
        let prompt = prompt(vec![Message::User(vec![UserPart::Text {
            text: text.to_owned(),
        }])]);
        request(Api::Ollama, "http://a", &prompt).asked.prompt.0
    };
    let words = "a word and another ".repeat(1000);
    let (bare, full) = (size("a"), size(&words));
    assert!((4_500..5_000).contains(&(full - bare)), "{bare} {full}");
    // Long runs are few tokens.
    assert!(size(&" ".repeat(100_000)) < bare + 10);
    assert_eq!(
        request(Api::Chat, "http://a", &conversation())
            .asked
            .prompt
            .0,
        0
    );
}

#[test]
fn chat_servers_that_want_something_otherwise_get_it() {
    let details =
        json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "b3A=", "index": 0}]});
    let prompt = prompt(vec![
        Message::User(vec![text("hi")]),
        Message::Assistant(vec![
            opaque(&details, maker(Api::Chat, "model-a")),
            call("a", "{}"),
        ]),
    ]);
    let sent = |base_url: &str, server: Option<Server>| {
        let options = RequestOptions {
            model: "model-a".to_owned(),
            max_output: TokenCount(9),
            context: TokenCount(99),
            base_url: base_url.to_owned(),
            server,
            images: true,
            effort: None,
        };
        body(&encode(Api::Chat, &prompt, &options))
    };
    let near = "http://near.example/v1";
    for (base_url, server, limit, content, parallel, replays) in [
        (near, None, "max_tokens", Value::Null, false, false),
        (
            near,
            Some(Server::OpenAi),
            "max_completion_tokens",
            Value::Null,
            false,
            false,
        ),
        (
            near,
            Some(Server::DeepSeek),
            "max_tokens",
            json!(""),
            false,
            false,
        ),
        (
            near,
            Some(Server::LlamaCpp),
            "max_tokens",
            Value::Null,
            true,
            false,
        ),
        (
            near,
            Some(Server::OpenRouter),
            "max_tokens",
            Value::Null,
            false,
            true,
        ),
        (
            near,
            Some(Server::Vllm),
            "max_tokens",
            Value::Null,
            false,
            false,
        ),
        (
            "https://openrouter.ai/api/v1",
            None,
            "max_tokens",
            Value::Null,
            false,
            true,
        ),
        (
            "http://127.0.0.1:8080/v1",
            None,
            "max_tokens",
            Value::Null,
            true,
            false,
        ),
        // What a person says goes before what the address tells.
        (
            "http://127.0.0.1:8080/v1",
            Some(Server::Xai),
            "max_tokens",
            Value::Null,
            false,
            false,
        ),
    ] {
        let body = sent(base_url, server);
        let answer = &body["messages"][2];
        assert_eq!(body[limit], 9, "{base_url} {server:?}");
        assert_eq!(answer["content"], content, "{base_url} {server:?}");
        assert_eq!(
            body["parallel_tool_calls"] == true,
            parallel,
            "{base_url} {server:?}"
        );
        let replayed = answer.get("reasoning_details") == details.get("reasoning_details");
        assert_eq!(replayed, replays, "{base_url} {server:?}");
    }
}
