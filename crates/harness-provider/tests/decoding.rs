//! Decoding of streams written here: the ordinary ones whole, cut and split, the odd ones by table.

use harness_core::{
    AssistantPart, FailureClass, ModelDelta, ModelFailure, ModelResponse, StopReason, ToolCall,
    Usage,
};
use harness_provider::{Api, Asked, Decoder};
use proptest::prelude::*;

const ANTHROPIC_TEXT: &[u8] = include_bytes!("../../../fixtures/provider/anthropic-text.sse");
const ANTHROPIC_TOOLS: &[u8] = include_bytes!("../../../fixtures/provider/anthropic-tools.sse");
const CHAT_TOOLS: &[u8] = include_bytes!("../../../fixtures/provider/chat-tools.sse");

const STREAMS: [(Api, &[u8]); 3] = [
    (Api::Anthropic, ANTHROPIC_TEXT),
    (Api::Anthropic, ANTHROPIC_TOOLS),
    (Api::Chat, CHAT_TOOLS),
];

type Decoded = (Vec<ModelDelta>, Result<ModelResponse, ModelFailure>);

fn decode(api: Api, reads: &[&[u8]]) -> Decoded {
    let mut decoder = Decoder::new(api, Asked::default());
    let deltas = reads.iter().flat_map(|read| decoder.push(read)).collect();
    (deltas, decoder.finish())
}

/// Decodes payloads given one per event.
fn decode_events(api: Api, payloads: &[&str]) -> Result<ModelResponse, ModelFailure> {
    let stream: String = payloads
        .iter()
        .map(|payload| format!("data: {payload}\n\n"))
        .collect();
    decode(api, &[stream.as_bytes()]).1
}

fn text(text: &str) -> AssistantPart {
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

fn call(id: &str, name: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

#[test]
fn an_anthropic_text_answer_has_thinking_text_and_usage() {
    let (deltas, response) = decode(Api::Anthropic, &[ANTHROPIC_TEXT]);
    let usage = Usage {
        input: 12,
        cache_read: 200,
        cache_write: 30,
        output: 24,
    };
    assert_eq!(
        response.unwrap(),
        ModelResponse {
            parts: vec![
                thinking("Two words will do.", Some("c2lnbmVk")),
                AssistantPart::RedactedThinking {
                    data: "b3BhcXVl".to_owned(),
                    maker: None,
                },
                text("Schöne Grüße 👋"),
            ],
            stop: StopReason::EndTurn,
            usage,
        }
    );
    assert_eq!(
        deltas,
        [
            ModelDelta::Usage(Usage { output: 1, ..usage }),
            ModelDelta::Thinking("Two words".to_owned()),
            ModelDelta::Thinking(" will do.".to_owned()),
            ModelDelta::Text("Schöne ".to_owned()),
            ModelDelta::Text("Grüße 👋".to_owned()),
            ModelDelta::Usage(usage),
        ]
    );
}

#[test]
fn an_anthropic_tool_answer_has_our_calls_only() {
    let (deltas, response) = decode(Api::Anthropic, &[ANTHROPIC_TOOLS]);
    let response = response.unwrap();
    assert_eq!(
        response.parts,
        [
            text("I look first."),
            call("call_a", "read", r#"{"path": "src/main.rs"}"#),
            call("call_b", "check", "{}"),
        ]
    );
    assert_eq!(response.stop, StopReason::ToolUse);
    let started = deltas.iter().filter_map(|delta| match delta {
        ModelDelta::CallStarted { name } => Some(name.as_str()),
        _ => None,
    });
    assert_eq!(started.collect::<Vec<_>>(), ["read", "check"]);
}

#[test]
fn a_chat_answer_has_reasoning_text_calls_and_usage() {
    let (_, response) = decode(Api::Chat, &[CHAT_TOOLS]);
    assert_eq!(
        response.unwrap(),
        ModelResponse {
            parts: vec![
                thinking("Look first.", None),
                text("Ich prüfe das."),
                call("call_x", "read", r#"{"path": "a.rs"}"#),
                call("call_y", "check", "{}"),
            ],
            stop: StopReason::ToolUse,
            usage: Usage {
                input: 36,
                cache_read: 64,
                cache_write: 0,
                output: 33,
            },
        }
    );
}

#[test]
fn splitting_a_stream_anywhere_changes_nothing() {
    for (api, bytes) in STREAMS {
        let whole = decode(api, &[bytes]);
        for place in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(place);
            assert_eq!(decode(api, &[head, tail]), whole, "split at {place}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(api, &single), whole);
    }
}

#[test]
fn a_cut_stream_is_never_an_answer() {
    for (api, bytes) in STREAMS {
        let whole = decode(api, &[bytes]).1.unwrap();
        let terminal: &[u8] = match api {
            Api::Anthropic => br#"{"type":"message_stop"}"#,
            _ => br#""finish_reason":"tool_calls"}]}"#,
        };
        let ended_at = bytes
            .windows(terminal.len())
            .position(|window| window == terminal)
            .unwrap()
            + terminal.len();
        for place in 0..bytes.len() {
            match decode(api, &[&bytes[..place]]).1 {
                Ok(response) => {
                    assert!(place >= ended_at, "answer of {place} bytes");
                    assert_eq!(response.parts, whole.parts);
                }
                Err(failure) => {
                    assert!(place < ended_at, "failure of {place} bytes: {failure:?}");
                    assert_eq!(failure.class, FailureClass::Broken);
                }
            }
        }
    }
}

#[test]
fn invalid_utf8_is_replaced_and_counted() {
    let mut bytes = ANTHROPIC_TEXT.to_vec();
    let place = bytes.windows(3).position(|it| it == b"Two").unwrap();
    bytes[place] = 0xFF;
    let mut decoder = Decoder::new(Api::Anthropic, Asked::default());
    for byte in &bytes {
        decoder.push(&[*byte]);
    }
    assert_eq!(decoder.invalid_utf8(), 1);
    let response = decoder.finish().unwrap();
    assert_eq!(
        response.parts[0],
        thinking("\u{fffd}wo words will do.", Some("c2lnbmVk"))
    );
}

#[test]
fn an_anthropic_answer_is_complete_at_its_stop_and_deaf_after_it() {
    let mut decoder = Decoder::new(Api::Anthropic, Asked::default());
    decoder.push(ANTHROPIC_TEXT);
    assert!(decoder.is_complete());
    assert_eq!(
        decoder.push(b"event: data\ndata: [DONE]\n\ndata: {oops\n\n"),
        []
    );
    assert_eq!(
        decoder.finish(),
        decode(Api::Anthropic, &[ANTHROPIC_TEXT]).1
    );
}

const START: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"read","input":{}}}"#;
const PIECE: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"path\":\"a\"}"}}"#;
const STOP: &str = r#"{"type":"content_block_stop","index":0}"#;
const END: &str = r#"{"type":"message_stop"}"#;

fn message_delta(reason: &str) -> String {
    format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}},"usage":{{}}}}"#)
}

#[test]
fn an_anthropic_call_cut_by_a_limit_is_dropped() {
    for reason in ["max_tokens", "model_context_window_exceeded", "refusal"] {
        let change = message_delta(reason);
        for events in [
            &[START, &change, END][..],
            &[START, STOP, &change, END],
            &[START, PIECE, &change, END],
            &[START, PIECE, STOP, &change, END],
        ] {
            let response = decode_events(Api::Anthropic, events).unwrap();
            assert_eq!(response.parts, [], "{reason}");
        }
    }
}

#[test]
fn a_call_before_the_cut_one_is_kept() {
    let second = START.replace(r#""index":0"#, r#""index":1"#);
    let change = message_delta("max_tokens");
    let events = [START, PIECE, STOP, &second, &change, END];
    let response = decode_events(Api::Anthropic, &events).unwrap();
    assert_eq!(response.parts, [call("a", "read", r#"{"path":"a"}"#)]);
    assert_eq!(response.stop, StopReason::MaxTokens);
}

#[test]
fn anthropic_streams_that_do_not_end_in_order_are_broken() {
    let tool_use = message_delta("tool_use");
    for events in [
        &[START, PIECE, STOP][..],
        &[START, PIECE, STOP, &tool_use],
        &[START, PIECE, STOP, END],
        &[START, PIECE, &tool_use, END],
        &[&tool_use, END],
        &[START, PIECE, STOP, &tool_use, "[DONE]"],
        &[START, "{\"type\":", END],
        &[START, "12", END],
        &[PIECE, END],
        &[],
    ] {
        let failure = decode_events(Api::Anthropic, events).unwrap_err();
        assert_eq!(failure.class, FailureClass::Broken, "{events:?}");
    }
}

#[test]
fn anthropic_oddities_are_tolerated() {
    let given = START.replace(r#""input":{}"#, r#""input":{"path":"b"}"#);
    let tool_use = message_delta("tool_use");
    for (events, arguments) in [
        (
            &[given.as_str(), STOP, &tool_use, END][..],
            r#"{"path":"b"}"#,
        ),
        (&[&given, PIECE, STOP, &tool_use, END], r#"{"path":"a"}"#),
        (&[START, STOP, &tool_use, END], "{}"),
        (
            &[START, PIECE, PIECE, STOP, &tool_use, END],
            r#"{"path":"a"}{"path":"a"}"#,
        ),
        (
            &[r#"{"type":"new_event"}"#, START, STOP, &tool_use, END],
            "{}",
        ),
        (&[START, STOP, &message_delta("end_turn"), END], "{}"),
    ] {
        let response = decode_events(Api::Anthropic, events).unwrap();
        assert_eq!(response.parts, [call("a", "read", arguments)]);
        assert_eq!(response.stop, StopReason::ToolUse);
    }
}

#[test]
fn an_error_inside_a_stream_ends_it_with_its_class() {
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    for (api, events, class) in [
        (
            Api::Anthropic,
            &[START, overloaded, END][..],
            FailureClass::Overloaded,
        ),
        (
            Api::Chat,
            &[r#"{"error":{"code":429,"message":"slow down"}}"#, "[DONE]"],
            FailureClass::RateLimited,
        ),
        (
            Api::Chat,
            &[
                r#"{"choices":[{"error":{"code":502,"message":"x"}}]}"#,
                "[DONE]",
            ],
            FailureClass::Overloaded,
        ),
        (
            Api::Chat,
            &[
                r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#,
                "[DONE]",
            ],
            FailureClass::Broken,
        ),
    ] {
        assert_eq!(decode_events(api, events).unwrap_err().class, class);
    }
}

/// Wraps call fragments, one chunk each, into a stream that ends with `finish`.
fn chat_calls(fragments: &[&str], finish: &str) -> Result<ModelResponse, ModelFailure> {
    let mut events: Vec<String> = fragments
        .iter()
        .map(|it| format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{it}]}}}}]}}"#))
        .collect();
    events.push(format!(
        r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":{finish}}}]}}"#
    ));
    events.push("[DONE]".to_owned());
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    decode_events(Api::Chat, &events)
}

#[test]
fn chat_call_fragments_find_their_call() {
    for (fragments, expected) in [
        // A new id at an index in use.
        (
            &[
                r#"{"index":0,"id":"a","function":{"name":"read","arguments":"{}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"read","arguments":"{}"}}"#,
            ][..],
            vec![call("a", "read", "{}"), call("b", "read", "{}")],
        ),
        // Id and name repeated in every chunk, or empty.
        (
            &[
                r#"{"index":0,"id":"a","function":{"name":"read","arguments":""}}"#,
                r#"{"index":0,"id":"a","function":{"name":"read","arguments":"{"}}"#,
                r#"{"index":0,"id":"","function":{"name":"","arguments":"}"}}"#,
            ],
            vec![call("a", "read", "{}")],
        ),
        // No ids.
        (
            &[
                r#"{"index":0,"function":{"name":"read","arguments":"{}"}}"#,
                r#"{"index":1,"function":{"name":"read","arguments":"{}"}}"#,
            ],
            vec![call("call_0", "read", "{}"), call("call_1", "read", "{}")],
        ),
        // No ids, and every call numbered 0.
        (
            &[
                r#"{"index":0,"function":{"name":"read","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"list","arguments":"{}"}}"#,
            ],
            vec![call("call_0", "read", "{}"), call("call_1", "list", "{}")],
        ),
        // An id that looks like one of ours.
        (
            &[
                r#"{"index":0,"function":{"name":"read","arguments":"{}"}}"#,
                r#"{"index":1,"id":"call_0","function":{"name":"read","arguments":"{}"}}"#,
            ],
            vec![call("call_1", "read", "{}"), call("call_0", "read", "{}")],
        ),
        // No index: a name starts a call, anything else goes on with the last.
        (
            &[
                r#"{"function":{"name":"read","arguments":"{"}}, {"function":{"arguments":"}"}}"#,
                r#"{"function":{"name":"read","arguments":"{}"}}"#,
            ],
            vec![call("call_0", "read", "{}"), call("call_1", "read", "{}")],
        ),
        // Arguments as an object, sent twice.
        (
            &[
                r#"{"index":0,"id":"a","function":{"name":"read","arguments":{"path":"x"}}}"#,
                r#"{"index":0,"id":"a","function":{"name":"read","arguments":{"path":"x"}}}"#,
            ],
            vec![call("a", "read", r#"{"path":"x"}"#)],
        ),
        // No arguments at all.
        (
            &[r#"{"index":0,"id":"a","function":{"name":"check"}}"#],
            vec![call("a", "check", "{}")],
        ),
    ] {
        for finish in [r#""tool_calls""#, r#""stop""#] {
            let response = chat_calls(fragments, finish).unwrap();
            assert_eq!(response.parts, expected, "{fragments:?}");
            assert_eq!(response.stop, StopReason::ToolUse);
        }
    }
}

#[test]
fn a_chat_call_cut_by_a_limit_is_dropped() {
    let whole = r#"{"index":0,"id":"a","function":{"name":"read","arguments":"{}"}}"#;
    let cut = r#"{"index":1,"id":"b","function":{"name":"read","arguments":"{\"pa"}}"#;
    let nothing = r#"{"index":1,"id":"b","function":{"name":"read","arguments":""}}"#;
    for (fragments, kept) in [
        (&[whole, cut][..], vec![call("a", "read", "{}")]),
        (&[whole, nothing], vec![call("a", "read", "{}")]),
        (&[whole], vec![]),
    ] {
        let response = chat_calls(fragments, r#""length""#).unwrap();
        assert_eq!(response.parts, kept);
        assert_eq!(response.stop, StopReason::MaxTokens);
    }
}

#[test]
fn a_chat_stream_without_a_finish_reason_needs_whole_calls() {
    for (arguments, is_answer) in [
        ("{}", true),
        (r#"{\"a\":1}"#, true),
        ("", false),
        (r#"{\"a"#, false),
    ] {
        let fragment = format!(
            r#"{{"index":0,"id":"a","function":{{"name":"read","arguments":"{arguments}"}}}}"#
        );
        assert_eq!(
            chat_calls(&[&fragment], "null").is_ok(),
            is_answer,
            "{arguments}"
        );
    }
    let open = r#"{"choices":[{"index":0,"delta":{"content":"half an ans"}}]}"#;
    let failure = decode_events(Api::Chat, &[open]).unwrap_err();
    assert_eq!(failure.class, FailureClass::Broken);
    assert!(decode_events(Api::Chat, &[open, "[DONE]"]).is_ok());
}

#[test]
fn chat_stops_and_usage_are_read_as_servers_write_them() {
    for (reason, stop) in [
        ("stop", StopReason::EndTurn),
        ("length", StopReason::MaxTokens),
        ("content_filter", StopReason::Refused),
        ("new", StopReason::Other("new".to_owned())),
    ] {
        let last = format!(
            r#"{{"choices":[{{"delta":{{"content":"a"}},"finish_reason":"{reason}","usage":{{"prompt_tokens":9,"completion_tokens":2,"total_tokens":16,"cached_tokens":4}}}}]}}"#
        );
        let response = decode_events(Api::Chat, &[&last]).unwrap();
        assert_eq!(response.stop, stop);
        assert_eq!(
            response.usage,
            Usage {
                input: 5,
                cache_read: 4,
                cache_write: 0,
                output: 7
            }
        );
    }
    let refusal = r#"{"choices":[{"delta":{"refusal":"no"},"finish_reason":"stop"}]}"#;
    let response = decode_events(Api::Chat, &[refusal]).unwrap();
    assert_eq!(
        (response.parts, response.stop),
        (vec![text("no")], StopReason::Refused)
    );
}

#[test]
fn a_body_of_json_that_is_no_stream_says_so_or_what_its_error_says() {
    let whole = |body: &str| {
        let mut reads = body.as_bytes().chunks(7);
        let mut decoder = Decoder::new(Api::Chat, Asked::default());
        reads.by_ref().for_each(|read| drop(decoder.push(read)));
        decoder.finish().unwrap_err()
    };
    for (body, class, told) in [
        (
            r#"{"choices":[{"message":{"content":"hi"}}]}"#,
            FailureClass::Invalid,
            "the server answered with one JSON text and not with a stream of events",
        ),
        (
            "{\n  \"detail\": \"no such model\"\n}\n",
            FailureClass::Broken,
            "the server answered with one JSON text and not with a stream of events: no such model",
        ),
        (
            r#"[{"error":{"code":503,"message":"busy"}}]"#,
            FailureClass::Overloaded,
            "the server reported an error: busy",
        ),
        // Cut, or no JSON at all: a stream that broke.
        (
            r#"{"choices":[{"mess"#,
            FailureClass::Broken,
            "the stream ended before the answer did",
        ),
        (
            ": a comment\n\n7\n",
            FailureClass::Broken,
            "the stream ended before the answer did",
        ),
    ] {
        let failure = whole(body);
        assert_eq!(
            (failure.class, failure.message.as_str()),
            (class, told),
            "{body}"
        );
    }
    let endless = ":\n".repeat(1 << 20);
    assert_eq!(whole(&endless).class, FailureClass::Broken);
}

#[test]
fn an_answer_beyond_a_bound_is_broken() {
    let big = format!(
        r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#,
        "x".repeat(7 * 1024 * 1024)
    );
    let many: Vec<String> = (0..129)
        .map(|it| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{it}}}]}}}}]}}"#))
        .collect();
    let huge = format!("\"{}\"", "x".repeat(9 * 1024 * 1024));
    for events in [
        vec![big.as_str(); 5],
        many.iter().map(String::as_str).collect(),
        vec![huge.as_str()],
    ] {
        let mut decoder = Decoder::new(Api::Chat, Asked::default());
        for event in events {
            decoder.push(format!("data: {event}\n\n").as_bytes());
        }
        assert!(decoder.is_complete());
        assert_eq!(decoder.finish().unwrap_err().class, FailureClass::Broken);
    }
}

proptest! {
    #[test]
    fn damaged_streams_never_panic_and_splits_never_matter(
        stream in prop::sample::select(STREAMS.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        lost in any::<prop::sample::Index>(),
        lost_bytes in 0..200_usize,
        split in any::<prop::sample::Index>(),
    ) {
        let (api, bytes) = stream;
        let mut bytes = bytes.to_vec();
        for (place, byte) in &damage {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        let from = lost.index(bytes.len());
        bytes.drain(from..(from + lost_bytes).min(bytes.len()));
        let (head, tail) = bytes.split_at(split.index(bytes.len()));
        prop_assert_eq!(decode(api, &[head, tail]), decode(api, &[&bytes]));
    }
}
