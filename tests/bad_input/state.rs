//! What lies on the disk between two runs, damaged; and two who want the same work tree.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use harness_testkit::{Reply, Run, Server};

use super::{GOOD_SCRIPT, assert_calm, assert_refused};
use crate::support::{Desk, Story};

const LOG: &str = ".git/harness/sessions/S-0001/log.jsonl";

#[test]
fn a_session_or_run_that_is_unknown_is_refused() {
    let desk = Desk::new();
    for command in [
        &["resume", "--last"][..],
        &["log", "show"],
        &["checkpoint", "list"],
        &["land"],
        &["abort"],
    ] {
        let run = desk.harness(command);
        assert_refused(&run, 2, &["there is no", "hint: harness run"]);
    }
    let model = desk.script(GOOD_SCRIPT);
    assert_eq!(desk.harness(&["run", "--model", &model]).code, 0);
    for command in [
        &["resume", "S-0042"][..],
        &["log", "show", "S-0042"],
        &["log", "verify", "S-0042"],
        &["checkpoint", "list", "S-0042"],
        &["checkpoint", "undo", "0", "--session", "S-0042"],
    ] {
        assert_refused(
            &desk.harness(command),
            2,
            &["there is no session `S-0042`", "hint: harness status"],
        );
    }
    for command in [["land", "R-0042"], ["abort", "R-0042"]] {
        assert_refused(
            &desk.harness(&command),
            2,
            &["there is no run `R-0042`", "hint: harness status"],
        );
    }
    for command in [
        &["resume", "S-1"][..],
        &["log", "show", "../S-0001"],
        &["land", "S-0001"],
    ] {
        assert_refused(&desk.harness(command), 2, &["must match"]);
    }
    assert_refused(
        &desk.harness(&["checkpoint", "undo", "77"]),
        2,
        &["no checkpoint 77", "checkpoint list"],
    );
}

#[test]
fn a_log_that_was_changed_is_found_and_never_built_upon() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    assert_eq!(
        desk.harness(&["run", "--model", &model, "--max-turns", "1"])
            .code,
        3
    );
    let good = desk.project.read(LOG);
    let mut lines: Vec<&str> = good.lines().collect();
    let changed = lines[3].replace("\"seq\":4", "\"seq\":5");
    let mut cases = vec![
        good.replacen("42", "43", 1),
        good.replace("sh\\\"", "zz\\\""),
    ];
    let whole: String = lines.iter().map(|line| format!("{line}\n")).collect();
    cases.push(whole.replace(lines[3], &changed));
    cases.push(whole.replace(lines[3], "garbage"));
    cases.push(whole.replace(lines[3], "\u{0}\u{ff}\u{1}"));
    lines.remove(3);
    cases.push(lines.iter().map(|line| format!("{line}\n")).collect());
    cases.retain(|text| *text != good);
    assert!(cases.len() >= 5);
    for text in cases {
        desk.project.write(LOG, &text);
        let run = desk.harness(&["log", "verify"]);
        assert_eq!(run.code, 4, "{text}");
        assert!(
            run.stdout.contains("S-0001 does not hold after record"),
            "{}",
            run.stdout
        );
        assert_calm(&run);
        let resumed = desk.harness(&["resume", "--last", "--model", &model]);
        assert_refused(&resumed, 1, &["S-0001", "harness log verify S-0001"]);
        assert_eq!(desk.project.read(LOG), text, "the log is left as it is");
        assert_calm(&desk.harness(&["status"]));
        assert_calm(&desk.harness(&["log", "show"]));
    }
}

#[test]
fn a_last_record_that_was_cut_short_is_put_aside_and_the_run_goes_on() {
    let desk = Desk::new();
    let model = desk.script(GOOD_SCRIPT);
    assert_eq!(
        desk.harness(&["run", "--model", &model, "--max-turns", "1"])
            .code,
        3
    );
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(desk.project.root().join(LOG))
        .unwrap();
    log.write_all(b"{\"v\":1,\"seq\":99,\"time\":\"20").unwrap();
    drop(log);
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(verified.stdout.contains("cut short"), "{}", verified.stdout);
    let resumed = desk.harness(&["resume", "--last", "--model", &model, "--max-turns", "9"]);
    assert_eq!(resumed.code, 0, "{}\n{}", resumed.stdout, resumed.stderr);
    assert!(
        resumed
            .stderr
            .contains("the last record of S-0001 was cut short"),
        "{}",
        resumed.stderr
    );
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(
        !verified.stdout.contains("cut short"),
        "{}",
        verified.stdout
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_run_in_order() {
    for flags in [&["--plain"][..], &["--json"]] {
        let desk = Desk::new();
        let server = Server::scripted(&GOOD_SCRIPT.replace("calls", "think_ms = 300\ncalls"));
        desk.use_server(&server, "anthropic");
        let arguments = [&["run"], flags].concat();
        let mut child = spawn(&desk, &arguments);
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        assert!(!first.is_empty());
        let run = Run::from(finish(child));
        assert_calm(&run);
        assert!([0, 3].contains(&run.code), "{}: {}", run.code, run.stderr);
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
        if run.code != 0 {
            let resumed = desk.harness(&["resume", "--last"]);
            assert_eq!(resumed.code, 0, "{}\n{}", resumed.stdout, resumed.stderr);
        }
        assert_eq!(desk.harness(&["land"]).code, 0);
    }
    let desk = Desk::new();
    for arguments in [
        &["config", "default"][..],
        &["scope", "explain", "src", "--sandbox"],
        &["feature", "list"],
    ] {
        let mut child = spawn(&desk, arguments);
        drop(child.stdout.take());
        let run = Run::from(finish(child));
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        assert_calm(&run);
    }
}

#[test]
fn the_second_of_two_runs_is_told_who_works_there() {
    let desk = Desk::new();
    let server = Server::scripted(GOOD_SCRIPT);
    server.reply_with([Reply::Stall(Duration::from_secs(30))]);
    desk.use_server(&server, "chat");
    let mut first = spawn(&desk, &["run", "--json"]);
    let began = Instant::now();
    while server.received().is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the first run never began"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = first.id().to_string();
    for command in [
        &["run"][..],
        &["resume", "--last"],
        &["land"],
        &["abort"],
        &["gate", "run"],
        &["checkpoint", "undo", "0"],
    ] {
        let run = desk.harness(command);
        assert_refused(
            &run,
            5,
            &["another run works in this work tree", &pid, "hint: "],
        );
    }
    for command in [
        &["status"][..],
        &["feature", "list"],
        &["log", "verify"],
        &["checkpoint", "list"],
    ] {
        let run = desk.harness(command);
        assert_eq!(run.code, 0, "{command:?} only reads: {}", run.stderr);
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let resumed = Story::of(desk.harness(&["resume", "--last", "--json", "--no-input"]));
    resumed.assert_ended("all_passing", 0);
}

fn spawn(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = desk.home.command(&desk.project.root(), arguments);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits for the end, and not for ever.
fn finish(mut child: Child) -> std::process::Output {
    let began = Instant::now();
    while child
        .try_wait()
        .expect("a child can be waited for")
        .is_none()
    {
        if began.elapsed() > Duration::from_secs(60) {
            child.kill().expect("a child can be ended");
            panic!("the program does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("a child can be waited for")
}
