//! JUnit's XML, as Surefire, Gradle, pytest and many others write it, from report files.
//!
//! A suite says how many tests it has and how many failed; these numbers must be
//! those of its elements. A document type is refused, and so is anything that is
//! not well-formed: what a crash cut off is no report. How long tests took is not looked at.

use harness_core::Stop;
use roxmltree::{Document, Node, ParsingOptions};

use super::{Report, ReportError, ReportFiles, Tally, excerpt_of, inconsistent, tail_excerpt};
use crate::text::one_line;

/// Suites nested deeper are refused.
const DEPTH_MAX: usize = 16;

/// The most nodes of one file.
const NODES_MAX: u32 = 2_000_000;

/// Reads the files of a report.
pub(super) fn read(
    output: &str,
    files: Option<&ReportFiles>,
    stop: Stop,
) -> Result<Report, ReportError> {
    let succeeded = stop == Stop::Exited(0);
    let files = files.ok_or(ReportError::Missing {
        expected: "report file, because the gate names none",
    })?;
    if files.texts.is_empty() {
        return match succeeded {
            true => Err(files.none()),
            false => Ok(Report {
                excerpt: errors_of(output),
                ..Report::default()
            }),
        };
    }
    let (mut tally, mut blocks) = (Tally::default(), Vec::new());
    for file in &files.texts {
        let read = read_file(&file.text, &mut blocks);
        let read = read.map_err(|problem| inconsistent(format!("`{}`: {problem}", file.path)))?;
        tally.add(read.tally);
    }
    let excerpt = match excerpt_of(&blocks) {
        excerpt if excerpt.is_empty() && !succeeded => errors_of(output),
        excerpt => excerpt,
    };
    Ok(tally.into_report(excerpt))
}

/// Returns the lines of a build tool that say what is wrong; where there are none, the end of the output.
fn errors_of(output: &str) -> String {
    let is_error = |line: &str| line.starts_with("[ERROR]") || line.contains(": error:");
    let (mut lines, mut is_open) = (Vec::new(), false);
    for line in output.lines() {
        // Maven repeats at the end what it has said before.
        let is_repeated = line.starts_with("[ERROR] Failed to execute goal") && !lines.is_empty();
        if is_repeated || line.starts_with("[ERROR] -> ") {
            break;
        }
        // What is indented behind an error says more about it.
        is_open = is_error(line) || (is_open && line.starts_with([' ', '\t']));
        if is_open {
            lines.push(format!("{line}\n"));
        }
    }
    match lines.is_empty() {
        true => tail_excerpt(output),
        false => excerpt_of(&lines),
    }
}

fn read_file(text: &str, blocks: &mut Vec<String>) -> Result<Suite, String> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    // A byte order mark is no part of the document.
    let text = text.trim_start_matches('\u{feff}');
    let document =
        Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    let root = document.root_element();
    match root.tag_name().name() {
        "testsuites" | "testsuite" => suite(root, 0, blocks),
        other => Err(format!("it begins with `{}`", one_line(other, 40))),
    }
}

/// What was found in a suite and in those inside of it.
#[derive(Default)]
struct Suite {
    tally: Tally,
    numbers: Numbers,
}

/// Elements by kind; a test may have both a failure and an error.
#[derive(Clone, Copy, Default)]
struct Numbers {
    tests: u32,
    failures: u32,
    errors: u32,
    skipped: u32,
}

impl Numbers {
    fn plus(self, other: Self) -> Self {
        Self {
            tests: self.tests.saturating_add(other.tests),
            failures: self.failures.saturating_add(other.failures),
            errors: self.errors.saturating_add(other.errors),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

fn suite(node: Node<'_, '_>, depth: usize, blocks: &mut Vec<String>) -> Result<Suite, String> {
    if depth > DEPTH_MAX {
        return Err(format!("suites are nested more than {DEPTH_MAX} deep"));
    }
    let (mut tally, mut own, mut inner) =
        (Tally::default(), Numbers::default(), Numbers::default());
    for child in node.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "testcase" => own = own.plus(case(child, node, &mut tally, blocks)),
            "testsuite" => {
                let below = suite(child, depth + 1, blocks)?;
                inner = inner.plus(below.numbers);
                tally.add(below.tally);
            }
            _ => {}
        }
    }
    let numbers = own.plus(inner);
    agree(node, own, numbers)?;
    Ok(Suite { tally, numbers })
}

/// Holds the numbers of a suite against its elements; tools differ in whether they count inner suites.
fn agree(node: Node<'_, '_>, own: Numbers, numbers: Numbers) -> Result<(), String> {
    let kinds = [
        ("tests", own.tests, numbers.tests),
        ("failures", own.failures, numbers.failures),
        ("errors", own.errors, numbers.errors),
        ("skipped", own.skipped, numbers.skipped),
    ];
    let is_suite = node.tag_name().name() == "testsuite";
    for (kind, own, all) in kinds {
        let Some(said) = node.attribute(kind) else {
            if kind == "tests" && is_suite {
                return Err("a suite does not say how many tests it has".to_owned());
            }
            continue;
        };
        // pytest counts a test whose clean-up fails once more, and such a test is red anyway.
        let more = if kind == "tests" { numbers.errors } else { 0 };
        let fits = said
            .parse::<u32>()
            .is_ok_and(|said| said == own || (all..=all.saturating_add(more)).contains(&said));
        if !fits {
            return Err(format!(
                "a suite says {kind} `{}` and has {all}",
                one_line(said, 40)
            ));
        }
    }
    Ok(())
}

fn case(
    node: Node<'_, '_>,
    suite: Node<'_, '_>,
    tally: &mut Tally,
    blocks: &mut Vec<String>,
) -> Numbers {
    let find = |kind: &str| node.children().find(|child| child.has_tag_name(kind));
    let (failure, error) = (find("failure"), find("error"));
    let is_skipped = find("skipped").is_some()
        || node.attribute("status") == Some("notrun")
        || node.attribute("status") == Some("disabled");
    let class = node
        .attribute("classname")
        .or_else(|| suite.attribute("name"));
    let name = match (class, node.attribute("name").unwrap_or_default()) {
        (Some(class), "") => class.to_owned(),
        (Some(class), name) if !class.is_empty() => format!("{class}.{name}"),
        (_, name) => name.to_owned(),
    };
    let name = one_line(&name, 500);
    if let Some(problem) = failure.or(error) {
        blocks.push(block(&name, node, problem));
        tally.fail(name);
    } else if is_skipped {
        tally.skipped += 1;
    } else {
        tally.pass(name);
    }
    Numbers {
        tests: 1,
        failures: u32::from(failure.is_some()),
        errors: u32::from(error.is_some()),
        skipped: u32::from(find("skipped").is_some()),
    }
}

/// Writes what failed: the test, its place where the report has it, the message and the trace.
fn block(name: &str, case: Node<'_, '_>, problem: Node<'_, '_>) -> String {
    let mut block = format!("FAIL {name}");
    if let Some(file) = case.attribute("file") {
        block.push_str(&format!(" ({file}"));
        if let Some(line) = case.attribute("line") {
            block.push_str(&format!(":{line}"));
        }
        block.push(')');
    }
    block.push('\n');
    let text = problem.text().unwrap_or_default().trim_end();
    let message = problem.attribute("message").unwrap_or_default();
    if !text.contains(message.lines().next().unwrap_or_default()) {
        block.push_str(message.trim_end());
        block.push('\n');
    }
    if !text.is_empty() {
        block.push_str(text);
        block.push('\n');
    }
    block.push('\n');
    crate::text::without_escapes(&block).into_owned()
}
