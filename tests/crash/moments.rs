//! `kill -9` at seeded random moments of a run of several features; resumed, it ends as if nothing had been.
//!
//! `HARNESS_KILLS=500` tries so many moments, `HARNESS_KILL_SEED` begins elsewhere; each moment's own
//! number is shown, and `HARNESS_KILL_AT=NUMBER` tries that one alone.

use std::{
    collections::BTreeMap,
    env, fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use super::tale::{Outcome, STEPS, Tale, mended, two_at_a_time, uninterrupted};
use crate::support::{assert_gone, say};

/// How many moments are tried when nobody asks for more.
const USUAL: u64 = 4;

/// Where a random number comes from: splitmix64, so that a seed says everything.
fn random(seed: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Measures how long each step takes on this machine now.
fn durations() -> [Duration; 3] {
    let tale = Tale::new();
    STEPS.map(|step| {
        let begun = Instant::now();
        let _ = tale.command(step).output().unwrap();
        begun.elapsed()
    })
}

/// Says what the program was about, by the last record of its log.
fn phase(tale: &Tale, step: usize) -> &'static str {
    if step == 2 {
        return "land";
    }
    let sessions = fs::read_dir(tale.git_folder().join("harness/sessions"))
        .into_iter()
        .flatten()
        .flatten();
    let mut logs: Vec<_> = sessions
        .map(|entry| entry.path().join("log.jsonl"))
        .collect();
    logs.sort();
    let text = logs
        .last()
        .and_then(|log| fs::read_to_string(log).ok())
        .unwrap_or_default();
    let kinds = text
        .lines()
        .filter_map(|line| line.split("\"event\":{\"type\":\"").nth(1));
    let kinds: Vec<&str> = kinds.filter_map(|rest| rest.split('"').next()).collect();
    let at = |wanted: &str| kinds.iter().rposition(|kind| *kind == wanted);
    if at("call_judged") > at("call_ended") && at("call_judged") > at("finish_requested") {
        return "tool";
    }
    let kind = kinds.last().copied().unwrap_or("nothing");
    match kind {
        "nothing"
        | "session_opened"
        | "session_resumed"
        | "baseline_ended"
        | "feature_status_changed" => "open",
        "turn_started" | "request_paced" | "nudged" => "request",
        "model_responded" | "call_judged" | "call_ended" | "note_taken" | "document_loaded" => {
            "tool"
        }
        "checkpoint_saved" | "checkpoint_unchanged" | "stray_undone" => "checkpoint",
        "finish_requested" | "candidate_frozen" | "gate_started" | "check_ended"
        | "finish_refused" => "gate",
        "gate_ended" | "negative_control_ended" | "feature_passed" => "commit",
        "stop_decided" | "budget_warned" | "handed_over" | "session_ended" | "run_ended" => {
            "hand-over"
        }
        _ => "other",
    }
}

/// Kills one run and takes it up; returns the phase and how it went on.
fn kill_at(
    number: u64,
    durations: &[Duration; 3],
    wanted: &Outcome,
) -> (&'static str, Result<Vec<i32>, String>) {
    let whole: Duration = durations.iter().sum();
    let mut moment = whole.mul_f64((random(number) % 1_000_000) as f64 / 1e6);
    let tale = Tale::new();
    for (step, arguments) in STEPS.iter().enumerate() {
        let mut command = tale.command(arguments);
        if moment >= durations[step] && step < 2 {
            moment -= durations[step];
            let _ = command.output().unwrap();
            continue;
        }
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(moment);
        let _ = child.kill();
        let _ = child.wait();
        let phase = phase(&tale, step);
        let word = tale.word.clone();
        if std::panic::catch_unwind(|| assert_gone(&word, "after a kill")).is_err() {
            return (phase, Err("a process outlived the kill".to_owned()));
        }
        return (phase, mended(&tale, wanted));
    }
    ("none", Err("there is no such moment".to_owned()))
}

#[test]
fn a_kill_at_a_random_moment_costs_nothing() {
    let number = |name: &str| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let (count, seed) = (
        number("HARNESS_KILLS").unwrap_or(USUAL),
        number("HARNESS_KILL_SEED").unwrap_or(1),
    );
    let moments: Vec<u64> = match number("HARNESS_KILL_AT") {
        Some(one) => vec![one],
        None => (seed..seed + count).collect(),
    };
    let wanted = uninterrupted();
    let durations = durations();
    let ends = two_at_a_time(&moments, |moment| kill_at(*moment, &durations, &wanted));
    let mut table: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let mut failures = Vec::new();
    for (moment, (phase, end)) in moments.iter().zip(&ends) {
        let row = table.entry(phase).or_default();
        row.0 += 1;
        match end {
            // One resume and a landing are the usual way.
            Ok(codes) => row.1 += usize::from(codes.len() > 2),
            Err(why) => {
                row.2 += 1;
                failures.push(format!("HARNESS_KILL_AT={moment} ({phase}): {why}"));
            }
        }
    }
    say(&format!(
        "killed at {} moments from seed {seed}, steps of {durations:?}",
        moments.len()
    ));
    for (phase, (count, again, wrong)) in table {
        say(&format!(
            "  {phase:<11} {count:>4} kills, {again} resumed more than once, {wrong} wrong"
        ));
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        moments.len(),
        failures.join("\n")
    );
}
