//! What was under way at a kill: told with its fate, never run twice without a word, and counted.

use std::{thread, time::Duration};

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{Desk, FINISH, Live, Story, news, session, shell, unique_word, write};

/// Kills a run at an event, a moment later.
fn killed(turns: &[&str], kind: &str, times: usize, api: &str) -> (Desk, Server) {
    let desk = Desk::new();
    let server = Server::scripted(&session("F-1", turns));
    desk.use_server(&server, api);
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for(kind, times), "{kind} {times}");
    thread::sleep(Duration::from_millis(60));
    live.kill();
    (desk, server)
}

fn in_flight<'a>(story: &'a Story, kind: &str) -> &'a Value {
    let list = story.first("session_resumed")["found"]["in_flight"].as_array();
    let list = list.unwrap_or_else(|| panic!("nothing was in flight: {story}"));
    let mut items = list.iter();
    items
        .find(|item| item["kind"] == kind)
        .unwrap_or_else(|| panic!("no `{kind}` in flight: {story}"))
}

#[test]
fn a_command_has_an_unknown_outcome_and_is_not_run_again() {
    let word = unique_word();
    let command = shell(&format!("echo once >> src/count; sleep {word}"));
    let right = write("src/answer", "42\n");
    let desk = Desk::new();
    let server = Server::scripted(&session("F-1", &[&command, &right, FINISH]));
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("tool_called", 1));
    let counted = desk.project.root().join("src/count");
    for _ in 0..500 {
        if counted.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    live.kill();
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    let item = in_flight(&story, "command");
    assert_eq!(item["fate"], "unknown", "{story}");
    assert!(
        item["what"].as_str().unwrap().contains("echo once"),
        "{story}"
    );
    let told = news(&server.received()[1]);
    assert!(told.contains("outcome is unknown"), "{told}");
    assert!(desk.project.read("src/count").lines().count() == 1);
    // What it left is named; whose it is nobody knows, so nobody is asked.
    let differs = &story.first("session_resumed")["found"]["differs"][0];
    let text = differs["text"].as_str().unwrap();
    assert!(
        text.contains("`src/count` changed since checkpoint 0"),
        "{story}"
    );
}

#[test]
fn a_gate_and_a_request_are_the_harness_s_own_and_done_again() {
    let desk = Desk::new();
    let tests = desk.project.read("tests/run.sh");
    desk.project
        .write("tests/run.sh", &format!("sleep 0.4\n{tests}"));
    desk.project.commit_all("slow tests");
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    let server = Server::scripted(&session("F-1", &[&write("src/answer", "42\n"), FINISH]));
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("gate_started", 1));
    live.kill();
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(in_flight(&story, "gate")["fate"], "again", "{story}");

    let desk = Desk::new();
    let script = session("F-1", &[&write("src/answer", "42\n"), FINISH]);
    let server = Server::scripted(&script.replacen(
        "[[session.turn]]",
        "[[session.turn]]\nthink_ms = 900",
        1,
    ));
    let base = server.base_url("chat");
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"m\"\nprice = {{ input = 1.0, output = 1.0 }}\n"
    ));
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 1));
    thread::sleep(Duration::from_millis(200));
    live.kill();
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(in_flight(&story, "request")["fate"], "again", "{story}");
    let lost = story.first("session_resumed")["found"]["usd_lost"]
        .as_f64()
        .unwrap();
    assert!(lost > 0.0, "{story}");
    // What was lost is part of what the run has cost.
    let answers = story.all("model_responded");
    let answered: f64 = answers.iter().filter_map(|it| it["usd"].as_f64()).sum();
    let total = story.first("run_ended")["usd"].as_f64().unwrap();
    assert!(
        (total - answered - lost).abs() < 0.000_01,
        "{total} {answered} {lost}\n{story}"
    );
}

#[test]
fn a_job_is_gone_and_the_agent_is_told() {
    let word = unique_word();
    let job = format!("{{ tool = \"shell\", command = \"sleep {word}\", background = true }}");
    let wait = shell(&format!("sleep 9{word}"));
    let right = write("src/answer", "42\n");
    let (desk, server) = killed(&[&job, &wait, &right, FINISH], "tool_called", 2, "chat");
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    assert_eq!(in_flight(&story, "job")["fate"], "unknown", "{story}");
    let told: String = server.received().iter().map(news).collect();
    assert!(
        told.contains("lost") || told.contains("outcome is unknown"),
        "{told}"
    );
}

#[test]
fn counters_are_those_of_a_run_that_was_not_killed() {
    let wrong = write("src/answer", "41\n");
    let right = write("src/answer", "42\n");
    let turns = [&*wrong, FINISH, &*right, FINISH];
    let log = |desk: &Desk| desk.harness(&["log", "show", "S-0001", "--json"]).stdout;
    let whole = {
        let desk = Desk::new();
        let server = Server::scripted(&session("F-1", &turns));
        desk.use_server(&server, "chat");
        desk.story(&["run"]).assert_ended("all_passing", 0);
        log(&desk)
    };
    let (desk, _server) = killed(&turns, "finish_refused", 1, "chat");
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    // The red finish before the kill counts: one more attempt is left, not two.
    let log = log(&desk);
    for kind in ["\"turn_started\"", "\"finish_refused\""] {
        assert_eq!(
            log.matches(kind).count(),
            whole.matches(kind).count(),
            "{log}"
        );
    }
}

#[test]
fn the_files_of_another_run_are_no_command_s_of_this_one() {
    let word = unique_word();
    let long = shell(&format!("echo left > src/left; sleep {word}"));
    let (desk, _server) = killed(
        &[&write("src/first", "1\n"), &long],
        "tool_called",
        2,
        "chat",
    );
    let server = Server::scripted(&session("F-1", &[&write("src/second", "2\n"), FINISH]));
    desk.use_server(&server, "chat");
    desk.story(&["run", "--dirty", "base", "--max-turns", "1"])
        .assert_ended("limit", 3);

    let turns = ["First.", "Second.", &write("src/answer", "42\n"), FINISH];
    let server = Server::scripted(&session("F-1", &turns));
    desk.use_server(&server, "chat");
    let story = desk.story(&["resume", "S-0001"]);
    assert_eq!(story.run.code, 5, "{story}");
    let refused = story.first("resume_refused");
    let message = refused["message"].as_str().unwrap();
    assert_eq!(refused["why"], "files", "{story}");
    assert!(
        message.contains("`src/second`") && message.contains("run R-0002 worked here since"),
        "{message}"
    );
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("harness abort R-0002"), "{hint}");

    assert_eq!(desk.harness(&["abort", "R-0002"]).code, 0);
    let story = desk.story(&["resume", "S-0001"]);
    story.assert_ended("all_passing", 0);
    let files = desk.project.git(&["show", "--stat", "harness/R-0001"]);
    assert!(!files.contains("src/second"), "{files}");
}
