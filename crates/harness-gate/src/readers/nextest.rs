//! `cargo nextest run`: a line per test, between the number that starts and the summary.
//!
//! Each test runs in a process of its own, and what it wrote is quoted with an
//! indent, so nothing in there is a line of the report. Told apart from `cargo
//! test` by its first line of either; called by the reader `cargo`.

use std::collections::HashMap;

use harness_core::Stop;

use super::{
    EXCERPT_BYTES_MAX, Report, ReportError, Tally, excerpt_of, inconsistent, tail_excerpt,
};

/// The width to which the word of a result is filled up.
const WORD_WIDTH: usize = 12;

/// Reads `    Starting 4 tests across 2 binaries`.
pub(super) fn starting(line: &str) -> Option<u32> {
    let rest = line.strip_prefix("    Starting ")?;
    let (count, rest) = rest.split_once(' ')?;
    let unit = rest.starts_with("test across ") || rest.starts_with("tests across ");
    unit.then(|| count.parse().ok()).flatten()
}

/// Reads the output of `cargo nextest run`, which has a line that [`starting`] knows.
pub(super) fn read(output: &str, stop: Stop) -> Result<Report, ReportError> {
    let mut run = Run::default();
    for line in output.lines() {
        run.line(line)?;
    }
    let succeeded = stop == Stop::Exited(0);
    let Some(summary) = &run.summary else {
        return Err(inconsistent("nextest began and gave no summary"));
    };
    run.check(summary)?;
    let skipped = summary.skipped;
    let blocks: Vec<String> = run
        .results
        .iter()
        .filter(|result| result.has_failed)
        .map(|result| result.block.clone())
        .collect();
    let excerpt = match excerpt_of(&blocks) {
        excerpt if excerpt.is_empty() && !succeeded => tail_excerpt(output),
        excerpt => excerpt,
    };
    let mut tally = Tally {
        skipped,
        ..Tally::default()
    };
    for result in run.results {
        match result.has_failed {
            true => tally.fail(result.name),
            false => tally.pass(result.name),
        }
    }
    Ok(tally.into_report(excerpt))
}

#[derive(Default)]
struct Run {
    starting: Option<u32>,
    results: Vec<Outcome>,
    /// Where the result of a test stands; a repeated test has one result, its last.
    by_name: HashMap<String, usize>,
    /// Which result the lines belong to.
    open: Option<usize>,
    summary: Option<Summary>,
}

struct Outcome {
    name: String,
    has_failed: bool,
    /// The line and what the test had written.
    block: String,
}

impl Run {
    fn line(&mut self, line: &str) -> Result<(), ReportError> {
        if let Some(count) = starting(line) {
            if self.starting.replace(count).is_some() {
                return Err(inconsistent("nextest starts twice"));
            }
        } else if let Some(summary) = Summary::parse(line) {
            if self.summary.replace(summary).is_some() {
                return Err(inconsistent("there is more than one summary"));
            }
        } else if self.starting.is_some() && self.summary.is_none() {
            self.result_line(line);
        }
        Ok(())
    }

    fn result_line(&mut self, line: &str) {
        let Some((has_failed, name)) = result(line) else {
            if line.starts_with("──") || line.starts_with("  Cancelling") {
                self.open = None;
            }
            if let Some(open) = self.open {
                let block = &mut self.results[open].block;
                if block.len() < 2 * EXCERPT_BYTES_MAX {
                    block.push_str(line);
                    block.push('\n');
                }
            }
            return;
        };
        let block = format!("{}\n", line.trim());
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.results.push(Outcome {
                name: name.to_owned(),
                has_failed,
                block: String::new(),
            });
            self.results.len() - 1
        });
        self.results[at].has_failed = has_failed;
        self.results[at].block = block;
        self.open = Some(at);
    }

    fn check(&self, summary: &Summary) -> Result<(), ReportError> {
        let failed = self.results.iter().filter(|result| result.has_failed);
        let failed = failed.count() as u64;
        let listed = self.results.len() as u64;
        let starting = u64::from(self.starting.unwrap_or_default());
        let (run, passed) = (u64::from(summary.run), u64::from(summary.passed));
        let fits = listed == run
            && passed + u64::from(summary.failed) == run
            && failed == u64::from(summary.failed);
        if !fits || run > starting {
            return Err(inconsistent(format!(
                "{starting} tests were started, {listed} listed, and the summary speaks of {run}"
            )));
        }
        if run < starting && failed == 0 {
            return Err(inconsistent(format!(
                "{starting} tests were started and {run} were run"
            )));
        }
        Ok(())
    }
}

/// Reads `        PASS [   0.004s] (1/4) demo tests::good`: whether it failed, and its name.
fn result(line: &str) -> Option<(bool, &str)> {
    let (word, rest) = line.split_once(" [")?;
    let is_filled = word.chars().count() == WORD_WIDTH || word.trim_start() == word;
    let word = word.trim_start();
    let (time, rest) = rest.split_once("] ")?;
    time.trim().strip_suffix('s')?.trim().parse::<f64>().ok()?;
    let name = match rest.trim_start().strip_prefix('(') {
        Some(counted) => counted.split_once(") ")?.1,
        None => rest,
    };
    let name = name.trim();
    let word = match word.strip_prefix("TRY ") {
        Some(tried) => tried.split_once(' ')?.1,
        None => word,
    };
    let has_failed = match word {
        "PASS" | "LEAK" => false,
        _ if word.starts_with("FLAKY ") => false,
        "FAIL" | "ABORT" | "ABRT" | "SEGV" | "TIMEOUT" | "TMT" | "LEAK-FAIL" | "LKFAIL"
        | "XFAIL" | "FL+LK" => true,
        _ if word.starts_with("SIG") => true,
        _ => return None,
    };
    (is_filled && !name.is_empty()).then_some((has_failed, name))
}

/// The line `     Summary [   0.010s] 4 tests run: 3 passed (1 slow), 1 failed, 1 skipped`.
struct Summary {
    run: u32,
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Summary {
    fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("     Summary [")?;
        let (run, counts) = rest.split_once("] ")?.1.split_once(" run: ")?;
        let (run, unit) = run.split_once(' ')?;
        if unit != "test" && unit != "tests" {
            return None;
        }
        // `2/5` where the run was stopped.
        let run = run.split('/').next()?.parse().ok()?;
        let mut summary = Self {
            run,
            passed: 0,
            failed: 0,
            skipped: 0,
        };
        for part in without_parentheses(counts).split(", ") {
            let (count, word) = part.trim().split_once(' ')?;
            let count: u32 = count.parse().ok()?;
            match word {
                "passed" => summary.passed = count,
                "skipped" => summary.skipped = count,
                "failed" | "timed out" | "exec failed" => {
                    summary.failed = summary.failed.checked_add(count)?;
                }
                _ => return None,
            }
        }
        Some(summary)
    }
}

/// Leaves out what stands in parentheses: of which kind the passed ones were.
fn without_parentheses(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(" (") {
        plain.push_str(before);
        rest = inside.split_once(')').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}
