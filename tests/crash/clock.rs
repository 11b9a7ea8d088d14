//! The clock goes back in the middle of a run, or is decades behind from its beginning.

use std::{fs, process::Stdio, thread, time::Duration};

use harness_testkit::Run;

use super::{
    shim::{preload, shim},
    tale::{STEPS, Tale, calm, uninterrupted},
};
use crate::support::{Desk, FINISH, session, shell, unique_word, write};

/// Plays all steps with a clock that goes back by some seconds after some milliseconds.
fn play(back: &str, after: &str, steps: usize) {
    let Some(library) = shim() else { return };
    let wanted = uninterrupted();
    let tale = Tale::new();
    for (number, step) in STEPS.iter().enumerate() {
        let mut command = tale.command(step);
        if number < steps {
            preload(&mut command, library);
            command
                .env("HARNESS_SHIM_BACK", back)
                .env("HARNESS_SHIM_AFTER", after);
        }
        let run = Run::from(command.output().unwrap());
        calm(&run).unwrap();
        let wanted = if number == 0 { 3 } else { 0 };
        assert_eq!(run.code, wanted, "{step:?}: {}\n{}", run.stderr, run.stdout);
    }
    let (outcome, wrong) = tale.outcome();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(outcome, wanted);
    let log =
        fs::read_to_string(tale.git_folder().join("harness/sessions/S-0001/log.jsonl")).unwrap();
    let years: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split("\"time\":\"").nth(1)?.get(..4))
        .collect();
    assert!(
        !years.is_empty()
            && years
                .iter()
                .all(|year| year.starts_with("19") || year.starts_with("20")),
        "{years:?}"
    );
}

#[test]
fn a_clock_that_goes_back_by_two_days_ends_no_run_and_hides_nothing() {
    play("172800", "250", STEPS.len());
}

#[test]
fn a_run_of_a_clock_that_is_decades_behind_goes_on_with_the_right_one() {
    play("1700000000", "0", 1);
}

/// A run of a clock that is two days behind stands for one that was killed two days ago.
#[test]
fn what_changes_long_after_a_kill_is_no_command_s_and_asked_about() {
    let Some(library) = shim() else { return };
    let desk = Desk::new();
    let long = shell(&format!("echo left > src/left; sleep {}", unique_word()));
    let turns = [&*write("src/answer", "42\n"), &long];
    let model = desk.script(&session("F-1", &turns));
    let flags = ["run", "--model", &model, "--json", "--no-input"];
    let mut command = desk.home.command(&desk.project.root(), &flags);
    preload(&mut command, library)
        .env("HARNESS_SHIM_BACK", "172800")
        .env("HARNESS_SHIM_AFTER", "0");
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = spawned.unwrap();
    let left = desk.project.root().join("src/left");
    for _ in 0..500 {
        if left.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    desk.project.write("src/mine", "mine\n");

    let model = desk.script(&session("F-1", &["First.", "Second.", FINISH]));
    let story = desk.story(&["resume", "--last", "--model", &model]);
    assert_eq!(story.run.code, 5, "{story}");
    let message = story.first("resume_refused")["message"].as_str().unwrap();
    assert!(
        message.contains("`src/mine`") && message.contains("not by the agent"),
        "{message}"
    );
    let flags = ["resume", "--last", "--take-changes", "--model", &model];
    desk.story(&flags).assert_ended("all_passing", 0);
}
