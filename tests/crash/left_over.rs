//! A killed program leaves no process behind, whatever it had started.

use std::{fs, thread, time::Duration};

use harness_testkit::Server;

use crate::support::{
    CONFIG, Desk, FEATURES, FINISH, Live, alive, assert_gone, session, shell, signal, unique_word,
    write,
};

/// Returns the processes whose parent is `pid`.
pub(super) fn children(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')')
            .next()?
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    };
    pids.filter(|child| parent(*child) == Some(pid)).collect()
}

fn wait_until_alive(word: &str) {
    for _ in 0..200 {
        if alive(word) > 0 {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing with `{word}` was started");
}

/// Starts something deaf that wants to stay; `is_gate` says who starts it.
fn busy(is_gate: bool) -> (Desk, Live, String) {
    let word = unique_word();
    let deaf =
        format!("trap '' TERM INT HUP; (setsid sh -c 'sleep {word}; :' &) ; sleep {word}; :");
    let tests = format!(
        "[ \"$(cat \"$(dirname \"$0\")/../src/answer\")\" = 0 ] || sh -c \"{deaf}\"\necho 1..1; echo ok 1 - is\n"
    );
    let desk = Desk::with_files(&[
        ("harness.toml", CONFIG),
        ("AGENTS.md", "# demo\n"),
        ("feature_list.json", FEATURES),
        ("src/answer", "0\n"),
        ("tests/run.sh", &tests),
    ]);
    let right = write("src/answer", "42\n");
    let command = shell(&deaf);
    let turns: &[&str] = if is_gate {
        &[&right, FINISH]
    } else {
        &[&command, FINISH]
    };
    let server = Server::scripted(&session("F-1", turns));
    desk.use_server(&server, "anthropic");
    let mut live = Live::start(&desk, &["run"]);
    assert!(live.wait_for(
        if is_gate {
            "gate_started"
        } else {
            "tool_called"
        },
        1
    ));
    wait_until_alive(&word);
    thread::sleep(Duration::from_millis(50));
    (desk, live, word)
}

#[test]
fn a_killed_program_takes_its_commands_and_gates_with_it() {
    for is_gate in [false, true] {
        let (_desk, live, word) = busy(is_gate);
        live.kill();
        assert_gone(&word, if is_gate { "a gate" } else { "a command" });
    }
}

#[test]
fn a_killed_helper_takes_its_commands_with_it_and_the_run_ends() {
    for is_gate in [false, true] {
        let (_desk, live, word) = busy(is_gate);
        for helper in children(live.pid()) {
            signal(helper, "KILL");
        }
        assert_gone(&word, "after its helper");
        live.kill();
    }
}

#[test]
fn a_stop_takes_what_is_deaf_with_it() {
    for is_gate in [false, true] {
        let (desk, live, word) = busy(is_gate);
        live.signal("INT");
        let story = live.end();
        story.assert_ended("interrupted", 3);
        assert_gone(&word, "after a stop");
        assert_eq!(desk.harness(&["log", "verify"]).code, 0);
    }
}

#[test]
fn what_it_was_writing_beside_its_own_files_is_gone_after_the_next_run() {
    let desk = Desk::new();
    let halves = [
        ".~harness-4194305-4",
        ".harness/evidence/.~harness-4194305-5",
    ];
    for half in halves {
        desk.project.write(half, "half");
    }
    desk.project.write("src/answer", "42\n");
    let finish = desk.harness(&["feature", "finish", "F-1", "--land"]);
    assert_eq!(finish.code, 0, "{}\n{}", finish.stdout, finish.stderr);
    for half in halves {
        assert!(!desk.project.root().join(half).exists(), "{half}");
    }
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
}
