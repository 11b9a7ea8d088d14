//! Roles and effort: who serves which, what the log says of it, and what a resumed run uses.

use harness_testkit::{Reply, Server};
use serde_json::Value;

use crate::support::{CONFIG, Desk, FEATURES, FINISH, TESTS, session, shell};

/// Makes a project whose model `main` is a server of the Anthropic wire; `user` goes before its table.
fn desk(server: &Server, user: &str, repository: &str) -> Desk {
    let desk = Desk::with_files(&[
        ("harness.toml", &format!("{CONFIG}\n{repository}")),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    configure(&desk, server, user);
    desk
}

fn configure(desk: &Desk, server: &Server, user: &str) {
    let base_url = server.base_url("anthropic");
    desk.home.configure(&format!(
        "{user}\n[model.main]\napi = \"anthropic\"\nbase_url = \"{base_url}\"\nid = \"claude-sonnet-4-5\"\n\
         [model.small]\napi = \"ollama\"\nbase_url = \"{}\"\nid = \"small\"\n",
        server.base_url("ollama"),
    ));
}

fn script() -> String {
    session("F-1", &[&shell("echo 42 > src/answer"), FINISH])
}

/// The records of a type in the logs of all sessions.
fn records(desk: &Desk, kind: &str) -> Vec<Value> {
    let folder = desk.project.root().join(".git/harness/sessions");
    let mut sessions: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    sessions.sort_by_key(std::fs::DirEntry::path);
    let logs = sessions
        .iter()
        .map(|session| std::fs::read_to_string(session.path().join("log.jsonl")).unwrap());
    let logs: String = logs.collect();
    let lines = logs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| match &line["event"] {
            Value::Null => line,
            event => event.clone(),
        })
        .filter(|line| line["type"] == kind)
        .collect()
}

#[test]
fn each_role_has_its_model_and_effort_in_the_log_and_the_main_one_in_its_requests() {
    let server = Server::scripted(&script());
    let roles = "[agent]\nmodel = \"main\"\neffort = \"low\"\n[role.cheap]\nmodel = \"small\"\neffort = \"none\"\n\
                 [role.reviewer]\neffort = \"high\"\n";
    let desk = desk(&server, roles, "");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let started = story.first("session_started");
    assert_eq!(started["effort"], "low", "{started}");
    assert_eq!(
        started["roles"],
        serde_json::json!([
            {"role": "cheap", "model": "small", "effort": "none"},
            {"role": "reviewer", "model": "main", "effort": "high"},
        ])
    );
    assert_eq!(
        server.received()[0].body["thinking"],
        serde_json::json!({"type": "enabled", "budget_tokens": 2000})
    );
    let opened = &records(&desk, "session_opened")[0]["run"];
    assert_eq!(opened["model"]["effort"], "low");
    assert_eq!(opened["roles"]["cheap"]["effort"], "none");
    assert!(opened["roles"]["cheap"]["price"].is_object(), "{opened}");
    assert_eq!(opened["roles"]["reviewer"]["name"], "main");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

#[test]
fn a_role_that_cannot_be_served_is_left_to_the_main_model_and_said() {
    let server = Server::scripted(&script());
    let user = "[agent]\nmodel = \"main\"\n[role.reviewer]\nmodel = \"small\"\neffort = \"low\"\n";
    let repository = "[role.cheap]\nmodel = \"nobody-has-it\"\n[role.reviewer]\nmodel = \"gpt\"\n";
    let desk = desk(&server, user, repository);
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let stderr = &story.run.stderr;
    let left = "role `cheap` is left to `main`: no model has the name `nobody-has-it`";
    assert!(stderr.contains(left), "{stderr}");
    let roles = &records(&desk, "session_opened")[0]["run"]["roles"];
    // The person's word goes before the repository's.
    assert_eq!(roles["reviewer"]["name"], "small");
    assert!(roles["cheap"].is_null(), "{roles}");
    assert!(story.first("session_started")["effort"].is_null());
    assert!(server.received()[0].body.get("thinking").is_none());
}

#[test]
fn a_resumed_run_uses_what_holds_then() {
    let server = Server::scripted(&script());
    server.reply_with([Reply::Status {
        status: 401,
        headers: Vec::new(),
        body: String::new(),
    }]);
    let desk = desk(
        &server,
        "[agent]\nmodel = \"main\"\n[role.cheap]\nmodel = \"small\"\n",
        "",
    );
    desk.story(&["run"]).assert_ended("provider_failed", 6);
    let later =
        "[agent]\nmodel = \"main\"\neffort = \"high\"\n[role.reviewer]\nmodel = \"small\"\n";
    configure(&desk, &server, later);
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    let resumed = &records(&desk, "session_resumed")[0];
    assert_eq!(resumed["model"]["effort"], "high");
    assert_eq!(resumed["roles"]["reviewer"]["name"], "small");
    assert!(resumed["roles"]["cheap"].is_null(), "{resumed}");
    assert_eq!(server.received()[1].body["thinking"]["budget_tokens"], 6000);
}

#[test]
fn an_effort_that_the_main_model_cannot_be_told_is_an_error_before_the_first_request() {
    let server = Server::scripted(&script());
    let desk = desk(
        &server,
        "[agent]\nmodel = \"old\"\n",
        "[agent]\neffort = \"high\"\n",
    );
    let base_url = server.base_url("anthropic");
    let old = |effort: &str| {
        desk.home.configure(&format!(
            "[agent]\nmodel = \"old\"\n{effort}\n[model.old]\napi = \"anthropic\"\nbase_url = \"{base_url}\"\nid = \"claude-3-5-haiku-latest\"\n",
        ));
    };
    old("");
    let run = desk.harness(&["run", "--no-input"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    for words in [
        "model `old`",
        "effort `high`",
        "harness.toml:",
        "effort = \"default\"",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let shown = desk.harness(&["models"]).stdout;
    assert!(
        shown.contains("role main: old, effort high (`claude-3-5-haiku-latest` does not think"),
        "{shown}"
    );
    assert!(server.received().is_empty());
    // The way out that is named.
    old("effort = \"default\"");
    desk.story(&["run"]).assert_ended("all_passing", 0);
}

#[test]
fn a_fallback_model_is_asked_without_an_effort_it_cannot_be_told() {
    let (server, second) = (Server::scripted(&script()), Server::scripted(&script()));
    server.reply_with([Reply::Status {
        status: 402,
        headers: Vec::new(),
        body: String::new(),
    }]);
    let desk = desk(&server, "", "");
    configure(
        &desk,
        &server,
        &format!(
            "[agent]\nmodel = \"main\"\nfallback = [\"second\"]\neffort = \"low\"\n\
             [model.second]\napi = \"chat\"\nbase_url = \"{}\"\nid = \"x\"\n",
            second.base_url("chat")
        ),
    );
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let said = "fallback model `second` is asked without effort `low`";
    assert!(story.run.stderr.contains(said), "{}", story.run.stderr);
    assert!(second.received()[0].body.get("reasoning_effort").is_none());
}
