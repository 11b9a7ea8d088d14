//! `cargo test`: the report of each test binary, and compiler errors before the first.
//!
//! A binary's report begins with `running N tests`, lists N results and ends
//! with `test result:`. Everything between is checked against the rest; what
//! failed tests had printed is quoted between the last result and the summary,
//! and nothing in there counts.

use harness_core::Stop;

use super::{
    EXCERPT_BYTES_MAX, Report, ReportError, Tally, excerpt_of, inconsistent, nextest, tail_excerpt,
};

/// Reads the output of `cargo test`, in its normal form or with `--quiet`, or of `cargo nextest run`.
pub(super) fn read(output: &str, stop: Stop) -> Result<Report, ReportError> {
    // Whichever begins first is the runner; the other can only be something that it quotes.
    let first = output
        .lines()
        .find(|line| running(line).is_some() || nextest::starting(line).is_some());
    if first.is_some_and(|line| nextest::starting(line).is_some()) {
        return nextest::read(output, stop);
    }
    let mut whole = Whole::default();
    for line in output.lines() {
        whole.line(line)?;
    }
    if whole.section.is_some() {
        return Err(inconsistent("a test binary began and gave no summary"));
    }
    let succeeded = stop == Stop::Exited(0);
    if whole.sections == 0 {
        if succeeded {
            return Err(ReportError::Missing {
                expected: "line `test result:`",
            });
        }
        return Ok(Report {
            excerpt: not_empty(compiler_errors(output), output),
            ..Report::default()
        });
    }
    let excerpt = match (excerpt_of(&whole.failures), succeeded) {
        (excerpt, false) if excerpt.is_empty() => not_empty(compiler_errors(output), output),
        (excerpt, _) => excerpt,
    };
    Ok(Report {
        filtered: whole.filtered,
        ..whole.tally.into_report(excerpt)
    })
}

/// All binaries so far, and the one that is being read.
#[derive(Default)]
struct Whole {
    tally: Tally,
    sections: u32,
    filtered: u32,
    /// What failed tests had printed, one block each.
    failures: Vec<String>,
    section: Option<Section>,
}

impl Whole {
    fn line(&mut self, line: &str) -> Result<(), ReportError> {
        let Some(section) = &mut self.section else {
            if let Some(expected) = running(line) {
                self.section = Some(Section::new(expected));
            } else if Summary::parse(line).is_some() {
                return Err(inconsistent("a summary stands without its `running` line"));
            }
            return Ok(());
        };
        if let Some(summary) = section.line(line)? {
            let section = self.section.take().expect("the section has just been read");
            self.close(section, &summary)?;
        }
        Ok(())
    }

    fn close(&mut self, mut section: Section, summary: &Summary) -> Result<(), ReportError> {
        section.name_failed()?;
        if let Some(last) = section.blocks.last_mut() {
            last.truncate(section.list_begins);
        }
        self.tally.add(section.tally);
        self.sections += 1;
        self.filtered = self.filtered.saturating_add(summary.filtered);
        self.failures.append(&mut section.blocks);
        Ok(())
    }
}

/// The report of one test binary.
struct Section {
    expected: u32,
    tally: Tally,
    measured: u32,
    /// A test whose name was printed before its result, as with one test thread.
    pending: Option<String>,
    /// How results are written; not known before the first.
    style: Option<Style>,
    /// Whose output the lines quote.
    quoting: Quoting,
    /// What failed tests had printed.
    blocks: Vec<String>,
    block_bytes: usize,
    /// The names of the closing `failures:` list.
    failed_list: Vec<String>,
    /// The length of the last block when that list began.
    list_begins: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Quoting {
    Nothing,
    Passed,
    Failed,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// One line per test.
    Lines,
    /// One character per test.
    Dots,
}

impl Section {
    fn new(expected: u32) -> Self {
        Self {
            expected,
            tally: Tally::default(),
            measured: 0,
            pending: None,
            style: None,
            quoting: Quoting::Nothing,
            blocks: Vec::new(),
            block_bytes: 0,
            failed_list: Vec::new(),
            list_begins: 0,
        }
    }

    fn listed(&self) -> u32 {
        self.tally.passed + self.tally.failed + self.tally.skipped + self.measured
    }

    /// Takes one line; returns the summary when the line is the section's end.
    fn line(&mut self, line: &str) -> Result<Option<Summary>, ReportError> {
        if self.listed() < self.expected {
            return self.result_line(line).map(|()| None);
        }
        match Summary::parse(line) {
            Some(summary) if self.agrees(&summary) => return Ok(Some(summary)),
            Some(summary) if self.quoting == Quoting::Nothing => {
                return Err(self.disagreement(&summary));
            }
            _ => {}
        }
        match line {
            "successes:" if self.quoting != Quoting::Failed => self.quoting = Quoting::Passed,
            "failures:" => {
                self.quoting = Quoting::Failed;
                self.failed_list.clear();
                self.list_begins = self.blocks.last().map_or(0, String::len);
            }
            _ if self.quoting == Quoting::Failed => self.quote(line),
            _ if self.quoting == Quoting::Passed => {}
            _ if running(line).is_some() => {
                return Err(inconsistent("a test binary has no summary"));
            }
            _ if result(line).is_some() => {
                return Err(inconsistent(format!(
                    "more than the announced {} tests are listed",
                    self.expected
                )));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Takes a line while results are still to come.
    fn result_line(&mut self, line: &str) -> Result<(), ReportError> {
        if running(line).is_some() {
            return Err(inconsistent("a test binary began and gave no summary"));
        }
        if let Some(summary) = Summary::parse(line) {
            return Err(self.disagreement(&summary));
        }
        if self.style != Some(Style::Dots) {
            self.named_result(line);
        }
        if self.style != Some(Style::Lines) {
            self.short_results(line);
        }
        Ok(())
    }

    fn named_result(&mut self, line: &str) {
        let outcome = match result(line) {
            Some((name, Some(outcome))) => {
                self.pending = None;
                Some((name.to_owned(), outcome))
            }
            Some((name, None)) => {
                self.pending = Some(name.to_owned());
                None
            }
            None => Outcome::parse(line).and_then(|outcome| Some((self.pending.take()?, outcome))),
        };
        if let Some((name, outcome)) = outcome {
            self.style = Some(Style::Lines);
            self.count(name, outcome);
        }
    }

    fn count(&mut self, name: String, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.tally.pass(name),
            Outcome::Failed => self.tally.fail(name),
            Outcome::Ignored => self.tally.skipped += 1,
            Outcome::Measured => self.measured += 1,
        }
    }

    /// Reads what `--quiet` writes: characters, a count now and then, and failed tests by name.
    fn short_results(&mut self, line: &str) {
        if let Some(name) = line.strip_suffix(" --- FAILED") {
            self.style = Some(Style::Dots);
            self.tally.fail(bare_name(name).to_owned());
            return;
        }
        let marks = match line.rsplit_once(' ') {
            Some((marks, progress)) if is_progress(progress) => marks.trim_end(),
            _ => line,
        };
        let fits = (marks.len() as u64) <= u64::from(self.expected - self.listed());
        if marks.is_empty() || !fits || !marks.bytes().all(|mark| b".Fiab".contains(&mark)) {
            return;
        }
        self.style = Some(Style::Dots);
        for mark in marks.bytes() {
            match mark {
                b'.' | b'a' => self.tally.passed += 1,
                b'F' => self.tally.failed += 1,
                b'i' => self.tally.skipped += 1,
                _ => self.measured += 1,
            }
        }
    }

    /// Takes a line of what failed tests had printed, or of the list of their names.
    fn quote(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("    ")
            && self.failed_list.len() < super::NAMES_MAX
        {
            self.failed_list.push(name.to_owned());
        }
        // The first failures fill the excerpt; what comes after is not needed.
        if self.block_bytes > 8 * EXCERPT_BYTES_MAX {
            return;
        }
        let begins = line.starts_with("---- ") && line.ends_with(" ----");
        if begins {
            self.blocks.push(String::new());
        }
        if let Some(block) = self.blocks.last_mut() {
            if block.ends_with("\n\n") && line.is_empty() {
                return;
            }
            block.push_str(line);
            block.push('\n');
            self.block_bytes += line.len() + 1;
        }
    }

    /// Whether a summary says what was listed.
    fn agrees(&self, summary: &Summary) -> bool {
        let tally = &self.tally;
        (summary.passed, summary.failed) == (tally.passed, tally.failed)
            && (summary.ignored, summary.measured) == (tally.skipped, self.measured)
            && summary.ok == (tally.failed == 0)
            && self.pending.is_none()
    }

    fn disagreement(&self, summary: &Summary) -> ReportError {
        inconsistent(format!(
            "{} tests were announced, {} listed, and the summary speaks of {}",
            self.expected,
            self.listed(),
            summary.total()
        ))
    }

    /// Takes the names of failed tests from the closing list where the results had none.
    fn name_failed(&mut self) -> Result<(), ReportError> {
        let named = self.tally.failed_names.len();
        if named == self.tally.failed as usize || named == super::NAMES_MAX {
            return Ok(());
        }
        if self.failed_list.len() == self.tally.failed as usize {
            self.tally.failed_names = std::mem::take(&mut self.failed_list);
            return Ok(());
        }
        Err(inconsistent(format!(
            "{} tests failed and {} of them are named",
            self.tally.failed,
            self.failed_list.len()
        )))
    }
}

#[derive(Clone, Copy)]
enum Outcome {
    Passed,
    Failed,
    Ignored,
    Measured,
}

impl Outcome {
    /// Parses what follows ` ... `: `ok`, `FAILED`, `ignored, reason`, with or without a time.
    fn parse(text: &str) -> Option<Self> {
        let word = text.split([' ', ',', ':']).next()?;
        match word {
            "ok" if text == "ok" || text.starts_with("ok <") => Some(Self::Passed),
            "FAILED" if text == "FAILED" || text.starts_with("FAILED <") => Some(Self::Failed),
            "FAILED" if text.starts_with("FAILED (time limit exceeded)") => Some(Self::Failed),
            "ignored" if text == "ignored" || text.starts_with("ignored,") => Some(Self::Ignored),
            "bench" if text.starts_with("bench:") => Some(Self::Measured),
            _ => None,
        }
    }
}

/// Reads a line `test NAME ... RESULT`; the result is absent where something else stands in its place.
///
/// A process that a test started may have written to the same line before.
fn result(line: &str) -> Option<(&str, Option<Outcome>)> {
    let (before, outcome) = line.split_once(" ... ")?;
    let name = match before.strip_prefix("test ") {
        Some(name) => name,
        None => &before[before.rfind("test ")? + "test ".len()..],
    };
    Some((bare_name(name), Outcome::parse(outcome)))
}

/// Returns a test's name without the mode that is written behind it.
fn bare_name(name: &str) -> &str {
    [" - should panic", " - compile fail", " - compile"]
        .iter()
        .find_map(|mode| name.strip_suffix(mode))
        .unwrap_or(name)
}

/// Reads `running N tests`.
fn running(line: &str) -> Option<u32> {
    let (count, word) = line.strip_prefix("running ")?.split_once(' ')?;
    let count = count.parse().ok()?;
    (word == if count == 1 { "test" } else { "tests" }).then_some(count)
}

/// Whether a text is a count of the form `88/212`.
fn is_progress(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(done, all)| done.parse::<u32>().is_ok() && all.parse::<u32>().is_ok())
}

/// The line `test result:` of one binary.
struct Summary {
    ok: bool,
    passed: u32,
    failed: u32,
    ignored: u32,
    measured: u32,
    filtered: u32,
}

impl Summary {
    fn parse(line: &str) -> Option<Self> {
        let (word, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let ok = match word {
            "ok" => true,
            "FAILED" => false,
            _ => return None,
        };
        let mut parts = counts.split("; ");
        let mut part = |unit: &str| -> Option<u32> {
            let count = parts.next()?.strip_suffix(unit)?.strip_suffix(' ')?;
            count.parse().ok()
        };
        Some(Self {
            ok,
            passed: part("passed")?,
            failed: part("failed")?,
            ignored: part("ignored")?,
            measured: part("measured")?,
            filtered: part("filtered out")?,
        })
    }

    fn total(&self) -> u64 {
        [self.passed, self.failed, self.ignored, self.measured]
            .into_iter()
            .map(u64::from)
            .sum()
    }
}

/// Returns the blocks of the compiler's errors, each up to the empty line behind it.
fn compiler_errors(output: &str) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in output.lines() {
        if line.starts_with("error: ") || line.starts_with("error[") {
            blocks.push(String::new());
            is_open = true;
        }
        if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            block.push_str(line);
            block.push('\n');
            is_open = !line.is_empty();
        }
    }
    excerpt_of(&blocks)
}

fn not_empty(excerpt: String, output: &str) -> String {
    if excerpt.is_empty() {
        tail_excerpt(output)
    } else {
        excerpt
    }
}
