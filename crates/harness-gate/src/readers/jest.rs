//! The JSON of `jest --json` and of vitest's reporter `json`, whose form is the same.
//!
//! Totals must equal the results they sum up. In an output the report is one line
//! among others; a line that has only some of its keys is noise, and two reports
//! are none.

use harness_core::Stop;
use serde::Deserialize;

use super::{Report, ReportError, ReportFiles, Tally, excerpt_of, inconsistent, tail_excerpt};
use crate::text::one_line;

/// Reads the report out of its files, or where there are none, out of the output.
pub(super) fn read(
    output: &str,
    files: Option<&ReportFiles>,
    stop: Stop,
) -> Result<Report, ReportError> {
    let wholes = match files {
        Some(files) => from_files(files)?,
        None => from_output(output),
    };
    let succeeded = stop == Stop::Exited(0);
    if wholes.is_empty() {
        return match (succeeded, files) {
            (true, Some(files)) => Err(files.none()),
            (true, None) => Err(ReportError::Missing {
                expected: "line of JSON with `numTotalTests` and `testResults`",
            }),
            (false, _) => Ok(Report {
                excerpt: tail_excerpt(output),
                ..Report::default()
            }),
        };
    }
    if files.is_none() && wholes.len() > 1 {
        return Err(inconsistent("there is more than one report"));
    }
    let (mut tally, mut blocks) = (Tally::default(), Vec::new());
    for whole in &wholes {
        tally.add(whole.tally(&mut blocks)?);
    }
    let excerpt = match excerpt_of(&blocks) {
        excerpt if excerpt.is_empty() && !succeeded => tail_excerpt(output),
        excerpt => excerpt,
    };
    Ok(tally.into_report(excerpt))
}

fn from_files(files: &ReportFiles) -> Result<Vec<Whole>, ReportError> {
    let read = |file: &super::ReportText| {
        serde_json::from_str(&file.text)
            .map_err(|error| inconsistent(format!("`{}` is not its JSON: {error}", file.path)))
    };
    files.texts.iter().map(read).collect()
}

fn from_output(output: &str) -> Vec<Whole> {
    let reports = output.lines().filter_map(|line| {
        let at = line.find("{\"num")?;
        serde_json::from_str(line[at..].trim_end()).ok()
    });
    reports.collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    num_total_tests: u32,
    num_passed_tests: u32,
    num_failed_tests: u32,
    num_pending_tests: u32,
    #[serde(default)]
    num_todo_tests: u32,
    success: bool,
    #[serde(default)]
    was_interrupted: bool,
    test_results: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    assertion_results: Vec<Assertion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    status: String,
    #[serde(default)]
    failure_messages: Vec<String>,
}

impl Assertion {
    fn name(&self) -> String {
        let titles = self.ancestor_titles.iter().map(String::as_str);
        let titles: Vec<&str> = titles.chain([self.title.as_str()]).collect();
        one_line(&titles.join(" > "), 500)
    }
}

impl Whole {
    /// Counts the results and holds the totals against them; adds what failed to `blocks`.
    fn tally(&self, blocks: &mut Vec<String>) -> Result<Tally, ReportError> {
        let mut tally = Tally::default();
        let (mut todo, mut failed_files) = (0_u32, 0_u32);
        let folder = self.common_folder();
        for file in &self.test_results {
            let path = file.name.get(folder..).unwrap_or(&file.name);
            let before = tally.failed;
            for assertion in &file.assertion_results {
                match assertion.status.as_str() {
                    "passed" => tally.pass(assertion.name()),
                    "failed" => {
                        blocks.push(block(path, &assertion.name(), &assertion.failure_messages));
                        tally.fail(assertion.name());
                    }
                    "todo" => todo += 1,
                    "pending" | "skipped" | "disabled" => tally.skipped += 1,
                    other => {
                        let other = one_line(other, 40);
                        return Err(inconsistent(format!("a test has the status `{other}`")));
                    }
                }
            }
            if file.status == "failed" && tally.failed == before {
                blocks.push(block(path, "", std::slice::from_ref(&file.message)));
                failed_files += 1;
            }
        }
        self.check(&tally, todo)?;
        let has_failed = tally.failed > 0 || failed_files > 0;
        if self.success && has_failed {
            return Err(inconsistent("it says success, and tests have failed"));
        }
        if self.was_interrupted && !has_failed {
            return Err(inconsistent("the run was interrupted"));
        }
        for file in &self.test_results {
            let has_failure = file
                .assertion_results
                .iter()
                .any(|test| test.status == "failed");
            if file.status == "failed" && !has_failure {
                tally.fail(file.name.get(folder..).unwrap_or(&file.name).to_owned());
            }
        }
        tally.skipped = tally.skipped.saturating_add(todo);
        Ok(tally)
    }

    fn check(&self, tally: &Tally, todo: u32) -> Result<(), ReportError> {
        let listed = [tally.passed, tally.failed, tally.skipped, todo];
        let said = [
            self.num_passed_tests,
            self.num_failed_tests,
            self.num_pending_tests,
            self.num_todo_tests,
        ];
        let sum = |numbers: [u32; 4]| numbers.into_iter().map(u64::from).sum::<u64>();
        if listed != said || sum(said) != u64::from(self.num_total_tests) {
            return Err(inconsistent(format!(
                "{} results are listed and the totals speak of {}",
                sum(listed),
                self.num_total_tests
            )));
        }
        Ok(())
    }

    /// Returns the length of the folder that all files are in: it differs from checkout to checkout.
    fn common_folder(&self) -> usize {
        let mut names = self.test_results.iter().map(|file| file.name.as_str());
        let first = names.next().unwrap_or_default();
        let common = names.fold(first.len(), |common, name| {
            let pairs = first.bytes().zip(name.bytes()).take(common);
            pairs.take_while(|(a, b)| a == b).count()
        });
        first.as_bytes()[..common]
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |at| at + 1)
    }
}

/// Writes what failed: where, which test, and what it says.
fn block(path: &str, name: &str, messages: &[String]) -> String {
    let separator = if name.is_empty() { "" } else { " > " };
    let mut block = format!("FAIL {path}{separator}{name}\n");
    for message in messages {
        block.push_str(crate::text::without_escapes(message).trim_end());
        block.push('\n');
    }
    block.push('\n');
    block
}
