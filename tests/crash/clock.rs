//! The clock goes back in the middle of a run, or is decades behind from its beginning.

use std::fs;

use harness_testkit::Run;

use super::{
    shim::{preload, shim},
    tale::{STEPS, Tale, calm, uninterrupted},
};

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
