//! What the run of a gate's command means: its colour and the reason for it.
//!
//! Green takes everything at once: the exit code, a report that adds up, as
//! many tests as on the base, and no more skips. The runner collects the facts
//! and calls [`judge`]; the engine decides what a colour means for the run.

use std::collections::HashMap;

use harness_core::{Baseline, Captured, CheckReport, CheckStatus, Gate, Stop, TestCounts};
use serde_json::{Value, json};

use crate::{
    canonical,
    readers::{Report, ReportFiles, read_report, tail_excerpt},
    text::one_line,
};

/// The most names of failed tests in a [`CheckReport`].
const FAILED_NAMES_MAX: usize = 200;

/// The longest reason. Unit: bytes.
const REASON_BYTES_MAX: usize = 400;

/// What happened when a gate's command was run.
#[derive(Clone, Debug)]
pub struct RunFacts<'a> {
    /// What was run.
    pub argv: Vec<String>,
    /// How it ended; absent when it did not start.
    pub stop: Option<Stop>,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
    /// Head and tail of what it wrote, for the log.
    pub output: Captured,
    /// Everything it wrote, for the reader.
    pub full_text: &'a str,
    /// The files it wrote its report to; absent where the gate names none.
    pub report_files: Option<ReportFiles>,
    /// SHA-256 of everything it wrote, in hexadecimal.
    pub output_sha256: String,
    /// Why it could not be started.
    pub start_error: Option<String>,
}

/// Judges a run of a gate's command against the gate's demands and its run on the base.
///
/// Without a baseline only the gate's own floor of tests is demanded, and
/// `no-worse` is as good as `strict`. A green report may still have a reason:
/// the failures that were there before.
pub fn judge(gate: &Gate, run: RunFacts<'_>, baseline: Option<&CheckReport>) -> CheckReport {
    judge_named(gate, run, baseline).0
}

/// Judges as [`judge`] does, and returns the names of the passed tests beside the report.
pub fn judge_named(
    gate: &Gate,
    run: RunFacts<'_>,
    baseline: Option<&CheckReport>,
) -> (CheckReport, Vec<String>) {
    let judgement = match (&run.start_error, run.stop) {
        (Some(error), _) => Judgement::error(error.clone()),
        (None, None) => Judgement::error("it was not run"),
        (None, Some(stop)) => judge_stop(gate, &run, stop, baseline),
    };
    let Judgement {
        status,
        reason,
        report,
    } = judgement;
    let report = report.unwrap_or_else(|| Report {
        excerpt: tail_excerpt(run.full_text),
        ..Report::default()
    });
    let mut failed_tests = report.failed;
    failed_tests.truncate(FAILED_NAMES_MAX);
    let report_of_run = CheckReport {
        gate: gate.name.clone(),
        argv: run.argv,
        stop: run.stop,
        ms: run.ms,
        status,
        reason: one_line(&reason, REASON_BYTES_MAX),
        tests: report.counts,
        failed_tests,
        excerpt: match status {
            CheckStatus::Green => String::new(),
            _ => report.excerpt,
        },
        output: run.output,
        output_sha256: run.output_sha256,
        retried: false,
    };
    (report_of_run, report.passed)
}

/// Returns the names of the failed tests that were red on the base already, in order.
pub fn known_failures_of<'a>(report: &'a CheckReport, base: &CheckReport) -> Vec<&'a str> {
    let fresh = unknown(&report.failed_tests, &base.failed_tests);
    let known = report.failed_tests.iter().map(String::as_str);
    known.filter(|name| !fresh.contains(name)).collect()
}

/// Returns the SHA-256 of a gate's definition, in hexadecimal.
pub fn gate_hash(gate: &Gate) -> String {
    canonical::value_hash(definition(gate))
}

/// Returns the SHA-256 of the definitions of several gates, in hexadecimal; their order does not matter.
pub fn gates_hash<'a>(gates: impl IntoIterator<Item = &'a Gate>) -> String {
    let mut gates: Vec<&Gate> = gates.into_iter().collect();
    gates.sort_by(|a, b| a.name.cmp(&b.name));
    canonical::value_hash(gates.into_iter().map(definition).collect())
}

/// Writes a definition for its hash; stored hashes depend on this form.
///
/// A key that came later stands in it only where a gate sets it, so that hashes
/// of gates without it stay what they were.
fn definition(gate: &Gate) -> Value {
    let mut definition = json!({
        "name": gate.name,
        "run": gate.run,
        "cwd": gate.cwd,
        "environment": gate.environment,
        "timeout_ms": u64::try_from(gate.timeout.as_millis()).unwrap_or(u64::MAX),
        "report": gate.reader,
        "min_tests": gate.min_tests,
        "when": gate.when,
        "baseline": gate.baseline,
        "paths": gate.paths,
    });
    // Gates that do not say it have the hash they had before it could be said.
    if let Some(file) = &gate.report_file {
        definition["report_file"] = json!(file);
    }
    if gate.flaky_retries > 0 {
        definition["flaky_retries"] = json!(gate.flaky_retries);
    }
    definition
}

/// A colour with its reason, and the report where one was read.
struct Judgement {
    status: CheckStatus,
    reason: String,
    report: Option<Report>,
}

impl Judgement {
    fn error(reason: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Error,
            reason: reason.into(),
            report: None,
        }
    }

    fn timeout(reason: String) -> Self {
        Self {
            status: CheckStatus::Timeout,
            reason,
            report: None,
        }
    }
}

fn judge_stop(
    gate: &Gate,
    run: &RunFacts<'_>,
    stop: Stop,
    baseline: Option<&CheckReport>,
) -> Judgement {
    match stop {
        Stop::Exited(_) | Stop::Signalled(_) => judge_report(gate, run, stop, baseline),
        Stop::TimedOut => Judgement::timeout(format!("not done after {}", seconds(run.ms))),
        Stop::Silent => Judgement::timeout(format!("fell silent, ended after {}", seconds(run.ms))),
        Stop::Flooded => Judgement::error("it wrote more than its output limit"),
        Stop::Cancelled => Judgement::error("it was cancelled"),
        Stop::Crowded => Judgement::error("it had more processes than its limit"),
        Stop::TooLarge => Judgement::error("its processes took more memory than their limit"),
    }
}

fn judge_report(
    gate: &Gate,
    run: &RunFacts<'_>,
    stop: Stop,
    baseline: Option<&CheckReport>,
) -> Judgement {
    let report = match read_report(gate.reader, run.full_text, run.report_files.as_ref(), stop) {
        Ok(report) => report,
        Err(error) => return Judgement::error(format!("{}, {error}", ending(stop))),
    };
    let demands = failures(gate, stop, &report, baseline)
        .and_then(|known| counts(gate, report.counts, baseline).map(|()| known));
    let (status, reason) = match demands {
        Ok(known) => (CheckStatus::Green, known_failures(known)),
        Err(reason) => (CheckStatus::Red, reason),
    };
    Judgement {
        status,
        reason,
        report: Some(report),
    }
}

/// Weighs exit code and failed tests; returns how many failures were known before, or why it is red.
fn failures(
    gate: &Gate,
    stop: Stop,
    report: &Report,
    baseline: Option<&CheckReport>,
) -> Result<usize, String> {
    let (run, failed) = report
        .counts
        .map_or((0, 0), |counts| (counts.run, counts.failed));
    match (stop, report.counts) {
        (Stop::Exited(0), _) if failed == 0 => return Ok(0),
        (Stop::Exited(_), Some(_)) if failed > 0 => {}
        (Stop::Exited(_), Some(_)) => {
            return Err(format!("{}, though no test failed", ending(stop)));
        }
        _ => return Err(ending(stop)),
    }
    let known = match (gate.baseline, baseline) {
        (Baseline::NoWorse, Some(base)) => base.failed_tests.as_slice(),
        _ => &[],
    };
    let fresh = unknown(&report.failed, known);
    let all_named = report.failed.len() == failed as usize;
    if fresh.is_empty() && all_named {
        return Ok(report.failed.len());
    }
    let known = report.failed.len() - fresh.len();
    let known = match known {
        0 => String::new(),
        known => format!(", {known} of them known"),
    };
    let failed = format!("{failed} of {run} tests failed{known}");
    Err(match names(&fresh) {
        names if names.is_empty() => failed,
        names => format!("{failed}: {names}"),
    })
}

/// Weighs the numbers of tests that ran and that were skipped.
fn counts(
    gate: &Gate,
    counts: Option<TestCounts>,
    baseline: Option<&CheckReport>,
) -> Result<(), String> {
    let Some(counts) = counts else {
        return match gate.min_tests {
            0 => Ok(()),
            least => Err(format!(
                "no test is counted, at least {least} were expected"
            )),
        };
    };
    let base = baseline
        .and_then(|baseline| baseline.tests)
        .unwrap_or(TestCounts {
            skipped: u32::MAX,
            ..TestCounts::default()
        });
    let (least, origin) = if base.run > gate.min_tests {
        (base.run, "as on the base")
    } else {
        (gate.min_tests, "`min_tests`")
    };
    if counts.run < least {
        let ran = counted(counts.run, "test ran", "tests ran");
        return Err(format!("{ran}, at least {least} were expected ({origin})"));
    }
    if counts.skipped > base.skipped {
        let skipped = counted(counts.skipped, "test is skipped", "tests are skipped");
        return Err(format!("{skipped}, {} on the base", base.skipped));
    }
    Ok(())
}

/// Returns the names that stand in `failed` more often than in `known`, in order.
///
/// Several binaries may have a test of the same name, so names are counted.
fn unknown<'a>(failed: &'a [String], known: &[String]) -> Vec<&'a str> {
    let mut left: HashMap<&str, u32> = HashMap::new();
    for name in known {
        *left.entry(name).or_default() += 1;
    }
    let mut fresh = Vec::new();
    for name in failed {
        match left.get_mut(name.as_str()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => fresh.push(name.as_str()),
        }
    }
    fresh
}

/// Writes the first names, and how many more there are.
fn names(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| one_line(name, 100))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn known_failures(known: usize) -> String {
    match known {
        0 => String::new(),
        1 => "1 known failure".to_owned(),
        more => format!("{more} known failures"),
    }
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn ending(stop: Stop) -> String {
    match stop {
        Stop::Exited(code) => format!("exit {code}"),
        Stop::Signalled(signal) => format!("ended by signal {signal}"),
        Stop::TimedOut
        | Stop::Silent
        | Stop::Flooded
        | Stop::Cancelled
        | Stop::Crowded
        | Stop::TooLarge => "cut off".to_owned(),
    }
}

fn seconds(ms: u64) -> String {
    format!("{} s", ms / 1000)
}

#[cfg(test)]
mod tests;
