//! The Test Anything Protocol, with subtests as `node --test` writes them.
//!
//! What is counted are the innermost tests. Lines that are no part of the
//! protocol are noise; indented lines are subtests only where the output
//! announces subtests with `# Subtest`.

use std::collections::HashSet;

use harness_core::Stop;

use super::{Report, ReportError, Tally, excerpt_of, inconsistent, tail_excerpt};
use crate::text::one_line;

/// Subtests nested deeper are noise.
const DEPTH_MAX: usize = 16;

/// The most lines of one failure in the excerpt.
const FAILURE_LINES_MAX: usize = 60;

/// The most failures kept for the excerpt.
const FAILURES_MAX: usize = 200;

/// Reads the output of a TAP producer.
pub(super) fn read(output: &str, stop: Stop) -> Result<Report, ReportError> {
    let mut stream = Stream::default();
    for line in output.lines() {
        stream.line(line)?;
    }
    let excerpt = excerpt_of(&stream.failures);
    let succeeded = stop == Stop::Exited(0);
    match stream.finish()? {
        Some(tally) => {
            let excerpt = match excerpt.as_str() {
                "" if !succeeded => tail_excerpt(output),
                _ => excerpt,
            };
            Ok(tally.into_report(excerpt))
        }
        None if succeeded => Err(ReportError::Missing {
            expected: "TAP plan such as `1..4`",
        }),
        None => Ok(Report {
            excerpt: tail_excerpt(output),
            ..Report::default()
        }),
    }
}

#[derive(Default)]
struct Stream {
    /// Open levels, outermost first.
    levels: Vec<Level>,
    has_subtests: bool,
    /// The indent of the diagnostic block that is being read.
    diagnostics: Option<usize>,
    /// Where a diagnostic block may begin: the indent behind the last test line.
    diagnostics_at: Option<usize>,
    failures: Vec<String>,
    /// Lines of the last failure so far; zero while none is open.
    failure_lines: usize,
}

/// The tests at one depth below one parent.
#[derive(Default)]
struct Level {
    plan: Option<u32>,
    /// Whether the plan came when there were tests already, so that none may follow.
    is_closed: bool,
    numbers: HashSet<u32>,
    last: u32,
    tally: Tally,
}

impl Stream {
    fn line(&mut self, line: &str) -> Result<(), ReportError> {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if self.is_diagnostic(indent, content) {
            self.extend_failure(line);
            return Ok(());
        }
        let depth = indent / 4;
        if content.starts_with("# Subtest") {
            self.has_subtests = true;
            self.failure_lines = 0;
            return Ok(());
        }
        let is_protocol =
            indent == 0 || (self.has_subtests && indent.is_multiple_of(4) && depth < DEPTH_MAX);
        if is_protocol {
            if let Some(reason) = content.strip_prefix("Bail out!") {
                return Err(ReportError::BailedOut {
                    reason: one_line(reason, 200),
                });
            }
            if let Some(plan) = parse_plan(content) {
                self.failure_lines = 0;
                return self.level(depth).set_plan(plan);
            }
            if let Some(point) = Point::parse(content) {
                return self.point(depth, &point, line);
            }
        }
        self.extend_failure(line);
        Ok(())
    }

    /// Whether the line belongs to a YAML block, where anything may stand.
    fn is_diagnostic(&mut self, indent: usize, content: &str) -> bool {
        match self.diagnostics {
            Some(at) => {
                if indent == at && content.trim_end() == "..." {
                    self.diagnostics = None;
                }
                true
            }
            None => {
                let at = self.diagnostics_at.take();
                if at == Some(indent) && content.trim_end() == "---" {
                    self.diagnostics = at;
                }
                self.diagnostics.is_some()
            }
        }
    }

    fn level(&mut self, depth: usize) -> &mut Level {
        if self.levels.len() <= depth {
            self.levels.resize_with(depth + 1, Level::default);
        }
        &mut self.levels[depth]
    }

    /// Takes a test line: a parent when a level is open below it, else a test of its own.
    fn point(&mut self, depth: usize, point: &Point<'_>, line: &str) -> Result<(), ReportError> {
        self.failure_lines = 0;
        self.diagnostics_at = Some(depth * 4 + 2);
        let children = self.close_below(depth)?;
        let name = self.level(depth).name(point)?;
        let level = &mut self.levels[depth];
        let Some(mut children) = children else {
            if level.count(point, name) {
                self.open_failure(line);
            }
            return Ok(());
        };
        children.qualify(&name);
        let fails_alone = point.is_failure() && children.failed == 0;
        level.tally.add(children);
        if fails_alone {
            level.tally.fail(name);
            self.open_failure(line);
        }
        Ok(())
    }

    /// Ends the level right below `depth`; none below that may be open.
    fn close_below(&mut self, depth: usize) -> Result<Option<Tally>, ReportError> {
        match self.levels.len().saturating_sub(depth + 1) {
            0 => Ok(None),
            1 => {
                let level = self.levels.pop().expect("a level below `depth` is open");
                level.finish().map(Some)
            }
            _ => Err(inconsistent("subtests have no test above them")),
        }
    }

    fn open_failure(&mut self, line: &str) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(format!("{line}\n"));
            self.failure_lines = 1;
        }
    }

    fn extend_failure(&mut self, line: &str) {
        if !(1..FAILURE_LINES_MAX).contains(&self.failure_lines) {
            return;
        }
        if let Some(failure) = self.failures.last_mut() {
            failure.push_str(line);
            failure.push('\n');
            self.failure_lines += 1;
        }
    }

    /// Ends the stream; `None` when there was nothing of the protocol.
    fn finish(mut self) -> Result<Option<Tally>, ReportError> {
        if self.levels.len() > 1 {
            return Err(inconsistent("subtests have no test above them"));
        }
        self.levels.pop().map(Level::finish).transpose()
    }
}

impl Level {
    fn set_plan(&mut self, plan: u32) -> Result<(), ReportError> {
        if self.plan.is_some() {
            return Err(inconsistent("there is more than one plan"));
        }
        self.plan = Some(plan);
        self.is_closed = !self.numbers.is_empty();
        Ok(())
    }

    /// Takes the number of a test line and returns the test's name.
    fn name(&mut self, point: &Point<'_>) -> Result<String, ReportError> {
        let number = point.number.unwrap_or(self.last.saturating_add(1));
        if self.is_closed {
            return Err(inconsistent(format!(
                "test {number} follows the final plan"
            )));
        }
        if number == 0 || !self.numbers.insert(number) {
            return Err(inconsistent(format!("test {number} is reported twice")));
        }
        self.last = number;
        Ok(match point.name {
            "" => format!("test {number}"),
            name => one_line(name, 500),
        })
    }

    /// Counts a test; returns whether it failed.
    fn count(&mut self, point: &Point<'_>, name: String) -> bool {
        if point.is_failure() {
            self.tally.fail(name);
            return true;
        }
        if point.is_skipped() {
            self.tally.skipped += 1;
        } else {
            self.tally.pass(name);
        }
        false
    }

    /// Checks the plan against the tests that came.
    fn finish(self) -> Result<Tally, ReportError> {
        let plan = self
            .plan
            .ok_or_else(|| inconsistent("there is no plan such as `1..4`"))?;
        let came = self.numbers.len();
        if came != plan as usize || self.numbers.iter().any(|number| *number > plan) {
            return Err(inconsistent(format!(
                "{plan} tests were planned and {came} are reported"
            )));
        }
        Ok(self.tally)
    }
}

impl Tally {
    /// Puts a parent's name before the names of its tests.
    fn qualify(&mut self, parent: &str) {
        let names = self.passed_names.iter_mut().chain(&mut self.failed_names);
        for name in names {
            *name = format!("{parent} > {name}");
        }
    }
}

/// A line `ok` or `not ok`.
struct Point<'a> {
    ok: bool,
    number: Option<u32>,
    name: &'a str,
    directive: Directive,
}

#[derive(Clone, Copy, PartialEq)]
enum Directive {
    None,
    Skip,
    Todo,
}

impl<'a> Point<'a> {
    fn parse(content: &'a str) -> Option<Self> {
        let (ok, rest) = match content.strip_prefix("not ok") {
            Some(rest) => (false, rest),
            None => (true, content.strip_prefix("ok")?),
        };
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        let rest = rest.trim_start();
        let digits = rest.len()
            - rest
                .trim_start_matches(|char: char| char.is_ascii_digit())
                .len();
        let (number, rest) = match rest[digits..].chars().next() {
            None | Some(' ') if digits > 0 => (Some(rest[..digits].parse().ok()?), &rest[digits..]),
            _ => (None, rest),
        };
        let (name, directive) = split_directive(rest);
        let name = name.trim();
        Some(Self {
            ok,
            number,
            name: name.strip_prefix('-').unwrap_or(name).trim(),
            directive,
        })
    }

    /// Whether it failed: a test that is known not to work yet did not.
    fn is_failure(&self) -> bool {
        !self.ok && self.directive != Directive::Todo
    }

    /// Whether it proves nothing: skipped, or not expected to work, whether it does or not.
    fn is_skipped(&self) -> bool {
        self.directive != Directive::None
    }
}

/// Splits a description at its directive: ` # SKIP` or ` # TODO`, in any case.
fn split_directive(text: &str) -> (&str, Directive) {
    let bytes = text.as_bytes();
    let marks = text.match_indices('#').map(|(at, _)| at);
    for at in marks.filter(|at| *at == 0 || bytes[at - 1] != b'\\') {
        let word = text[at + 1..].trim_start().as_bytes();
        for (name, directive) in [(b"skip", Directive::Skip), (b"todo", Directive::Todo)] {
            if word
                .get(..4)
                .is_some_and(|word| word.eq_ignore_ascii_case(name))
            {
                return (&text[..at], directive);
            }
        }
    }
    (text, Directive::None)
}

/// Reads a plan `1..N`, with or without a comment.
fn parse_plan(content: &str) -> Option<u32> {
    let rest = content.strip_prefix("1..")?;
    let count = rest.split('#').next()?.trim_end();
    count.parse().ok()
}
