//! What a resume says first: it goes on where it was, something differs, or it cannot go on.

use std::{fs, io::Write as _};

use harness_testkit::Server;
use serde_json::Value;

use crate::support::{Desk, FINISH, Live, Story, news, session, shell, write};

/// A run of one file that its model's server refused to go on with, and the server of the next try.
fn stopped() -> Desk {
    let desk = Desk::new();
    stop(&desk);
    desk
}

fn stop(desk: &Desk) {
    let server = Server::scripted(&session("F-1", &[&write("src/first", "one\n"), FINISH]));
    desk.use_server(&server, "chat");
    desk.story(&["run", "--max-turns", "1"])
        .assert_ended("limit", 3);
}

/// Goes on with a model that gives the answer.
fn resume(desk: &Desk, flags: &[&str]) -> (Server, Story) {
    let turns = [&write("src/answer", "42\n"), FINISH];
    let server = Server::scripted(&session("F-1", &[&[&*shell("true")], &turns[..]].concat()));
    desk.use_server(&server, "chat");
    let story = desk.story(&[&["resume", "--last", "--max-turns", "9"], flags].concat());
    (server, story)
}

fn found(story: &Story) -> &Value {
    &story.first("session_resumed")["found"]
}

/// Holds a refusal against what it should be; returns its words.
fn assert_refused(story: &Story, outcome: &str, why: &str, code: i32) -> String {
    let refused = story.first("resume_refused");
    assert_eq!(
        (&refused["outcome"], &refused["why"], &refused["exit_code"]),
        (&Value::from(outcome), &Value::from(why), &Value::from(code)),
        "{story}"
    );
    assert_eq!(story.run.code, code, "{story}");
    assert!(story.all("turn_started").is_empty(), "{story}");
    format!("{} {}", refused["message"], refused["hint"])
}

#[test]
fn a_run_that_ended_in_order_goes_on_where_it_was() {
    let desk = stopped();
    let (_server, story) = resume(&desk, &[]);
    story.assert_ended("all_passing", 0);
    let found = found(&story);
    assert_eq!(found["outcome"], "as_it_was", "{story}");
    assert_eq!(found["fresh"], true, "{story}");
    assert_eq!(found["in_flight"], Value::Array(Vec::new()), "{story}");

    let desk = stopped();
    let server = Server::scripted(&session(
        "F-1",
        &[&shell("true"), &write("src/answer", "42\n"), FINISH],
    ));
    desk.use_server(&server, "chat");
    let run = desk.harness(&[
        "resume",
        "--last",
        "--max-turns",
        "9",
        "--no-input",
        "--plain",
    ]);
    let said = "note: resumed where it was: its last session was over, a fresh one goes on";
    assert!(run.stdout.contains(said), "{}", run.stdout);
}

#[test]
fn files_that_somebody_changed_are_asked_about_and_told_to_the_agent() {
    let desk = stopped();
    desk.project.write("src/mine", "mine\n");
    desk.project.write("notes", "not the agent's\n");
    let (_server, story) = resume(&desk, &[]);
    let words = assert_refused(&story, "asked", "files", 5);
    assert!(
        words.contains("src/mine") && !words.contains("`notes`"),
        "{words}"
    );
    assert!(
        words.contains("harness resume S-0001 --take-changes"),
        "{words}"
    );

    let (server, story) = resume(&desk, &["--take-changes"]);
    story.assert_ended("all_passing", 0);
    let differs = &found(&story)["differs"][0];
    assert_eq!(differs["kind"], "files", "{story}");
    assert_eq!(differs["paths"][0], "src/mine");
    let told = news(&server.received()[0]);
    assert!(told.contains("in ways you did not see: src/mine"), "{told}");
    assert_eq!(
        desk.project.git(&["show", "harness/R-0001:src/mine"]),
        "mine"
    );
}

#[test]
fn another_head_and_a_branch_that_was_moved_are_asked_about() {
    let desk = stopped();
    desk.project
        .git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    let (_server, story) = resume(&desk, &[]);
    let words = assert_refused(&story, "asked", "head", 5);
    assert!(words.contains("git checkout"), "{words}");

    let desk = stopped();
    desk.project
        .git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    desk.project.git(&["branch", "harness/R-0001"]);
    desk.project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    desk.project.write("src/first", "one\n");
    let (_server, story) = resume(&desk, &[]);
    let words = assert_refused(&story, "asked", "branch", 5);
    assert!(
        words.contains("git branch --force harness/R-0001"),
        "{words}"
    );
}

#[test]
fn another_model_and_another_configuration_are_said_and_go_on() {
    let desk = stopped();
    let config = desk.project.read("harness.toml");
    desk.project.write(
        "harness.toml",
        &config.replace("timeout = \"1m\"", "timeout = \"2m\""),
    );
    let (_server, story) = resume(&desk, &[]);
    assert_refused(&story, "asked", "trust", 5);
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);

    let server = Server::scripted(&session(
        "F-1",
        &[&shell("true"), &write("src/answer", "42\n"), FINISH],
    ));
    let base = server.base_url("chat");
    desk.home.configure(&format!(
        "[agent]\nmodel = \"other\"\n[model.other]\napi = \"chat\"\nbase_url = \"{base}\"\nid = \"other-model\"\n"
    ));
    let story = desk.story(&["resume", "--last", "--max-turns", "9", "--model", "other"]);
    story.assert_ended("all_passing", 0);
    let differs = found(&story)["differs"].as_array().unwrap();
    let kinds: Vec<&str> = differs
        .iter()
        .filter_map(|it| it["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["configuration", "model"], "{story}");
    assert!(
        differs[0]["text"].as_str().unwrap().contains("gates"),
        "{story}"
    );
}

#[test]
fn a_torn_log_and_a_damaged_checkpoint_are_said_and_go_on() {
    let desk = stopped();
    let log = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let mut file = fs::OpenOptions::new().append(true).open(log).unwrap();
    file.write_all(b"{\"torn").unwrap();
    desk.project.write(
        ".git/refs/harness/S-0001/7",
        "0123456789012345678901234567890123456789\n",
    );
    let (_server, story) = resume(&desk, &[]);
    story.assert_ended("all_passing", 0);
    let differs = found(&story)["differs"].as_array().unwrap();
    let kinds: Vec<&str> = differs
        .iter()
        .filter_map(|it| it["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["log", "checkpoint"], "{story}");
}

#[test]
fn a_log_that_is_broken_or_of_a_later_version_ends_with_the_way_out() {
    for (from, to, why) in [
        ("\"turn_started\"", "\"turn_starred\"", "log_broken"),
        ("\"v\":1", "\"v\":9", "later_version"),
    ] {
        let desk = stopped();
        let path = ".git/harness/sessions/S-0001/log.jsonl";
        let log = desk.project.read(path);
        let lines: Vec<&str> = log.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.contains("turn_started"))
            .unwrap();
        let mut changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
        changed[at] = lines[at].replacen(from, to, 1);
        desk.project.write(path, &(changed.join("\n") + "\n"));
        let (_server, story) = resume(&desk, &[]);
        let words = assert_refused(&story, "cannot", why, 1);
        assert!(words.contains("harness run"), "{words}");
    }
}

#[test]
fn what_is_over_or_elsewhere_or_held_does_not_go_on() {
    let desk = stopped();
    let (_server, story) = resume(&desk, &[]);
    story.assert_ended("all_passing", 0);
    let (_server, story) = resume(&desk, &[]);
    assert_refused(&story, "cannot", "ended_well", 0);

    let desk = stopped();
    assert_eq!(desk.harness(&["abort"]).code, 0);
    let (_server, story) = resume(&desk, &[]);
    assert_refused(&story, "cannot", "given_up", 2);

    let desk = Desk::new();
    let held = Server::scripted(
        &session("F-1", &[FINISH])
            .replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 20000"),
    );
    desk.use_server(&held, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 1));
    let story = desk.story(&["resume", "--last"]);
    let words = assert_refused(&story, "cannot", "lock", 5);
    assert!(words.contains("status --watch"), "{words}");
    live.kill();
}

#[test]
fn the_limit_that_ended_a_feature_is_raised_once_also_behind_a_kill_in_the_note() {
    let desk = Desk::new();
    let turns = [&write("src/first", "one\n"), &shell("true"), FINISH];
    let server = Server::scripted(&session("F-1", &turns));
    let base = server.base_url("anthropic");
    let configure = |usd: &str| {
        desk.home.configure(&format!(
            "[agent]\nmodel = \"test\"\n[limits]\nfeature_usd = {usd}\n[model.test]\napi = \"anthropic\"\nbase_url = \"{base}\"\nid = \"m\"\nprice = {{ input = 1.0, output = 1.0 }}\n"
        ));
    };
    configure("0.01");
    let mut live = Live::start(&desk, &["run"]);
    if !live.wait_for("handed_over", 1) {
        // The model's answers were too cheap for the limit: there is nothing to look at.
        return;
    }
    live.kill();
    let server = Server::scripted(&session(
        "F-1",
        &[&shell("true"), &write("src/answer", "42\n"), FINISH],
    ));
    let base = server.base_url("anthropic");
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"anthropic\"\nbase_url = \"{base}\"\nid = \"m\"\nprice = {{ input = 1.0, output = 1.0 }}\n"
    ));
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
}

#[test]
fn all_runs_with_work_left_are_gone_on_with_until_a_person_is_needed() {
    let desk = stopped();
    let nothing = Desk::new().harness(&["resume", "--all"]);
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);
    // A second run on top of the first one's files.
    let server = Server::scripted(&session("F-1", &[&write("src/second", "two\n"), FINISH]));
    desk.use_server(&server, "chat");
    desk.story(&["run", "--dirty", "base", "--max-turns", "1"])
        .assert_ended("limit", 3);
    let server = Server::scripted(&session(
        "F-1",
        &[&shell("true"), &write("src/answer", "42\n"), FINISH],
    ));
    desk.use_server(&server, "chat");
    let story = desk.story(&["resume", "--all", "--max-turns", "9"]);
    let summed = story.first("resumed_all");
    let runs = summed["runs"].as_array().unwrap();
    assert_eq!(runs[0]["run"], "R-0002", "{story}");
    assert_eq!(runs[0]["text"], "all_passing", "{story}");
    assert_eq!(
        (&runs[1]["run"], &runs[1]["exit_code"]),
        (&"R-0001".into(), &5.into())
    );
    assert_eq!(story.run.code, 5, "{story}");
}
