//! Signals end a run in order, and it can be taken up again.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use harness_testkit::Server;

use crate::support::{
    Desk, FINISH, Live, alive, assert_gone, news, say, session, shell, unique_word, write,
};

/// Starts a run and waits until its command sleeps for `word` seconds.
fn slow(word: &str, command: &str) -> (Desk, Server, Live) {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let server = Server::scripted(&session("F-1", &[&right, &shell(command), FINISH]));
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("tool_called", 2));
    // The shell carries the word as well.
    let until = Instant::now() + Duration::from_secs(20);
    while alive(word) < 2 {
        assert!(Instant::now() < until, "the command does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    (desk, server, live)
}

#[test]
fn an_interrupted_run_ends_in_order_and_is_resumed_to_its_end() {
    let word = unique_word();
    let (desk, server, live) = slow(&word, &format!("sleep {word}; :"));
    live.signal("INT");
    let story = live.end();
    story.assert_ended("interrupted", 3);
    assert_gone(&word, "after an interrupt");

    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    let told = news(&server.received()[2]);
    assert!(told.contains("cancelled"), "{told}");
    assert_eq!(
        desk.project.git(&["show", "harness/R-0001:src/answer"]),
        "42"
    );
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}

#[test]
fn a_run_interrupted_while_the_model_thinks_is_resumed_to_its_end() {
    let desk = Desk::new();
    let right = write("src/answer", "42\n");
    let script = session("F-1", &[&right, FINISH]);
    let server = Server::scripted(&script.replace(
        "calls = [{ tool = \"finish\"",
        "think_ms = 700\ncalls = [{ tool = \"finish\"",
    ));
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 2));
    thread::sleep(Duration::from_millis(100));
    live.signal("INT");
    live.end().assert_ended("interrupted", 3);
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
}

/// Whether whoever began the tests ignores SIGHUP: the program does so then as well.
fn hang_up_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is the first signal.
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[test]
fn other_signals_end_a_run_in_order_with_their_own_code() {
    for (name, code) in [("TERM", 143), ("HUP", 129)] {
        if name == "HUP" && hang_up_is_ignored() {
            say("skipped: SIGHUP is ignored here, as below `nohup`, and so by the program");
            continue;
        }
        let word = unique_word();
        let (desk, _server, live) = slow(&word, &format!("sleep {word}; :"));
        live.signal(name);
        let story = live.end();
        assert_eq!(story.run.code, code, "{name}: {story}");
        assert_eq!(story.first("run_ended")["reason"], "interrupted", "{story}");
        assert_gone(&word, name);
        desk.story(&["resume", "--last"])
            .assert_ended("all_passing", 0);
    }
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let word = unique_word();
    let (desk, _server, live) = slow(&word, &format!("trap '' TERM INT HUP; sleep {word}; :"));
    live.signal("INT");
    thread::sleep(Duration::from_millis(60));
    live.signal("INT");
    assert_eq!(live.end().run.code, 130);
    assert_gone(&word, "after a second interrupt");
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
}
