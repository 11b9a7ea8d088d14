//! `go test -json` and `go test -v`: every test that runs has an end, and so has every package.
//!
//! What is counted are the innermost tests, named `package.Test/sub`. A package
//! that failed without a failed test (it did not compile, it crashed, it left with
//! a code of its own) counts as one failed test under its own name.
//!
//! Before Go 1.20 the lines of a test's own output are not marked, so a test can
//! print the beginning and the end of tests that do not exist. Both must be there,
//! and between them and the package's end everything must fit; a number of tests
//! that grows in this way is not told from one that grew.

mod text;

use std::collections::{HashMap, HashSet};

use harness_core::Stop;
use serde::Deserialize;

use super::{
    EXCERPT_BYTES_MAX, Report, ReportError, Tally, excerpt_of, inconsistent, tail_excerpt,
};

/// Reads the output of `go test -json`, or of `go test -v` where it has no line of JSON.
pub(super) fn read(output: &str, stop: Stop) -> Result<Report, ReportError> {
    let mut whole = Whole::default();
    let is_json = output.lines().any(|line| Line::parse(line).is_some());
    if is_json {
        for line in output.lines() {
            match Line::parse(line) {
                Some(line) => whole.event(&line)?,
                None => whole.plain(line)?,
            }
        }
    } else {
        text::read(output, &mut whole)?;
    }
    let succeeded = stop == Stop::Exited(0);
    let tests = whole.packages.iter().map(|package| package.tests.len());
    let (packages, tests) = (whole.packages.len(), tests.sum::<usize>());
    let has_failed = whole
        .packages
        .iter()
        .any(|package| package.end == Some(End::Fail));
    if succeeded && (packages == 0 || (tests == 0 && !is_json && !has_failed)) {
        return Err(ReportError::Missing {
            expected: "test of `go test -json` or `go test -v`",
        });
    }
    if packages == 0 {
        return Ok(Report {
            excerpt: tail_excerpt(output),
            ..Report::default()
        });
    }
    whole.report(output, succeeded)
}

/// One line of `go test -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        line.starts_with('{')
            .then(|| serde_json::from_str(line).ok())
            .flatten()
    }
}

#[derive(Default)]
struct Whole {
    packages: Vec<Package>,
    by_name: HashMap<String, usize>,
    /// What the compiler said.
    build: String,
    /// Packages of whose tests the compiler spoke: they must have an end.
    built: Vec<String>,
}

#[derive(Default)]
struct Package {
    name: String,
    tests: Vec<Test>,
    /// Where tests stand that have no end yet.
    open: HashMap<String, usize>,
    /// What belongs to no test.
    output: String,
    end: Option<End>,
}

struct Test {
    name: String,
    end: Option<End>,
    output: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Pass,
    Fail,
    Skip,
}

impl End {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "pass" | "PASS" => Self::Pass,
            "fail" | "FAIL" => Self::Fail,
            "skip" | "SKIP" => Self::Skip,
            _ => return None,
        })
    }
}

impl Whole {
    fn event(&mut self, line: &Line) -> Result<(), ReportError> {
        if line.action.starts_with("build-") {
            self.compiler(&line.output);
            return Ok(());
        }
        if line.package.is_empty() {
            return Err(inconsistent(format!(
                "an event `{}` belongs to no package",
                crate::text::one_line(&line.action, 40)
            )));
        }
        let package = self.package(&line.package);
        match (line.action.as_str(), line.test.as_str()) {
            ("run", test) => package.run(test),
            ("output", test) => {
                package.output(test, &line.output);
                Ok(())
            }
            ("pass" | "fail" | "skip", test) => {
                let end = End::parse(&line.action).expect("the action is one of the ends");
                match test {
                    "" => package.finish(end),
                    test => package.finish_test(test, end),
                }
            }
            _ => Ok(()),
        }
    }

    /// Takes a line beside the events: the compiler's, or a package that was not built.
    fn plain(&mut self, line: &str) -> Result<(), ReportError> {
        match text::not_built(line) {
            Some(name) => self.package(name).finish(End::Fail),
            None => {
                self.compiler(&format!("{line}\n"));
                Ok(())
            }
        }
    }

    /// Takes a line of the compiler's; its heading names the package whose tests it builds.
    fn compiler(&mut self, line: &str) {
        add(&mut self.build, line);
        let tests = line.strip_prefix("# ").and_then(|rest| {
            let (_, tests) = rest.trim_end().split_once(" [")?;
            tests.strip_suffix(".test]")
        });
        if let Some(package) = tests {
            self.built.push(package.to_owned());
        }
    }

    fn package(&mut self, name: &str) -> &mut Package {
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.packages.push(Package {
                name: name.to_owned(),
                ..Package::default()
            });
            self.packages.len() - 1
        });
        &mut self.packages[at]
    }

    fn report(mut self, output: &str, succeeded: bool) -> Result<Report, ReportError> {
        let (mut tally, mut blocks) = (Tally::default(), Vec::new());
        let build = std::mem::take(&mut self.build);
        if let Some(name) = self
            .built
            .iter()
            .find(|name| !self.by_name.contains_key(*name))
        {
            let name = crate::text::one_line(name, 100);
            return Err(inconsistent(format!(
                "package `{name}` was built and has no end"
            )));
        }
        let mut is_build_told = false;
        for package in &self.packages {
            let alone = package.count(&mut tally, &mut blocks)?;
            if alone && !is_build_told && !build.trim().is_empty() {
                is_build_told = true;
                blocks.push(build.clone());
            }
        }
        let excerpt = match excerpt_of(&blocks) {
            excerpt if excerpt.is_empty() && !succeeded => tail_excerpt(output),
            excerpt => excerpt,
        };
        Ok(tally.into_report(excerpt))
    }
}

impl Package {
    fn run(&mut self, test: &str) -> Result<(), ReportError> {
        if self.end.is_some() {
            return Err(self.contradiction("goes on after its end"));
        }
        if test.is_empty() || self.open.contains_key(test) {
            return Err(self.contradiction(&format!("begins test `{test}` twice")));
        }
        self.open.insert(test.to_owned(), self.tests.len());
        self.tests.push(Test {
            name: test.to_owned(),
            end: None,
            output: String::new(),
        });
        Ok(())
    }

    fn output(&mut self, test: &str, text: &str) {
        const FRAMES: [&str; 4] = ["=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME "];
        if FRAMES.iter().any(|frame| text.starts_with(frame)) {
            return;
        }
        let at = self.open.get(test).copied();
        match at.and_then(|at| self.tests.get_mut(at)) {
            Some(test) => add(&mut test.output, text),
            None => add(&mut self.output, text),
        }
    }

    fn finish_test(&mut self, test: &str, end: End) -> Result<(), ReportError> {
        if self.end.is_some() {
            return Err(self.contradiction("goes on after its end"));
        }
        let Some(at) = self.open.remove(test) else {
            return Err(self.contradiction(&format!("ends test `{test}`, which did not begin")));
        };
        self.tests[at].end = Some(end);
        Ok(())
    }

    fn finish(&mut self, end: End) -> Result<(), ReportError> {
        if self.end.is_some() {
            return Err(self.contradiction("ends twice"));
        }
        let failed = self.tests.iter().any(|test| test.end == Some(End::Fail));
        match end {
            End::Fail => {
                // A crash leaves tests without an end.
                for (_, at) in self.open.drain() {
                    self.tests[at].end = Some(End::Fail);
                }
            }
            _ if !self.open.is_empty() => {
                return Err(self.contradiction("ends well, and a test in it has no end"));
            }
            _ if failed => return Err(self.contradiction("ends well, and a test in it failed")),
            End::Skip if !self.tests.is_empty() => {
                return Err(self.contradiction("is said to have no tests and has some"));
            }
            _ => {}
        }
        self.end = Some(end);
        Ok(())
    }

    /// Counts the innermost tests; returns whether the package failed without a failed test.
    fn count(&self, tally: &mut Tally, blocks: &mut Vec<String>) -> Result<bool, ReportError> {
        let Some(end) = self.end else {
            return Err(self.contradiction("has no end"));
        };
        let parents: HashSet<&str> = self
            .tests
            .iter()
            .flat_map(|test| above(&test.name))
            .collect();
        let failing: HashSet<&str> = self
            .tests
            .iter()
            .filter(|test| test.end == Some(End::Fail))
            .flat_map(|test| above(&test.name))
            .collect();
        let before = tally.failed;
        for test in &self.tests {
            let name = format!("{}.{}", self.name, test.name);
            let is_parent = parents.contains(test.name.as_str());
            match test.end {
                Some(End::Pass) if !is_parent => tally.pass(name),
                Some(End::Skip) if !is_parent => tally.skipped += 1,
                Some(End::Fail) if !failing.contains(test.name.as_str()) => {
                    blocks.push(block(&name, &test.output));
                    tally.fail(name);
                }
                Some(_) => {}
                None => return Err(self.contradiction("ends before its tests")),
            }
        }
        if end != End::Fail || tally.failed > before {
            return Ok(false);
        }
        blocks.push(block(&self.name, &self.output));
        tally.fail(self.name.clone());
        Ok(true)
    }

    fn contradiction(&self, problem: &str) -> ReportError {
        let name = match self.name.as_str() {
            "" => "a package".to_owned(),
            name => format!("package `{}`", crate::text::one_line(name, 100)),
        };
        inconsistent(format!("{name} {problem}"))
    }
}

/// Returns the tests above `a/b/c`: `a` and `a/b`.
fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

fn block(name: &str, output: &str) -> String {
    format!("FAIL {name}\n{}\n", output.trim_end_matches('\n'))
}

/// Keeps a text as far as an excerpt can need it.
fn add(kept: &mut String, text: &str) {
    if kept.len() < 2 * EXCERPT_BYTES_MAX {
        kept.push_str(text);
    }
}
