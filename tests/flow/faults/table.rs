//! `docs/faults.md`, row by row: the server does it, the program is held to what the row says.

use std::{
    io::Write as _,
    net::TcpListener,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use flate2::{Compression, write::GzEncoder};
use harness_testkit::{Ending, Reply, Server, Shape};
use serde_json::json;

use super::{desk, status};
use crate::support::{FINISH, Story, session, shell};

const DOCUMENT: &str = include_str!("../../../docs/faults.md");

/// How many rows are tried at once.
const AT_ONCE: usize = 3;

/// A row of the document.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) class: String,
    harness: String,
    ends: String,
    pub(super) told: String,
}

/// What the server does in a row.
struct Fault {
    name: &'static str,
    api: &'static str,
    place: Place,
    replies: Vec<Reply>,
}

/// Where the program believes the server to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where it is.
    Right,
    /// Behind TLS, which it is not.
    Tls,
    /// Where nothing listens.
    Nowhere,
    /// At a name that nobody has.
    Unknown,
}

pub(super) fn rows() -> Vec<Row> {
    let lines = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, class, harness, ends, told] = cells[..] else {
            panic!("a row has six cells: {line}");
        };
        Row {
            name: name.to_owned(),
            class: class.to_owned(),
            harness: harness.to_owned(),
            ends: ends.to_owned(),
            told: told.to_owned(),
        }
    });
    rows.filter(|row| row.name != "fault").collect()
}

fn said(code: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    Reply::Status {
        status: code,
        headers: headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

fn limited(headers: &[(&'static str, &str)]) -> Reply {
    said(429, headers, "")
}

fn altered(alter: fn(Vec<u8>) -> Vec<u8>) -> Reply {
    Reply::Shaped(Shape {
        alter,
        ..Shape::default()
    })
}

fn header(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    vec![(name, value.to_owned())]
}

fn half(mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(body.len() / 2);
    body
}

fn with_lines_ended_by(ending: &str, body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("a script is UTF-8");
    text.replace('\n', ending).into_bytes()
}

/// Makes an event of a Chat Completions stream.
fn chunk(value: &serde_json::Value) -> String {
    format!("data: {value}\n\n")
}

fn text_chunk(bytes: usize) -> String {
    chunk(&json!({"choices": [{"index": 0, "delta": {"content": "x".repeat(bytes)}}]}))
}

fn before(events: String, body: Vec<u8>) -> Vec<u8> {
    [events.into_bytes(), body].concat()
}

/// Makes a whole answer with these fragments of calls.
fn calls(fragments: &serde_json::Value) -> Vec<u8> {
    let delta = chunk(&json!({"choices": [{"index": 0, "delta": {"tool_calls": fragments}}]}));
    let end =
        chunk(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}));
    format!("{delta}{end}data: [DONE]\n\n").into_bytes()
}

fn mark() -> serde_json::Value {
    json!({"name": "shell", "arguments": r#"{"command":"echo once >> src/marker"}"#})
}

fn look() -> serde_json::Value {
    json!({"name": "read", "arguments": r#"{"path":"AGENTS.md"}"#})
}

/// Wraps bytes as gzip does, without making them smaller.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = body.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a block is small");
        packed.push(u8::from(blocks.peek().is_none()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    packed.extend((!crc).to_le_bytes());
    packed.extend(
        u32::try_from(body.len())
            .expect("a body is small")
            .to_le_bytes(),
    );
    packed
}

/// Returns some kilobytes that unpack to three times what an answer may have.
fn bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let text = text_chunk(64 << 10);
        for _ in 0..384 {
            packed
                .write_all(text.as_bytes())
                .expect("memory takes bytes");
        }
        packed.finish().expect("memory takes bytes")
    })
}

/// Returns what the server does in each row; `elsewhere` is where a redirect leads.
fn faults(elsewhere: &Server) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |name, api, replies: Vec<Reply>| {
        faults.push(Fault {
            name,
            api,
            place: match name {
                "tls" => Place::Tls,
                "refused" => Place::Nowhere,
                "unknown-name" => Place::Unknown,
                _ => Place::Right,
            },
            replies,
        });
    };
    let in_two_seconds = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    add("status-400", "anthropic", vec![status(400)]);
    add(
        "status-400-should-retry",
        "anthropic",
        vec![said(400, &[("x-should-retry", "true")], "{}")],
    );
    for (name, code) in [
        ("status-401", 401),
        ("status-402", 402),
        ("status-403", 403),
        ("status-404", 404),
        ("status-408", 408),
        ("status-409", 409),
        ("status-413", 413),
        ("status-429", 429),
    ] {
        add(name, "responses", vec![status(code)]);
    }
    for (name, headers) in [
        ("retry-after-ms", &[("retry-after-ms", "250")][..]),
        ("retry-after-fraction", &[("retry-after", "0.3")]),
        (
            "retry-after-date",
            &[("retry-after", in_two_seconds.as_str())],
        ),
        (
            "retry-after-both",
            &[("retry-after-ms", "150"), ("retry-after", "90")],
        ),
        ("retry-after-zero", &[("retry-after", "0")]),
        ("retry-after-nonsense", &[("retry-after", "soon")]),
        ("retry-after-too-long", &[("retry-after", "121")]),
        ("limited-no-retry", &[("x-should-retry", "false")]),
    ] {
        add(name, "chat", vec![limited(headers)]);
    }
    add(
        "retry-after-seconds",
        "gemini",
        vec![said(503, &[("retry-after", "1")], "")],
    );
    add(
        "limited-for-ever",
        "chat",
        vec![limited(&[("retry-after-ms", "1")]); 50],
    );
    let quota =
        r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#;
    add(
        "quota",
        "chat",
        vec![said(429, &[("retry-after", "1")], quota)],
    );
    let billing =
        r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#;
    add("billing", "anthropic", vec![said(400, &[], billing)]);
    let overflow =
        r#"{"error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}"#;
    add("overflow", "anthropic", vec![said(400, &[], overflow)]);
    let thinking = r#"{"error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation."}}"#;
    let refused = said(400, &[], thinking);
    add("thinking-refused", "anthropic", vec![refused.clone()]);
    add("thinking-refused-twice", "anthropic", vec![refused; 2]);
    add("status-500", "ollama", vec![status(500)]);
    let no_retry = said(500, &[("x-should-retry", "false")], "");
    add("status-500-no-retry", "chat", vec![no_retry]);
    add(
        "status-502",
        "chat",
        vec![said(502, &[], "<html>Bad Gateway</html>")],
    );
    for (name, code) in [
        ("status-503", 503),
        ("status-504", 504),
        ("status-529", 529),
    ] {
        add(name, "anthropic", vec![status(code)]);
    }
    let location = format!("{}/v1/messages", elsewhere.url());
    add(
        "redirect",
        "anthropic",
        vec![said(307, &[("location", location.as_str())], "")],
    );

    add("closed", "chat", vec![Reply::Close]);
    add("refused", "chat", Vec::new());
    add("unknown-name", "chat", Vec::new());
    add("tls", "chat", Vec::new());
    add(
        "stall",
        "gemini",
        vec![Reply::Stall(Duration::from_secs(9))],
    );
    add("cut", "anthropic", vec![Reply::Cut { bytes: 600 }]);
    let reset = Reply::Shaped(Shape {
        alter: half,
        end: Ending::Reset,
        ..Shape::default()
    });
    add("reset", "responses", vec![reset]);
    add("early-end", "anthropic", vec![altered(half)]);
    add("empty", "gemini", vec![altered(|_| Vec::new())]);
    let overloaded = |_| {
        b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
            .to_vec()
    };
    add("error-event", "anthropic", vec![altered(overloaded)]);
    let upstream =
        |_| chunk(&json!({"error": {"code": 502, "message": "upstream went away"}})).into_bytes();
    add("error-event-chat", "chat", vec![altered(upstream)]);
    let page = Reply::Shaped(Shape {
        headers: header("content-type", "text/html"),
        alter: |_| b"<!doctype html>\n<title>Log in</title>\n".to_vec(),
        ..Shape::default()
    });
    add("login-page", "chat", vec![page]);
    let json_body = |alter| {
        Reply::Shaped(Shape {
            headers: header("content-type", "application/json"),
            alter,
            ..Shape::default()
        })
    };
    let whole = |_| {
        json!({"object": "chat.completion", "choices": [{"message": {"content": "hi"}}]})
            .to_string()
            .into_bytes()
    };
    add("json-answer", "chat", vec![json_body(whole)]);
    let error = |_| {
        let error = json!({"error": {"code": 429, "message": "the model is busy"}});
        serde_json::to_vec_pretty(&error).unwrap()
    };
    add("json-error", "responses", vec![json_body(error)]);
    add(
        "delta-8-mb",
        "chat",
        vec![altered(|body| before(text_chunk(7_400_000), body))],
    );
    add(
        "delta-too-large",
        "chat",
        vec![altered(|body| before(text_chunk(8 << 20), body))],
    );
    add(
        "answer-too-large",
        "chat",
        vec![altered(|body| {
            before(text_chunk(64 << 10).repeat(192), body)
        })],
    );
    let control = |body| {
        let text = text_chunk(64 << 10).replace('x', "\\u0001");
        before(text.repeat(32), body)
    };
    add("answer-too-large-escaped", "chat", vec![altered(control)]);
    let close = Reply::Shaped(Shape {
        headers: header("connection", "close"),
        end: Ending::Closed,
        ..Shape::default()
    });
    add("connection-close", "anthropic", vec![close; 2]);

    let bytes = Reply::Shaped(Shape {
        step: 1,
        ..Shape::default()
    });
    add("byte-by-byte", "anthropic", vec![bytes]);
    add(
        "crlf",
        "responses",
        vec![altered(|body| with_lines_ended_by("\r\n", body))],
    );
    add(
        "cr",
        "anthropic",
        vec![altered(|body| with_lines_ended_by("\r", body))],
    );
    add(
        "bom",
        "gemini",
        vec![altered(|body| before("\u{feff}".to_owned(), body))],
    );
    add(
        "comments",
        "chat",
        vec![altered(|body| {
            with_lines_ended_by("\n: keep-alive\n", body)
        })],
    );
    let invalid = |body| {
        let mut text = text_chunk(3).into_bytes();
        if let Some(at) = text.iter().position(|byte| *byte == b'x') {
            text[at] = 0xff;
        }
        [text, body].concat()
    };
    add("invalid-utf8", "chat", vec![altered(invalid)]);
    let plain = Reply::Shaped(Shape {
        headers: header("content-type", "text/plain"),
        ..Shape::default()
    });
    add("wrong-content-type", "responses", vec![plain]);
    let packed = Reply::Shaped(Shape {
        headers: [
            header("content-type", "text/event-stream"),
            header("content-encoding", "gzip"),
        ]
        .concat(),
        alter: |body| gzip(&body),
        step: 100,
        end: Ending::Whole,
    });
    add("gzip", "anthropic", vec![packed]);
    let gzipped = |alter| {
        Reply::Shaped(Shape {
            headers: [
                header("content-type", "text/event-stream"),
                header("content-encoding", "gzip"),
            ]
            .concat(),
            alter,
            ..Shape::default()
        })
    };
    add(
        "gzip-truncated",
        "anthropic",
        vec![gzipped(|body| half(gzip(&body)))],
    );
    add("gzip-bomb", "chat", vec![gzipped(|_| bomb().to_vec())]);
    let trickle = calls(&json!([{"index": 0, "id": "a", "function": mark()}]));
    let piece = trickle.len().div_ceil(8);
    add(
        "slow",
        "chat",
        vec![Reply::Paced {
            pieces: trickle.chunks(piece).map(<[u8]>::to_vec).collect(),
            pause: Duration::from_millis(500),
        }],
    );
    let closing = Reply::Shaped(Shape {
        end: Ending::Closed,
        ..Shape::default()
    });
    add("idle-closed", "chat", vec![closing; 2]);
    let twice = |_| {
        calls(&json!([
            {"index": 0, "id": "a", "function": mark()},
            {"index": 1, "id": "a", "function": look()},
        ]))
    };
    add("duplicate-ids", "chat", vec![altered(twice)]);
    let nameless = |_| calls(&json!([{"index": 0, "function": mark()}]));
    add("missing-ids", "chat", vec![altered(nameless)]);
    let both_first = |_| {
        calls(&json!([
            {"index": 0, "id": "a", "function": mark()},
            {"index": 0, "id": "b", "function": look()},
        ]))
    };
    add("same-index", "chat", vec![altered(both_first)]);
    let object = |_| {
        let arguments = json!({"command": "echo once >> src/marker"});
        calls(
            &json!([{"index": 0, "id": "a", "function": {"name": "shell", "arguments": arguments}}]),
        )
    };
    add("object-arguments", "chat", vec![altered(object)]);
    let in_choice = |body| {
        let usage = json!({"prompt_tokens": 7, "completion_tokens": 3});
        let event = json!({"choices": [{"index": 0, "delta": {}, "usage": usage}]});
        before(chunk(&event), body)
    };
    add("usage-in-choice", "chat", vec![altered(in_choice)]);
    let first = |body| {
        let usage = json!({"prompt_tokens": 7, "completion_tokens": 3});
        before(chunk(&json!({"usage": usage})), body)
    };
    add("usage-first", "chat", vec![altered(first)]);
    for (name, api, headers) in paced() {
        add(name, api, vec![with_headers(&headers)]);
    }
    let limited = [
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "4s"),
    ];
    add("paced-after-error", "chat", vec![said(429, &limited, "")]);
    faults
}

type Headers = Vec<(&'static str, String)>;

/// Returns what answers say about limits: row, wire, headers.
fn paced() -> Vec<(&'static str, &'static str, Headers)> {
    let soon = SystemTime::now() + Duration::from_secs(5);
    let soon = harness_core::Timestamp::from(soon);
    let limit = |left, reset, value: [&str; 2]| {
        let [count, time] = value.map(str::to_owned);
        vec![(left, count), (reset, time)]
    };
    let requests = |value| {
        limit(
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
            value,
        )
    };
    let tokens = |value| {
        limit(
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
            value,
        )
    };
    let input = |value| {
        limit(
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
            value,
        )
    };
    let (date, epoch) = (soon.to_string(), soon.as_millis().to_string());
    vec![
        ("paced-requests", "chat", requests(["0", "4s"])),
        ("paced-tokens", "responses", tokens(["20", "4.5"])),
        ("paced-input-tokens", "anthropic", input(["0", &date])),
        (
            "paced-epoch",
            "chat",
            limit("x-ratelimit-remaining", "x-ratelimit-reset", ["0", &epoch]),
        ),
        (
            "paced-draft",
            "chat",
            vec![("ratelimit", "\"burst\";r=0;t=4".to_owned())],
        ),
        ("paced-enough", "chat", requests(["1", "6m0s"])),
        (
            "paced-past",
            "anthropic",
            input(["0", "2020-01-01T00:00:00Z"]),
        ),
        ("paced-nonsense", "chat", requests(["none", "soon"])),
    ]
}

/// What the script says, with these headers.
fn with_headers(headers: &[(&'static str, String)]) -> Reply {
    Reply::Shaped(Shape {
        headers: [
            header("content-type", "text/event-stream"),
            headers.to_vec(),
        ]
        .concat(),
        ..Shape::default()
    })
}

/// Lets the server fail as a row says and returns what does not agree with the row.
fn disagreements(row: &Row, fault: &Fault) -> Vec<String> {
    let desk = desk();
    let server = Server::scripted(&session(
        "F-1",
        &[&shell("echo once >> src/marker"), FINISH],
    ));
    server.reply_with(fault.replies.clone());
    let base = match fault.place {
        Place::Right => server.base_url(fault.api),
        Place::Tls => server.base_url(fault.api).replacen("http", "https", 1),
        Place::Nowhere => nowhere(),
        Place::Unknown => "http://models.invalid/v1".to_owned(),
    };
    let (api, idle) = (fault.api, "[limits]\npatience = \"1s\"\n");
    desk.home.configure(&format!(
        "{idle}[agent]\nmodel = \"test\"\n[model.test]\napi = \"{api}\"\nbase_url = \"{base}\"\nid = \"test-model\"\n"
    ));
    let story = desk.story(&["run"]);
    let mut wrong = Vec::new();
    let mut expect = |what: &str, is: String, should: &str| {
        if is != should {
            wrong.push(format!("{}: {what} is {is}, should be {should}", row.name));
        }
    };
    let failed = story.all("model_failed");
    let first = failed.first();
    let class = first.map_or("-", |line| line["class"].as_str().unwrap_or_default());
    expect("class", class.to_owned(), &row.class);
    let reason = reason(&story);
    let ends = format!("{reason} {}", story.run.code);
    expect("end", ends, &row.ends);
    let message = first.map_or("", |line| line["message"].as_str().unwrap_or_default());
    if !message.contains(&row.told) || message.is_empty() != row.told.is_empty() {
        expect("message", message.to_owned(), &row.told);
    }
    let done = harness(&story, server.received().len(), &row.harness);
    expect("harness", done, &row.harness);
    let marker = if row.ends == "all_passing 0" {
        "once\n"
    } else {
        ""
    };
    expect("marker", desk.project.read("src/marker"), marker);
    if !wrong.is_empty() {
        let told = story.to_string();
        wrong.extend(told.lines().map(|line| line.chars().take(300).collect()));
    }
    wrong
}

/// Says what the program did in the words of the document, as exactly as the row does.
fn harness(story: &Story, requests: usize, row: &str) -> String {
    let paced = story.all("request_paced");
    let Some(limit) = paced.first().and_then(|line| line["limit"].as_str()) else {
        return asked(story, requests, row);
    };
    let waits = format!(", waits for the limit of {limit}");
    let times = paced.len();
    match asked(story, requests, row.strip_suffix(&waits).unwrap_or(row)) {
        asked if times > 1 => format!("{asked}{waits} {times} times"),
        asked => asked + &waits,
    }
}

fn asked(story: &Story, requests: usize, row: &str) -> String {
    let retried = story.all("provider_retried");
    let delay = retried.first().and_then(|line| line["delay_ms"].as_u64());
    let bound = row
        .strip_prefix("asks again within ")
        .and_then(|rest| rest.strip_suffix(" ms"))
        .and_then(|bound| bound.parse::<u64>().ok());
    let ended = reason(story) == "provider_failed";
    match (retried.len(), delay, bound) {
        (0, ..) if ended => "gives up".to_owned(),
        (0, ..) => "goes on".to_owned(),
        _ if ended && row.contains("patience") => "gives up after the patience".to_owned(),
        _ if ended => format!("asks {requests} times, then gives up"),
        (1, Some(delay), Some(bound)) if delay <= bound => row.to_owned(),
        (1, Some(delay), _) => format!("asks again after {delay} ms"),
        (times, ..) => format!("asks again {times} times"),
    }
}

fn reason(story: &Story) -> &str {
    let ends = story.all("run_ended");
    ends.first()
        .and_then(|end| end["reason"].as_str())
        .unwrap_or("nothing")
}

/// Returns an address where nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    format!("http://{address}/v1")
}

#[test]
fn every_row_of_the_fault_table_holds() {
    let elsewhere = Server::bare();
    // Packed now: a server that takes long to answer is another row.
    bomb();
    // Those of HTTP/2 need another server: they are held in `network`.
    let rows = rows().into_iter();
    let rows: Vec<Row> = rows.filter(|row| !row.name.starts_with("http2")).collect();
    let faults = faults(&elsewhere);
    let mut named: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
    let mut documented: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    named.sort_unstable();
    documented.sort_unstable();
    assert_eq!(
        documented, named,
        "the document and the test have the same rows"
    );

    let only = std::env::var("HARNESS_FAULT").ok();
    let rows: Vec<Row> = rows
        .into_iter()
        .filter(|row| only.as_ref().is_none_or(|only| *only == row.name))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Made anew: some of them tell the time.
            let faults = self::faults(&elsewhere);
            let fault = faults.iter().find(|fault| fault.name == row.name);
            wrong.extend(disagreements(row, fault.expect("each row has a fault")));
        }
        wrong
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join());
        ended
            .flat_map(|wrong| wrong.expect("no worker panics"))
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(elsewhere.received().is_empty(), "a key followed a redirect");
}
