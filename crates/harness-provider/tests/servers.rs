//! Servers of Chat Completions that refuse what the others take.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use harness_core::{
    AssistantPart, Maker, Message, Prompt, TokenCount, ToolCall, ToolResult, UserPart,
};
use harness_provider::{Api, RequestOptions, encode};
use serde_json::{Value, json};

fn text(text: &str) -> UserPart {
    UserPart::Text {
        text: text.to_owned(),
    }
}

fn result(id: &str) -> UserPart {
    UserPart::ToolResult(ToolResult {
        id: id.to_owned(),
        content: "1".to_owned(),
        is_error: false,
        images: Vec::new(),
    })
}

fn call(id: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "read".to_owned(),
        arguments: "{}".to_owned(),
    })
}

fn thought(model: &str) -> AssistantPart {
    AssistantPart::Thinking {
        text: "hm".to_owned(),
        signature: None,
        maker: Some(Maker {
            wire: "chat".to_owned(),
            model: model.to_owned(),
        }),
    }
}

/// Returns the messages that model `mine` at an address is sent.
fn sent(base_url: &str, messages: Vec<Message>) -> Vec<Value> {
    let prompt = Prompt {
        system: "".into(),
        tools: Arc::new([]),
        messages: messages.into_iter().map(Arc::new).collect(),
    };
    let options = RequestOptions {
        model: "mine".to_owned(),
        max_output: TokenCount(9),
        context: TokenCount(99),
        base_url: base_url.to_owned(),
        server: None,
        effort: None,
        images: true,
    };
    let request = encode(Api::Chat, &prompt, &options);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["messages"].as_array().unwrap().clone()
}

#[test]
fn deepseek_has_its_reasoning_back_beside_calls_and_no_one_elses() {
    let conversation = || {
        vec![
            Message::User(vec![text("hi")]),
            Message::Assistant(vec![thought("mine"), call("a")]),
            Message::User(vec![result("a")]),
            Message::Assistant(vec![thought("other"), call("b")]),
            Message::User(vec![result("b")]),
            Message::Assistant(vec![
                thought("mine"),
                AssistantPart::Text {
                    text: "done".to_owned(),
                },
            ]),
            Message::User(vec![text("go on")]),
        ]
    };
    let reasoning = |url: &str| -> Vec<Value> {
        let messages = sent(url, conversation()).into_iter();
        messages
            .filter(|message| message["role"] == "assistant")
            .map(|message| message["reasoning_content"].clone())
            .collect()
    };
    let nothing = vec![Value::Null; 3];
    assert_eq!(
        reasoning("https://api.deepseek.com"),
        [json!("hm"), json!(""), Value::Null]
    );
    assert_eq!(reasoning("https://api.groq.com/openai/v1"), nothing);
}

#[test]
fn mistral_has_ids_of_nine_and_an_answer_between_results_and_a_user() {
    let conversation = || {
        vec![
            Message::User(vec![text("hi")]),
            Message::Assistant(vec![call("abcDEF123"), call("call_1"), call("abcDEF123")]),
            Message::User(vec![
                result("abcDEF123"),
                result("call_1"),
                result("abcDEF123"),
                text("and hurry"),
            ]),
        ]
    };
    let messages = sent("https://api.mistral.ai/v1", conversation());
    let ids: Vec<&Value> = messages[2..5]
        .iter()
        .map(|it| &it["tool_call_id"])
        .collect();
    assert_eq!(ids, ["abcDEF123", "call00000", "call00001"]);
    let roles: Vec<&Value> = messages.iter().map(|it| &it["role"]).collect();
    assert_eq!(
        roles,
        [
            "user",
            "assistant",
            "tool",
            "tool",
            "tool",
            "assistant",
            "user"
        ]
    );
    assert_eq!(sent("https://api.openai.com/v1", conversation()).len(), 6);
}
