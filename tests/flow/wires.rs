//! What is different from wire to wire: reasoning that goes back, and where a server is found.

use harness_testkit::{Reply, Server};

use crate::support::{Desk, FINISH, session, shell, write};

/// Plays two turns over Responses, until the server refuses, and the rest over another wire.
fn go_on_over(api: &str) -> (Server, usize) {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let look = shell("cat src/answer");
    let server = Server::scripted(&session("F-1", &[&look, &look, &right, FINISH]));
    let refused = Reply::Status {
        status: 400,
        headers: Vec::new(),
        body: String::new(),
    };
    server.reply_with([Reply::Script, Reply::Script, refused]);
    desk.use_server(&server, "responses");
    desk.story(&["run"]).assert_ended("provider_failed", 6);
    let before = server.received().len();
    desk.use_server(&server, api);
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    (server, before)
}

#[test]
fn reasoning_goes_back_to_the_model_that_made_it_also_after_a_stop() {
    let (server, before) = go_on_over("responses");
    // One for each answer so far; the server refuses a call without its own.
    let sealed: Vec<usize> = server
        .received()
        .iter()
        .map(|request| request.body.to_string().matches("sealed:").count())
        .collect();
    assert_eq!(before, 3);
    assert_eq!(sealed, [0, 1, 2, 2, 3]);
}

#[test]
fn another_model_gets_the_conversation_and_no_reasoning_of_the_first() {
    for api in ["chat", "anthropic", "ollama"] {
        let (server, before) = go_on_over(api);
        assert!(server.received().len() > before);
        for request in &server.received()[before..] {
            let body = request.body.to_string();
            assert!(!body.contains("sealed:"), "{api}: {body}");
            assert!(body.contains("cat src/answer"), "{api}: {body}");
        }
    }
}

#[test]
fn ollama_is_found_where_its_variable_says() {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&right, FINISH]));
    desk.home.configure(
        "[agent]\nmodel = \"near\"\n[model.near]\napi = \"ollama\"\nid = \"m\"\ncontext = \"32k tokens\"\n",
    );
    let address = server.url();
    let host = address.trim_start_matches("http://");
    let run = desk
        .home
        .run_with(&desk.project.root(), &["run"], "OLLAMA_HOST", host);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let requests = server.received();
    assert_eq!(requests[0].path, "/api/chat");
    assert_eq!(requests[0].body["options"]["num_ctx"], 32_000);
    assert!(
        requests[0]
            .headers
            .iter()
            .all(|(name, _)| name != "authorization"),
        "no key is sent"
    );
}
