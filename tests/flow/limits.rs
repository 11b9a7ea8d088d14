//! What runs away is stopped, and what is sent stays small and stable.

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{CONFIG, Desk, FINISH, WIRES, endless, session, shell, write};

#[test]
fn the_same_call_for_ever_is_stuck_within_ten() {
    for api in ["anthropic", "chat"] {
        let desk = Desk::new();
        let server = Server::scripted(&endless("F-1", &[&shell("cat src/answer")]));
        desk.use_server(&server, api);
        let story = desk.story(&["run"]);
        story.assert_ended("stuck", 5);
        assert!(story.all("tool_called").len() <= 10, "{story}");
        assert_eq!(story.all("nudged").len(), 1, "{story}");
    }
}

#[test]
fn a_session_has_so_many_turns_and_no_more() {
    let desk = Desk::new();
    let server = Server::scripted(&endless(
        "F-1",
        &[&shell("echo line >> src/growing; wc -l src/growing")],
    ));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["run", "--max-turns", "4"]);
    story.assert_ended("limit", 3);
    // Four turns, and one small request for the hand-over.
    let requests = server.received();
    assert_eq!(requests.len(), 5);
    assert!(requests[4].bytes < requests[0].bytes && requests[4].body["tools"].is_null());
    assert_eq!(desk.project.read("src/growing").lines().count(), 4);
}

#[test]
fn money_stops_a_run_and_an_unknown_price_cannot_be_held_to_it() {
    let desk = Desk::new();
    let server = Server::scripted(&endless(
        "F-1",
        &[&shell("echo line >> src/growing; wc -l src/growing")],
    ));
    let model = |base: &str| {
        format!(
            "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{base}\"\nid = \"m\"\n"
        )
    };
    desk.home.configure(&model("https://model.invalid"));
    let refused = desk.harness(&["run", "--max-usd", "0.5", "--no-input"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("its price is unknown"),
        "{}",
        refused.stderr
    );

    desk.home.configure(&format!(
        "{}price = {{ input = 10.0, output = 10.0 }}\n",
        model(&server.url())
    ));
    let story = desk.story(&["run", "--max-usd", "0.4"]);
    story.assert_ended("budget", 3);
    let requests = server.received().len();
    assert!((2..20).contains(&requests), "{requests}: {story}");
    let warned = story.all("budget_warned");
    assert_eq!(warned.len(), 1, "{story}");
    assert_eq!(warned[0]["limit"], "run_usd");
    let usd = story.first("run_ended")["usd"].as_f64().unwrap();
    assert!((0.32..=0.4).contains(&usd), "{usd}");
}

#[test]
fn the_first_request_of_a_small_task_is_small() {
    for api in WIRES {
        let desk = Desk::new();
        let server = Server::scripted(&session("fix it", &["There is nothing to fix."]));
        desk.use_server(&server, api);
        desk.story(&["run", "fix it"]).assert_ended("answered", 0);
        let bytes = server.received()[0].bytes;
        assert!(bytes < 8000, "{api}: {bytes}");
    }
}

/// Takes out the marks that say where a cache may end: they move, and are no part of what is said.
fn without_marks(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "cache_control");
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_marks(value)))
                    .collect(),
            )
        }
        Value::Array(parts) => Value::Array(parts.iter().map(without_marks).collect()),
        other => other.clone(),
    }
}

#[test]
fn each_request_extends_the_one_before_and_changes_nothing_of_it() {
    for api in WIRES {
        let desk = Desk::with_files(&[
            ("harness.toml", CONFIG),
            (
                "AGENTS.md",
                "# demo\n\nOne answer. Details: [docs/answer.md](docs/answer.md)\n",
            ),
            ("docs/answer.md", "The answer is 42.\n"),
            ("src/AGENTS.md", "Only one number per file.\n"),
            ("feature_list.json", crate::support::FEATURES),
            ("src/answer", "0\n"),
            ("tests/run.sh", crate::support::TESTS),
        ]);
        let turns = [
            "{ tool = \"doc\", path = \"docs/answer.md\" }, { tool = \"list\" }",
            "{ tool = \"read\", path = \"src/answer\" }, { tool = \"read\", path = \"nowhere\" }",
            &write("src/answer", "41\n"),
            "I think that is it.",
            FINISH,
            &write("docs/answer.md", "41\n"),
            &write("src/answer", "42\n"),
            FINISH,
        ];
        let server = Server::scripted(&session("F-1", &turns));
        desk.use_server(&server, api);
        desk.story(&["run"]).assert_ended("all_passing", 0);
        let requests = server.received();
        assert_eq!(requests.len(), turns.len());
        for pair in requests.windows(2) {
            let (before, after) = (without_marks(&pair[0].body), without_marks(&pair[1].body));
            for part in [
                "system",
                "instructions",
                "systemInstruction",
                "tools",
                "model",
                "prompt_cache_key",
            ] {
                assert_eq!(
                    before[part].to_string(),
                    after[part].to_string(),
                    "{api} {part}"
                );
            }
            let messages = |body: &Value| {
                let lists = ["messages", "input", "contents"].iter();
                let mut lists = lists.filter_map(|key| body[*key].as_array());
                lists.next().cloned().unwrap_or_default()
            };
            let (before, after) = (messages(&before), messages(&after));
            assert!(after.len() > before.len());
            for (old, new) in before.iter().zip(&after) {
                assert_eq!(old.to_string(), new.to_string(), "{api}");
            }
        }
    }
}

#[test]
fn a_limit_that_allows_nothing_or_means_nothing_is_a_mistake() {
    let desk = Desk::new();
    for flag in [
        "--max-usd=0",
        "--max-usd=-1",
        "--max-usd=nan",
        "--max-usd=inf",
        "--max-turns=0",
        "--max-turns=-3",
    ] {
        let run = desk.harness(&["run", flag, "--no-input"]);
        assert_eq!(run.code, 2, "{flag}: {}", run.stderr);
        assert!(
            run.stderr.contains("invalid value"),
            "{flag}: {}",
            run.stderr
        );
    }
}
