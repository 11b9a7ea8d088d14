//! `node --test`: its reporter `spec`, and `tap` by the reader of that.
//!
//! Test files run in processes of their own, and what they write is passed on
//! as it is, so any line may be theirs but the last ones: the runner closes with
//! its totals, and then repeats what failed. Every line above that looks like a
//! result is counted, and the totals must be the same.

use harness_core::Stop;

use super::{Report, ReportError, Tally, excerpt_of, inconsistent, tail_excerpt, tap};
use crate::text::one_line;

/// Tests nested deeper are noise.
const DEPTH_MAX: usize = 16;

/// What stands before a line of the totals.
const TOTAL: &str = "\u{2139} ";

/// Reads the output of `node --test`, whichever of the two reporters wrote it.
pub(super) fn read(output: &str, stop: Stop) -> Result<Report, ReportError> {
    if output.lines().any(|line| line.starts_with("TAP version ")) {
        return tap::read(output, stop);
    }
    let succeeded = stop == Stop::Exited(0);
    let lines: Vec<&str> = output.lines().collect();
    let Some((at, totals)) = totals(&lines) else {
        return match succeeded {
            true => Err(ReportError::Missing {
                expected: "totals of `node --test` such as `\u{2139} tests 4`",
            }),
            false => Ok(Report {
                excerpt: tail_excerpt(output),
                ..Report::default()
            }),
        };
    };
    let listed = Listed::of(&lines[..at]);
    let tally = listed.check(&totals)?;
    let excerpt = match excerpt_of(&failures(&lines[at..])) {
        excerpt if excerpt.is_empty() && !succeeded => tail_excerpt(output),
        excerpt => excerpt,
    };
    Ok(tally.into_report(excerpt))
}

/// The closing totals.
#[derive(Default)]
struct Totals {
    tests: u32,
    suites: u32,
    pass: u32,
    fail: u32,
    cancelled: u32,
    skipped: u32,
    todo: u32,
}

/// Finds the last totals: their first line, and what they say.
fn totals(lines: &[&str]) -> Option<(usize, Totals)> {
    let first = |line: &&str| {
        line.strip_prefix(TOTAL)
            .is_some_and(|rest| count(rest, "tests").is_some())
    };
    let at = lines.iter().rposition(first)?;
    let mut said = lines[at..]
        .iter()
        .map_while(|line| line.strip_prefix(TOTAL));
    let mut next = |word| count(said.next()?, word);
    let totals = Totals {
        tests: next("tests")?,
        suites: next("suites")?,
        pass: next("pass")?,
        fail: next("fail")?,
        cancelled: next("cancelled")?,
        skipped: next("skipped")?,
        todo: next("todo")?,
    };
    Some((at, totals))
}

fn count(text: &str, word: &str) -> Option<u32> {
    text.strip_prefix(word)?
        .strip_prefix(' ')?
        .trim_end()
        .parse()
        .ok()
}

/// The results above the totals.
#[derive(Default)]
struct Listed {
    /// Tests that are counted: those without tests below them.
    tally: Tally,
    /// Every line of a result, parents too.
    lines: u32,
    todo: u32,
    failed_lines: u32,
    /// Results that wait for a parent, by their depth.
    waiting: Vec<Vec<Outcome>>,
}

/// One result.
#[derive(Clone)]
struct Outcome {
    name: String,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Passed,
    Failed,
    Skipped,
}

impl Listed {
    fn of(lines: &[&str]) -> Self {
        let mut listed = Self::default();
        for line in lines {
            if let Some((depth, result, is_todo)) = result(line) {
                listed.take(depth, result, is_todo);
            }
        }
        for results in std::mem::take(&mut listed.waiting) {
            listed.count(results);
        }
        listed
    }

    fn take(&mut self, depth: usize, result: Outcome, is_todo: bool) {
        self.lines += 1;
        self.todo += u32::from(is_todo);
        self.failed_lines += u32::from(result.mark == Mark::Failed);
        if self.waiting.len() <= depth {
            self.waiting.resize_with(depth + 1, Vec::new);
        }
        // A line that stands less deep than those before it is their parent.
        let children: Vec<Outcome> = self.waiting.drain(depth + 1..).flatten().collect();
        if children.is_empty() {
            self.waiting[depth].push(result);
            return;
        }
        let is_failed_alone =
            result.mark == Mark::Failed && children.iter().all(|child| child.mark != Mark::Failed);
        let below = children.into_iter().map(|child| Outcome {
            name: one_line(&format!("{} > {}", result.name, child.name), 500),
            ..child
        });
        self.waiting[depth].extend(below);
        if is_failed_alone {
            self.waiting[depth].push(result);
        }
    }

    fn count(&mut self, results: Vec<Outcome>) {
        for result in results {
            match result.mark {
                Mark::Passed => self.tally.pass(result.name),
                Mark::Failed => self.tally.fail(result.name),
                Mark::Skipped => self.tally.skipped += 1,
            }
        }
    }

    /// Holds the results against the totals.
    fn check(self, totals: &Totals) -> Result<Tally, ReportError> {
        let parts = [
            totals.pass,
            totals.fail,
            totals.cancelled,
            totals.skipped,
            totals.todo,
        ];
        let sum: u64 = parts.into_iter().map(u64::from).sum();
        if sum != u64::from(totals.tests) {
            return Err(inconsistent(format!(
                "the totals speak of {} tests and sum up to {sum}",
                totals.tests
            )));
        }
        let said = u64::from(totals.tests) + u64::from(totals.suites);
        if u64::from(self.lines) != said {
            return Err(inconsistent(format!(
                "{} results are listed and the totals speak of {said}",
                self.lines
            )));
        }
        let failed = u64::from(totals.fail) + u64::from(totals.cancelled);
        let fits = match failed {
            0 => totals.suites > 0 || self.failed_lines == 0,
            _ => self.failed_lines > 0 && u64::from(self.failed_lines) >= failed,
        };
        if !fits {
            return Err(inconsistent(format!(
                "{} results are failures and the totals speak of {failed}",
                self.failed_lines
            )));
        }
        Ok(self.tally)
    }
}

/// Reads `  ✔ name (0.1ms) # SKIP`; also whether it is one that is known not to work yet.
fn result(line: &str) -> Option<(usize, Outcome, bool)> {
    let content = line.trim_start_matches(' ');
    let indent = line.len() - content.len();
    if !indent.is_multiple_of(2) || indent / 2 > DEPTH_MAX {
        return None;
    }
    let (mark, rest) = content.split_once(' ')?;
    let mark = match mark {
        "\u{2714}" => Mark::Passed,
        "\u{2716}" => Mark::Failed,
        "\u{fe63}" | "\u{26a0}" => Mark::Skipped,
        // A parent as older versions end it, and as all of them begin it, then without a time.
        "\u{25b6}" => Mark::Passed,
        _ => return None,
    };
    let (name, rest) = rest.rsplit_once(" (")?;
    let (time, directive) = rest.split_once(')')?;
    time.strip_suffix("ms")?.parse::<f64>().ok()?;
    let directive = directive.trim_start();
    let is_todo = directive.starts_with("# TODO");
    if !directive.is_empty() && !directive.starts_with('#') {
        return None;
    }
    // What is not expected to work proves nothing, whether it does or not.
    let mark = match is_todo || directive.starts_with("# SKIP") {
        true => Mark::Skipped,
        false => mark,
    };
    let name = one_line(name, 500);
    Some((indent / 2, Outcome { name, mark }, is_todo))
}

/// Returns what the runner repeats behind its totals, one block for each failure.
fn failures(lines: &[&str]) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let behind = lines
        .iter()
        .skip_while(|line| !line.ends_with("failing tests:"));
    for line in behind.skip(1) {
        if line.starts_with("test at ") {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}
