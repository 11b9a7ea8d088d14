//! `pytest`: results as words or as characters, and the summary that must agree with them.
//!
//! A run says how many tests it collected, gives a result for each, quotes what
//! failed in sections, and ends with one summary. Results are counted where they
//! are given, and a summary that says something else is no report. What tests had
//! printed is quoted inside of sections, where nothing counts.
//!
//! Tests run in the process that writes the report. One that prints everything a
//! run would print, numbers that fit included, and then ends the process with
//! code 0 cannot be told from such a run by its text: what holds it is the number
//! of tests on the base, and that a call which ends the process is found in the change.

use std::collections::HashSet;

use harness_core::Stop;

use super::{
    EXCERPT_BYTES_MAX, NAMES_MAX, Report, ReportError, Tally, excerpt_of, inconsistent, keep,
    tail_excerpt,
};

/// Reads the output of `pytest`.
pub(super) fn read(output: &str, stop: Stop) -> Result<Report, ReportError> {
    let mut run = Run::default();
    for line in output.lines() {
        run.line(line)?;
    }
    let succeeded = stop == Stop::Exited(0);
    let Some(summary) = run.summary.take() else {
        if succeeded {
            let expected = match run.only_collected {
                true => "run of the tests it collected",
                false => "summary such as `3 passed in 0.12s`",
            };
            return Err(ReportError::Missing { expected });
        }
        return Ok(Report {
            excerpt: run.excerpt(output),
            ..Report::default()
        });
    };
    run.check(&summary)?;
    let excerpt = match succeeded && run.listed.failed + run.listed.errors == 0 {
        true => String::new(),
        false => run.excerpt(output),
    };
    Ok(Report {
        filtered: summary.deselected,
        ..run.into_tally(&summary).into_report(excerpt)
    })
}

/// Everything read so far.
#[derive(Default)]
struct Run {
    collected: Option<Collected>,
    listed: Numbers,
    style: Option<Style>,
    /// A test whose name was printed before its result.
    pending: Option<String>,
    passed_names: Vec<String>,
    failed_names: Vec<String>,
    /// Names of the closing list, for a run that gives results as characters.
    named_failures: Vec<String>,
    named_passes: Vec<String>,
    /// Which section is being read; none while results are given.
    section: Option<Section>,
    /// What failed, one block each.
    blocks: Vec<String>,
    block_bytes: usize,
    summary: Option<Summary>,
    /// Whether the run said that it stops before its last test.
    is_cut: bool,
    only_collected: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// One line per test.
    Lines,
    /// One character per test.
    Marks,
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    /// What failed tests had printed, and their tracebacks.
    Failures,
    /// The closing list of names.
    Names,
    Other,
}

/// What the run said before the first test.
#[derive(Clone, Copy)]
struct Collected {
    /// Tests that are to run.
    selected: u32,
    /// Errors and skips of whole files; not known where several workers collect.
    beside: Option<(u32, u32)>,
}

/// Results by their kind.
#[derive(Clone, Copy, Default, PartialEq)]
struct Numbers {
    passed: u32,
    failed: u32,
    errors: u32,
    skipped: u32,
    known: u32,
    unexpected: u32,
    /// Failed parts of tests; a summary counts them as failed.
    subtests_failed: u32,
}

impl Numbers {
    fn without_errors(&self) -> u32 {
        [
            self.passed,
            self.failed,
            self.skipped,
            self.known,
            self.unexpected,
        ]
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl Run {
    fn line(&mut self, line: &str) -> Result<(), ReportError> {
        if let Some(title) = framed(line, '!') {
            self.is_cut |= title.starts_with("stopping after")
                || title.starts_with("Interrupted:")
                || title.starts_with("xdist.dsession.Interrupted:")
                || title.ends_with("KeyboardInterrupt");
            return Ok(());
        }
        if let Some(summary) = Summary::parse(line) {
            return self.take_summary(summary);
        }
        if let Some(title) = framed(line, '=') {
            return self.begin_section(title);
        }
        match self.section {
            None => self.result_line(line),
            Some(Section::Failures) => {
                self.quote(line);
                Ok(())
            }
            Some(Section::Names) => {
                self.name_line(line);
                Ok(())
            }
            Some(Section::Other) => Ok(()),
        }
    }

    /// Takes a summary. Inside of a section it may be something that a test had printed, so
    /// the last one counts; among the results it is the end or a contradiction.
    fn take_summary(&mut self, summary: Summary) -> Result<(), ReportError> {
        if self.section.is_none() && self.summary.is_some() {
            return Err(inconsistent("there is more than one summary"));
        }
        self.only_collected |= summary.is_collection;
        self.summary = (!summary.is_collection).then_some(summary);
        Ok(())
    }

    fn begin_section(&mut self, title: &str) -> Result<(), ReportError> {
        if title == "test session starts" {
            let is_second = self.collected.is_some() || self.style.is_some();
            return match is_second && self.section.is_none() {
                true => Err(inconsistent("a second session begins among the results")),
                false => Ok(()),
            };
        }
        self.section = Some(match title {
            "FAILURES" | "ERRORS" => Section::Failures,
            "short test summary info" => Section::Names,
            _ => Section::Other,
        });
        Ok(())
    }

    fn result_line(&mut self, line: &str) -> Result<(), ReportError> {
        if let Some(collected) = Collected::parse(line) {
            if self.collected.is_some() {
                return Err(inconsistent("tests were collected twice"));
            }
            self.collected = Some(collected);
            return Ok(());
        }
        let line = without_progress(line);
        if let Some((name, outcome)) = named_result(line) {
            self.style = Some(Style::Lines);
            self.count(outcome);
            self.keep(name, outcome);
        } else if let Some(outcome) = Outcome::of_word(line)
            && let Some(name) = self.pending.take()
        {
            self.style = Some(Style::Lines);
            self.count(outcome);
            self.keep(&name, outcome);
        } else if self.style != Some(Style::Lines)
            && let Some(marks) = marks(line)
        {
            self.style = Some(Style::Marks);
            for mark in marks {
                self.count(mark);
            }
        } else if let Some(name) = begun(line) {
            self.pending = Some(name.to_owned());
        }
        if self.summary.is_some() && self.style.is_some() && named_result(line).is_some() {
            return Err(inconsistent("a result follows the summary"));
        }
        Ok(())
    }

    fn count(&mut self, outcome: Outcome) {
        let listed = &mut self.listed;
        let number = match outcome {
            Outcome::Passed => &mut listed.passed,
            Outcome::Failed => &mut listed.failed,
            Outcome::Error => &mut listed.errors,
            Outcome::Skipped => &mut listed.skipped,
            Outcome::Known => &mut listed.known,
            Outcome::Unexpected => &mut listed.unexpected,
            Outcome::SubtestFailed => &mut listed.subtests_failed,
            Outcome::Nothing => return,
        };
        *number = number.saturating_add(1);
    }

    fn keep(&mut self, name: &str, outcome: Outcome) {
        let name = name.trim().to_owned();
        match outcome {
            Outcome::Passed | Outcome::Unexpected => keep(&mut self.passed_names, name),
            Outcome::Failed | Outcome::Error | Outcome::SubtestFailed => {
                keep(&mut self.failed_names, name);
            }
            _ => {}
        }
    }

    /// Takes a line of what failed.
    fn quote(&mut self, line: &str) {
        if self.block_bytes > 8 * EXCERPT_BYTES_MAX {
            return;
        }
        if framed(line, '_').is_some() {
            self.blocks.push(String::new());
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
            self.block_bytes += line.len() + 1;
        }
    }

    /// Takes a line of the closing list: `FAILED name - message`.
    fn name_line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let name = rest.split(" - ").next().unwrap_or(rest).trim();
        let names = match word {
            "FAILED" | "ERROR" => &mut self.named_failures,
            _ if word.starts_with("SUBFAILED(") => &mut self.named_failures,
            "PASSED" => &mut self.named_passes,
            _ => return,
        };
        if names.len() < NAMES_MAX && !name.is_empty() {
            names.push(name.to_owned());
        }
    }

    /// Holds what was listed against what was collected and what the summary says.
    fn check(&self, summary: &Summary) -> Result<(), ReportError> {
        let (listed, said) = (&self.listed, &summary.numbers);
        let (errors, skips) = (
            said.errors.checked_sub(listed.errors),
            said.skipped.checked_sub(listed.skipped),
        );
        let beside = match self.collected.and_then(|collected| collected.beside) {
            Some((expected_errors, expected_skips)) => {
                errors == Some(expected_errors) && skips == Some(expected_skips)
            }
            None => errors.is_some() && skips.is_some(),
        };
        let failed = listed.failed.saturating_add(listed.subtests_failed);
        let fits = (listed.passed, failed) == (said.passed, said.failed)
            && (listed.known, listed.unexpected) == (said.known, said.unexpected)
            && beside;
        if !fits {
            return Err(inconsistent(format!(
                "{} results are listed and the summary speaks of {}",
                u64::from(listed.without_errors()) + u64::from(listed.errors),
                u64::from(said.without_errors()) + u64::from(said.errors)
            )));
        }
        let Some(collected) = self.collected else {
            return Ok(());
        };
        let least = listed.without_errors();
        let most = least.saturating_add(listed.errors);
        let is_whole = (least..=most).contains(&collected.selected);
        let may_be_cut = self.is_cut && said.failed + said.errors > 0 && least < collected.selected;
        if !is_whole && !may_be_cut {
            return Err(inconsistent(format!(
                "{} tests were collected and {least} have a result",
                collected.selected
            )));
        }
        Ok(())
    }

    fn into_tally(self, summary: &Summary) -> Tally {
        let said = &summary.numbers;
        let is_listed = self.style == Some(Style::Lines);
        let mut failed_names = self.failed_names;
        let known: HashSet<String> = failed_names.iter().cloned().collect();
        failed_names.extend(
            self.named_failures
                .into_iter()
                .filter(|name| !known.contains(name)),
        );
        Tally {
            passed: said.passed.saturating_add(said.unexpected),
            failed: said.failed.saturating_add(said.errors),
            skipped: said.skipped.saturating_add(said.known),
            passed_names: match is_listed {
                true => self.passed_names,
                false => self.named_passes,
            },
            failed_names,
        }
    }

    /// Returns what failed; where no section tells it, the closing list or the end of the output.
    fn excerpt(&self, output: &str) -> String {
        let excerpt = excerpt_of(&self.blocks);
        if !excerpt.is_empty() {
            return excerpt;
        }
        let is_failure = |line: &&str| line.starts_with("FAILED ") || line.starts_with("ERROR ");
        let named: Vec<String> = output
            .lines()
            .filter(is_failure)
            .map(|line| format!("{line}\n"))
            .collect();
        match named.is_empty() {
            true => tail_excerpt(output),
            false => excerpt_of(&named),
        }
    }
}

impl Collected {
    /// Reads `collected 3 items / 1 error / 1 deselected / 2 selected`, or `2 workers [3 items]`.
    fn parse(line: &str) -> Option<Self> {
        if let Some(workers) = Self::of_workers(line) {
            return Some(workers);
        }
        let said = match line.starts_with("collecting ") {
            true => &line[line.find("collected ")?..],
            false => line,
        };
        let mut parts = said.strip_prefix("collected ")?.trim().split(" / ");
        let (items, unit) = parts.next()?.split_once(' ')?;
        let items: u32 = items.parse().ok()?;
        if unit != "item" && unit != "items" {
            return None;
        }
        let (mut deselected, mut errors, mut skips) = (0, 0, 0);
        for part in parts {
            let (count, word) = part.split_once(' ')?;
            let count: u32 = count.parse().ok()?;
            match word {
                "error" | "errors" => errors = count,
                "skipped" => skips = count,
                "deselected" => deselected = count,
                "selected" => {}
                _ => return None,
            }
        }
        Some(Self {
            selected: items.checked_sub(deselected)?,
            beside: Some((errors, skips)),
        })
    }

    fn of_workers(line: &str) -> Option<Self> {
        let (workers, rest) = line.split_once(' ')?;
        workers.parse::<u32>().ok()?;
        let rest = rest
            .strip_prefix("workers [")
            .or_else(|| rest.strip_prefix("worker ["))?;
        let (items, unit) = rest.trim_end().strip_suffix(']')?.split_once(' ')?;
        (unit == "item" || unit == "items").then_some(Self {
            selected: items.parse().ok()?,
            beside: None,
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Passed,
    Failed,
    Error,
    Skipped,
    /// Failed as it was expected to.
    Known,
    /// Passed where it was expected to fail.
    Unexpected,
    SubtestFailed,
    /// Something that is no test's result, such as a run that is repeated.
    Nothing,
}

const WORDS: [(&str, Outcome); 7] = [
    ("PASSED", Outcome::Passed),
    ("FAILED", Outcome::Failed),
    ("ERROR", Outcome::Error),
    ("SKIPPED", Outcome::Skipped),
    ("XFAIL", Outcome::Known),
    ("XPASS", Outcome::Unexpected),
    ("RERUN", Outcome::Nothing),
];

impl Outcome {
    /// Reads a word that stands alone, or before a reason in parentheses.
    fn of_word(text: &str) -> Option<Self> {
        WORDS.iter().find_map(|(word, outcome)| {
            let rest = text.strip_prefix(word)?;
            let is_reason = rest.starts_with(" (") && rest.ends_with(')');
            (rest.is_empty() || is_reason).then_some(*outcome)
        })
    }

    const fn of_mark(mark: u8) -> Option<Self> {
        Some(match mark {
            b'.' => Self::Passed,
            b'F' => Self::Failed,
            b'E' => Self::Error,
            b's' => Self::Skipped,
            b'x' => Self::Known,
            b'X' => Self::Unexpected,
            b'u' => Self::SubtestFailed,
            b'R' | b',' | b'-' => Self::Nothing,
            _ => return None,
        })
    }
}

/// Reads `tests/a.py::test_b PASSED`, or `[gw0] [ 10%] PASSED tests/a.py::test_b`.
fn named_result(line: &str) -> Option<(&str, Outcome)> {
    if let Some(rest) = line.strip_prefix("[gw") {
        let (_, rest) = rest.split_once("] ")?;
        let rest = match rest.strip_prefix('[') {
            Some(progress) => progress.split_once("] ")?.1,
            None => rest,
        };
        let (word, name) = rest.split_once(' ')?;
        return Some((name, Outcome::of_word(word)?)).filter(|(name, _)| name.contains("::"));
    }
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let result = WORDS.iter().find_map(|(word, outcome)| {
        let name = line.strip_suffix(word)?.strip_suffix(' ')?;
        Some((name, *outcome))
    });
    let result = result.or_else(|| {
        line.ends_with(')').then_some(())?;
        WORDS.iter().find_map(|(word, outcome)| {
            let at = line.find(&format!(" {word} ("))?;
            Some((&line[..at], *outcome))
        })
    });
    let result = result.or_else(|| subtest(line));
    result.filter(|(name, _)| name.contains("::"))
}

/// Reads `tests/a.py::test_b SUBFAILED(number=1)`, the result of a part of a test.
fn subtest(line: &str) -> Option<(&str, Outcome)> {
    const WORDS: [(&str, Outcome); 3] = [
        (" SUBFAILED(", Outcome::SubtestFailed),
        (" SUBPASSED(", Outcome::Nothing),
        (" SUBSKIPPED(", Outcome::Nothing),
    ];
    WORDS.iter().find_map(|(word, outcome)| {
        let (name, _) = line.split_once(word)?;
        Some((name, *outcome))
    })
}

/// Reads the name of a test that has begun, where its result may stand on a later line.
fn begun(line: &str) -> Option<&str> {
    let name = line.split(' ').next()?;
    (name.contains("::") && !name.starts_with("::")).then_some(name)
}

/// Reads the characters of `tests/a.py ..F`, or of a line that has nothing else.
fn marks(line: &str) -> Option<Vec<Outcome>> {
    let marks = match line.rsplit_once(' ') {
        Some((path, marks)) => {
            let path = path.trim_end();
            let is_path = path.contains(['.', '/']) && !path.starts_with([' ', '\t', '.']);
            if !is_path || path.contains(": ") {
                return None;
            }
            marks
        }
        None => line,
    };
    if marks.is_empty() {
        return None;
    }
    marks.bytes().map(Outcome::of_mark).collect()
}

/// Returns a line without ` [ 42%]` or ` [ 3/10]` at its end.
fn without_progress(line: &str) -> &str {
    let line = line.trim_end();
    let Some((before, progress)) = line.rsplit_once('[') else {
        return line;
    };
    let is_progress = progress.strip_suffix(']').is_some_and(|inside| {
        let inside = inside.trim();
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match (inside.strip_suffix('%'), inside.split_once('/')) {
            (Some(percent), _) => digits(percent),
            (None, Some((done, all))) => digits(done.trim()) && digits(all.trim()),
            (None, None) => false,
        }
    });
    match is_progress && before.ends_with([' ', '.', 's', 'F', 'E', 'x', 'X']) {
        true => before.trim_end(),
        false => line,
    }
}

/// Returns the title of a line such as `==== FAILURES ====`.
fn framed(line: &str, frame: char) -> Option<&str> {
    const LEAST: usize = 3;
    let line = line.trim_end();
    let inside = line.trim_start_matches(frame);
    let title = inside.trim_end_matches(frame);
    let before = line.len() - inside.len();
    let after = inside.len() - title.len();
    let title = title.strip_prefix(' ')?.strip_suffix(' ')?;
    // A long title leaves room for few characters beside it.
    (before >= 1 && after >= 1 && (before + after >= 2 * LEAST || line.len() >= 78))
        .then_some(title)
}

/// The last line that matters: `1 failed, 2 passed in 0.12s`, with or without a frame.
#[derive(Clone, Copy)]
struct Summary {
    numbers: Numbers,
    deselected: u32,
    /// Whether tests were only collected and none was run.
    is_collection: bool,
}

impl Summary {
    fn parse(line: &str) -> Option<Self> {
        let text = framed(line, '=').unwrap_or(line.trim_end());
        let (counts, time) = text.rsplit_once(" in ")?;
        is_time(time).then_some(())?;
        let mut summary = Self {
            numbers: Numbers::default(),
            deselected: 0,
            is_collection: false,
        };
        if counts == "no tests ran" {
            return Some(summary);
        }
        for part in counts.split(", ") {
            summary.take(part)?;
        }
        Some(summary)
    }

    fn take(&mut self, part: &str) -> Option<()> {
        if part == "no tests ran" {
            return Some(());
        }
        if part.contains("collected") {
            let rest = part.split_once(' ')?.1;
            self.is_collection = rest.starts_with("test") || rest.contains("tests collected");
            return self.is_collection.then_some(());
        }
        let (count, word) = part.split_once(' ')?;
        let count: u32 = count.parse().ok()?;
        let numbers = &mut self.numbers;
        match word {
            "passed" => numbers.passed = count,
            "failed" => numbers.failed = count,
            "error" | "errors" => numbers.errors = count,
            "skipped" => numbers.skipped = count,
            "xfailed" => numbers.known = count,
            "xpassed" => numbers.unexpected = count,
            "deselected" => self.deselected = count,
            "warning" | "warnings" | "rerun" | "reruns" | "flaky" => {}
            _ if word.starts_with("subtest") => {}
            _ => return None,
        }
        Some(())
    }
}

/// Whether a text is how long a run took: `0.12s` or `75.00s (0:01:15)`; what it says does not matter.
fn is_time(text: &str) -> bool {
    let seconds = text.split(' ').next().unwrap_or_default();
    seconds
        .strip_suffix('s')
        .or_else(|| text.strip_suffix(" seconds"))
        .is_some_and(|number| {
            !number.is_empty()
                && number
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || b"-.,".contains(&byte))
        })
}
