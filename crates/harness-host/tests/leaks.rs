//! Nothing outlives its command: not a daemon, not an orphan, not after `kill -9`.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Duration,
};

use harness_core::{Level, Stop};

use crate::world::{World, alive, levels, quick, unique_sleep, within};

/// Set for the copy of this test program that plays the harness and is killed.
const STAND_IN: &str = "HARNESS_HOST_TEST_STAND_IN";

#[test]
fn whatever_a_command_leaves_behind_ends_with_it() {
    let world = World::new();
    for level in levels() {
        for escape in [
            "sleep N &",
            "nohup sleep N > /dev/null 2>&1 &",
            "setsid sleep N &",
            "setsid sh -c 'setsid sleep N & exit 0' & wait",
            "(trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP; (sleep N &) &') < /dev/null > /dev/null 2>&1 &",
        ] {
            let sleep = unique_sleep();
            let command = format!("{}\nsleep 0.1; echo done", escape.replace('N', &sleep));
            let exited = world.shell_within(level, &command, &quick());
            assert!(exited.output.to_text().contains("done"), "{escape}");
            assert!(!exited.has_survivors);
            assert_eq!(alive(&sleep), 0, "{level} {escape}");
        }
    }
}

#[test]
fn a_process_that_forks_all_the_time_is_caught() {
    let world = World::new();
    let word = format!("word{}", unique_sleep());
    let script = "\
        for my $i (1..4) { next if fork; setpgrp(0, 0);
            while (1) { my $p = fork; exit 0 if $p; select(undef, undef, undef, 0.002); } }
        select(undef, undef, undef, 0.1);";
    for level in levels() {
        let command = format!("perl -e '{script}' {word}");
        let exited = world.shell_within(level, &command, &quick());
        assert!(!exited.has_survivors);
        assert_eq!(alive(&word), 0, "{level}");
    }
}

#[test]
fn a_crowd_of_processes_is_ended() {
    let world = World::new().with_processes(20);
    for level in levels() {
        for start in ["sleep N &", "setsid sleep N &"] {
            let sleep = unique_sleep();
            let start = start.replace('N', &sleep);
            let command = format!("for i in $(seq 40); do {start} done; wait; sleep {sleep}");
            let exited = world.shell_within(level, &command, &quick());
            // Where the kernel's own bound holds, the shell cannot start that many.
            if exited.stop != Stop::Crowded {
                assert!(exited.output.to_text().contains("fork"), "{exited:?}");
            }
            assert_eq!(alive(&sleep), 0, "{level}");
        }
    }
}

/// Plays the harness when it is started as such; does nothing in an ordinary test run.
#[test]
fn stand_in() {
    let Ok(task) = env::var(STAND_IN) else {
        return;
    };
    let (level, command) = task.split_once(' ').unwrap();
    let known = levels().into_iter().find(|known| known.as_str() == level);
    let level = known.unwrap();
    World::new().shell(level, command);
}

fn start_stand_in(level: Level, command: &str) -> std::process::Child {
    Command::new(env::current_exe().unwrap())
        .args(["leaks::stand_in", "--exact", "--nocapture"])
        .env(STAND_IN, format!("{level} {command}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Returns the helper of a stand-in: its only child process.
fn helper_of(stand_in: u32) -> String {
    fs::read_dir(format!("/proc/{stand_in}/task"))
        .unwrap()
        .flatten()
        .map(|thread| fs::read_to_string(thread.path().join("children")).unwrap())
        .find(|children| !children.trim().is_empty())
        .unwrap()
        .trim()
        .to_owned()
}

fn kill_9(pid: &str) {
    assert!(
        Command::new("kill")
            .args(["-9", pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn nothing_survives_the_harness() {
    for level in levels() {
        let sleep = unique_sleep();
        let command = format!("setsid sleep {sleep} & trap '' TERM; sleep {sleep}; sleep {sleep}");
        let mut stand_in = start_stand_in(level, &command);
        assert!(within(Duration::from_secs(5), || alive(&sleep) == 2));
        stand_in.kill().unwrap();
        stand_in.wait().unwrap();
        assert!(
            within(Duration::from_secs(2), || alive(&sleep) == 0),
            "{level}"
        );
    }
}

#[test]
fn nothing_survives_the_harness_that_was_suspended_before() {
    for level in levels() {
        let word = format!("word{}", unique_sleep());
        let command = format!("sh -c 'sleep 100; sleep 100' {word}");
        let mut stand_in = start_stand_in(level, &command);
        assert!(within(Duration::from_secs(5), || alive(&word) > 0));
        let helper = helper_of(stand_in.id());
        let group = format!("-{}", stand_in.id());
        let stopped = Command::new("kill").args(["-STOP", "--", &group]).status();
        assert!(stopped.unwrap().success());
        stand_in.kill().unwrap();
        stand_in.wait().unwrap();
        // Of a process that is over and that nobody collected the arguments are gone.
        let helper = format!("/proc/{helper}/cmdline");
        let is_gone = || alive(&word) == 0 && fs::read(&helper).unwrap_or_default().is_empty();
        assert!(within(Duration::from_secs(2), is_gone), "{level}");
    }
}

#[test]
fn nothing_survives_a_helper() {
    for level in levels() {
        let sleep = unique_sleep();
        let command =
            format!("setsid sleep {sleep} & setsid sh -c 'sleep {sleep} & sleep {sleep}'");
        let mut stand_in = start_stand_in(level, &command);
        assert!(within(Duration::from_secs(5), || alive(&sleep) == 3));
        kill_9(&helper_of(stand_in.id()));
        assert!(stand_in.wait().unwrap().success());
        assert_eq!(alive(&sleep), 0, "{level}");
    }
}
