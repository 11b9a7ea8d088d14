//! How hard a model is asked to think: what each wire sends, and what it sends where nobody says.

use std::sync::Arc;

use harness_core::{
    AssistantPart, Effort, Message, Prompt, TokenCount, ToolCall, ToolResult, ToolSpec, UserPart,
};
use harness_provider::{Api, RequestOptions, Server, check_effort, encode};
use serde_json::{Value, json};

fn options(model: &str, effort: Option<Effort>) -> RequestOptions {
    RequestOptions {
        model: model.to_owned(),
        max_output: TokenCount(8_000),
        context: TokenCount(32_000),
        base_url: "https://models.example/v1".to_owned(),
        images: false,
        server: None,
        effort,
    }
}

fn prompt(messages: Vec<Message>) -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        tools: Arc::new([ToolSpec {
            name: "read",
            description: "Reads.",
            schema: r#"{"type":"object"}"#,
        }]),
        messages: messages.into_iter().map(Arc::new).collect(),
    }
}

fn said(text: &str) -> Message {
    Message::User(vec![UserPart::Text {
        text: text.to_owned(),
    }])
}

fn body(api: Api, prompt: &Prompt, options: &RequestOptions) -> Value {
    serde_json::from_slice(&encode(api, prompt, options).body).expect("a body is JSON")
}

/// What a request has with an effort and has not without it; the rest is the same.
fn added(api: Api, options: &RequestOptions) -> Value {
    let prompt = prompt(vec![said("hi")]);
    let silent = RequestOptions {
        effort: None,
        ..options.clone()
    };
    let (with, without) = (body(api, &prompt, options), body(api, &prompt, &silent));
    added_to(&with, &without)
}

fn added_to(with: &Value, without: &Value) -> Value {
    let (Value::Object(with), Value::Object(without)) = (with, without) else {
        panic!("{with} instead of {without}");
    };
    assert!(without.keys().all(|key| with.contains_key(key)));
    let added = with
        .iter()
        .filter_map(|(key, value)| match without.get(key) {
            None => Some((key.clone(), value.clone())),
            Some(same) if same == value => None,
            Some(other) => Some((key.clone(), added_to(value, other))),
        });
    Value::Object(added.collect())
}

/// Checks what is sent; a text is the way out of what cannot be.
fn check(api: Api, model: &str, server: Option<Server>, rows: &[(Effort, Result<Value, &str>)]) {
    for (effort, expected) in rows {
        let options = RequestOptions {
            server,
            ..options(model, Some(*effort))
        };
        let checked = check_effort(api, &options);
        match expected {
            Ok(expected) => {
                assert_eq!(checked, Ok(()), "{model} {effort}");
                assert_eq!(added(api, &options), *expected, "{model} {effort}");
            }
            Err(way_out) => {
                let untold = checked.expect_err(&format!("{model} takes {effort}"));
                assert!(
                    untold.hint.contains(way_out),
                    "{model} {effort}: {untold:?}"
                );
                // What was not looked at before is left out.
                assert_eq!(added(api, &options), json!({}), "{model} {effort}");
            }
        }
    }
}

use Effort::{High, Low, Medium, Minimal, None as Not};

#[test]
fn where_nobody_says_how_hard_a_request_is_what_it_was() {
    let prompt = prompt(vec![said("hi")]);
    let tool = r#"{"type":"function","function":{"name":"read","description":"Reads.","parameters":{"type":"object"}}}"#;
    for (api, model, expected) in [
        (
            Api::Anthropic,
            "claude-opus-5-5",
            r#"{"model":"claude-opus-5-5","max_tokens":8000,"stream":true,"tools":[{"name":"read","description":"Reads.","input_schema":{"type":"object"}}],"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]}"#.to_owned(),
        ),
        (
            Api::Responses,
            "gpt-5",
            r#"{"model":"gpt-5","max_output_tokens":8000,"stream":true,"store":false,"include":["reasoning.encrypted_content"],"prompt_cache_key":"harness-4ea041a2a9c8530b","instructions":"Be brief.","tools":[{"type":"function","name":"read","description":"Reads.","parameters":{"type":"object"},"strict":false}],"input":"#.to_owned(),
        ),
        (
            Api::Chat,
            "gpt-5",
            format!(r#"{{"model":"gpt-5","max_tokens":8000,"stream":true,"stream_options":{{"include_usage":true}},"tools":[{tool}],"messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"hi"}}]}}"#),
        ),
        (
            Api::Gemini,
            "gemini-3-pro",
            r#"{"systemInstruction":{"parts":[{"text":"Be brief."}]},"tools":[{"functionDeclarations":[{"name":"read","description":"Reads."}]}],"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":8000}}"#.to_owned(),
        ),
        (
            Api::Ollama,
            "gpt-oss:20b",
            format!(r#"{{"model":"gpt-oss:20b","stream":true,"options":{{"num_ctx":32000,"num_predict":8000}},"truncate":false,"tools":[{tool}],"messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"hi"}}]}}"#),
        ),
    ] {
        let options = options(model, None);
        assert_eq!(check_effort(api, &options), Ok(()));
        let sent = encode(api, &prompt, &options).body;
        let sent = match api {
            // Items of this wire are values, whose keys have no order to rely on.
            Api::Responses => &sent[..expected.len()],
            _ => &sent,
        };
        let sent = std::str::from_utf8(sent);
        assert_eq!(sent, Ok(expected.as_str()));
    }
}

#[test]
fn claude_gets_a_budget_up_to_4_5_and_a_word_after_that() {
    let off = json!({"thinking": {"type": "disabled"}});
    let budget =
        |tokens: u64| Ok(json!({"thinking": {"type": "enabled", "budget_tokens": tokens}}));
    let word = |word: &str| {
        Ok(json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": word}}))
    };
    for model in [
        "claude-sonnet-4-5",
        "claude-3-7-sonnet-20250219",
        "claude-opus-4-20250514",
    ] {
        check(
            Api::Anthropic,
            model,
            None,
            &[
                (Not, Ok(off.clone())),
                (Minimal, budget(1024)),
                (Low, budget(2000)),
                (Medium, budget(4000)),
                (High, budget(6000)),
            ],
        );
    }
    for model in [
        "claude-opus-4-6",
        "claude-sonnet-4-6",
        "claude-opus-5",
        "claude-haiku-5-5",
    ] {
        check(
            Api::Anthropic,
            model,
            None,
            &[
                (Not, Ok(off.clone())),
                (Minimal, Err("effort = \"none\"")),
                (Low, word("low")),
                (High, word("high")),
            ],
        );
    }
    for model in ["claude-opus-5-5", "claude-fable-5", "claude-opus-6"] {
        check(
            Api::Anthropic,
            model,
            None,
            &[(Not, Err("effort = \"low\"")), (Medium, word("medium"))],
        );
    }
    let between = Ok(json!({"thinking": {"type": "between_tools"}}));
    check(Api::Anthropic, "claude-sonnet-5-5", None, &[(Not, between)]);
    check(
        Api::Anthropic,
        "claude-3-5-haiku-latest",
        None,
        &[(Not, Ok(json!({}))), (Low, Err("leave `effort` out"))],
    );
    check(
        Api::Anthropic,
        "some-other",
        None,
        &[(Low, Err("leave `effort` out"))],
    );
}

#[test]
fn thinking_leaves_room_for_an_answer() {
    let small = RequestOptions {
        max_output: TokenCount(2_000),
        ..options("claude-sonnet-4-5", Some(Low))
    };
    let untold = check_effort(Api::Anthropic, &small).unwrap_err();
    assert_eq!(untold.hint, "write `output = \"2048 tokens\"` or more");
    for output in [2048_u64, 3000, 8000, 64_000] {
        for effort in [Minimal, Low, Medium, High] {
            let options = RequestOptions {
                max_output: TokenCount(output),
                ..options("claude-sonnet-4-5", Some(effort))
            };
            let sent = added(Api::Anthropic, &options);
            let budget = sent["thinking"]["budget_tokens"].as_u64().unwrap();
            assert!(
                (1024..output).contains(&budget),
                "{output} {effort} {budget}"
            );
        }
    }
}

#[test]
fn openai_gets_a_word_that_its_model_takes() {
    let word = |word: &str| Ok(json!({"reasoning": {"effort": word}}));
    check(
        Api::Responses,
        "gpt-5",
        None,
        &[
            (Not, Err("effort = \"minimal\"")),
            (Minimal, word("minimal")),
            (High, word("high")),
        ],
    );
    check(
        Api::Responses,
        "openai/gpt-5.1",
        None,
        &[
            (Not, word("none")),
            (Minimal, Err("effort = \"none\"")),
            (Medium, word("medium")),
        ],
    );
    check(
        Api::Responses,
        "gpt-5.3-codex",
        None,
        &[(Not, Err("effort = \"low\"")), (Low, word("low"))],
    );
    check(
        Api::Responses,
        "gpt-5-pro",
        None,
        &[(Low, Err("effort = \"high\""))],
    );
    check(
        Api::Responses,
        "o4-mini",
        None,
        &[(Minimal, Err("effort = \"low\"")), (Low, word("low"))],
    );
    for mute in ["gpt-4.1", "chatgpt-4o-latest", "gpt-5-chat-latest"] {
        check(
            Api::Responses,
            mute,
            None,
            &[(Not, Ok(json!({}))), (Low, Err("leave `effort` out"))],
        );
    }
    // The name of a deployment says nothing: the server has the word.
    check(
        Api::Responses,
        "team-large",
        None,
        &[(Minimal, word("minimal"))],
    );
}

#[test]
fn servers_of_chat_get_the_key_they_know() {
    let flat = |word: &str| Ok(json!({"reasoning_effort": word}));
    check(
        Api::Chat,
        "gpt-5",
        Some(Server::OpenAi),
        &[
            (Minimal, flat("minimal")),
            (Not, Err("effort = \"minimal\"")),
        ],
    );
    check(
        Api::Chat,
        "gpt-4o",
        Some(Server::OpenAi),
        &[(Not, Ok(json!({}))), (Low, Err("leave `effort` out"))],
    );
    for late in ["gpt-5.4-mini", "gpt-6-luna", "gpt-6.2-sol"] {
        let row = (Low, Err("api = \"responses\""));
        check(
            Api::Chat,
            late,
            Some(Server::OpenAi),
            &[(Not, flat("none")), row],
        );
    }
    check(
        Api::Chat,
        "gpt-5.2",
        Some(Server::OpenAi),
        &[(Low, flat("low"))],
    );
    let nested = Ok(json!({"reasoning": {"effort": "minimal"}}));
    check(
        Api::Chat,
        "x/y",
        Some(Server::OpenRouter),
        &[(Minimal, nested)],
    );
    for server in [
        Server::Ollama,
        Server::Vllm,
        Server::Groq,
        Server::Together,
        Server::Mistral,
        Server::Xai,
    ] {
        check(
            Api::Chat,
            "x",
            Some(server),
            &[
                (Not, flat("none")),
                (Minimal, Err("effort = \"none\"")),
                (High, flat("high")),
            ],
        );
    }
    for (server, way_out) in [
        (Some(Server::DeepSeek), "by its `id`"),
        (Some(Server::LlamaCpp), "--reasoning-budget"),
        (Some(Server::LmStudio), "set it there"),
        (None, "server = \"vllm\""),
    ] {
        check(Api::Chat, "x", server, &[(Low, Err(way_out))]);
    }
}

#[test]
fn gemini_gets_a_budget_up_to_2_5_and_a_level_after_that() {
    let thinking = |value: Value| Ok(json!({"generationConfig": {"thinkingConfig": value}}));
    let budget = |tokens: u64| thinking(json!({"thinkingBudget": tokens}));
    let level = |level: &str| thinking(json!({"thinkingLevel": level}));
    check(
        Api::Gemini,
        "gemini-2.5-flash",
        None,
        &[
            (Not, budget(0)),
            (Minimal, budget(512)),
            (Low, budget(2000)),
            (High, budget(6000)),
        ],
    );
    check(
        Api::Gemini,
        "models/gemini-2.5-pro",
        None,
        &[(Not, Err("effort = \"minimal\"")), (Minimal, budget(512))],
    );
    check(
        Api::Gemini,
        "gemini-3-pro-preview",
        None,
        &[
            (Minimal, Err("effort = \"low\"")),
            (Medium, Err("effort = \"low\"")),
            (High, level("high")),
        ],
    );
    check(
        Api::Gemini,
        "gemini-3.1-pro-preview",
        None,
        &[(Medium, level("medium"))],
    );
    check(
        Api::Gemini,
        "gemini-3-flash-preview",
        None,
        &[
            (Not, Err("effort = \"minimal\"")),
            (Minimal, level("minimal")),
        ],
    );
    check(
        Api::Gemini,
        "gemini-3.8-flash",
        None,
        &[(Minimal, Err("effort = \"low\""))],
    );
    check(
        Api::Gemini,
        "gemini-2.0-flash",
        None,
        &[(Not, Ok(json!({}))), (Low, Err("leave `effort` out"))],
    );
    check(
        Api::Gemini,
        "gemini-flash-latest",
        None,
        &[(Low, Err("leave `effort` out"))],
    );
}

#[test]
fn ollama_gets_a_switch_and_gpt_oss_a_word() {
    check(
        Api::Ollama,
        "qwen3:8b",
        None,
        &[
            (Not, Ok(json!({"think": false}))),
            (Low, Ok(json!({"think": true}))),
            (High, Ok(json!({"think": true}))),
        ],
    );
    check(
        Api::Ollama,
        "gpt-oss:20b",
        None,
        &[
            (Not, Err("effort = \"low\"")),
            (Medium, Ok(json!({"think": "medium"}))),
        ],
    );
}

fn call() -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: "a".to_owned(),
        name: "read".to_owned(),
        arguments: "{}".to_owned(),
    })
}

fn thought() -> AssistantPart {
    AssistantPart::Thinking {
        text: "hm".to_owned(),
        signature: Some("c2ln".to_owned()),
        maker: None,
    }
}

fn result() -> Message {
    Message::User(vec![UserPart::ToolResult(ToolResult {
        id: "a".to_owned(),
        content: "done".to_owned(),
        is_error: false,
        images: Vec::new(),
    })])
}

#[test]
fn claude_thinks_on_with_the_signature_of_its_last_answer() {
    let options = options("claude-sonnet-4-5", Some(Medium));
    let thinks = |messages: Vec<Message>| body(Api::Anthropic, &prompt(messages), &options);
    let going_on = thinks(vec![
        said("hi"),
        Message::Assistant(vec![thought(), call()]),
        result(),
    ]);
    assert_eq!(going_on["thinking"]["budget_tokens"], 4000);
    assert_eq!(
        going_on["messages"][1]["content"][0],
        json!({"type": "thinking", "thinking": "hm", "signature": "c2ln"})
    );
    assert!(going_on["max_tokens"].as_u64() > going_on["thinking"]["budget_tokens"].as_u64());
    assert!(going_on.get("tool_choice").is_none() && going_on.get("temperature").is_none());
    // What follows need not have thought again.
    let later = thinks(vec![
        said("hi"),
        Message::Assistant(vec![thought(), call()]),
        result(),
        Message::Assistant(vec![call()]),
        result(),
    ]);
    assert_eq!(later["thinking"]["budget_tokens"], 4000);
    // An answer of another model has no thinking that could go back, and is refused with a budget.
    let foreign = vec![said("hi"), Message::Assistant(vec![call()]), result()];
    assert!(thinks(foreign.clone()).get("thinking").is_none());
    let asked_again = thinks(
        [
            foreign,
            vec![Message::Assistant(vec![call()]), said("and?")],
        ]
        .concat(),
    );
    assert!(asked_again.get("thinking").is_none());
    let after = vec![
        said("hi"),
        Message::Assistant(vec![AssistantPart::Text {
            text: "done".to_owned(),
        }]),
        said("and?"),
    ];
    assert_eq!(thinks(after)["thinking"]["budget_tokens"], 4000);
    // What adapts need not have thought before.
    let adaptive = RequestOptions {
        model: "claude-opus-4-6".to_owned(),
        ..options.clone()
    };
    let foreign = prompt(vec![said("hi"), Message::Assistant(vec![call()]), result()]);
    let sent = body(Api::Anthropic, &foreign, &adaptive);
    assert_eq!(sent["thinking"]["type"], "adaptive");
}
