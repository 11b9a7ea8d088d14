//! Recorded responses of real services, decoded whole, split and cut.
//!
//! The folder is named by `HARNESS_RECORDINGS`; without it these tests say that
//! they were skipped. What each recording must decode to was assembled from the
//! same bytes by the vendor's own client; where a client does worse than ours
//! must, the difference stands in a table here with its reason.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "recordings/oracle.rs"]
mod oracle;
#[path = "recordings/returned.rs"]
mod returned;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use harness_core::{
    AssistantPart, FailureClass, ModelDelta, ModelFailure, ModelResponse, StopReason, Timestamp,
    Usage,
};
use harness_provider::{Api, Asked, Decoder, failure_of_status};
use serde_json::{Map, Value, json};

/// One HTTP exchange.
struct Exchange {
    /// Recording and number, such as `groq--tool--x/0`.
    name: String,
    api: Api,
    status: u16,
    headers: Map<String, Value>,
    bytes: Vec<u8>,
    expected: Value,
    /// The recorded request; null where there is none.
    request: Value,
}

/// Parts that a client shows and ours must not, with the reason.
const DROPPED_CALLS: [(&str, &str); 4] = [
    (
        "anthropic--max-tokens-mid-tool-json--anthropic-sdk/0",
        "cut by the token limit: the client repairs the JSON, the call must never run",
    ),
    (
        "deepseek--length-truncated-tool-args--rig/0",
        "cut by the token limit inside the arguments",
    ),
    (
        "llamacpp--tool-cut-mid-arguments--rig/0",
        "cut by the token limit inside the arguments",
    ),
    (
        "openai-responses--incomplete-mid-tool-call--rig/0",
        "cut by the token limit inside the arguments",
    ),
];

/// Block types that are not part of an answer here: the server's own tools and its own summary.
const SKIPPED_BLOCKS: [&str; 3] = ["server_tool_use", "web_search_tool_result", "compaction"];

/// Calls that a client misreads: name and id are repeated in every chunk, and it joins them.
const REPEATED_CALLS: [(&str, &str, &str); 1] = [(
    "openai-chat--quirk-missing-fields--llm/0",
    "0",
    "llm_version",
)];

/// Ends that a client does not see: the server left the finish reason out, `[DONE]` closed it.
const MISSING_STOPS: [(&str, StopReason); 1] = [(
    "openai-chat--quirk-missing-fields--llm/0",
    StopReason::ToolUse,
)];

/// Answers that a client refuses: a gateway wrote `data: [DONE]` after the end of an Anthropic stream.
const REFUSED_BY_CLIENT: [(&str, &str, StopReason); 1] = [(
    "anthropic--max-tokens--rig/0",
    "A solar eclipse occurs when the Moon passes directly between the Earth and the Sun,",
    StopReason::MaxTokens,
)];

/// Recordings whose client sends something else back than it was given, with the reason.
const SENT_BACK_OTHERWISE: [(&str, &str); 2] = [
    (
        "openai-responses--gateway-tool-loop--opencode2",
        "the arguments were edited: `{\"city\":{}}` for `{\"city\":\"Paris\"}`",
    ),
    (
        "openai-responses--reasoning--fantasy",
        "the client leaves the reasoning out",
    ),
];

/// Classes of the recorded failures.
const FAILURES: [(&str, FailureClass); 4] = [
    ("anthropic--error-400--opencode/0", FailureClass::Invalid),
    (
        "llamacpp--error-context-overflow--rig/0",
        FailureClass::ContextOverflow,
    ),
    ("chatgpt-backend--http-401--rig/0", FailureClass::Auth),
    ("gemini--error-404-stream--rig/0", FailureClass::Invalid),
];

/// Streams that end with an error of the server.
const FAILED_STREAMS: [(&str, FailureClass); 1] = [(
    "openai-responses--error-mid-stream--vercel-ai/0",
    FailureClass::Quota,
)];

/// Recordings of answers that are no stream: this program asks for streams alone.
const NO_STREAMS: [&str; 1] = ["vllm--responses-null-metadata--rig"];

fn exchanges() -> Option<Vec<Exchange>> {
    let Some(root) = env::var_os("HARNESS_RECORDINGS") else {
        // Not captured by the test harness, so that a skipped test is seen.
        let mut stderr = io::stderr().lock();
        writeln!(stderr, "skipped: HARNESS_RECORDINGS is not set").unwrap();
        return None;
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(Path::new(&root).join("wire"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let exchanges: Vec<Exchange> = folders.iter().flat_map(|folder| load(folder)).collect();
    assert!(exchanges.len() > 80, "the recordings are not all there");
    Some(exchanges)
}

fn load(folder: &Path) -> Vec<Exchange> {
    let json = |file: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
    };
    let meta = json("meta.json");
    let interactions = meta["interactions"].as_array().unwrap().iter();
    let exchange = |it: &Value| {
        let api = match it["api"].as_str().unwrap() {
            "anthropic" => Api::Anthropic,
            "openai-chat" => Api::Chat,
            "openai-responses" => Api::Responses,
            "gemini" => Api::Gemini,
            "ollama" => Api::Ollama,
            other => panic!("{other}"),
        };
        if NO_STREAMS.contains(&meta["id"].as_str().unwrap()) {
            return None;
        }
        let file = it["response"].as_str().unwrap();
        let bytes = fs::read(folder.join(file)).unwrap();
        Some(Exchange {
            name: format!("{}/{}", meta["id"].as_str().unwrap(), it["n"]),
            api,
            status: u16::try_from(it["status"].as_u64().unwrap()).unwrap(),
            headers: it["headers"].as_object().cloned().unwrap_or_default(),
            bytes: if file.ends_with(".jsonl") {
                framed(api, &bytes)
            } else {
                bytes
            },
            expected: json(it["expected"].as_str().unwrap()),
            request: it["request"].as_str().map_or(Value::Null, json),
        })
    };
    interactions.filter_map(exchange).collect()
}

/// Writes recorded payloads, one per line, as the stream they came in.
fn framed(api: Api, payloads: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for payload in payloads.split(|byte| *byte == b'\n') {
        if !payload.trim_ascii().is_empty() {
            stream.extend_from_slice(b"data: ");
            stream.extend_from_slice(payload);
            stream.extend_from_slice(b"\n\n");
        }
    }
    if api == Api::Chat {
        stream.extend_from_slice(b"data: [DONE]\n\n");
    }
    stream
}

fn streams() -> Option<impl Iterator<Item = Exchange>> {
    let is_answer =
        |it: &Exchange| it.status == 200 && row(&FAILED_STREAMS, &it.name, |row| row.0).is_none();
    Some(exchanges()?.into_iter().filter(is_answer))
}

type Decoded = (Vec<ModelDelta>, Result<ModelResponse, ModelFailure>);

fn decode<'a>(api: Api, reads: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new(api, Asked::default());
    let reads = reads.into_iter();
    let deltas = reads.flat_map(|read| decoder.push(read)).collect();
    (deltas, decoder.finish())
}

fn whole(exchange: &Exchange) -> ModelResponse {
    let (_, response) = decode(exchange.api, [exchange.bytes.as_slice()]);
    response.unwrap_or_else(|failure| panic!("{}: {failure:?}", exchange.name))
}

/// Returns the row of a table that is about this exchange.
fn row<'a, T>(table: &'a [T], name: &str, key: impl Fn(&T) -> &str) -> Option<&'a T> {
    table.iter().find(|row| key(row) == name)
}

/// A part in a form that two clients can agree on: arguments as values.
fn plain(part: &AssistantPart) -> Value {
    match part {
        AssistantPart::Text { text } => json!({"text": text}),
        AssistantPart::Thinking {
            text, signature, ..
        } => {
            json!({"thinking": text, "signature": signature})
        }
        AssistantPart::RedactedThinking { data, .. } => json!({"data": data}),
        AssistantPart::ToolCall(call) => json!({
            "call": call.name,
            "id": call.id,
            "arguments": serde_json::from_str::<Value>(&call.arguments).unwrap(),
        }),
        AssistantPart::Opaque { data, .. } => json!({"opaque": plain_opaque(data)}),
    }
}

/// What goes back to the provider, as far as its client shows it: that one decodes signatures.
fn plain_opaque(data: &str) -> Value {
    const SHOWN: [&str; 5] = [
        "type",
        "id",
        "encrypted_content",
        "text",
        "thoughtSignature",
    ];
    let mut fields: Map<String, Value> = serde_json::from_str(data).unwrap();
    fields.retain(|key, _| SHOWN.contains(&key.as_str()));
    if let Some(signature) = fields.get_mut("thoughtSignature") {
        let text = signature.as_str().unwrap();
        *signature = json!(text.replace('+', "-").replace('/', "_"));
    }
    Value::Object(fields)
}

/// Leaves out what this wire's client does not show.
fn comparable(api: Api, mut parts: Vec<Value>) -> Vec<Value> {
    match api {
        Api::Chat => parts.retain(|part| part["opaque"].is_null()),
        Api::Ollama => {
            for part in parts.iter_mut().filter(|part| part["call"].is_string()) {
                part["id"] = Value::Null;
            }
        }
        Api::Anthropic | Api::Responses | Api::Gemini => {}
    }
    parts
}

fn expected_anthropic(name: &str, result: &Value) -> (Vec<Value>, StopReason, Usage) {
    let is_dropped = row(&DROPPED_CALLS, name, |row| row.0).is_some();
    let part = |block: &Value| {
        let kind = block["type"].as_str().unwrap();
        match kind {
            "text" => Some(json!({"text": block["text"]})),
            "thinking" => {
                Some(json!({"thinking": block["thinking"], "signature": block["signature"]}))
            }
            "redacted_thinking" => Some(json!({"data": block["data"]})),
            "tool_use" if is_dropped => None,
            "tool_use" => {
                Some(json!({"call": block["name"], "id": block["id"], "arguments": block["input"]}))
            }
            _ => {
                assert!(SKIPPED_BLOCKS.contains(&kind), "{name}: {kind}");
                None
            }
        }
    };
    let stop = match result["stop_reason"].as_str().unwrap() {
        "end_turn" => StopReason::EndTurn,
        "tool_use" => StopReason::ToolUse,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "refusal" => StopReason::Refused,
        other => panic!("{name}: {other}"),
    };
    let count = |key: &str| result["usage"][key].as_u64().unwrap_or(0);
    let usage = Usage {
        input: count("input_tokens"),
        cache_read: count("cache_read_input_tokens"),
        cache_write: count("cache_creation_input_tokens"),
        output: count("output_tokens"),
    };
    let blocks = result["content"].as_array().unwrap();
    (blocks.iter().filter_map(part).collect(), stop, usage)
}

fn expected_chat(exchange: &Exchange, result: &Value) -> (Vec<Value>, StopReason, Usage) {
    let name = exchange.name.as_str();
    let message = &result["choices"][0]["message"];
    let mut parts = Vec::new();
    let reasoning = reasoning_in(&exchange.bytes);
    if !reasoning.is_empty() {
        parts.push(json!({"thinking": reasoning, "signature": null}));
    }
    for key in ["content", "refusal"] {
        if let Some(text) = message[key].as_str().filter(|text| !text.is_empty()) {
            parts.push(json!({"text": text}));
        }
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        if row(&DROPPED_CALLS, name, |row| row.0).is_some() {
            continue;
        }
        let function = &call["function"];
        let repeated = row(&REPEATED_CALLS, name, |row| row.0);
        parts.push(json!({
            "call": repeated.map_or_else(|| function["name"].clone(), |row| json!(row.2)),
            "id": repeated.map_or_else(|| call["id"].clone(), |row| json!(row.1)),
            "arguments": serde_json::from_str::<Value>(function["arguments"].as_str().unwrap()).unwrap(),
        }));
    }
    let missing = row(&MISSING_STOPS, name, |row| row.0).map(|row| row.1.clone());
    let stop =
        missing.unwrap_or_else(
            || match result["choices"][0]["finish_reason"].as_str().unwrap() {
                _ if !message["refusal"].is_null() => StopReason::Refused,
                "stop" => StopReason::EndTurn,
                "tool_calls" => StopReason::ToolUse,
                "length" => StopReason::MaxTokens,
                other => panic!("{name}: {other}"),
            },
        );
    let usage = &result["usage"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let cached = count(&usage["prompt_tokens_details"]["cached_tokens"]);
    let usage = Usage {
        input: count(&usage["prompt_tokens"]) - cached,
        cache_read: cached,
        cache_write: 0,
        // xAI leaves reasoning out of its count of the completion.
        output: count(&usage["total_tokens"]) - count(&usage["prompt_tokens"]),
    };
    (parts, stop, usage)
}

/// Reads the reasoning off the bytes: clients keep it in fields of their own.
fn reasoning_in(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let chunks = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let pieces = chunks.filter_map(|chunk| {
        let delta = &chunk["choices"][0]["delta"];
        let keys = ["reasoning_content", "reasoning"];
        keys.iter()
            .find_map(|key| Some(delta[*key].as_str()?.to_owned()))
    });
    pieces.collect()
}

#[test]
fn every_recording_decodes_as_the_vendor_client_decodes_it() {
    for exchange in streams().into_iter().flatten() {
        let name = exchange.name.as_str();
        let response = whole(&exchange);
        let parts = comparable(exchange.api, response.parts.iter().map(plain).collect());
        if let Some((_, text, stop)) = row(&REFUSED_BY_CLIENT, name, |row| row.0) {
            assert!(exchange.expected["raises"].is_string());
            assert_eq!(parts, [json!({"text": text})], "{name}");
            assert_eq!(response.stop, *stop, "{name}");
            continue;
        }
        let result = &exchange.expected["result"];
        let (expected, stop, usage) = match exchange.api {
            Api::Anthropic => expected_anthropic(name, result),
            Api::Chat => expected_chat(&exchange, result),
            Api::Responses => {
                let is_dropped = row(&DROPPED_CALLS, name, |row| row.0).is_some();
                oracle::responses(result, is_dropped)
            }
            Api::Gemini => oracle::gemini(name, result),
            Api::Ollama => oracle::ollama(result),
        };
        assert_eq!(parts, expected, "{name}");
        assert_eq!(response.stop, stop, "{name}");
        assert_eq!(response.usage, usage, "{name}");
    }
}

#[test]
fn splitting_a_recording_anywhere_changes_nothing() {
    for exchange in streams().into_iter().flatten() {
        let (api, bytes) = (exchange.api, exchange.bytes.as_slice());
        let lines = || bytes.split_inclusive(|byte| *byte == b'\n');
        let once = decode(api, [bytes]);
        assert_eq!(decode(api, bytes.chunks(1)), once, "{}", exchange.name);
        assert_eq!(decode(api, lines()), once, "{}", exchange.name);
        // A line that was split leaves the same behind as a whole one, and so does what follows.
        let mut decoder = Decoder::new(api, Asked::default());
        for (number, line) in lines().enumerate() {
            let whole = after(&decoder, [line]);
            for place in 1..line.len() {
                let (head, tail) = line.split_at(place);
                let split = after(&decoder, [head, tail]);
                assert!(
                    split == whole,
                    "{}, line {number} at {place}",
                    exchange.name
                );
            }
            decoder = whole.1;
        }
    }
}

/// Returns what some reads add, and the decoder after them.
fn after<const N: usize>(decoder: &Decoder, reads: [&[u8]; N]) -> (Vec<ModelDelta>, Decoder) {
    let mut decoder = decoder.clone();
    let deltas = reads.into_iter().flat_map(|read| decoder.push(read));
    (deltas.collect(), decoder)
}

#[test]
fn a_cut_recording_is_no_answer_and_holds_no_half_call() {
    for exchange in streams().into_iter().flatten() {
        let response = whole(&exchange);
        let ended_at = end_of_answer(&exchange);
        let mut decoder = Decoder::new(exchange.api, Asked::default());
        for (place, byte) in exchange.bytes.iter().enumerate() {
            check_cut(&exchange, &response, decoder.clone(), place >= ended_at);
            decoder.push(&[*byte]);
        }
    }
}

fn check_cut(exchange: &Exchange, whole: &ModelResponse, cut: Decoder, has_ended: bool) {
    let name = exchange.name.as_str();
    match cut.finish() {
        Ok(response) => {
            assert!(has_ended, "{name}: an answer of a cut stream");
            assert_eq!(response.parts, whole.parts, "{name}");
            assert_eq!(response.stop, whole.stop, "{name}");
        }
        Err(failure) => {
            assert!(!has_ended, "{name}: {failure:?}");
            assert_eq!(failure.class, FailureClass::Broken, "{name}");
        }
    }
}

/// Returns after how many bytes everything an answer needs has come.
///
/// That is the end of the terminal event where there is one; for chat completions the
/// end of the first chunk with a finish reason, or of `[DONE]` where no chunk has one;
/// for Gemini the end of the last chunk with a finish reason.
fn end_of_answer(exchange: &Exchange) -> usize {
    let mut end = 0;
    let mut done = None;
    for line in exchange.bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        let ended = end + line.trim_ascii_end().len();
        end += line.len();
        let payload = match exchange.api {
            Api::Ollama => text,
            _ => text.strip_prefix(b"data: ").unwrap_or_default(),
        };
        if payload == b"[DONE]" {
            done = Some(ended);
        }
        let Ok(event) = serde_json::from_slice::<Value>(payload) else {
            continue;
        };
        let has_ended = match event["type"].as_str() {
            Some("message_stop" | "response.completed" | "response.incomplete") => true,
            _ => event["choices"][0]["finish_reason"].is_string() || event["done"] == true,
        };
        if has_ended {
            return ended;
        }
        if event["candidates"][0]["finishReason"].is_string() {
            done = Some(ended);
        }
    }
    done.unwrap()
}

#[test]
fn a_recorded_stream_that_fails_is_no_answer_wherever_it_is_cut() {
    for exchange in exchanges().into_iter().flatten() {
        let Some((_, class)) = row(&FAILED_STREAMS, &exchange.name, |row| row.0) else {
            continue;
        };
        assert!(exchange.expected["raises"].is_string());
        let (_, failed) = decode(exchange.api, [exchange.bytes.as_slice()]);
        assert_eq!(failed.unwrap_err().class, *class, "{}", exchange.name);
        for place in 0..exchange.bytes.len() {
            let (_, cut) = decode(exchange.api, [&exchange.bytes[..place]]);
            let cut = cut.unwrap_err().class;
            assert!(cut == *class || cut == FailureClass::Broken, "{cut:?}");
        }
    }
}

#[test]
fn reasoning_that_goes_back_in_parts_says_what_was_shown() {
    for exchange in streams().into_iter().flatten() {
        let response = whole(&exchange);
        for part in &response.parts {
            let AssistantPart::Opaque { data, .. } = part else {
                continue;
            };
            let data: Value = serde_json::from_str(data).unwrap();
            let Some(details) = data["reasoning_details"].as_array() else {
                continue;
            };
            assert_eq!(details.len(), 1, "{}", exchange.name);
            let shown = response.parts.iter().find_map(|part| match part {
                AssistantPart::Thinking { text, .. } => Some(text.as_str()),
                _ => None,
            });
            assert_eq!(details[0]["text"].as_str(), shown, "{}", exchange.name);
        }
    }
}

#[test]
fn recorded_failures_have_their_class() {
    let exchanges = exchanges().into_iter().flatten();
    for exchange in exchanges.filter(|it| it.status != 200) {
        let header = |name: &str| exchange.headers.get(name).and_then(Value::as_str);
        let now = Timestamp::default();
        let failure =
            failure_of_status(exchange.api, exchange.status, header, &exchange.bytes, now);
        let (_, class) = row(&FAILURES, &exchange.name, |row| row.0).unwrap();
        assert_eq!(failure.class, *class, "{}", exchange.name);
        assert_eq!(failure.status, Some(exchange.status));
        assert!(exchange.expected["raises"].is_string());
    }
}

#[test]
fn what_goes_back_is_what_the_recorded_client_sent_back() {
    let Some(exchanges) = exchanges() else {
        return;
    };
    let mut compared = 0;
    for pair in exchanges.windows(2) {
        let [first, second] = pair else { continue };
        let [name, next] = [first, second].map(|it| it.name.rsplit_once('/').unwrap().0);
        let is_pair = name == next && first.status == 200 && first.api == second.api;
        let has_blocks = matches!(first.api, Api::Anthropic | Api::Gemini | Api::Responses);
        if !is_pair || !has_blocks {
            continue;
        }
        let recorded = returned::answers(&second.request);
        if recorded.is_empty() || row(&SENT_BACK_OTHERWISE, name, |row| row.0).is_some() {
            continue;
        }
        let sent = returned::after(first.api, &first.bytes);
        assert_eq!(
            sent.len(),
            recorded.len(),
            "{name}: {sent:#?}\n{recorded:#?}"
        );
        for (sent, recorded) in sent.iter().zip(&recorded) {
            returned::assert_holds(sent, recorded, name);
        }
        compared += 1;
    }
    assert!(compared >= 7, "{compared} were compared");
}
