//! Decoding on the wires with items of their own: whole streams, cut and split, the odd ones by table.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use harness_core::{
    AssistantPart, FailureClass, Maker, ModelDelta, ModelFailure, ModelResponse, StopReason,
    TokenCount, ToolCall, Usage,
};
use harness_provider::{Api, Asked, Decoder};
use proptest::prelude::*;
use serde_json::{Value, json};

const RESPONSES: &[u8] = include_bytes!("../../../fixtures/provider/responses-tools.sse");
const GEMINI: &[u8] = include_bytes!("../../../fixtures/provider/gemini-tools.sse");
const OLLAMA: &[u8] = include_bytes!("../../../fixtures/provider/ollama-tools.ndjson");

const STREAMS: [(Api, &[u8]); 3] = [
    (Api::Responses, RESPONSES),
    (Api::Gemini, GEMINI),
    (Api::Ollama, OLLAMA),
];

type Decoded = (Vec<ModelDelta>, Result<ModelResponse, ModelFailure>);

fn decode(api: Api, reads: &[&[u8]]) -> Decoded {
    let asked = Asked {
        model: "model-a".to_owned(),
        ..Asked::default()
    };
    let mut decoder = Decoder::new(api, asked);
    let deltas = reads.iter().flat_map(|read| decoder.push(read)).collect();
    (deltas, decoder.finish())
}

fn decode_events(api: Api, events: &[Value]) -> Result<ModelResponse, ModelFailure> {
    let stream: String = events
        .iter()
        .map(|event| match api {
            Api::Ollama => format!("{event}\n"),
            _ => format!("data: {event}\n\n"),
        })
        .collect();
    decode(api, &[stream.as_bytes()]).1
}

fn maker(api: Api) -> Option<Maker> {
    Some(Maker {
        wire: api.as_str().to_owned(),
        model: "model-a".to_owned(),
    })
}

fn text(text: &str) -> AssistantPart {
    AssistantPart::Text {
        text: text.to_owned(),
    }
}

fn thinking(api: Api, text: &str) -> AssistantPart {
    AssistantPart::Thinking {
        text: text.to_owned(),
        signature: None,
        maker: maker(api),
    }
}

fn opaque(api: Api, data: &str) -> AssistantPart {
    AssistantPart::Opaque {
        data: data.to_owned(),
        maker: maker(api),
    }
}

fn call(id: &str, name: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

/// Returns the calls alone, as `name id arguments`.
fn calls(response: &ModelResponse) -> Vec<String> {
    let calls = response.calls();
    calls
        .map(|call| format!("{} {} {}", call.name, call.id, call.arguments))
        .collect()
}

fn class(result: Result<ModelResponse, ModelFailure>) -> FailureClass {
    result.unwrap_err().class
}

#[test]
fn a_responses_answer_keeps_its_items_as_they_came() {
    let (deltas, response) = decode(Api::Responses, &[RESPONSES]);
    let own = |data| opaque(Api::Responses, data);
    assert_eq!(
        response.unwrap(),
        ModelResponse {
            parts: vec![
                thinking(Api::Responses, "Look first.\n\nThen check."),
                own(
                    r#"{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Look first."},{"type":"summary_text","text":"Then check."}],"encrypted_content":"b3BhcXVl+/="}"#
                ),
                own(r#"{"id":"msg_1","type":"message","status":"completed","phase":"commentary"}"#),
                text("Ich prüfe das 👋."),
                own(r#"{"id":"fc_1","type":"function_call","status":"completed"}"#),
                call("call_x", "read", r#"{"path": "a.rs"}"#),
                own(r#"{"id":"fc_2","type":"function_call","status":"completed"}"#),
                call("call_y", "check", "{}"),
            ],
            stop: StopReason::ToolUse,
            usage: Usage {
                input: 36,
                cache_read: 64,
                cache_write: 30,
                output: 33,
            },
        }
    );
    let shown = |pick: fn(&ModelDelta) -> Option<&str>| -> String {
        deltas.iter().filter_map(pick).collect()
    };
    let thought = shown(|delta| match delta {
        ModelDelta::Thinking(piece) => Some(piece),
        _ => None,
    });
    assert_eq!(thought, "Look first.\n\nThen check.");
    let said = shown(|delta| match delta {
        ModelDelta::Text(piece) => Some(piece),
        _ => None,
    });
    assert_eq!(said, "Ich prüfe das 👋.");
}

#[test]
fn a_gemini_answer_keeps_signatures_where_they_came() {
    let (_, response) = decode(Api::Gemini, &[GEMINI]);
    let own = |data| opaque(Api::Gemini, data);
    assert_eq!(
        response.unwrap(),
        ModelResponse {
            parts: vec![
                thinking(Api::Gemini, "Look first."),
                text("Ich prüfe das 👋."),
                own(r#"{"thoughtSignature":"c2ln+/="}"#),
                call("call_0", "read", r#"{"path":"a.rs"}"#),
                call("call_1", "check", "{}"),
                own(r#"{"text":"","thoughtSignature":"ZW5k"}"#),
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
fn an_ollama_answer_has_thinking_text_and_calls() {
    let (_, response) = decode(Api::Ollama, &[OLLAMA]);
    assert_eq!(
        response.unwrap(),
        ModelResponse {
            parts: vec![
                thinking(Api::Ollama, "Look first."),
                text("Ich prüfe das 👋."),
                call("call_x", "read", r#"{"path":"a.rs"}"#),
                call("call_1", "check", "{}"),
            ],
            stop: StopReason::ToolUse,
            usage: Usage {
                input: 100,
                output: 33,
                ..Usage::default()
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
            assert_eq!(decode(api, &[head, tail]), whole, "{api:?} at {place}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(api, &single), whole);
    }
}

#[test]
fn a_cut_stream_is_never_an_answer() {
    for (api, bytes) in STREAMS {
        let whole = decode(api, &[bytes]).1.unwrap();
        // The last payload is the terminal one on each of these wires.
        let ended_at = bytes.trim_ascii_end().len();
        for place in 0..bytes.len() {
            match decode(api, &[&bytes[..place]]).1 {
                Ok(response) => {
                    assert!(place >= ended_at, "{api:?}: answer of {place} bytes");
                    assert_eq!(response, whole);
                }
                Err(failure) => {
                    assert!(place < ended_at, "{api:?} at {place}: {failure:?}");
                    assert_eq!(failure.class, FailureClass::Broken);
                }
            }
        }
    }
}

fn function_call(id: &str, arguments: &str, status: &str) -> Value {
    json!({"type": "response.output_item.done", "item": {"type": "function_call", "id": format!("fc_{id}"),
        "call_id": id, "name": "read", "arguments": arguments, "status": status}})
}

fn reasoning(encrypted: &str) -> Value {
    json!({"type": "response.output_item.done", "item": {"type": "reasoning", "id": "rs_1",
        "summary": [], "encrypted_content": encrypted}})
}

fn completed() -> Value {
    json!({"type": "response.completed", "response": {"status": "completed", "output": []}})
}

fn incomplete(reason: &str) -> Value {
    json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": reason}}})
}

#[test]
fn a_responses_call_that_was_cut_never_runs_and_takes_its_reasoning_along() {
    for (events, kept) in [
        (
            vec![
                reasoning("e"),
                function_call("a", "{\"pa", "incomplete"),
                incomplete("max_output_tokens"),
            ],
            vec![],
        ),
        // Shortened arguments can be well formed.
        (
            vec![
                reasoning("e"),
                function_call("a", "{}", "completed"),
                incomplete("max_output_tokens"),
            ],
            vec![],
        ),
        (
            vec![
                function_call("a", "{}", "completed"),
                reasoning("e"),
                function_call("b", "{}", "incomplete"),
                incomplete("new"),
            ],
            vec![],
        ),
        (
            vec![
                function_call("a", "{}", "completed"),
                function_call("b", "{}", "completed"),
                incomplete("content_filter"),
            ],
            vec!["read a {}"],
        ),
    ] {
        let response = decode_events(Api::Responses, &events).unwrap();
        assert_eq!(calls(&response), kept, "{events:?}");
        let sealed = response.parts.iter().filter(
            |part| matches!(part, AssistantPart::Opaque { data, .. } if data.contains("rs_1")),
        );
        assert_eq!(sealed.count(), 0, "{events:?}");
    }
}

#[test]
fn responses_streams_end_with_a_terminal_event_or_are_broken() {
    let done = function_call("a", "{}", "completed");
    let listed = json!({"type": "response.completed", "response": {
        "output": [{"type": "function_call"}, {"type": "function_call"}]}});
    for events in [
        vec![done.clone()],
        vec![done.clone(), json!({"type": "response.in_progress"})],
        vec![done.clone(), listed],
        vec![json!({"type": "response.output_item.done"}), completed()],
        vec![
            json!({"type": "response.output_item.done", "item": {"type": "function_call", "call_id": "a"}}),
            completed(),
        ],
        vec![],
    ] {
        let failed = class(decode_events(Api::Responses, &events));
        assert_eq!(failed, FailureClass::Broken, "{events:?}");
    }
    let response = decode_events(Api::Responses, &[done, completed()]).unwrap();
    assert_eq!(calls(&response), ["read a {}"]);
    let unknown = [
        json!({"type": "response.new"}),
        json!({"a": 1}),
        completed(),
    ];
    assert_eq!(decode_events(Api::Responses, &unknown).unwrap().parts, []);
}

#[test]
fn responses_oddities_are_tolerated() {
    let item = |item: Value| {
        let events = [
            json!({"type": "response.output_item.done", "item": item}),
            completed(),
        ];
        decode_events(Api::Responses, &events).unwrap()
    };
    for (fields, expected) in [
        (
            json!({"name": "read", "arguments": {"a": 1}}),
            "read call_0 {\"a\":1}",
        ),
        (json!({"name": "read", "id": "fc_1"}), "read fc_1 {}"),
        (
            json!({"name": "read", "call_id": "c", "arguments": "{oops"}),
            "read c {oops",
        ),
    ] {
        let mut fields = fields;
        fields["type"] = json!("function_call");
        assert_eq!(calls(&item(fields)), [expected]);
    }
    let refused = item(json!({"type": "message", "id": "msg_1", "content": [
        {"type": "refusal", "refusal": "no"}]}));
    assert_eq!(
        (refused.parts, refused.stop),
        (vec![text("no")], StopReason::Refused)
    );
    // What the server has not kept and did not send cannot go back.
    assert_eq!(
        item(json!({"type": "reasoning", "id": "rs_1", "summary": []})).parts,
        []
    );
    // Reasoning that led to a tool of the server goes with it.
    let events = [
        reasoning("e"),
        json!({"type": "response.output_item.done", "item": {"type": "web_search_call", "id": "ws"}}),
        completed(),
    ];
    assert_eq!(decode_events(Api::Responses, &events).unwrap().parts, []);
}

#[test]
fn a_responses_failure_has_its_class_and_its_delay() {
    use FailureClass::{ContextOverflow, Invalid, Overloaded, Quota, RateLimited};
    for (code, message, class, delay) in [
        ("context_length_exceeded", "too long", ContextOverflow, None),
        ("insufficient_quota", "pay", Quota, None),
        ("usage_not_included", "pay", Quota, None),
        (
            "rate_limit_exceeded",
            "Rate limit reached on tokens per min. Please try again in 1.2s.",
            RateLimited,
            Some(1_200),
        ),
        (
            "rate_limit_exceeded",
            "Please try again in 350ms.",
            RateLimited,
            Some(350),
        ),
        ("server_is_overloaded", "later", Overloaded, None),
        ("slow_down", "later", Overloaded, None),
        ("server_error", "oops", Overloaded, None),
        ("invalid_prompt", "no", Invalid, None),
        ("bio_policy", "no", Invalid, None),
        ("cyber_policy", "no", Invalid, None),
    ] {
        let error = json!({"code": code, "message": message});
        for event in [
            json!({"type": "response.failed", "response": {"status": "failed", "error": error}}),
            json!({"type": "error", "error": error}),
            json!({"type": "error", "code": code, "message": message}),
        ] {
            let failure = decode_events(Api::Responses, &[event]).unwrap_err();
            assert_eq!(
                (failure.class, failure.retry_after_ms),
                (class, delay),
                "{code}"
            );
        }
    }
}

fn chunk(parts: &Value, finish: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}]})
}

fn gemini_call() -> Value {
    json!([{"functionCall": {"name": "read", "args": {}}, "thoughtSignature": "s"}])
}

#[test]
fn gemini_stops_are_read_as_the_server_writes_them() {
    for (reason, stop, kept) in [
        ("STOP", StopReason::ToolUse, 1),
        ("MAX_TOKENS", StopReason::MaxTokens, 0),
        ("SAFETY", StopReason::Refused, 0),
        ("RECITATION", StopReason::Refused, 0),
        ("PROHIBITED_CONTENT", StopReason::Refused, 0),
        ("NEW", StopReason::Other("NEW".to_owned()), 0),
    ] {
        let events = [chunk(&gemini_call(), &json!(reason))];
        let response = decode_events(Api::Gemini, &events).unwrap();
        assert_eq!((&response.stop, calls(&response).len()), (&stop, kept));
        // The signature of a call that is left out is left out with it.
        assert_eq!(response.parts.len(), kept * 2, "{reason}");
    }
    for reason in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"] {
        let events = [chunk(&json!([]), &json!(reason))];
        let failure = decode_events(Api::Gemini, &events).unwrap_err();
        assert_eq!(failure.class, FailureClass::Broken);
        assert!(failure.message.contains(reason));
    }
}

#[test]
fn gemini_streams_that_leave_something_open_are_broken() {
    let none = Value::Null;
    let open = json!([{"functionCall": {"name": "read", "willContinue": true}}]);
    for events in [
        vec![],
        vec![chunk(&gemini_call(), &none)],
        vec![chunk(&json!([]), &json!("FINISH_REASON_UNSPECIFIED"))],
        // More came after the end, and its own end did not.
        vec![
            chunk(&json!([{"text": "a"}]), &json!("STOP")),
            chunk(&json!([{"text": "b"}]), &none),
        ],
        vec![chunk(
            &json!([{"executableCode": {"code": "1"}}]),
            &json!("STOP"),
        )],
        vec![chunk(&open, &json!("STOP"))],
        vec![chunk(&open, &none), chunk(&gemini_call(), &json!("STOP"))],
        vec![chunk(
            &json!([{"functionCall": {"args": {}}}]),
            &json!("STOP"),
        )],
        vec![chunk(
            &json!([{"functionCall": {"name": "a", "args": [1]}}]),
            &json!("STOP"),
        )],
    ] {
        let failed = class(decode_events(Api::Gemini, &events));
        assert_eq!(failed, FailureClass::Broken, "{events:?}");
    }
    let cut = [chunk(&open, &json!("MAX_TOKENS"))];
    assert_eq!(decode_events(Api::Gemini, &cut).unwrap().parts, []);
}

#[test]
fn gemini_texts_are_one_and_their_signature_stays_with_them() {
    let own = |data| opaque(Api::Gemini, data);
    for (pieces, expected) in [
        (
            vec![
                json!({"text": "a"}),
                json!({"text": "b", "thoughtSignature": "s"}),
            ],
            vec![own(r#"{"thoughtSignature":"s"}"#), text("ab")],
        ),
        (
            vec![
                json!({"text": "a", "thoughtSignature": "s"}),
                json!({"text": "b"}),
            ],
            vec![own(r#"{"thoughtSignature":"s"}"#), text("ab")],
        ),
        (
            vec![
                json!({"text": "a"}),
                json!({"text": "\n", "thoughtSignature": "s"}),
            ],
            vec![text("a"), own(r#"{"text":"\n","thoughtSignature":"s"}"#)],
        ),
        (
            vec![
                json!({"text": "t", "thought": true, "thoughtSignature": "s"}),
                json!({"text": "a"}),
            ],
            vec![
                own(r#"{"text":"t","thought":true,"thoughtSignature":"s"}"#),
                thinking(Api::Gemini, "t"),
                text("a"),
            ],
        ),
    ] {
        let events = [chunk(&json!(pieces), &json!("STOP"))];
        let response = decode_events(Api::Gemini, &events).unwrap();
        assert_eq!(response.parts, expected, "{pieces:?}");
    }
}

#[test]
fn a_gemini_failure_has_its_class() {
    for (event, expected) in [
        (
            json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow"}}),
            FailureClass::RateLimited,
        ),
        (
            json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "later"}}),
            FailureClass::Overloaded,
        ),
        (
            json!({"error": {"code": 400, "message": "The input token count (9) exceeds the maximum number of tokens allowed (1)."}}),
            FailureClass::ContextOverflow,
        ),
        (
            json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid. Please pass a valid API key."}}),
            FailureClass::Auth,
        ),
        (
            json!({"promptFeedback": {"blockReason": "SAFETY"}}),
            FailureClass::Invalid,
        ),
    ] {
        assert_eq!(
            class(decode_events(Api::Gemini, std::slice::from_ref(&event))),
            expected,
            "{event}"
        );
    }
}

fn line(message: &Value) -> Value {
    json!({"message": message, "done": false})
}

fn last(reason: &str, read: u64) -> Value {
    json!({"message": {"content": ""}, "done": true, "done_reason": reason, "prompt_eval_count": read})
}

#[test]
fn ollama_stops_and_failures_are_read_as_the_server_writes_them() {
    let called = line(&json!({"tool_calls": [{"function": {"name": "read", "arguments": {}}}]}));
    for (reason, stop, kept) in [
        ("stop", StopReason::ToolUse, 1),
        ("", StopReason::ToolUse, 1),
        ("length", StopReason::MaxTokens, 0),
        ("new", StopReason::Other("new".to_owned()), 0),
    ] {
        let response = decode_events(Api::Ollama, &[called.clone(), last(reason, 9)]).unwrap();
        assert_eq!((&response.stop, calls(&response).len()), (&stop, kept));
    }
    for (events, expected) in [
        (vec![called], FailureClass::Broken),
        (vec![], FailureClass::Broken),
        (vec![last("unload", 9)], FailureClass::Broken),
        (
            vec![line(&json!({"tool_calls": [{"function": {}}]}))],
            FailureClass::Broken,
        ),
        (vec![json!([1])], FailureClass::Broken),
        (
            vec![json!({"error": "an error was encountered"})],
            FailureClass::Overloaded,
        ),
        (
            vec![json!({"error": "the input length exceeds the context length"})],
            FailureClass::ContextOverflow,
        ),
    ] {
        assert_eq!(
            class(decode_events(Api::Ollama, &events)),
            expected,
            "{events:?}"
        );
    }
}

#[test]
fn a_prompt_that_ollama_cut_is_noticed() {
    let ask = |read: u64| {
        let asked = Asked {
            prompt: TokenCount(15_750),
            ..Asked::default()
        };
        let mut decoder = Decoder::new(Api::Ollama, asked);
        decoder.push(format!("{}\n", last("stop", read)).as_bytes());
        decoder.finish()
    };
    let failure = ask(2_051).unwrap_err();
    assert_eq!(failure.class, FailureClass::ContextOverflow);
    assert!(
        failure
            .message
            .contains("2051 tokens of a prompt of about 15750")
    );
    assert!(ask(15_000).is_ok());
}

#[test]
fn an_answer_beyond_a_bound_is_broken() {
    let huge = "x".repeat(9 * 1024 * 1024);
    let many: Vec<Value> = (0..129)
        .map(|it| function_call(&it.to_string(), "{}", "completed"))
        .chain([completed()])
        .collect();
    assert_eq!(
        class(decode_events(Api::Responses, &many)),
        FailureClass::Broken
    );
    // Pieces that are only shown have no end either.
    let pieces = json!({"type": "response.output_text.delta", "delta": "x".repeat(3 << 20)});
    assert_eq!(
        class(decode_events(
            Api::Responses,
            &[pieces.clone(), pieces.clone(), pieces, completed()]
        )),
        FailureClass::Broken
    );
    for (api, event) in [
        (
            Api::Responses,
            json!({"type": "response.output_text.delta", "delta": huge}),
        ),
        (Api::Gemini, chunk(&json!([{"text": huge}]), &json!("STOP"))),
        (Api::Ollama, line(&json!({"content": huge}))),
    ] {
        assert_eq!(
            class(decode_events(api, &[event])),
            FailureClass::Broken,
            "{api:?}"
        );
    }
}

proptest! {
    #[test]
    fn damaged_streams_never_panic_and_splits_never_matter(
        stream in prop::sample::select(STREAMS.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        lost in any::<prop::sample::Index>(),
        lost_bytes in 0..400_usize,
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
