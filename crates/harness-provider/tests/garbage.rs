//! Bytes and events that no server sends: decoding them never panics, on any wire.

use harness_core::{
    FailureClass, Message, ModelFailure, ModelResponse, Prompt, StopReason, Timestamp, TokenCount,
};
use harness_provider::{Api, Asked, Decoder, RequestOptions, encode, failure_of_status};
use proptest::prelude::*;
use serde_json::{Value, json};

const WIRES: [Api; 5] = [
    Api::Anthropic,
    Api::Chat,
    Api::Responses,
    Api::Gemini,
    Api::Ollama,
];

fn decode(api: Api, bytes: &[u8]) -> Result<ModelResponse, ModelFailure> {
    let mut decoder = Decoder::new(api, Asked::default());
    decoder.push(bytes);
    decoder.finish()
}

fn decode_events(api: Api, events: &[Value]) -> Result<ModelResponse, ModelFailure> {
    decode(api, stream(api, events).as_bytes())
}

fn stream(api: Api, events: &[Value]) -> String {
    let lines = events.iter().map(|event| match api {
        Api::Ollama => format!("{event}\n"),
        _ => format!("data: {event}\n\n"),
    });
    lines.collect()
}

#[test]
fn no_depth_of_nesting_does_harm() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for api in WIRES {
        let event = format!("{{\"type\":\"x\",\"choices\":{deep}}}");
        let bytes = match api {
            Api::Ollama => format!("{event}\n"),
            _ => format!("data: {event}\n\n"),
        };
        let failure = decode(api, bytes.as_bytes()).unwrap_err();
        assert_eq!(failure.class, FailureClass::Broken, "{api:?}");
        // Bodies that are no stream are looked into as well.
        assert!(decode(api, event.as_bytes()).is_err(), "{api:?}");
        let header = |_: &str| None;
        let now = Timestamp::from_millis(0);
        failure_of_status(api, 400, header, event.as_bytes(), now);
    }
    // Arguments are a text here: the tool refuses them, and what goes back is an object.
    let call = json!({"index": 0, "id": "1", "function": {"name": "read", "arguments": deep}});
    let choice = json!({"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"});
    let answer = decode_events(Api::Chat, &[json!({"choices": [choice]})]).unwrap();
    let prompt = Prompt {
        system: "".into(),
        tools: [].into(),
        messages: vec![Message::Assistant(answer.parts).into()],
    };
    let options = RequestOptions {
        model: "m".to_owned(),
        max_output: TokenCount(1),
        context: TokenCount(2),
        base_url: "http://127.0.0.1:1".to_owned(),
        server: None,
        images: false,
        effort: None,
    };
    for api in WIRES {
        let sent = encode(api, &prompt, &options).body;
        assert!(sent.len() < 2_000, "{api:?}");
    }
}

/// Keys and values of all wires, so that made-up events come near real ones.
fn made_up() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "item",
        "response",
        "response.output_item.done",
        "response.completed",
        "output",
        "function_call",
        "reasoning",
        "message",
        "call_id",
        "arguments",
        "candidates",
        "content",
        "parts",
        "functionCall",
        "name",
        "args",
        "partialArgs",
        "jsonPath",
        "$.a[0].b",
        "stringValue",
        "willContinue",
        "thoughtSignature",
        "text",
        "thought",
        "finishReason",
        "STOP",
        "MAX_TOKENS",
        "tool_calls",
        "function",
        "done",
        "done_reason",
        "stop",
        "length",
        "error",
        "usage",
        "input_tokens",
        "usageMetadata",
        "promptTokenCount",
        "choices",
        "delta",
        "index",
        "reasoning_details",
        "encrypted_content",
        "summary",
        "id",
        "status",
        "incomplete",
        "message_start",
        "message",
        "content_block_start",
        "content_block",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "tool_use",
        "thinking",
        "signature",
        "signature_delta",
        "thinking_delta",
        "text_delta",
        "input_json_delta",
        "partial_json",
        "redacted_thinking",
        "data",
        "stop_reason",
        "end_turn",
        "max_tokens",
        "usage",
    ]);
    let leaf = prop_oneof![
        word.clone().prop_map(|word| json!(word)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|bool| json!(bool)),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn made_up_events_never_panic_and_every_call_of_an_answer_has_an_id(
        api in prop::sample::select(WIRES.to_vec()),
        events in prop::collection::vec(made_up(), 0..6),
    ) {
        if let Ok(response) = decode_events(api, &events) {
            let ids: Vec<&str> = response.calls().map(|call| call.id.as_str()).collect();
            prop_assert!(ids.iter().all(|id| !id.is_empty()));
            prop_assert!(response.stop != StopReason::ToolUse || !ids.is_empty());
        }
    }

    #[test]
    fn made_up_events_that_are_cut_give_no_call_without_name_or_id(
        api in prop::sample::select(WIRES.to_vec()),
        events in prop::collection::vec(made_up(), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let stream = stream(api, &events);
        let place = cut.index(stream.len());
        let mut decoder = Decoder::new(api, Asked::default());
        decoder.push(&stream.as_bytes()[..place]);
        if let Ok(answer) = decoder.finish() {
            for call in answer.calls() {
                prop_assert!(!call.name.is_empty() && !call.id.is_empty());
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_never_panic(
        api in prop::sample::select(WIRES.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = decode(api, &bytes);
    }
}
