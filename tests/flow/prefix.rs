//! Each request begins with the one before it, so that a provider's cache finds it again.

use std::thread;

use harness_testkit::{Received, Reply, Server};
use serde_json::Value;

use crate::support::{
    CONFIG, Desk, FINISH, TESTS, Terminal, WIRES, messages, say, session, shell, write,
};

/// How a mark is written; the marks move on from request to request and are no part of what is read.
const MARK: &str = ",\"cache_control\":{\"type\":\"ephemeral\"}";

/// How far back from a mark Anthropic looks for what it has kept. Unit: blocks.
const LOOKBACK: usize = 20;

/// A session of more than twenty turns: tools, red gates, a check, many calls at once.
fn long_session() -> String {
    let look = shell("cat src/answer; date +%N");
    let many: Vec<String> = (0..25)
        .map(|at| shell(&format!("echo {at} && date +%N")))
        .collect();
    let many = many.join(", ");
    let wrong = write("src/answer", "41\n");
    let right = write("src/answer", "42\n");
    let check = "{ tool = \"check\" }";
    let slow = shell("sleep 1.5");
    let mut turns = vec![
        &*look, &*slow, &*wrong, FINISH, &*many, check, "Hm.", "Well.",
    ];
    turns.extend([&*look; 16]);
    turns.extend([&*right, FINISH]);
    session("F-1", &turns)
}

/// Returns a value without its marks.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(unmarked).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(key, _)| *key != "cache_control");
            fields
                .map(|(key, value)| (key.clone(), unmarked(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// Holds two requests that follow each other against the rule; returns how much of the second is the first.
/// Unit: bytes.
fn shared(api: &str, before: &Received, after: &Received) -> (usize, usize) {
    for key in ["system", "systemInstruction", "instructions", "tools"] {
        assert_eq!(before.body[key], after.body[key], "{api}: {key}");
    }
    assert_eq!(
        before.body["prompt_cache_key"],
        after.body["prompt_cache_key"]
    );
    let (old, new) = (messages(before), messages(after));
    assert!(old.len() <= new.len(), "{api}: messages were lost");
    for (at, (old, new)) in old.iter().zip(new).enumerate() {
        assert_eq!(unmarked(old), unmarked(new), "{api}: message {at}");
    }
    // The same as bytes: up to where the list of messages ends.
    let (old, new) = (before.text.replace(MARK, ""), after.text.replace(MARK, ""));
    let end = ["],\"generationConfig\"", "]}"];
    let end = end.iter().find_map(|end| old.rfind(end)).unwrap();
    let alike = old.bytes().zip(new.bytes());
    let alike = alike.take_while(|(old, new)| old == new).count();
    assert!(alike >= end, "{api}: {alike} of {end} bytes are alike");
    (end, new.len())
}

/// The blocks of a request in the order in which Anthropic reads them: whether each is marked.
fn blocks(request: &Received) -> Vec<bool> {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut blocks = items(&request.body["tools"]);
    blocks.extend(items(&request.body["system"]));
    for message in messages(request) {
        blocks.extend(items(&message["content"]));
    }
    let is_marked = |block: &Value| !block["cache_control"].is_null();
    blocks.iter().map(is_marked).collect()
}

/// Returns up to which block a request finds what the one before it has left.
fn found(before: &[bool], after: &[bool]) -> Option<usize> {
    let kept = |at: &usize| before.get(*at).is_some_and(|marked| *marked);
    let marks = (0..after.len()).rev().filter(|at| after[*at]);
    marks
        .filter_map(|mark| (mark.saturating_sub(LOOKBACK)..=mark).rev().find(kept))
        .max()
}

fn check_marks(requests: &[Received]) {
    for pair in requests.windows(2) {
        let [before, after] = [&pair[0], &pair[1]].map(blocks);
        let marks = after.iter().filter(|marked| **marked).count();
        assert!((2..=4).contains(&marks), "{marks} marks");
        let last = before.iter().rposition(|marked| *marked);
        assert_eq!(last, Some(before.len() - 1), "the end is not marked");
        assert_eq!(found(&before, &after), last, "what was kept is not found");
    }
}

#[test]
fn every_request_begins_with_the_one_before_it() {
    thread::scope(|scope| {
        for api in WIRES {
            scope.spawn(|| play(api));
        }
    });
}

/// Plays the long session over a wire, with a person who says something and a server that fails twice.
fn play(api: &str) {
    let desk = Desk::new();
    let server = Server::scripted(&long_session());
    let busy = Reply::Status {
        status: 503,
        headers: vec![("retry-after-ms", "1".to_owned())],
        body: String::new(),
    };
    let mut replies = vec![Reply::Script; 8];
    replies.extend([busy, Reply::Cut { bytes: 40 }]);
    server.reply_with(replies);
    desk.use_server(&server, api);
    let arguments = ["run", "--max-turns", "28"];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, (100, 30));
    terminal.wait_for("shell runs");
    terminal.press("mind the tests\r");
    terminal.wait_for("say how to go on");
    terminal.press("go on then\r");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);

    let requests = server.received();
    assert!(requests.len() >= 25, "{api}: {}", requests.len());
    let last = &requests[requests.len() - 1].text;
    for told in ["mind the tests", "go on then", "not ok 2"] {
        assert!(last.contains(told), "{api}: no `{told}` in {last}");
    }
    let log = desk.harness(&["log", "show"]).stdout;
    assert!(log.contains("limit near: ") && log.contains("; retry 1 in"));
    let (mut alike, mut all) = (0, 0);
    for pair in requests.windows(2) {
        let (shared, bytes) = shared(api, &pair[0], &pair[1]);
        alike += shared;
        all += bytes;
    }
    let percent = alike * 100 / all;
    say(&format!(
        "{api}: {percent}% of {all} bytes in {} requests stood in the request before",
        requests.len()
    ));
    if api == "anthropic" {
        check_marks(&requests);
    }
}

#[test]
fn a_session_that_is_resumed_sends_what_it_had_sent() {
    for api in WIRES {
        let desk = Desk::new();
        let server = Server::scripted(&session(
            "F-1",
            &[
                &shell("cat src/answer"),
                &write("src/answer", "42\n"),
                FINISH,
            ],
        ));
        let refused = Reply::Status {
            status: 400,
            headers: Vec::new(),
            body: String::new(),
        };
        server.reply_with([Reply::Script, Reply::Script, refused]);
        desk.use_server(&server, api);
        desk.story(&["run"]).assert_ended("provider_failed", 6);
        // What the repository says by now makes no difference: the session has its own copy.
        desk.project.write("AGENTS.md", "# another map\n");
        desk.story(&["resume", "--last"])
            .assert_ended("all_passing", 0);
        let requests = server.received();
        assert_eq!(requests.len(), 4);
        for pair in requests.windows(2) {
            shared(api, &pair[0], &pair[1]);
        }
        assert_eq!(requests[2].text, requests[3].text, "{api}");
    }
}

#[test]
fn the_next_session_of_a_run_begins_with_tools_instructions_and_map() {
    let features = r#"{ "schema": 1, "features": [
  { "id": "F-1", "title": "Give the answer", "description": "say forty-two", "status": "pending", "passes": false },
  { "id": "F-2", "title": "Give the question", "description": "end in a mark", "status": "pending", "passes": false }
] }
"#;
    let map = format!("# demo\n\n{}", "One answer, many questions.\n".repeat(40));
    for api in WIRES {
        let desk = Desk::with_files(&[
            ("harness.toml", CONFIG),
            ("AGENTS.md", &map),
            ("feature_list.json", features),
            ("src/answer", "0\n"),
            ("tests/run.sh", TESTS),
        ]);
        let question = write("src/question", "Why?\n");
        let answer = write("src/answer", "42\n");
        let script = session("# The feature F-2", &[&question, FINISH])
            + &session("# The feature F-1", &[&answer, FINISH]);
        let server = Server::scripted(&script);
        desk.use_server(&server, api);
        desk.story(&["run"]).assert_ended("all_passing", 0);
        let requests = server.received();
        let (first, second) = (&requests[0], &requests[2]);
        let alike = first.text.bytes().zip(second.text.bytes());
        let alike = alike.take_while(|(first, second)| first == second).count();
        let last_of_map = first.text.rfind("many questions.").unwrap();
        assert!(alike > last_of_map, "{api}: {alike}, not {last_of_map}");
        let percent = alike * 100 / second.text.len();
        say(&format!(
            "{api}: {percent}% of a next session's first request, {alike} bytes, stood in the first of all"
        ));
        assert_eq!(
            first.body["prompt_cache_key"],
            second.body["prompt_cache_key"]
        );
        if api == "anthropic" {
            let map = |request: &Received| messages(request)[0]["content"][0].clone();
            assert_eq!(map(first), map(second));
            assert!(!map(first)["cache_control"].is_null(), "it is not kept");
        }
    }
}
