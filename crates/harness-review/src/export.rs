//! A review written out: as Markdown for people, as JSON for programs.
//!
//! Everything in it comes from agents and repositories: in Markdown, what a reader would obey is made
//! visible and every fence is longer than what it holds. Weakened tests come first.

mod json;
mod markdown;

use harness_core::{Finding, Timestamp};

use crate::{Book, Change, Standing, finding_rank};

pub use json::{JSON_VERSION, json};
pub use markdown::markdown;

/// The most of the changed lines that are written out; what is more is counted. Unit: bytes.
pub const LINES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A review as it is written out.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// What it is a review of: a feature, a session, a range.
    pub title: &'a str,
    /// What the change is seen against, in words.
    pub base: &'a str,
    /// When it is written out.
    pub time: Timestamp,
    /// What differs.
    pub change: &'a Change,
    /// How it stands: what [`crate::standing`] said of the change and the book.
    pub standing: &'a Standing,
    /// What was decided and said.
    pub book: &'a Book,
    /// What was found in the change.
    pub findings: &'a [ShownFinding<'a>],
    /// What was proven about it.
    pub evidence: &'a [ShownCheck],
}

/// A finding, and whether a person has approved it.
#[derive(Clone, Copy, Debug)]
pub struct ShownFinding<'a> {
    /// What was found.
    pub finding: &'a Finding,
    /// Whether it was approved.
    pub is_approved: bool,
}

/// A check that ran on the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownCheck {
    /// The gate it belongs to.
    pub gate: String,
    /// What became of it, in a word: `green`, `red`, `error`, `timeout`, `stale`.
    pub status: String,
    /// How many tests ran, failed and were skipped, if that is known.
    pub tests: Option<[u32; 3]>,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
    /// The tree it ran on.
    pub tree: String,
    /// The failing part of what it said; empty where nothing failed.
    pub failed: String,
}

impl<'a> Exported<'a> {
    /// Returns the findings, weakened tests first and open ones before approved ones.
    fn findings(&self) -> Vec<&'a ShownFinding<'a>> {
        let mut findings: Vec<&ShownFinding<'_>> = self.findings.iter().collect();
        findings.sort_by_key(|shown| (finding_rank(shown.finding.kind), shown.is_approved));
        findings
    }
}

#[cfg(test)]
mod tests;
