//! `harness status --watch`: a second face on a run, in nobody's way; and runs without a terminal.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::Server;

use crate::support::{Desk, FINISH, Live, PROGRAM, Terminal, session, signal, write};

struct Watcher {
    child: Child,
    lines: BufReader<ChildStdout>,
    told: String,
}

impl Watcher {
    fn start(desk: &Desk) -> Self {
        let mut command = desk
            .home
            .command(&desk.project.root(), &["status", "--watch"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Self {
            child,
            lines,
            told: String::new(),
        }
    }

    fn wait_for(&mut self, word: &str) {
        while !self.told.contains(word) {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap_or(0);
            assert!(read > 0, "no `{word}` in:\n{}", self.told);
            self.told.push_str(&line);
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn thinking(ms: u32) -> Server {
    let script = session("F-1", &[&write("src/answer", "42\n"), FINISH]);
    Server::scripted(&script.replace(
        "[[session.turn]]",
        &format!("[[session.turn]]\nthink_ms = {ms}"),
    ))
}

#[test]
fn watchers_see_a_run_from_before_it_begins_to_its_end_and_the_next_one() {
    let desk = Desk::new();
    let mut watchers = [Watcher::start(&desk), Watcher::start(&desk)];
    for watcher in &mut watchers {
        watcher.wait_for("no run yet");
    }
    let server = thinking(400);
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    for watcher in &mut watchers {
        watcher.wait_for("R-0001 S-0001, F-1");
        watcher.wait_for("ended, all_passing");
    }
    let run = desk.harness(&["land"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let task = Server::scripted(&session("a word", &["Nothing to do."]));
    desk.use_server(&task, "chat");
    desk.harness(&["run", "say a word", "--no-input"]);
    for watcher in &mut watchers {
        watcher.wait_for("R-0002 S-0002");
    }
}

#[test]
fn a_run_that_was_killed_is_told_and_followed_when_it_goes_on() {
    let desk = Desk::new();
    let server = thinking(900);
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for("turn_started", 1));
    let mut watcher = Watcher::start(&desk);
    watcher.wait_for("turn 1");
    live.kill();
    watcher.wait_for("its process is gone");
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
    watcher.wait_for("ended, all_passing");
    // An interrupt is how a person leaves.
    signal(watcher.child.id(), "INT");
    let until = Instant::now() + Duration::from_secs(10);
    while watcher.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it does not leave");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn on_a_terminal_it_is_drawn_in_place_and_leaves_no_mode_behind() {
    let desk = Desk::new();
    let server = thinking(5);
    desk.use_server(&server, "chat");
    desk.story(&["run"]).assert_ended("all_passing", 0);
    let terminal = Terminal::start(
        &desk.home,
        &desk.project.root(),
        &["status", "--watch"],
        (80, 24),
    );
    terminal.wait_for("ended, all_passing");
    let bytes = terminal.bytes();
    assert!(!bytes.windows(2).any(|pair| pair == b"[?"), "{bytes:?}");
}

#[test]
fn a_watcher_whose_reader_is_gone_ends() {
    let desk = Desk::new();
    let command = format!("{PROGRAM} status --watch | head -n 1");
    let prepared = desk.home.command(&desk.project.root(), &[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &command])
        .current_dir(desk.project.root());
    shell.env_clear();
    for (name, value) in prepared.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let ended = shell.output().expect("`sh` is there");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("no run yet"));
}

/// Starts a shell line with the environment of the home.
fn shell_line(desk: &Desk, line: &str) -> Child {
    let prepared = desk.home.command(&desk.project.root(), &[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(desk.project.root());
    shell.env_clear();
    for (name, value) in prepared.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.spawn().expect("`sh` is there")
}

fn output(mut child: Child) -> (i32, String) {
    let mut stderr = String::new();
    if let Some(mut pipe) = child.stderr.take() {
        let _ = pipe.read_to_string(&mut stderr);
    }
    let status = child.wait().expect("a child that was started");
    (status.code().unwrap_or(-1), stderr)
}

#[test]
fn a_run_without_standard_output_goes_on_and_its_log_is_the_truth() {
    let desk = Desk::new();
    let server = thinking(5);
    desk.use_server(&server, "chat");
    let child = shell_line(&desk, &format!("{PROGRAM} run --no-input >&- 2>&- <&-"));
    assert_eq!(output(child).0, 0);
    assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    assert_eq!(
        desk.project.git(&["show", "harness/R-0001:src/answer"]),
        "42"
    );
}

#[test]
fn a_run_whose_reader_leaves_ends_in_order_and_can_be_resumed() {
    let desk = Desk::new();
    let server = thinking(300);
    desk.use_server(&server, "chat");
    let child = shell_line(
        &desk,
        &format!("{{ {PROGRAM} run --no-input; echo $? > code; }} | head -n 1"),
    );
    output(child);
    assert_eq!(desk.project.read("code"), "3\n");
    let _ = std::fs::remove_file(desk.project.root().join("code"));
    desk.story(&["resume", "--last"])
        .assert_ended("all_passing", 0);
}

#[test]
fn a_hangup_ends_a_run_in_order_unless_it_was_to_be_ignored() {
    let desk = Desk::new();
    let server = thinking(700);
    desk.use_server(&server, "chat");
    let child = shell_line(
        &desk,
        &format!("trap '' HUP; exec {PROGRAM} run --no-input"),
    );
    thread::sleep(Duration::from_millis(900));
    signal(child.id(), "HUP");
    let (code, stderr) = output(child);
    assert_eq!(code, 0, "{stderr}");
}
