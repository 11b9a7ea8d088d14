//! `harness session`: what is told of sessions, whatever state their logs are in.

use std::{fs, time::Duration};

use harness_testkit::{Ending, Reply, Run, Server, Shape};
use serde_json::json;

use super::{assert_ok, busy_desk, busy_run, json};
use crate::support::{Desk, FINISH, Live, session, shell, write};

/// An answer whose input came from a cache for the most part.
fn cached() -> Reply {
    fn alter(body: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8(body).unwrap();
        let usage = "\"usage\":{\"cache_read_input_tokens\":8300,\"cache_creation_input_tokens\":700,\"input_tokens\":1000,\"was\":";
        let text = text.replacen("\"usage\":{\"input_tokens\":", usage, 1);
        text.replace("\"output_tokens\":", "\"output_tokens\":500,\"was_out\":")
            .into_bytes()
    }
    Reply::Shaped(Shape {
        alter,
        end: Ending::Whole,
        ..Shape::default()
    })
}

/// A desk whose model costs something.
fn priced_desk(server: &Server, more: &str) -> Desk {
    let desk = Desk::new();
    desk.home.configure(&format!(
        "[agent]\nmodel = \"dear\"\n[model.dear]\napi = \"anthropic\"\nid = \"dear-1\"\nbase_url = \"{}\"\nprice = {{ input = 3.0, output = 15.0, cache_read = 0.3, cache_write = 3.75 }}\n{more}",
        server.url()
    ));
    desk
}

fn priced_run(desk: &Desk) -> Run {
    let run = desk.harness(&["run", "--no-input"]);
    assert_ok(&run);
    run
}

fn script() -> String {
    let wrong = write("src/answer", "41\n");
    let right = write("src/answer", "42\n");
    session("F-1", &[&shell("false"), &wrong, FINISH, &right, FINISH])
}

fn shown(desk: &Desk, arguments: &[&str]) -> String {
    let run = desk.harness(&[&["session"], arguments].concat());
    assert_ok(&run);
    run.stdout
}

fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

#[test]
fn a_session_is_told_with_what_it_used() {
    let server = Server::scripted(&script());
    let busy = Reply::Status {
        status: 503,
        headers: vec![("retry-after-ms", "1".to_owned())],
        body: String::new(),
    };
    let mut replies = vec![cached(); 2];
    replies.push(busy);
    replies.extend(vec![cached(); 3]);
    server.reply_with(replies);
    let desk = priced_desk(&server, "[limits]\nday_usd = 9.0\n");
    let run = priced_run(&desk);
    assert_lines(
        &run.stdout,
        &["1 of 1 features passing, 5 turns, 50k tokens in, cache 83%, 2.5k out, $0.08, "],
    );
    let day = "note: all runs of the day have cost $0.08 of $9.00";
    assert_lines(&run.stderr, &[day]);

    let text = shown(&desk, &["show"]);
    assert_lines(
        &text,
        &[
            "session: S-0001 of run R-0001, F-1 Give the answer",
            "ended: passed; the run ended: all_passing",
            "agent: builtin, model dear (dear-1); sandbox ",
            "turns: 5, requests 6, sent again 1, failed: overloaded 1",
            "tokens: 50k in (5.0k fresh, 41k from the cache, 3.5k into it), 2.5k out, cache 83%",
            "cost: $0.08",
            "dearest requests:\n  turn 1: $0.0",
            "  shell   1 call   ",
            "1 failed",
            "  test  2 checks  ",
            "1 not green",
            "checkpoints: 2, refused finishes 1, proven: F-1",
            "next: `harness log show S-0001`",
        ],
    );
    for name in ["S-0001", "1"] {
        assert_eq!(shown(&desk, &["show", name]), text);
    }
    let line = json(&desk.harness(&["session", "show", "--json"])).remove(0);
    assert_eq!(line["usage"]["cache_read"], 41_500);
    assert_eq!(line["cache_rate"], 0.83);
    assert_eq!(line["models"][0]["id"], "dear-1");
    assert_eq!(line["failures"], json!({ "overloaded": 1 }));
    assert_eq!(line["run_ended"], "all_passing");
    let usd = line["usd"].as_f64().unwrap();
    assert!((usd - 0.078_075).abs() < 1e-9, "{usd}");

    let listed = shown(&desk, &["list"]);
    assert_eq!(listed.lines().count(), 1);
    assert_lines(
        &listed,
        &["S-0001  20", "  R-0001  F-1  dear  5 turns  $0.08  passed"],
    );

    // The same in the log, request by request, and in its JSON lines.
    let log = desk.harness(&["log", "show"]).stdout;
    assert_lines(
        &log,
        &[
            "note: turn 1: 10k tokens in, cache 83%, 500 out, $0.0",
            "$0.08 so far, ",
            "harness: session S-0001 ended: 5 turns, 50k tokens in, cache 83%",
        ],
    );
    let lines = json(&desk.harness(&["log", "show", "--json"]));
    let of = |kind: &str| lines.iter().rfind(|line| line["type"] == kind).unwrap();
    assert_eq!(of("session_ended")["cache_rate"], 0.83);
    assert_eq!(of("session_ended")["usd"], usd);
    assert_eq!(of("model_responded")["usd_total"], usd);
}

#[test]
fn an_unknown_price_is_no_zero() {
    let server = Server::scripted(&script());
    let desk = Desk::new();
    desk.home.configure(&format!(
        "[agent]\nmodel = \"odd\"\n[limits]\npatience = \"1s\"\n[model.odd]\napi = \"anthropic\"\nid = \"odd\"\nbase_url = \"{}\"\n",
        server.url().replace("127.0.0.1", "localhost.localdomain")
    ));
    // Where that name leads nowhere, the run fails, and its price is as unknown.
    desk.harness(&["run", "--no-input", "--json"]);
    let text = shown(&desk, &["show"]);
    assert_lines(&text, &["cost: price unknown"]);
    assert!(!text.contains("$0"), "{text}");
    assert_lines(&shown(&desk, &["list"]), &["  price unknown  "]);
    let line = json(&desk.harness(&["session", "show", "--json"])).remove(0);
    assert_eq!(line["usd"], json!(null));
}

#[test]
fn sessions_are_listed_newest_first_without_trust_and_nothing_is_changed() {
    let desk = busy_desk();
    let empty = desk.harness(&["session", "list"]);
    assert_ok(&empty);
    assert_eq!(
        empty.stdout,
        "note: there is no session yet; `harness run` begins one\n"
    );
    assert_eq!(desk.harness(&["session", "show"]).code, 2);
    busy_run(&desk);
    let model = desk.script("[[session]]\n[[session.turn]]\ntext = \"Nothing.\"\n");
    desk.harness(&["run", "look around", "--model", &model, "--dirty", "base"]);
    assert_ok(&desk.harness(&["trust", "--revoke"]));
    let before = super::picture(&desk.project);
    let store = desk.project.root().join(".git/harness");
    let entries = || {
        let entries = fs::read_dir(&store).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let kept = entries();
    let listed = shown(&desk, &["list"]);
    let names: Vec<&str> = listed.lines().map(|line| &line[..6]).collect();
    assert_eq!(names, ["S-0002", "S-0001"], "{listed}");
    assert_eq!(json(&desk.harness(&["session", "list", "--json"])).len(), 2);
    assert_lines(&shown(&desk, &["show", "S-0002"]), &["T-0002 look around"]);
    assert_eq!(super::picture(&desk.project), before);
    assert_eq!(entries(), kept);
}

#[test]
fn a_session_that_is_not_there_names_the_nearest() {
    let desk = busy_desk();
    busy_run(&desk);
    for name in ["S-0009", "77", "frob", "S-", ""] {
        let run = desk.harness(&["session", "show", name]);
        assert_eq!(run.code, 2, "{}", run.stdout);
        assert_lines(
            &run.stderr,
            &[
                &format!("error: there is no session `{name}`"),
                "hint: the nearest: S-0001; `harness session list` names all",
            ],
        );
    }
}

#[test]
fn a_session_that_is_running_is_told_as_far_as_it_is() {
    let server = Server::scripted(&script());
    server.reply_with([cached(), Reply::Stall(Duration::from_secs(60))]);
    let desk = priced_desk(&server, "");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 2));
    let text = shown(&desk, &["show"]);
    assert_lines(
        &text,
        &[
            "ended: running or cut short",
            "turns: 2, requests 2,",
            "`harness resume S-0001`",
        ],
    );
    assert_lines(
        &shown(&desk, &["list"]),
        &["  2 turns  ", "running or cut short"],
    );
    live.kill();
}

#[test]
fn a_damaged_log_is_told_as_far_as_it_holds_and_that_is_said() {
    let desk = busy_desk();
    busy_run(&desk);
    let path = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("checkpoint_saved"))
        .unwrap();
    let mut damaged = lines.clone();
    let changed = lines[at].replacen("checkpoint_saved", "checkpoint_sawed", 1);
    damaged[at] = &changed;
    fs::write(&path, damaged.join("\n")).unwrap();
    let shown_text = shown(&desk, &["show"]);
    assert_lines(
        &shown_text,
        &[
            "session: S-0001 of run R-0001",
            "ended: log damaged",
            &format!("damaged: the log holds {at} records, then line {}", at + 1),
            "next: `harness log verify S-0001`",
        ],
    );
    assert_lines(&shown(&desk, &["list"]), &["S-0001", "log damaged"]);
    let line = json(&desk.harness(&["session", "list", "--json"])).remove(0);
    assert!(line["problem"].is_string(), "{line}");

    // A write that was cut is no damage.
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    assert_lines(&shown(&desk, &["show"]), &["turns: 3,"]);
    // Nothing at all is no session that could be told, and no failure.
    fs::write(&path, "").unwrap();
    assert_lines(&shown(&desk, &["list"]), &["S-0001", "never began"]);
    assert_lines(&shown(&desk, &["show", "1"]), &["ended: never began"]);
    fs::write(&path, "\0\0\0\n").unwrap();
    assert_lines(
        &shown(&desk, &["show", "1"]),
        &["damaged: the log holds 0 records"],
    );
}
