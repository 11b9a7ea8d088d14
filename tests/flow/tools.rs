//! Tools as a model meets them: what it is told, and what it can make of a wrong call.

use harness_testkit::{Reply, Server};

use crate::support::{CONFIG, Desk, FEATURES, FINISH, Live, TESTS, WIRES, news, session, write};

#[test]
fn a_check_is_information_and_uses_no_attempt() {
    let desk = Desk::with_files(&[
        ("harness.toml", &format!("{CONFIG}[limits]\nattempts = 1\n")),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let check = "{ tool = \"check\" }";
    let nonsense = "{ tool = \"check\", gate = \"tset\" }";
    let (wrong, right) = (write("src/answer", "41\n"), write("src/answer", "42\n"));
    let server = Server::scripted(&session(
        "F-1",
        &[&wrong, check, nonsense, check, &right, check, FINISH],
    ));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let requests = server.received();
    assert!(
        news(&requests[2]).contains("not ok 2 - the answer is not 41"),
        "{}",
        news(&requests[2])
    );
    assert!(
        news(&requests[3]).contains("the gates are: test"),
        "{}",
        news(&requests[3])
    );
    assert!(
        news(&requests[6]).contains("gate test: green, 2 tests"),
        "{}",
        news(&requests[6])
    );
    assert_eq!(story.all("finish_refused").len(), 0);
    assert_eq!(story.all("check_ended").len(), 4, "{story}");
}

#[test]
fn documents_are_loaded_by_call_and_nested_maps_at_the_first_touch_and_only_once() {
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        (
            "AGENTS.md",
            "# demo\n\nDetails: [docs/answer.md](docs/answer.md)\n",
        ),
        (
            "docs/answer.md",
            "What the answer is.\n\nThe answer is 42.\n",
        ),
        ("src/AGENTS.md", "Only one number per file.\n"),
        ("src/deep/AGENTS.md", "Nothing is deep here.\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ]);
    let doc = "{ tool = \"doc\", path = \"docs/answer.md\" }";
    let read = "{ tool = \"read\", path = \"src/answer\" }";
    let right = write("src/answer", "42\n");
    let deep = write("src/deep/other", "1\n");
    let server = Server::scripted(&session("F-1", &[doc, read, &right, &deep, FINISH]));
    desk.use_server(&server, "chat");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);

    let requests = server.received();
    let first = requests[0].body.to_string();
    assert!(
        first.contains("docs/answer.md") && !first.contains("The answer is 42"),
        "{first}"
    );
    assert!(!first.contains("Only one number"), "{first}");
    assert!(news(&requests[1]).contains("The answer is 42."));
    assert!(
        news(&requests[2]).contains("Only one number per file."),
        "{}",
        news(&requests[2])
    );
    assert!(
        news(&requests[4]).contains("Nothing is deep here."),
        "{}",
        news(&requests[4])
    );
    let whole = requests[4].body.to_string();
    assert_eq!(
        whole.matches("Only one number per file.").count(),
        1,
        "{whole}"
    );
    assert_eq!(story.all("document_loaded").len(), 3, "{story}");
}

#[test]
fn a_denied_call_tells_the_model_what_is_allowed_and_the_run_goes_on() {
    let desk = Desk::new();
    let (outside, right) = (write("docs/answer.md", "43\n"), write("src/answer", "42\n"));
    let server = Server::scripted(&session("F-1", &[&outside, &right, FINISH]));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let told = news(&server.received()[1]);
    assert!(
        told.contains("denied") && told.contains("docs/answer.md") && told.contains("src/**"),
        "{told}"
    );
    assert_eq!(story.first("tool_called")["verdict"], "deny", "{story}");
    assert_eq!(story.first("tool_returned")["ok"], false);
    assert_eq!(desk.project.read("docs/answer.md"), "The answer is 42.\n");
}

#[test]
fn reads_of_one_answer_come_back_together_in_their_order() {
    for api in WIRES {
        let desk = Desk::new();
        let reads = r#"{ tool = "read", path = "src/answer" }, { tool = "read", path = "docs/answer.md" },
            { tool = "search", query = "answer", path = "tests" }, { tool = "list", path = "src" }"#;
        let right = write("src/answer", "42\n");
        let server = Server::scripted(&session("F-1", &[reads, &right, FINISH]));
        desk.use_server(&server, api);
        desk.story(&["run"]).assert_ended("all_passing", 0);
        let told = news(&server.received()[1]);
        let at = |text: &str| {
            told.find(text)
                .unwrap_or_else(|| panic!("no `{text}` in {told}"))
        };
        let order = [
            at("0\n"),
            at("The answer is 42."),
            at("tests/run.sh:"),
            at("src/answer (2 bytes)\n"),
        ];
        assert!(order.is_sorted(), "{told}");
    }
}

#[test]
fn a_call_that_makes_no_sense_gets_a_clear_answer_and_the_run_goes_on() {
    let cases = [
        (
            r#"{ tool = "raed", path = "src/answer" }"#,
            "did you mean `read`?",
        ),
        (
            r#"{ tool = "read", path = "src/answer", approved = true }"#,
            "`read` has no argument `approved`",
        ),
        (
            r#"{ tool = "shell", command = "true", sandbox = false }"#,
            "`shell` has no argument `sandbox`",
        ),
        (
            r#"{ tool = "shell", command = "true", escalate = true }"#,
            "`shell` has no argument `escalate`",
        ),
        (r#"{ tool = "read" }"#, "lack `path`"),
        (r#"{ tool = "read", path = 7 }"#, "`path` of `read`"),
        (r#"{ tool = "write", path = "", content = "x" }"#, "empty"),
        (
            r#"{ tool = "edit", path = "src/answer", old = "nowhere", new = "x" }"#,
            "`old` was not found",
        ),
    ];
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let turns: Vec<&str> = cases
        .iter()
        .map(|(turn, _)| *turn)
        .chain([right.as_str(), FINISH])
        .collect();
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    let story = desk.story(&["run"]);
    story.assert_ended("all_passing", 0);
    let requests = server.received();
    for ((turn, expected), request) in cases.iter().zip(&requests[1..]) {
        assert!(
            news(request).contains(expected),
            "{turn}: {}",
            news(request)
        );
    }
}

/// Arguments that are no JSON, on both wires.
#[test]
fn arguments_that_are_garbage_never_run_and_the_model_is_told() {
    let anthropic = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"a1\",\"name\":\"shell\",\"input\":{}}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"ARGUMENTS\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let chat = concat!(
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a1\",\"type\":\"function\",\"function\":{\"name\":\"shell\",\"arguments\":\"ARGUMENTS\"}}]}}]}\n\n",
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "data: [DONE]\n\n",
    );
    let duplicate = r#"{\"command\":\"true\",\"command\":\"echo x > src/marker\"}"#;
    let cases = [
        ("{{{ not json", "not JSON"),
        (
            r#"{\"command\":\"echo x > src/marker\"} and more"#,
            "not JSON",
        ),
        (r#"[\"echo x > src/marker\"]"#, "not an object"),
        (duplicate, "`command` twice"),
    ];
    for (api, stream) in [("anthropic", anthropic), ("chat", chat)] {
        for (arguments, expected) in cases {
            let desk = Desk::new();
            let right = write("src/answer", "42\n");
            let server = Server::scripted(&session("F-1", &["unused", &right, FINISH]));
            let body = stream.replace("ARGUMENTS", arguments).into_bytes();
            server.reply_with([Reply::Recorded { body, chunk: 17 }]);
            desk.use_server(&server, api);
            desk.story(&["run"]).assert_ended("all_passing", 0);
            let told = news(&server.received()[1]);
            assert!(told.contains(expected), "{api} {arguments}: {told}");
            assert_eq!(desk.project.read("src/marker"), "", "{api} {arguments}");
        }
    }
}

#[test]
fn an_edit_over_what_a_person_just_saved_is_refused_and_their_bytes_stay() {
    let desk = Desk::new();
    let read = "{ tool = \"read\", path = \"src/answer\" }";
    let edit = "{ tool = \"edit\", path = \"src/answer\", old = \"0\", new = \"42\" }";
    let over = write("src/answer", "42\n");
    let script = session("F-1", &[read, edit, &over, read, edit, FINISH]);
    let slow = script.replacen(
        "calls = [{ tool = \"edit\"",
        "think_ms = 400\ncalls = [{ tool = \"edit\"",
        1,
    );
    let server = Server::scripted(&slow);
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 2));
    desk.project.write("src/answer", "0 and mine\n");
    live.end().assert_ended("all_passing", 0);
    let requests = server.received();
    for refused in [&requests[2], &requests[3]] {
        assert!(news(refused).contains("read it again"), "{}", news(refused));
    }
    assert_eq!(desk.project.read("src/answer"), "42 and mine\n");
}
