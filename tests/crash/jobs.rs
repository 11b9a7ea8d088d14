//! The program dies while a job runs: nothing of it stays, and the agent is told.

use std::{
    thread,
    time::{Duration, Instant},
};

use harness_testkit::Server;

use super::left_over::children;
use crate::{
    flow::jobs::{job, tend},
    support::{
        Desk, FINISH, Live, alive, assert_gone, levels, news, session, shell, signal, unique_word,
        write,
    },
};

/// Starts a run at a level and waits until its job and what that left behind are there.
fn with_job(word: &str, level: &str) -> (Desk, Server, Live) {
    let desk = Desk::new();
    let daemon = format!(
        "(setsid sh -c 'trap \"\" TERM INT HUP; sleep {word}' </dev/null >/dev/null 2>&1 &); echo up; while :; do echo x >> src/log; sleep 0.02; done"
    );
    let hold = shell("sleep 1; :");
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session(
        "F-1",
        &[&job(&daemon), &hold, &tend("t1c0", false), &right, FINISH],
    ));
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run", "--sandbox", level]);
    assert!(live.wait_for("job_started", 1));
    assert!(live.wait_for("tool_called", 1));
    let until = Instant::now() + Duration::from_secs(20);
    while alive(word) < 2 {
        assert!(Instant::now() < until, "the job does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    (desk, server, live)
}

#[test]
fn a_killed_run_leaves_no_job_and_the_resumed_one_says_that_it_is_gone() {
    for level in levels() {
        let word = unique_word();
        let (desk, server, live) = with_job(&word, level);
        live.kill();
        assert_gone(&word, level);
        let story = desk.story(&["resume", "--last", "--sandbox", level]);
        story.assert_ended("all_passing", 0);
        assert_eq!(story.first("job_ended")["how"], "lost", "{story}");
        let requests = server.received();
        let is_told = |text: &str| requests.iter().any(|request| news(request).contains(text));
        assert!(
            is_told("[job t1c0: gone with the harness's process"),
            "{level}"
        );
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    }
}

#[test]
fn a_run_that_is_asked_to_end_ends_its_jobs_and_saves_what_they_wrote() {
    for (level, signal) in levels().iter().zip(["TERM", "INT"]) {
        let word = unique_word();
        let (desk, _server, live) = with_job(&word, level);
        live.signal(signal);
        let story = live.end();
        assert_eq!(story.first("run_ended")["reason"], "interrupted", "{story}");
        assert_eq!(story.first("job_ended")["how"], "stopped", "{story}");
        assert_gone(&word, level);
        let refs = desk
            .project
            .git(&["for-each-ref", "--format=%(refname)", "refs/harness"]);
        let last = refs.lines().last().unwrap_or_default().to_owned();
        let saved = desk.project.git(&["show", &format!("{last}:src/log")]);
        assert_eq!(saved.trim(), desk.project.read("src/log").trim(), "{refs}");
        desk.story(&["resume", "--last", "--sandbox", level])
            .assert_ended("all_passing", 0);
    }
}

#[test]
fn a_killed_helper_takes_its_jobs_with_it_and_the_run_says_so() {
    for level in levels() {
        let word = unique_word();
        let (desk, server, live) = with_job(&word, level);
        let helpers = children(live.pid());
        assert!(!helpers.is_empty(), "{level}");
        for helper in helpers {
            signal(helper, "KILL");
        }
        assert_gone(&word, level);
        let story = live.end();
        let ended = story.all("job_ended");
        assert_eq!(ended.len(), 1, "{level}: {story}");
        story.assert_ended("all_passing", 0);
        let requests = server.received();
        let is_told = |text: &str| requests.iter().any(|request| news(request).contains(text));
        assert!(is_told("t1c0"), "{level}: {story}");
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    }
}

#[test]
fn a_killed_helper_and_a_killed_program_leave_nothing_in_either_order() {
    for level in levels() {
        for helpers_first in [true, false] {
            let word = unique_word();
            let (desk, _server, live) = with_job(&word, level);
            let helpers = children(live.pid());
            if !helpers_first {
                live.signal("KILL");
            }
            for helper in helpers {
                signal(helper, "KILL");
            }
            live.kill();
            assert_gone(&word, level);
            let story = desk.story(&["resume", "--last", "--sandbox", level]);
            story.assert_ended("all_passing", 0);
            assert_gone(&word, level);
        }
    }
}

#[test]
fn a_job_that_runs_is_in_the_status_and_no_more_when_it_is_over() {
    let word = unique_word();
    let (desk, _server, live) = with_job(&word, "none");
    let shown = desk.harness(&["status"]).stdout;
    assert!(shown.contains("jobs: 1 in the background\n"), "{shown}");
    assert!(shown.contains("job: t1c0 (setsid sh"), "{shown}");
    let told = desk.harness(&["status", "--json"]).stdout;
    assert!(
        told.contains(r#""type":"jobs""#) && told.contains(r#""id":"t1c0""#),
        "{told}"
    );
    live.signal("INT");
    let story = live.end();
    assert_eq!(story.first("job_ended")["how"], "stopped", "{story}");
    let shown = desk.harness(&["status"]).stdout;
    assert!(!shown.contains("jobs:"), "{shown}");
}
