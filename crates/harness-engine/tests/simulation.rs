//! Thousands of whole runs with a scripted model, a fake clock and faults everywhere.
//!
//! First safety while things go wrong, then everything works and the run must
//! end. `HARNESS_SIM_SEED=n` runs one seed and tells its whole story;
//! `HARNESS_SIM_SEEDS=n` sets how many are run.

#![expect(
    clippy::unwrap_used,
    reason = "what a test builds is valid, and a panic is how it fails"
)]

#[path = "support/facts.rs"]
mod facts;
mod simulation {
    mod beside;
    mod driver;
    mod jobs;
    mod model;
    mod money;
    mod monitor;
    mod person;
    mod plan;
    mod prompt;
    mod steering;
    mod story;
    mod window;
    mod world;

    pub(crate) use driver::Driver;
    pub(crate) use plan::Bounds;
    pub(crate) use story::Story;
}

use std::{
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

use harness_core::EndReason;
use simulation::{Bounds, Driver, Story};

/// Seeds of a plain test run.
const SEEDS: u64 = 3_000;
/// Seeds run side by side.
const THREADS: u64 = 2;
/// Ends that so many runs come to.
const EVERY_END: [EndReason; 12] = [
    EndReason::AllPassing,
    EndReason::FeaturePassed,
    EndReason::Answered,
    EndReason::Failed,
    EndReason::Budget,
    EndReason::Limit,
    EndReason::Interrupted,
    EndReason::GatesRed,
    EndReason::NeedsHuman,
    EndReason::Blocked,
    EndReason::Stuck,
    EndReason::ProviderFailed,
];
/// Lines shown of a failure's story.
const LINES: usize = 30;

#[test]
fn runs_are_safe_whatever_fails_and_end_when_nothing_does() {
    if let Some(seed) = number("HARNESS_SIM_SEED") {
        return tell(seed);
    }
    let seeds = number("HARNESS_SIM_SEEDS").unwrap_or(SEEDS);
    let ends: Vec<EndReason> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|first| {
                scope.spawn(move || simulate_all((first..seeds).step_by(THREADS as usize)))
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|problem| resume_unwind(problem))
            })
            .collect()
    });
    if seeds >= SEEDS {
        for reason in EVERY_END {
            assert!(ends.contains(&reason), "no run ends {reason}");
        }
    }
}

fn simulate_all(seeds: impl Iterator<Item = u64>) -> Vec<EndReason> {
    let end = |seed| match simulate(seed, Bounds::FULL, &mut Story::default()) {
        Ok(reason) => reason,
        Err(problem) => panic!("{}", shortened(seed, &problem)),
    };
    seeds.map(end).collect()
}

/// Runs one seed; a panic inside the engine is a problem like any other.
fn simulate(seed: u64, bounds: Bounds, story: &mut Story) -> Result<EndReason, String> {
    let run = AssertUnwindSafe(|| Driver::new(seed, bounds, story).run());
    catch_unwind(run).unwrap_or_else(|_| Err("a panic".to_owned()))
}

/// Looks for the shortest run of a seed that still fails, and tells its end.
fn shortened(seed: u64, problem: &str) -> String {
    let fails = |bounds: &Bounds| simulate(seed, *bounds, &mut Story::default()).is_err();
    let full = Bounds::FULL;
    let with_faults = |faults| Bounds { faults, ..full };
    let fewest = (0..=full.faults)
        .map(with_faults)
        .find(|bounds| fails(bounds))
        .unwrap_or(full);
    let with_steps = |faulty_steps| Bounds {
        faulty_steps,
        ..fewest
    };
    let shortest = (0..=full.faulty_steps)
        .map(with_steps)
        .find(|bounds| fails(bounds))
        .unwrap_or(fewest);
    let mut story = Story::told();
    let last = simulate(seed, shortest, &mut story)
        .err()
        .unwrap_or_default();
    let lines = story.into_lines();
    let end = &lines[lines.len().saturating_sub(LINES)..];
    format!(
        "seed {seed}: {problem}\nshortest with {shortest:?}: {last}\n{}\n",
        end.join("\n")
    )
}

fn tell(seed: u64) {
    let mut story = Story::told();
    let end = simulate(seed, Bounds::FULL, &mut story);
    let lines = story.into_lines().join("\n");
    let story = format!("{lines}\nseed {seed}: {end:?}\n");
    std::io::stderr().write_all(story.as_bytes()).unwrap();
    assert!(end.is_ok(), "{end:?}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
