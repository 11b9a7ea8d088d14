//! Reports of test runs, read strictly: what does not add up is no report.
//!
//! A report is text that the code under test wrote, so a line that only looks
//! like a summary must not count. Readers check the structure around each
//! number; they do not judge it, which is the business of [`crate::check`].
//!
//! A forgery that imitates its tool to the letter, in every line and with numbers
//! that agree, is a report to a reader. What it cannot do is claim fewer tests
//! than the base had; the rest is for the integrity of the change and for a person.
//! How long tests took is never looked at.

mod cargo;
mod exit;
mod go;
mod jest;
mod junit;
mod nextest;
mod node;
mod pytest;
mod tap;

use harness_core::{Reader, Stop, TestCounts};

use crate::text;

/// The most names kept of passed tests, and of failed ones.
pub const NAMES_MAX: usize = 20_000;

/// The largest excerpt. Unit: bytes; about 2,000 tokens of a model.
pub const EXCERPT_BYTES_MAX: usize = 8 * 1024;

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The tests it speaks of; absent when it counts none: by its nature, or
    /// because the run failed before the first test.
    pub counts: Option<TestCounts>,
    /// Tests that were left out by a filter, where the report says so.
    pub filtered: u32,
    /// Names of the failed tests, in order, at most [`NAMES_MAX`].
    pub failed: Vec<String>,
    /// Names of the passed tests, in order, at most [`NAMES_MAX`].
    pub passed: Vec<String>,
    /// The failing part, first failure first, at most [`EXCERPT_BYTES_MAX`] bytes cut at line
    /// ends; empty when nothing failed.
    pub excerpt: String,
}

/// Why output is not a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to read, though the command says all went well.
    #[error("the output has no {expected}")]
    Missing {
        /// What was looked for.
        expected: &'static str,
    },
    /// The report contradicts itself.
    #[error("the report is inconsistent: {problem}")]
    Inconsistent {
        /// What does not fit.
        problem: String,
    },
    /// The test program gave up.
    #[error("the test program bailed out: {reason}")]
    BailedOut {
        /// What it said, one line; may be empty.
        reason: String,
    },
    /// No file of the report was written.
    #[error("it wrote no report file that matches `{pattern}`")]
    NoFile {
        /// Where the gate said that it would be.
        pattern: String,
    },
    /// A file of the report is none that may be read.
    #[error("the report cannot be read: {problem}")]
    Refused {
        /// Which file, and why not.
        problem: String,
    },
}

/// The files that a gate named for its report, as they were after it ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportFiles {
    /// The pattern of the gate.
    pub pattern: String,
    /// Those that this run has written, in the order of their paths.
    pub texts: Vec<ReportText>,
    /// Why they are no report whatever they say, such as a link among them.
    pub problem: Option<String>,
}

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportText {
    /// Its path in the repository, for messages.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

impl ReportFiles {
    fn none(&self) -> ReportError {
        ReportError::NoFile {
            pattern: self.pattern.clone(),
        }
    }
}

/// Reads the whole output of a check, standard output and standard error as they came,
/// and the report files of a gate that names some.
///
/// Terminal escapes are dropped first.
///
/// # Errors
/// When that is not the report that `reader` expects, or one that does not add up.
pub fn read_report(
    reader: Reader,
    output: &str,
    files: Option<&ReportFiles>,
    stop: Stop,
) -> Result<Report, ReportError> {
    if let Some(problem) = files.and_then(|files| files.problem.clone()) {
        return Err(ReportError::Refused { problem });
    }
    let output = text::without_escapes(output);
    match reader {
        Reader::Pytest => pytest::read(&output, stop),
        Reader::Junit => junit::read(&output, files, stop),
        Reader::Go => go::read(&output, stop),
        Reader::Node => node::read(&output, stop),
        Reader::Jest | Reader::Vitest => jest::read(&output, files, stop),
        Reader::Cargo => cargo::read(&output, stop),
        Reader::Tap => tap::read(&output, stop),
        Reader::Exit => Ok(exit::read(&output, stop)),
    }
}

/// Returns the end of `output`, for a check that failed without a report.
pub(crate) fn tail_excerpt(output: &str) -> String {
    let plain = text::without_escapes(output);
    text::tail_lines(&plain, EXCERPT_BYTES_MAX).to_owned()
}

/// Tests as they are counted up, with their names.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
    passed_names: Vec<String>,
    failed_names: Vec<String>,
}

impl Tally {
    fn pass(&mut self, name: String) {
        self.passed += 1;
        keep(&mut self.passed_names, name);
    }

    fn fail(&mut self, name: String) {
        self.failed += 1;
        keep(&mut self.failed_names, name);
    }

    fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        for name in other.passed_names {
            keep(&mut self.passed_names, name);
        }
        for name in other.failed_names {
            keep(&mut self.failed_names, name);
        }
    }

    fn into_report(self, excerpt: String) -> Report {
        Report {
            counts: Some(TestCounts {
                run: self.passed.saturating_add(self.failed),
                failed: self.failed,
                skipped: self.skipped,
            }),
            filtered: 0,
            failed: self.failed_names,
            passed: self.passed_names,
            excerpt,
        }
    }
}

fn keep(names: &mut Vec<String>, name: String) {
    if names.len() < NAMES_MAX {
        names.push(name);
    }
}

/// Joins blocks of lines into an excerpt: each shortened in its middle, all together cut at the end.
fn excerpt_of(blocks: &[String]) -> String {
    /// A long block keeps its head, where a test says what it does, and more of
    /// its tail, where it says what went wrong.
    const HEAD: usize = EXCERPT_BYTES_MAX / 8;
    const TAIL: usize = EXCERPT_BYTES_MAX / 2;
    let mut excerpt = String::new();
    for block in blocks {
        if excerpt.len() >= EXCERPT_BYTES_MAX {
            break;
        }
        if block.len() <= HEAD + TAIL {
            excerpt.push_str(block);
            continue;
        }
        let head = text::head_lines(block, HEAD);
        let tail = text::tail_lines(block, TAIL);
        let omitted = block.len() - head.len() - tail.len();
        let newline = if head.ends_with('\n') { "" } else { "\n" };
        excerpt.push_str(&format!(
            "{head}{newline}[{omitted} bytes left out]\n{tail}"
        ));
    }
    text::head_lines(&excerpt, EXCERPT_BYTES_MAX).to_owned()
}

fn inconsistent(problem: impl Into<String>) -> ReportError {
    ReportError::Inconsistent {
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests;
