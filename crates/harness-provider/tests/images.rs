//! Images in results: the shape each wire has for them, and what is said where one is not sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use harness_core::{
    AssistantPart, Image, ImageFormat, Message, Prompt, RepoPath, TokenCount, ToolCall, ToolResult,
    UserPart,
};
use harness_provider::{Api, RequestOptions, Server, encode};
use serde_json::{Value, json};

fn conversation(format: ImageFormat) -> Prompt {
    let image = Image {
        path: RepoPath::parse("docs/a.png").unwrap(),
        format,
        width: 800,
        height: 600,
        data: "AAAA".into(),
    };
    let call = |id: &str| {
        AssistantPart::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "read".to_owned(),
            arguments: "{}".to_owned(),
        })
    };
    let result = |id: &str, content: &str, images: Vec<Image>| {
        UserPart::ToolResult(ToolResult {
            id: id.to_owned(),
            content: content.to_owned(),
            is_error: false,
            images,
        })
    };
    let messages = [
        Message::User(vec![UserPart::Text {
            text: "hi".to_owned(),
        }]),
        Message::Assistant(vec![call("a"), call("b")]),
        Message::User(vec![
            result("a", "docs/a.png", vec![image]),
            result("b", "text", Vec::new()),
        ]),
    ];
    Prompt {
        system: "".into(),
        tools: Arc::new([]),
        messages: messages.into_iter().map(Arc::new).collect(),
    }
}

struct Asked {
    api: Api,
    model: &'static str,
    server: Option<Server>,
    format: ImageFormat,
    images: bool,
}

const PNG: Asked = Asked {
    api: Api::Chat,
    model: "m",
    server: None,
    format: ImageFormat::Png,
    images: true,
};

/// Returns what is sent after the answer.
fn after_answer(asked: &Asked) -> Vec<Value> {
    let options = RequestOptions {
        model: asked.model.to_owned(),
        max_output: TokenCount(9),
        context: TokenCount(99),
        base_url: "https://model.invalid".to_owned(),
        server: asked.server,
        effort: None,
        images: asked.images,
    };
    let request = encode(asked.api, &conversation(asked.format), &options);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let mut lists = ["messages", "input", "contents"].iter();
    let sent = lists.find_map(|key| body[*key].as_array()).unwrap();
    let is_answer = |it: &Value| {
        it["role"] == "assistant" || it["role"] == "model" || it["type"] == "function_call"
    };
    let answer = sent.iter().position(is_answer).unwrap();
    let sent = sent[answer..].iter().filter(|it| !is_answer(it));
    sent.cloned().collect()
}

#[test]
fn anthropic_has_them_in_the_result() {
    let sent = after_answer(&Asked {
        api: Api::Anthropic,
        ..PNG
    });
    assert_eq!(
        sent,
        [json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": [
                {"type": "text", "text": "docs/a.png"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            ]},
            {"type": "tool_result", "tool_use_id": "b", "content": "text",
                "cache_control": {"type": "ephemeral"}},
        ]})]
    );
}

#[test]
fn responses_has_them_in_the_output() {
    let sent = after_answer(&Asked {
        api: Api::Responses,
        ..PNG
    });
    assert_eq!(
        sent,
        [
            json!({"type": "function_call_output", "call_id": "a", "output": [
                {"type": "input_text", "text": "docs/a.png"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ]}),
            json!({"type": "function_call_output", "call_id": "b", "output": "text"}),
        ]
    );
}

#[test]
fn chat_has_them_in_a_message_behind_all_results() {
    let shown = json!({"role": "user", "content": [
        {"type": "text", "text": "The image of call a, docs/a.png:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]});
    let sent = after_answer(&PNG);
    assert_eq!(sent.len(), 3);
    assert_eq!(
        sent[0],
        json!({"role": "tool", "tool_call_id": "a", "content": "docs/a.png"})
    );
    assert_eq!(sent[2], shown);
}

#[test]
fn gemini_has_them_in_the_response_and_older_models_behind_it() {
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    for (model, holds) in [
        ("gemini-3.8-flash", true),
        ("gemini-4-argon", true),
        ("gemini-flash-latest", true),
        ("gemini-2.5-pro", false),
        ("gemma-4-31b-it", false),
    ] {
        let sent = after_answer(&Asked {
            api: Api::Gemini,
            model,
            ..PNG
        });
        let parts = sent[0]["parts"].as_array().unwrap();
        let inside = &parts[0]["functionResponse"]["parts"];
        if holds {
            assert_eq!(*inside, json!([inline]), "{model}");
            assert_eq!(parts.len(), 2, "{model}");
        } else {
            assert!(inside.is_null(), "{model}");
            assert_eq!(parts[2], inline, "{model}");
        }
    }
}

#[test]
fn ollama_has_them_in_a_message_behind_all_results() {
    let sent = after_answer(&Asked {
        api: Api::Ollama,
        ..PNG
    });
    assert_eq!(
        sent[2],
        json!({"role": "user", "content": "[image docs/a.png]", "images": ["AAAA"]})
    );
}

#[test]
fn what_is_not_sent_is_said() {
    let xai = Some(Server::Xai);
    for (asked, why) in [
        (
            Asked {
                images: false,
                ..PNG
            },
            "this model takes no images",
        ),
        (
            Asked {
                api: Api::Gemini,
                model: "gemini-3.8-flash",
                format: ImageFormat::Gif,
                ..PNG
            },
            "this server takes no gif",
        ),
        (
            Asked {
                server: xai,
                format: ImageFormat::Webp,
                ..PNG
            },
            "this server takes png and jpeg alone",
        ),
    ] {
        let sent = json!(after_answer(&asked)).to_string();
        let format = asked.format.as_str();
        let told = format!("docs/a.png\\n[image docs/a.png, 800x600 {format}, not shown: {why}]");
        assert!(sent.contains(&told), "{sent}");
        assert!(!sent.contains("AAAA"), "{sent}");
    }
}
