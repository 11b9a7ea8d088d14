//! A run is followed from another process: stopped by its reader, and never in the run's way.

use std::{
    io::BufReader,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::{Reply, Server};

use super::assert_ok;
use crate::support::{Desk, FINISH, Live, session, signal, write};

/// A desk whose model answers its second request only after a while.
fn waiting_desk(ms: u64) -> (Desk, Server) {
    let right = write("src/answer", "42\n");
    let script = session("F-1", &[&right, FINISH]);
    let (first, second) = script.rsplit_once("[[session.turn]]").unwrap();
    let server = Server::scripted(&format!("{first}[[session.turn]]\nthink_ms = {ms}{second}"));
    let desk = Desk::new();
    desk.use_server(&server, "anthropic");
    (desk, server)
}

fn follow(desk: &Desk) -> (Child, BufReader<std::process::ChildStdout>) {
    let spawned = desk
        .home
        .command(&desk.project.root(), &["log", "follow", "--run"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// Reads on until a line holds a text.
fn read_until(lines: &mut impl std::io::BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "no `{text}`");
    }
}

fn code_of(mut child: Child) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        }
        assert!(Instant::now() < until, "it goes on for ever");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_interrupt_ends_the_following_and_leaves_the_run_alone() {
    let (desk, _server) = waiting_desk(1_500);
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("turn_started", 1));
    let (child, mut lines) = follow(&desk);
    read_until(&mut lines, "write src/answer");
    signal(child.id(), "INT");
    assert_eq!(code_of(child), 130);
    run.end().assert_ended("all_passing", 0);
}

#[test]
fn whoever_reads_one_line_and_goes_ends_the_following_though_nothing_happens() {
    let (desk, server) = waiting_desk(0);
    server.reply_with([Reply::Stall(Duration::from_secs(12))]);
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("turn_started", 1));
    let (child, mut lines) = follow(&desk);
    read_until(&mut lines, "harness: ");
    drop(lines);
    assert_eq!(code_of(child), 0);
    run.kill();
}

#[test]
fn a_run_that_is_interrupted_ends_the_following_with_its_code() {
    let (desk, _server) = waiting_desk(30_000);
    let mut run = Live::start(&desk, &["run"]);
    assert!(run.wait_for("turn_started", 1));
    let (child, mut lines) = follow(&desk);
    read_until(&mut lines, "write src/answer");
    run.signal("INT");
    run.end().assert_ended("interrupted", 3);
    read_until(&mut lines, "run ended: interrupted");
    assert_eq!(code_of(child), 3);
}

#[test]
fn what_is_followed_and_what_is_played_is_what_the_run_printed() {
    let (desk, _server) = waiting_desk(200);
    let run = Live::start(&desk, &["run"]).end();
    run.assert_ended("all_passing", 0);
    let followed = desk.harness(&["log", "follow", "--json"]);
    assert_ok(&followed);
    assert_eq!(followed.stdout, run.run.stdout);
    let played = desk.harness(&["replay", "--json"]);
    assert_ok(&played);
    assert_eq!(played.stdout, run.run.stdout);
    let fast = desk.harness(&["replay", "--speed", "10000"]);
    assert_ok(&fast);
    assert_eq!(fast.stdout, desk.harness(&["replay", "--instant"]).stdout);
    assert_eq!(fast.stdout, desk.harness(&["log", "follow"]).stdout);
    for speed in ["0", "-1", "nan", "inf", "fast"] {
        assert_eq!(
            desk.harness(&["replay", "--speed", speed]).code,
            2,
            "{speed}"
        );
    }
}
