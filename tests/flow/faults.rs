//! A server that fails: retried where that can help, and no action ever done twice or in part.

mod cancel;
mod network;
mod table;
mod unwell;

use std::time::{Duration, Instant};

use harness_testkit::{Reply, Server};

use crate::support::{CONFIG, Desk, FEATURES, FINISH, Story, TESTS, session, shell};

fn desk() -> Desk {
    Desk::with_files(&[
        (
            "harness.toml",
            &format!("{CONFIG}[limits]\nidle = \"3s\"\n"),
        ),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn status(status: u16) -> Reply {
    let body = r#"{"type":"error","error":{"type":"some_error","message":"the server is unwell"}}"#;
    Reply::Status {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

/// Runs one marked command against a server that first answers so.
fn run(api: &str, replies: Vec<Reply>) -> (Desk, Server, Story) {
    let desk = desk();
    let server = Server::scripted(&session(
        "F-1",
        &[&shell("echo once >> src/marker"), FINISH],
    ));
    server.reply_with(replies);
    desk.use_server(&server, api);
    let story = desk.story(&["run"]);
    (desk, server, story)
}

/// Lets the server fail and recover in several ways.
fn recover(api: &str) {
    let stall = Reply::Stall(Duration::from_secs(9));
    for (name, replies, retries) in [
        ("500 twice", vec![status(500), status(500)], 2),
        ("529", vec![status(529)], 1),
        ("closed", vec![Reply::Close], 1),
        ("silent", vec![stall], 1),
        (
            "fails between the turns",
            vec![Reply::Script, status(503)],
            1,
        ),
    ] {
        let (desk, server, story) = run(api, replies);
        story.assert_ended("all_passing", 0);
        assert_eq!(
            story.all("provider_retried").len(),
            retries,
            "{name} {api}: {story}"
        );
        assert_eq!(server.received().len(), 2 + retries, "{name} {api}");
        assert_eq!(desk.project.read("src/marker"), "once\n", "{name} {api}");
    }
}

#[test]
fn a_server_that_recovers_is_asked_again_and_nothing_is_done_twice_over_anthropic() {
    recover("anthropic");
}

#[test]
fn a_server_that_recovers_is_asked_again_and_nothing_is_done_twice_over_chat() {
    recover("chat");
}

#[test]
fn a_server_that_recovers_is_asked_again_and_nothing_is_done_twice_over_responses() {
    recover("responses");
}

#[test]
fn a_server_that_recovers_is_asked_again_and_nothing_is_done_twice_over_gemini() {
    recover("gemini");
}

#[test]
fn a_server_that_recovers_is_asked_again_and_nothing_is_done_twice_over_ollama() {
    recover("ollama");
}

#[test]
fn the_server_says_how_long_to_wait() {
    let limited = |ms: &str| Reply::Status {
        status: 429,
        headers: vec![("retry-after-ms", ms.to_owned())],
        body: String::new(),
    };
    let begun = Instant::now();
    let (_, _, story) = run("anthropic", vec![limited("700")]);
    story.assert_ended("all_passing", 0);
    assert_eq!(story.first("provider_retried")["delay_ms"], 700, "{story}");
    assert!(begun.elapsed() >= Duration::from_millis(700));

    // And it is asked a bounded number of times.
    let (desk, server, story) = run("chat", vec![limited("1"); 50]);
    story.assert_ended("provider_failed", 6);
    assert!(
        server.received().len() < 12,
        "{} requests",
        server.received().len()
    );
    assert_eq!(desk.project.read("src/marker"), "");
}

#[test]
fn a_request_that_cannot_be_right_is_not_repeated() {
    for code in [400, 401, 403] {
        let (desk, server, story) = run("anthropic", vec![status(code)]);
        story.assert_ended("provider_failed", 6);
        assert_eq!(server.received().len(), 1, "{code}");
        let detail = story.first("run_ended")["detail"].as_str().unwrap();
        assert!(detail.contains("the server is unwell"), "{code}: {detail}");
        assert_eq!(desk.project.read("src/marker"), "");
    }
}

/// Cuts the answer of each turn once, every time at another byte, and runs each command exactly once.
fn cut(api: &str) {
    cut_at(api, [0, 30, 180, 270, 360, 430, 500, 580, 660, 740]);
}

fn cut_at(api: &str, cuts: [usize; 10]) {
    let desk = desk();
    let turns: Vec<String> = (0..cuts.len())
        .map(|n| shell(&format!("echo {n} >> src/marker")))
        .collect();
    let turns: Vec<&str> = turns.iter().map(String::as_str).chain([FINISH]).collect();
    let server = Server::scripted(&session("F-1", &turns));
    server.reply_with(
        cuts.iter()
            .flat_map(|&bytes| [Reply::Cut { bytes }, Reply::Script]),
    );
    desk.use_server(&server, api);

    let begun = Instant::now();
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let marker: String = (0..cuts.len()).map(|n| format!("{n}\n")).collect();
    assert_eq!(desk.project.read("src/marker"), marker, "{api}");
    let retried = story.all("provider_retried");
    assert!(retried.len() >= 8, "{story}");
    assert!(
        retried
            .iter()
            .all(|line| line["delay_ms"].as_u64().unwrap() <= 2000),
        "{story}"
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    // What was cut is in no later request.
    for request in server.received() {
        let body = request.body.to_string();
        assert_eq!(
            body.matches("echo 0 >> src/marker").count(),
            usize::from(body.contains("echo 0")),
            "{body}"
        );
    }
}

#[test]
fn a_call_that_is_cut_at_any_byte_never_runs_over_anthropic() {
    cut("anthropic");
}

#[test]
fn a_call_that_is_cut_at_any_byte_never_runs_over_chat() {
    cut("chat");
}

#[test]
fn a_call_that_is_cut_at_any_byte_never_runs_over_responses() {
    cut_at(
        "responses",
        [0, 100, 300, 450, 600, 750, 900, 1_050, 1_200, 1_300],
    );
}

#[test]
fn a_call_that_is_cut_at_any_byte_never_runs_over_gemini() {
    cut_at("gemini", [0, 30, 80, 130, 180, 230, 280, 330, 380, 430]);
}

#[test]
fn a_call_that_is_cut_at_any_byte_never_runs_over_ollama() {
    cut_at("ollama", [0, 20, 40, 60, 80, 100, 130, 160, 200, 240]);
}

#[test]
fn a_prompt_that_the_server_cut_without_a_word_ends_the_run_and_says_so() {
    let desk = desk();
    let server = Server::scripted(&session("F-1", &[&shell("true"), FINISH]));
    let line = r#"{"message":{"role":"assistant","content":"I forget."},"done":true,"done_reason":"stop","prompt_eval_count":300,"eval_count":3}"#;
    let body = format!("{line}\n").into_bytes();
    server.reply_with([Reply::Recorded { body, chunk: 64 }]);
    desk.use_server(&server, "ollama");
    let story = desk.story(&["run"]);
    assert_ne!(story.first("run_ended")["reason"], "all_passing", "{story}");
    let detail = story.first("run_ended")["detail"].as_str().unwrap();
    assert!(
        detail.contains("read 300 tokens of a prompt of about"),
        "{detail}"
    );
    assert_eq!(
        server.received().len(),
        1,
        "the same prompt is not sent again"
    );
    let asked = &server.received()[0].body;
    assert_eq!(asked["options"]["num_ctx"], 128_000, "{asked}");
}
