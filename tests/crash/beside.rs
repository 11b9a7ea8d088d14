//! The program dies while a question is explored or a change is reviewed: what is known counts, the
//! rest is asked again, and a change is committed once.

use std::{fs, path::Path, thread, time::Duration};

use harness_testkit::Server;
use serde_json::Value;

use super::left_over::children;
use crate::{
    flow::beside::{EXPLORE, REVIEW, desk, judgement, one, said},
    support::{Desk, FINISH, Live, Story, session, write},
};

/// Dollars for a million tokens, either way.
const PRICE: f64 = 1000.0;

/// Answers slowly enough to be killed in the middle of it.
fn slow(turn: &str) -> String {
    turn.replace("[[session.turn]]\n", "[[session.turn]]\nthink_ms = 120\n")
}

fn server() -> Server {
    let look = "[[session.turn]]\ncalls = [{ tool = \"read\", path = \"src/answer\" }]\n";
    let explore = "{ tool = \"explore\", text = \"where is the answer?\" }";
    // Twice, for a model whose first call was lost would make it again.
    let right = write("src/answer", "42\n");
    Server::scripted(
        &[
            one(REVIEW, &[slow(look), slow(&said(&judgement(3)))]),
            one(
                EXPLORE,
                &[slow(look), slow(&said("It stands in src/answer:1."))],
            ),
            session("F-1", &[explore, &right, &right, FINISH]),
        ]
        .concat(),
    )
}

fn ready(server: &Server) -> Desk {
    let desk = desk(server, "agent");
    desk.home.configure(&format!(
        "[agent]\nmodel = \"test\"\n[model.test]\napi = \"chat\"\nid = \"m\"\nbase_url = \"{}\"\nprice = {{ input = {PRICE}, output = {PRICE} }}\n",
        server.base_url("chat")
    ));
    desk
}

/// What the log says was paid, each answer once, and each that was lost. Unit: millionths of a dollar.
fn paid(desk: &Desk) -> u64 {
    let log = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let text = fs::read_to_string(log).unwrap();
    let cost = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let event = &record["event"];
        match event["type"].as_str() {
            Some("model_responded") => event["cost"].as_u64(),
            Some("beside") if event["happened"]["what"] == "responded" => {
                event["happened"]["cost"].as_u64()
            }
            // What a request whose answer was lost has cost is estimated.
            Some("session_resumed") => event["found"]["spent"]["cost"].as_u64(),
            _ => None,
        }
    };
    text.lines().filter_map(cost).sum()
}

fn requests(server: &Server, first: &str) -> usize {
    let received = server.received();
    let fits = |request: &&harness_testkit::Received| request.text.contains(first);
    received.iter().filter(fits).count()
}

/// Goes on until the end and holds it against what an uninterrupted run comes to.
fn assert_mended(desk: &Desk, server: &Server, left: &[u32], when: &str) -> Story {
    for pid in left {
        let gone = || !Path::new(&format!("/proc/{pid}")).exists();
        for _ in 0..200 {
            if gone() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert!(gone(), "{when}: process {pid} is left");
    }
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    let git = |arguments: &[&str]| desk.project.git(arguments);
    let commits = git(&["rev-list", "--count", "main..harness/R-0001"]);
    assert_eq!(commits, "1", "{when}: {story}");
    let shown = git(&["show", "harness/R-0001:src/answer"]);
    assert_eq!(shown, "42", "{when}: {story}");
    let evidence = git(&["show", "harness/R-0001:.harness/evidence/F-1.json"]);
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    assert_eq!(
        evidence["review"]["judged"]["verdict"], "approved",
        "{when}: {evidence}"
    );
    // Two requests each, and one more of those whose answer was lost.
    let (explored, reviewed) = (requests(server, EXPLORE), requests(server, REVIEW));
    assert!((2..=3).contains(&explored), "{when}: {explored}");
    assert!((2..=3).contains(&reviewed), "{when}: {reviewed}");
    assert!(explored + reviewed <= 5, "{when}: {explored} {reviewed}");
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(verified.code, 0, "{when}: {}", verified.stdout);
    #[expect(clippy::cast_precision_loss, reason = "a few cents")]
    let paid = paid(desk) as f64 / 1e6;
    let told = story.first("run_ended")["usd"].as_f64().unwrap();
    assert!(
        paid > 0.0 && (paid - told).abs() < 1e-9,
        "{when}: {paid} {told}"
    );
    story
}

/// Kills the program a moment after an event was told so many times.
fn killed_at(kind: &str, times: usize, later: Duration) {
    let server = server();
    let desk = ready(&server);
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for(kind, times), "{kind} {times}");
    thread::sleep(later);
    let left = children(live.pid());
    live.kill();
    let when = format!("killed {later:?} after {kind} {times}");
    assert_mended(&desk, &server, &left, &when);
}

#[test]
fn a_kill_in_the_middle_of_an_explore_costs_nothing_that_is_known() {
    for (kind, times, later) in [
        ("beside_started", 1, 0),
        ("beside_started", 1, 60),
        ("beside_responded", 1, 0),
        ("beside_tool_called", 1, 0),
        ("beside_tool_returned", 1, 60),
        ("beside_responded", 2, 0),
        ("beside_ended", 1, 0),
    ] {
        killed_at(kind, times, Duration::from_millis(later));
    }
}

#[test]
fn a_kill_in_the_middle_of_a_review_costs_nothing_that_is_known() {
    for (kind, times, later) in [
        ("gate_ended", 1, 0),
        ("beside_started", 2, 0),
        ("beside_started", 2, 60),
        ("beside_responded", 3, 0),
        ("beside_tool_called", 2, 0),
        ("beside_tool_returned", 2, 60),
        ("beside_responded", 4, 0),
        ("beside_ended", 2, 0),
        ("reviewed", 1, 0),
    ] {
        killed_at(kind, times, Duration::from_millis(later));
    }
}

#[test]
fn a_review_that_is_killed_again_and_again_comes_to_its_end() {
    let server = server();
    let desk = ready(&server);
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("beside_started", 2));
    live.kill();
    for kind in [
        "session_resumed",
        "beside_tool_called",
        "beside_tool_returned",
    ] {
        let mut live = Live::start(&desk, &["resume", "--last"]);
        assert!(live.wait_for(kind, 1), "{kind}");
        live.kill();
    }
    let story = desk.story(&["resume", "--last"]);
    story.assert_ended("all_passing", 0);
    let commits = desk
        .project
        .git(&["rev-list", "--count", "main..harness/R-0001"]);
    assert_eq!(commits, "1", "{story}");
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

#[test]
fn what_a_person_changes_while_a_killed_review_waits_is_not_what_was_reviewed() {
    let server = server();
    let desk = ready(&server);
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("beside_tool_returned", 2));
    live.kill();
    // What was proven is committed; what a person wrote since stays in the work tree.
    desk.project.write("src/answer", "the person's\n");
    let refused = desk.story(&["resume", "--last"]);
    assert_eq!(refused.first("resume_refused")["why"], "files", "{refused}");
    let story = desk.story(&["resume", "--last", "--take-changes"]);
    let committed = desk.project.git(&["show", "harness/R-0001:src/answer"]);
    assert_eq!(committed, "42", "{story}");
    assert_eq!(desk.project.read("src/answer"), "the person's\n", "{story}");
}
