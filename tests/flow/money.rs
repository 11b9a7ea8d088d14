//! Money is counted however a request ends, holds inside an answer, and a stop leaves a note.

use std::time::Duration;

use harness_testkit::{Reply, Server};

use crate::support::{Desk, FINISH, Story, session, shell, write};

/// What the note says of the work that is left.
const NOTE: &str =
    "done: looked at src/answer\nleft: write 42 to src/answer\ntried: 41, which is wrong";

fn configure(desk: &Desk, server: &Server, price: &str) {
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nid = \"m\"\nbase_url = \"{}\"\nprice = {{ {price} }}\n",
        server.url()
    ));
}

fn event(kind: &str, data: &str) -> Vec<u8> {
    format!("event: {kind}\ndata: {data}\n\n").into_bytes()
}

fn started() -> Vec<u8> {
    event(
        "message_start",
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":900,"output_tokens":1}}}"#,
    )
}

/// An answer that writes a file for a long time; the server says what it used at the end alone.
fn endless_write() -> Vec<Vec<u8>> {
    let mut pieces = vec![
        started(),
        event(
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"call_1","name":"write","input":{}}}"#,
        ),
        event(
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"path\":\"src/answer\",\"content\":\""}}"#,
        ),
    ];
    let more = event(
        "content_block_delta",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"0123456789012345678901234567890123456789"}}"#,
    );
    pieces.extend(std::iter::repeat_n(more, 2_000));
    pieces
}

/// An answer that has begun to say something.
pub(crate) fn begun() -> Vec<u8> {
    let mut body = started();
    body.extend(event(
        "content_block_start",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    ));
    body.extend(event(
        "content_block_delta",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I"}}"#,
    ));
    body
}

/// A whole answer of one text.
fn said(text: &str) -> Vec<u8> {
    let text = serde_json::Value::from(text);
    [
        started(),
        event(
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        event(
            "content_block_delta",
            &format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{text}}}}}"#),
        ),
        event(
            "content_block_stop",
            r#"{"type":"content_block_stop","index":0}"#,
        ),
        event(
            "message_delta",
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":40}}"#,
        ),
        event("message_stop", r#"{"type":"message_stop"}"#),
    ]
    .concat()
}

fn usd(story: &Story) -> f64 {
    story.first("run_ended")["usd"].as_f64().unwrap()
}

#[test]
fn an_answer_is_cut_at_the_limit_costs_what_it_said_and_leaves_a_note_of_facts() {
    let desk = Desk::new();
    let server = Server::scripted(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
    // A token of output costs a tenth of a cent, so 50 of them are the limit: 200 bytes.
    configure(&desk, &server, "input = 0.000001, output = 1000.0");
    server.reply_with([Reply::Paced {
        pieces: endless_write(),
        pause: Duration::from_millis(3),
    }]);
    let story = desk.story(&["run", "--max-usd", "0.05"]);
    story.assert_ended("budget", 3);
    assert_eq!(server.received().len(), 1, "{story}");
    assert_eq!(desk.project.read("src/answer"), "0\n");
    assert!(story.all("tool_called").is_empty(), "{story}");
    let failed = story.first("model_failed");
    assert_eq!(failed["estimated"], true, "{failed}");
    // What came while the request was called off counts as well.
    let spent = usd(&story);
    assert!((0.04..1.0).contains(&spent), "{spent}");
    let note = story.first("handed_over");
    assert_eq!(note["by_model"], false, "{note}");
    let progress = desk.project.read("progress.md");
    assert!(
        progress.contains("F-1 handed over")
            && progress.contains("- Next: stopped by a limit: the run has cost"),
        "{progress}"
    );
    assert!(
        desk.project
            .read("feature_list.json")
            .contains("\"pending\"")
    );

    let shown = desk.harness(&["session", "show"]).stdout;
    assert!(shown.contains("no failure; called off: 1"), "{shown}");

    // At the same limit nothing is sent; with a higher one the run goes on, and its sum too.
    let again = desk.story(&["resume", "--last", "--max-usd", "0.05"]);
    again.assert_ended("budget", 3);
    assert_eq!(server.received().len(), 1, "{again}");
    assert!(again.all("handed_over").is_empty(), "{again}");
    let more = desk.story(&["resume", "--last", "--max-usd", "100"]);
    more.assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("src/answer"), "42\n");
    assert!(usd(&more) > spent, "{more}");
}

#[test]
fn a_model_writes_the_note_and_the_next_run_reads_it() {
    let desk = Desk::new();
    let turns = [
        &shell("cat src/answer")[..],
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let server = Server::scripted(&session("F-1", &turns));
    configure(&desk, &server, "input = 1.0, output = 1.0");
    server.reply_with([
        Reply::Script,
        Reply::Recorded {
            body: said(NOTE),
            chunk: 64,
        },
    ]);
    let story = desk.story(&["run", "--max-turns", "1", "--max-usd", "1"]);
    story.assert_ended("limit", 3);
    let note = story.first("handed_over");
    assert_eq!(
        (&note["by_model"], &note["problem"]),
        (&true.into(), &"".into()),
        "{note}"
    );
    let progress = desk.project.read("progress.md");
    for line in [
        "- Done: looked at src/answer",
        "- Tried and failed: 41, which is wrong",
        "- Next: write 42 to src/answer",
    ] {
        assert!(progress.contains(line), "{progress}");
    }
    let asked = &server.received()[1];
    assert_eq!(asked.body["max_tokens"], 1_200, "{}", asked.body);
    assert!(asked.body["tools"].is_null() && asked.body.to_string().contains("cat src/answer"));

    let next = desk.story(&["run", "--dirty", "base"]);
    next.assert_ended("all_passing", 0);
    let first = server.received()[2].body.to_string();
    assert!(first.contains("- Next: write 42 to src/answer"), "{first}");
}

#[test]
fn a_stream_that_is_cut_costs_what_was_seen_and_so_does_its_retry() {
    let desk = Desk::new();
    let server = Server::scripted(&session("look", &["Nothing to see."]));
    configure(&desk, &server, "input = 100.0, output = 100.0");
    let mut cut = started();
    cut.extend(event(
        "content_block_start",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    ));
    server.reply_with([Reply::Recorded {
        body: cut,
        chunk: 4096,
    }]);
    let story = desk.story(&["run", "look"]);
    story.assert_ended("answered", 0);
    let failed = story.first("model_failed");
    assert_eq!(
        (&failed["class"], &failed["usd"]),
        (&"broken".into(), &0.0901.into()),
        "{failed}"
    );
    let answered = story.first("model_responded")["usd"].as_f64().unwrap();
    assert!((usd(&story) - answered - 0.0901).abs() < 1e-6, "{story}");
    let folder = desk.home.path().join(".local/state/harness/spend");
    let day = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let lines = std::fs::read_to_string(day.path()).unwrap();
    assert!(
        lines.lines().count() == 2 && lines.contains("\"micro_usd\":90100"),
        "{lines}"
    );
}
