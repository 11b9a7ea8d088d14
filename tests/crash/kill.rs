//! `kill -9` at many moments, then `resume`: the end is the one an uninterrupted run has.
//!
//! Some of the moments are tried each time, all of them with `HARNESS_KILLS=all`.

use std::{
    thread,
    time::{Duration, Instant},
};

use harness_testkit::Server;

use super::tale::sample;
use crate::support::{
    CONFIG, Desk, FEATURES, FINISH, Live, TESTS, assert_gone, news, session, shell, unique_word,
    write,
};

/// A project whose builds may leave something behind: what commands append there is in no tree.
fn desk() -> Desk {
    let config = CONFIG.replacen("[scope]\n", "[scope]\nbuild = [\"target\"]\n", 1);
    Desk::with_files(&[
        ("harness.toml", &config),
        (".gitignore", "target\n"),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", TESTS),
    ])
}

/// Starts the model: edits, commands, a check, a refused finish and a good one.
///
/// Each write comes twice, for a model whose first one was lost would write again.
fn server(word: &str) -> Server {
    let wrong = write("src/answer", "41\n");
    let right = write("src/answer", "42\n");
    let count = |number: u32| {
        shell(&format!(
            "mkdir -p target; echo {number} >> target/count; sleep 0.02; : {word}"
        ))
    };
    let script = session(
        "F-1",
        &[
            &wrong,
            &wrong,
            &count(1),
            FINISH,
            &right,
            &right,
            &count(2),
            "{ tool = \"check\" }",
            &count(3),
            FINISH,
        ],
    );
    Server::scripted(&script.replace("[[session.turn]]", "[[session.turn]]\nthink_ms = 6"))
}

const COMMANDS: usize = 3;

/// How many moments of a part of a run, and how many kinds of event, are tried when nobody asks for more.
const USUAL_MOMENTS: usize = 1;
const USUAL_EVENTS: usize = 3;

/// Goes on until the run is over, and holds its end against what it should be.
fn assert_mended(desk: &Desk, server: &Server, word: &str, tree: &str, when: &str) {
    assert_gone(word, when);
    for _ in 0..3 {
        let resumed = desk.harness(&["resume", "--last", "--no-input"]);
        // Killed before the first record: there is nothing to resume, and nothing was done.
        let run = if resumed.stderr.contains("no session to resume") {
            desk.harness(&["run", "--no-input"])
        } else {
            resumed
        };
        if run.code == 0 {
            break;
        }
        assert!(run.code == 3, "{when}: {} {}", run.stdout, run.stderr);
    }
    let branches = desk
        .project
        .git(&["for-each-ref", "--format=%(refname)", "refs/heads/harness"]);
    assert_eq!(branches.lines().count(), 1, "{when}: {branches}");
    let commits = desk
        .project
        .git(&["rev-list", "--count", &format!("main..{branches}")]);
    assert_eq!(commits, "1", "{when}");
    let proven = desk.project.git(&[
        "log",
        "-1",
        "--format=%(trailers:key=Harness-Tree,valueonly)",
        &branches,
    ]);
    let files = desk
        .project
        .git(&["diff", "main", &branches, "--", "src", "tests"]);
    assert_eq!(proven.trim(), tree, "{when}: {files}");
    assert_eq!(desk.project.read("src/answer"), "42\n", "{when}");
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(
        verified.code, 0,
        "{when}: {} {}",
        verified.stdout, verified.stderr
    );

    // No command ran twice; where one may not have run at all, the model was told.
    let count = desk.project.read("target/count");
    let unknown = server
        .received()
        .iter()
        .filter(|request| news(request).contains("outcome is unknown"))
        .count();
    for number in 1..=COMMANDS {
        let lines = count
            .lines()
            .filter(|line| **line == number.to_string())
            .count();
        assert!(
            lines == 1 || lines == 0 && unknown > 0,
            "{when}: command {number} ran {lines} times:\n{count}"
        );
    }
    assert_eq!(desk.harness(&["land"]).code, 0, "{when}");
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "", "{when}");
}

/// Runs without any kill; returns the proven tree and how long it took.
fn uninterrupted() -> (String, Duration) {
    let (desk, word) = (desk(), unique_word());
    let server = server(&word);
    desk.use_server(&server, "anthropic");
    let begun = Instant::now();
    let story = desk.story(&["run"]);
    let took = begun.elapsed();
    story.assert_ended("all_passing", 0);
    assert_eq!(desk.project.read("target/count"), "1\n2\n3\n");
    (
        story.first("feature_passed")["tree"]
            .as_str()
            .unwrap()
            .to_owned(),
        took,
    )
}

/// Kills after shares of an uninterrupted run's time, in thousandths.
fn kill_after(moments: &[u32]) {
    let (tree, took) = uninterrupted();
    for moment in sample(moments, USUAL_MOMENTS) {
        let (desk, word) = (desk(), unique_word());
        let server = server(&word);
        desk.use_server(&server, "anthropic");
        let live = Live::start(&desk, &["run"]);
        thread::sleep(took * moment / 1000);
        live.kill();
        assert_mended(
            &desk,
            &server,
            &word,
            &tree,
            &format!("killed after {moment}/1000 of {took:?}"),
        );
    }
}

#[test]
fn a_kill_early_in_a_run_costs_nothing() {
    kill_after(&[13, 58, 91, 122, 157, 188, 214, 246, 271, 305]);
}

#[test]
fn a_kill_in_the_middle_of_a_run_costs_nothing() {
    kill_after(&[331, 362, 389, 417, 452, 478, 503, 541, 566, 598]);
}

#[test]
fn a_kill_late_in_a_run_costs_nothing() {
    kill_after(&[
        627, 659, 684, 716, 748, 779, 811, 846, 873, 902, 931, 958, 987,
    ]);
}

#[test]
fn a_kill_at_any_kind_of_event_costs_nothing() {
    let (tree, _) = uninterrupted();
    let events = [
        ("session_started", 1),
        ("turn_started", 2),
        ("model_responded", 3),
        ("tool_called", 1),
        ("tool_called", 3),
        ("tool_returned", 3),
        ("checkpoint_created", 1),
        ("checkpoint_created", 2),
        ("baseline_ended", 1),
        ("finish_requested", 1),
        ("gate_started", 1),
        ("check_ended", 1),
        ("finish_refused", 1),
        ("tool_called", 7),
        ("gate_started", 2),
        ("finish_requested", 2),
        ("gate_started", 3),
        ("check_ended", 3),
        ("gate_ended", 3),
        ("feature_passed", 1),
        ("session_ended", 1),
    ];
    for (kind, times) in sample(&events, USUAL_EVENTS) {
        let (desk, word) = (desk(), unique_word());
        let server = server(&word);
        desk.use_server(&server, "chat");
        let mut live = Live::start(&desk, &["run"]);
        assert!(live.wait_for(kind, times), "{kind} {times}");
        live.kill();
        assert_mended(
            &desk,
            &server,
            &word,
            &tree,
            &format!("killed at {kind} {times}"),
        );
    }
}

#[test]
fn a_resume_that_is_killed_is_resumed() {
    let (tree, _) = uninterrupted();
    let (desk, word) = (desk(), unique_word());
    let server = server(&word);
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("tool_called", 2));
    live.kill();
    for kind in ["session_resumed", "model_responded", "gate_started"] {
        let mut live = Live::start(&desk, &["resume", "--last"]);
        assert!(live.wait_for(kind, 1), "{kind}");
        live.kill();
    }
    assert_mended(&desk, &server, &word, &tree, "killed four times");
}

#[test]
fn a_lock_that_a_killed_run_left_on_its_references_is_no_obstacle() {
    let (tree, _) = uninterrupted();
    let (desk, word) = (desk(), unique_word());
    let server = server(&word);
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("tool_called", 1));
    live.kill();
    // Between taking a lock and moving the reference there are microseconds: too few to hit by chance.
    for reference in [
        "harness/S-0001/1",
        "harness/S-0001/2",
        "heads/harness/R-0001",
    ] {
        desk.project
            .write(&format!(".git/refs/{reference}.lock"), "");
    }
    assert_mended(
        &desk,
        &server,
        &word,
        &tree,
        "killed with locks in its hands",
    );
}

#[test]
fn a_file_that_a_killed_run_was_writing_is_no_work_of_the_agent() {
    let (tree, _) = uninterrupted();
    let (desk, word) = (desk(), unique_word());
    let server = server(&word);
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("tool_called", 1));
    let half = format!("src/.~harness-{}-0", live.pid());
    live.kill();
    desk.project.write(&half, "ha");
    assert_mended(&desk, &server, &word, &tree, "killed while it wrote");
}
