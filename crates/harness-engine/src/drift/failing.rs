//! Notices a gate that stays red with the same failures however the files are changed.
//!
//! Only runs that the agent asked for count, and only those on another tree than the last one:
//! a gate that runs by itself is red for as long as the work takes.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use harness_core::{CheckReport, CheckStatus, EndReason, TreeId, TurnNumber};

use super::{Come, Remark, Streak, steady};
use crate::words;

/// Runs on changed files with the same failures before the agent is told.
const SAME_TO_NUDGE: u32 = 5;
/// Runs on changed files with the same failures before a person is needed.
const SAME_MAX: u32 = 20;

/// How one gate came out up to now.
#[derive(Debug)]
struct Known {
    failures: u64,
    tree: TreeId,
    since: TurnNumber,
    streak: Streak,
}

/// The gates that are red, by name.
#[derive(Debug, Default)]
pub(super) struct Failing {
    known: BTreeMap<String, Known>,
}

impl Failing {
    pub(super) fn hear(
        &mut self,
        turn: TurnNumber,
        report: &CheckReport,
        tree: &TreeId,
    ) -> Option<Remark> {
        if report.status == CheckStatus::Green {
            self.known.remove(&report.gate);
            return None;
        }
        let failures = failures_of(report);
        let is_same = |known: &&mut Known| known.failures == failures;
        let Some(known) = self.known.get_mut(&report.gate).filter(is_same) else {
            let first = Known {
                failures,
                tree: tree.clone(),
                since: turn,
                streak: Streak(1),
            };
            self.known.insert(report.gate.clone(), first);
            return None;
        };
        if known.tree == *tree {
            return None;
        }
        known.tree = tree.clone();
        let come = known.streak.count(SAME_TO_NUDGE, SAME_MAX)?;
        let (runs, since) = (known.streak.len(), known.since);
        Some(match come {
            Come::ToNudge => Remark::Nudge(words::same_failures(report, runs, since)),
            Come::ToGivingUp => Remark::GiveUp(
                EndReason::NeedsHuman,
                words::same_failures_for_ever(report, runs, since),
            ),
        })
    }
}

/// Hashes which tests failed and what was said of them; times and lines move with every edit.
fn failures_of(report: &CheckReport) -> u64 {
    let mut hasher = DefaultHasher::new();
    report.status.to_string().hash(&mut hasher);
    report.failed_tests.hash(&mut hasher);
    without_lines(&steady(&report.reason)).hash(&mut hasher);
    without_lines(&steady(&report.excerpt)).hash(&mut hasher);
    hasher.finish()
}

/// Leaves out the numbers that stand behind a colon or before a bar, as places in a file do.
fn without_lines(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let numbered = line.trim_start();
        // rustc shows `12 |     let x`.
        let line = match numbered.split_once('|') {
            Some((number, rest)) if number.trim().bytes().all(|byte| byte.is_ascii_digit()) => rest,
            _ => line,
        };
        let mut rest = line;
        while let Some(at) = rest.find(':') {
            kept.push_str(&rest[..=at]);
            rest = rest[at + 1..].trim_start_matches(|char: char| char.is_ascii_digit());
        }
        kept.push_str(rest);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_file_make_no_difference_and_values_do() {
        let same = [
            "thread 'a' panicked at src/a.rs:14:5:\n  left: 3",
            "thread 'a' panicked at src/a.rs:15:9:\n  left: 3",
        ];
        assert_eq!(without_lines(same[0]), without_lines(same[1]));
        assert_ne!(without_lines("left: 3"), without_lines("left: 4"));
        assert_eq!(
            without_lines("12 |     let x = 1;"),
            without_lines("9 |     let x = 1;")
        );
    }
}
