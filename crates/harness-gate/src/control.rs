//! The negative control: tests that a change adds are run on the base as well.
//!
//! A new test that passes without the change proves nothing about it. This
//! module says what is run and what the result means; it never makes anything
//! red. The engine asks whether there is something to run, the runner lays the
//! test files over the base, runs the gates there and compares.

use std::collections::HashMap;

use harness_core::{
    Change, ChangeKind, CheckReport, ControlCheck, ControlOutcome, Gate, NegativeControl, Reader,
    RepoPath, Stop,
};

use crate::{integrity::is_test_path, text::one_line};

/// Why a gate is not tried whose tests are all known on the base.
pub const NOTHING_NEW: &str = "no passed test is new by its name";

/// The longest reason of a check. Unit: bytes.
const REASON_BYTES_MAX: usize = 300;

/// What a negative control runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPlan {
    /// The files that are laid over the base.
    pub files: Vec<RepoPath>,
    /// The gates that are run there: those that name their tests.
    pub gates: Vec<Gate>,
    /// What it does not cover, one line; empty when it covers all.
    pub left_out: String,
}

/// Says what is to be run for a change, or why nothing is.
///
/// # Errors
/// The reason, in words, when there is nothing to run.
pub fn plan(changes: &[Change], gates: &[Gate]) -> Result<ControlPlan, String> {
    let files: Vec<RepoPath> = changes
        .iter()
        .filter(|change| change.kind != ChangeKind::Deleted && is_test_path(&change.path))
        .map(|change| change.path.clone())
        .collect();
    if files.is_empty() {
        return Err("no test file was added or changed".to_owned());
    }
    let gates: Vec<Gate> = gates
        .iter()
        .filter(|gate| gate.reader.names_tests())
        .cloned()
        .collect();
    if gates.is_empty() {
        return Err("no gate names its tests".to_owned());
    }
    let left_out = left_out(changes, &gates);
    Ok(ControlPlan {
        files,
        gates,
        left_out,
    })
}

/// Tests that stand among the code cannot be had without it.
fn left_out(changes: &[Change], gates: &[Gate]) -> String {
    let is_rust = gates.iter().any(|gate| gate.reader == Reader::Cargo);
    let is_source = |change: &Change| {
        change.kind != ChangeKind::Deleted
            && change.path.as_bytes().ends_with(b".rs")
            && !is_test_path(&change.path)
    };
    if is_rust && changes.iter().any(is_source) {
        "tests inside Rust source files stand with the code and are not tried".to_owned()
    } else {
        String::new()
    }
}

/// How a gate came out, with the names of the tests that passed.
#[derive(Clone, Copy, Debug)]
pub struct NamedReport<'a> {
    /// The report.
    pub report: &'a CheckReport,
    /// The names.
    pub passed: &'a [String],
}

/// Whether a test passed that the base does not know by its name.
pub fn adds_tests(candidate: &[String], base: NamedReport<'_>) -> bool {
    !fresh(candidate, base).is_empty()
}

/// Says what a gate's run on the base with the added tests shows.
///
/// `candidate` names what passed with the change, `base` how the gate came out
/// without change and tests, `control` how it came out with the tests alone.
pub fn compare(
    candidate: &[String],
    base: NamedReport<'_>,
    control: NamedReport<'_>,
) -> ControlCheck {
    let report = control.report;
    let skipped = |reason: String| {
        ControlCheck::skipped(
            report.gate.as_str(),
            one_line(&reason, REASON_BYTES_MAX),
            report.ms,
        )
    };
    let fresh = fresh(candidate, base);
    if fresh.is_empty() {
        return skipped(NOTHING_NEW.to_owned());
    }
    let code = match report.stop {
        Some(Stop::Exited(code)) => code,
        Some(Stop::TimedOut | Stop::Silent) => {
            return skipped("it takes longer than the gate itself".to_owned());
        }
        _ => return skipped(format!("it could not be run: {}", report.reason)),
    };
    if report.tests.is_none() && code == 0 {
        return skipped(format!("its report could not be read: {}", report.reason));
    }
    let passed = self::fresh(control.passed, base);
    let tests = in_both(&fresh, &passed);
    let outcome = if tests.is_empty() {
        ControlOutcome::Needed
    } else {
        ControlOutcome::ProvesNothing
    };
    ControlCheck {
        gate: report.gate.clone(),
        outcome,
        count: u32::try_from(tests.len()).unwrap_or(u32::MAX),
        tests: tests
            .into_iter()
            .take(NegativeControl::NAMES_MAX)
            .map(|name| one_line(name, REASON_BYTES_MAX))
            .collect(),
        reason: one_line(&report.reason, REASON_BYTES_MAX),
        ms: report.ms,
    }
}

/// Returns the names that the base does not know, neither passed nor failed.
fn fresh<'a>(names: &'a [String], base: NamedReport<'a>) -> Vec<&'a String> {
    let known = base.passed.iter().chain(&base.report.failed_tests);
    without(names.iter(), known)
}

/// Returns the names that stand in `names` more often than in `known`, in order.
///
/// Several binaries may have a test of the same name, so names are counted.
fn without<'a>(
    names: impl Iterator<Item = &'a String>,
    known: impl Iterator<Item = &'a String>,
) -> Vec<&'a String> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for name in known {
        *left.entry(name).or_default() += 1;
    }
    let is_new = |name: &&String| match left.get_mut(name.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    names.filter(is_new).collect()
}

fn in_both<'a>(one: &[&'a String], other: &[&'a String]) -> Vec<&'a String> {
    let rest = without(one.iter().copied(), other.iter().copied());
    without(one.iter().copied(), rest.into_iter())
}

#[cfg(test)]
mod tests;
