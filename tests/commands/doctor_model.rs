//! `harness doctor MODEL`: one real request, what it found, and the way out of every failure.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
    time::Duration,
};

use harness_testkit::{Home, Reply, Run, Server};
use serde_json::Value;

use super::{assert_ok, json};
use crate::support::PROGRAM;

/// Calls the tool that is offered.
const CALLS: &str = "[[session]]\nrepeat_last = true\n[[session.turn]]\ncalls = [{ tool = \"ready\", word = \"yes\" }]\n";
/// Says something instead.
const TALKS: &str = "[[session]]\nrepeat_last = true\n[[session.turn]]\ntext = \"I am ready.\"\n";

fn table(api: &str, server: &Server, more: &str) -> String {
    let base_url = server.base_url(api);
    format!("[model.test]\napi = \"{api}\"\nid = \"m\"\nbase_url = \"{base_url}\"\n{more}\n")
}

fn doctor(home: &Home, arguments: &[&str]) -> Run {
    home.run(Path::new("/"), &[&["doctor"], arguments].concat())
}

/// Asks a model whose server answers so, and returns the exit code and the line about it.
fn failed(api: &str, reply: Reply, more: &str) -> (Run, Value) {
    let server = Server::scripted(CALLS);
    server.reply_with([reply]);
    let home = Home::new(PROGRAM);
    home.configure(&table(api, &server, more));
    let run = doctor(&home, &["test", "--json"]);
    let lines = json(&run);
    assert_eq!(lines[0]["type"], "model_asked", "{lines:?}");
    assert_eq!(lines[1]["type"], "model_failed", "{lines:?}");
    let received = server.received();
    let asked = received
        .iter()
        .filter(|it| it.body["model"] == "m" || api == "gemini");
    assert_eq!(asked.count(), 1, "one try: {lines:?}");
    (run, lines[1].clone())
}

fn status(status: u16, body: &str) -> Reply {
    Reply::Status {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

#[test]
fn every_wire_is_asked_once_and_its_call_seen() {
    for api in ["anthropic", "chat", "responses", "gemini", "ollama"] {
        let server = Server::scripted(CALLS);
        let home = Home::new(PROGRAM);
        home.configure(&table(api, &server, ""));
        let run = doctor(&home, &["test", "--json"]);
        assert_ok(&run);
        let lines = json(&run);
        let (asked, answered) = (&lines[0], &lines[1]);
        assert_eq!(
            (&asked["type"], &asked["api"], &asked["id"]),
            (&"model_asked".into(), &api.into(), &"m".into())
        );
        assert!(
            server.url().ends_with(asked["host"].as_str().unwrap()),
            "{asked}"
        );
        assert_eq!(answered["type"], "model_answered", "{api}: {answered}");
        assert_eq!(answered["tool_called"], true, "{api}: {answered}");
        assert!(answered["usage"]["input"].as_u64() > Some(0), "{answered}");
        assert!(answered["first_ms"].as_u64() <= answered["ms"].as_u64());
        let received = server.received();
        assert_eq!(received.len(), 1);
        let body = received[0].body.to_string();
        assert!(body.contains("ready") && body.contains("2048"), "{body}");
        assert!(received[0].bytes < 2_000, "{body}");
    }
}

#[test]
fn it_says_where_it_sends_what_the_model_did_and_nothing_that_it_said() {
    let server = Server::scripted(TALKS);
    let home = Home::new(PROGRAM);
    home.configure(&table(
        "anthropic",
        &server,
        "price = { input = 3.0, output = 15.0 }",
    ));
    let run = doctor(&home, &["test", "test"]);
    assert_ok(&run);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let host = server.url().replace("http://", "");
    let sending = format!(
        "test: sending one request to {host} (anthropic `m`), costs about $0.03 at the most"
    );
    assert_eq!(lines[0], sending);
    assert!(
        lines[1].starts_with("test: answered after "),
        "{}",
        run.stdout
    );
    assert!(lines[2].contains("did not call the tool"), "{}", run.stdout);
    assert!(lines[3].contains(" tokens in, "), "{}", run.stdout);
    assert_eq!(
        (lines.len(), server.received().len()),
        (4, 1),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("I am ready"), "{}", run.stdout);
}

#[test]
fn every_failure_has_a_class_and_a_way_out() {
    let gone = "{\"error\":{\"message\":\"model m not found\"}}";
    for (api, reply, more, class, hint) in [
        (
            "anthropic",
            status(401, ""),
            "key_env = \"PATH\"",
            "auth",
            "`PATH`",
        ),
        ("chat", status(401, ""), "", "auth", "key_env"),
        ("chat", status(402, ""), "", "quota", "account"),
        ("gemini", status(404, gone), "", "invalid", "look at `id`"),
        ("ollama", status(404, gone), "", "invalid", "ollama pull m"),
        ("responses", status(529, ""), "", "overloaded", "again"),
        (
            "responses",
            status(400, "{\"error\":{\"message\":\"bad effort\"}}"),
            "effort = \"low\"",
            "invalid",
            "effort",
        ),
        (
            "chat",
            status(
                500,
                "{\"error\":{\"message\":\"tools param requires --jinja flag\"}}",
            ),
            "",
            "overloaded",
            "--jinja",
        ),
        ("anthropic", Reply::Close, "", "broken", "`anthropic`"),
        (
            "anthropic",
            Reply::Recorded {
                body: crate::flow::money::begun(),
                chunk: 4096,
            },
            "",
            "broken",
            "broke off",
        ),
        (
            "chat",
            Reply::Recorded {
                body: b"data: {\"choices\": oops\n\n".to_vec(),
                chunk: 7,
            },
            "",
            "broken",
            "`chat`",
        ),
    ] {
        let (run, line) = failed(api, reply, more);
        assert_eq!(run.code, 6, "{line}");
        assert_eq!(line["class"], class, "{line}");
        let found = line["hint"].as_str().unwrap_or_default();
        assert!(found.contains(hint), "{line}");
    }
}

#[test]
fn a_server_that_says_nothing_is_waited_for_as_long_as_the_configuration_says() {
    let silent = Reply::Stall(Duration::from_secs(60));
    let (run, line) = failed("anthropic", silent, "[limits]\nidle = \"300ms\"");
    assert_eq!(run.code, 6, "{line}");
    assert!(
        line["message"].as_str().unwrap().contains("silent"),
        "{line}"
    );
}

#[test]
fn a_key_that_a_server_repeats_is_not_shown() {
    let home = Home::new(PROGRAM);
    let server = Server::bare();
    let key = "not-a-known-shape-4711";
    server.reply_with([status(
        403,
        &format!("{{\"error\":{{\"message\":\"no key {key} here\"}}}}"),
    )]);
    home.configure(&table(
        "chat",
        &server,
        &format!("key_command = [\"echo\", \"{key}\"]"),
    ));
    let run = doctor(&home, &["test"]);
    assert_eq!(run.code, 6, "{}", run.stdout);
    assert!(
        !run.stdout.contains(key) && !run.stderr.contains(key),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("the server answered 403: no key ["),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("the key that `echo` printed"),
        "{}",
        run.stdout
    );
    let header = &server.received()[0].headers;
    assert!(
        header
            .iter()
            .any(|(name, value)| name == "authorization" && value.contains(key))
    );
}

#[test]
fn a_port_where_nothing_listens_names_the_command_that_starts_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for (api, server, hint) in [
        ("ollama", "", "ollama serve"),
        ("chat", "server = \"llamacpp\"", "llama-server --jinja"),
        ("chat", "server = \"lmstudio\"", "lms server start"),
        ("chat", "server = \"vllm\"", "vllm serve"),
        ("anthropic", "", "is the server running?"),
    ] {
        let home = Home::new(PROGRAM);
        home.configure(&format!(
            "[model.test]\napi = \"{api}\"\nid = \"m\"\nbase_url = \"http://{address}\"\n{server}\n"
        ));
        let run = doctor(&home, &["test"]);
        assert_eq!(run.code, 6, "{}", run.stdout);
        assert!(run.stdout.contains(hint), "{}", run.stdout);
    }
}

#[test]
fn a_server_that_wants_no_encryption_is_told_from_one_that_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let home = Home::new(PROGRAM);
    home.configure(&format!(
        "[model.test]\napi = \"chat\"\nid = \"m\"\nbase_url = \"https://{address}/v1\"\n"
    ));
    let run = doctor(&home, &["test"]);
    assert_eq!(run.code, 6, "{}", run.stdout);
    assert!(run.stdout.contains("http://"), "{}", run.stdout);
}

#[test]
fn what_is_wrong_with_the_configuration_sends_nothing_and_exits_with_2() {
    let server = Server::scripted(CALLS);
    let home = Home::new(PROGRAM);
    home.configure(&format!(
        "{}[limits]\nusd = 1\n[model.far]\napi = \"chat\"\nid = \"odd\"\nbase_url = \"https://model.invalid/v1\"\n\
         [model.mute]\napi = \"chat\"\nid = \"m\"\nbase_url = \"{}\"\neffort = \"high\"\n",
        table("chat", &server, "key_env = \"NO_SUCH_KEY\""),
        server.base_url("chat"),
    ));
    for (name, words) in [
        ("tets", "did you mean `test`?"),
        ("test", "`NO_SUCH_KEY`"),
        ("far", "its price is unknown"),
        ("mute", "server = \"vllm\""),
    ] {
        let run = doctor(&home, &[name]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
    assert!(server.received().is_empty());
}

#[test]
fn a_role_stands_for_its_model_and_its_effort() {
    let (main, other) = (Server::scripted(CALLS), Server::scripted(CALLS));
    let home = Home::new(PROGRAM);
    home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[role.reviewer]\nmodel = \"other\"\neffort = \"high\"\n{}\
         [model.other]\napi = \"responses\"\nid = \"gpt-5\"\nbase_url = \"{}\"\nprice = {{ input = 0, output = 0 }}\n",
        table("chat", &main, ""),
        other.base_url("responses"),
    ));
    let run = doctor(&home, &["main", "cheap", "reviewer", "--json"]);
    assert_ok(&run);
    let lines = json(&run);
    let asked: Vec<(&str, &Value)> = lines
        .iter()
        .filter(|line| line["type"] == "model_asked")
        .map(|line| (line["name"].as_str().unwrap(), &line["effort"]))
        .collect();
    let high = Value::from("high");
    assert_eq!(
        asked,
        [
            ("test", &Value::Null),
            ("test", &Value::Null),
            ("other", &high)
        ]
    );
    assert_eq!((main.received().len(), other.received().len()), (2, 1));
    let told = doctor(&home, &["reviewer"]).stdout;
    assert!(
        told.contains("other: sending one request as `reviewer` to "),
        "{told}"
    );
    assert_eq!(other.received()[0].body["reasoning"]["effort"], "high");
}

#[test]
fn what_it_spends_counts_to_the_day_and_a_day_that_is_used_up_allows_none() {
    let server = Server::scripted(CALLS);
    let home = Home::new(PROGRAM);
    home.configure(&table(
        "anthropic",
        &server,
        "price = { input = 1000.0, output = 1000.0 }\n[limits]\nday_usd = 0.001",
    ));
    let first = doctor(&home, &["test"]);
    assert_ok(&first);
    assert!(!first.stdout.contains("$0.00"), "{}", first.stdout);
    let folder = home.path().join(".local/state/harness/spend");
    let day = fs::read_dir(folder).unwrap().flatten().next().unwrap();
    let noted = fs::read_to_string(day.path()).unwrap();
    assert!(noted.contains("micro_usd"), "{noted}");
    let second = doctor(&home, &["test"]);
    assert_eq!(second.code, 3, "{}", second.stderr);
    assert!(
        second.stderr.contains("all runs of the day"),
        "{}",
        second.stderr
    );
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_level_and_a_model_are_two_questions() {
    let home = Home::new(PROGRAM);
    let run = doctor(&home, &["test", "--sandbox", "none"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
}

#[test]
fn a_server_that_repeats_the_key_gets_it_told_in_no_form() {
    const KEY: &str = "q7/Zt\"w+0123456789-key";
    let quoted = serde_json::to_string(KEY).unwrap();
    for code in [401, 500] {
        let server = Server::scripted(CALLS);
        let body = format!("no: {KEY} {quoted} q7%2FZt%22w%2B0123456789-key");
        server.reply_with([status(code, &body), status(code, &body)]);
        let home = Home::new(PROGRAM);
        home.configure(&table("chat", &server, "key_env = \"MODEL_KEY\""));
        for arguments in [&["doctor", "test"][..], &["doctor", "test", "--json"]] {
            let run = home.run_with(Path::new("/"), arguments, "MODEL_KEY", KEY);
            assert_eq!(run.code, 6, "{}", run.stderr);
            let told = format!("{}{}", run.stdout, run.stderr);
            assert!(told.contains("the server answered"), "{told}");
            for secret in ["0123456789-key", "q7/Zt", "q7%2FZt"] {
                assert!(!told.contains(secret), "{code}: {told}");
            }
        }
    }
}
