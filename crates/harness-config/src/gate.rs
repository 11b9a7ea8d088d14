//! Reads `[[gate]]` and `[[setup]]`: what the repository would have executed.

use std::collections::BTreeSet;

use harness_core::{Baseline, Gate, Reader, RepoPath, ReportFile, Sourced, When};

use crate::{
    document::{Document, Place},
    error::{Fault, shown},
    raw::{RawGate, RawSetup, Text},
    value::{self, Here, Lister},
};

/// A command that prepares the work tree: at session start, and when one of its files changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The argv; there is no shell.
    pub run: Vec<String>,
    /// Hosts it may reach: `host:port`, or the name of a package registry.
    pub network: Vec<String>,
    /// Patterns of the files it depends on.
    pub when: Vec<String>,
    /// Where it is written.
    pub origin: String,
}

/// Reads every gate, in order.
pub(crate) fn gates(document: &Document<'_>, raw: &[RawGate]) -> Result<Vec<Gate>, Box<Fault>> {
    let mut names = BTreeSet::new();
    raw.iter()
        .map(|raw| {
            let subject = format!("gate `{}`", shown(raw.name.get_ref()));
            let here = Here::new(document, Place::named(subject, ["gate"]));
            let gate = gate(&here, raw)?;
            if !names.insert(gate.name.clone()) {
                let problem = format!("there is another gate `{}`", gate.name);
                return Err(here.fault("name", &raw.name, problem));
            }
            Ok(gate)
        })
        .collect()
}

fn gate(here: &Here<'_>, raw: &RawGate) -> Result<Gate, Box<Fault>> {
    let reader = match &raw.report {
        Some(report) => reader(here, report)?,
        None => Reader::Exit,
    };
    Ok(Gate {
        name: value::name(here, "name", &raw.name)?,
        run: value::argv(here, "run", &raw.run)?,
        cwd: match &raw.cwd {
            Some(cwd) => value::repo_path(here, "cwd", cwd)?,
            None => RepoPath::root(),
        },
        environment: raw
            .environment
            .iter()
            .map(|name| value::variable(here, "environment", name))
            .collect::<Result<_, _>>()?,
        timeout: match &raw.timeout {
            Some(timeout) => value::duration(here, "timeout", timeout)?,
            None => Gate::TIMEOUT,
        },
        reader,
        report_file: report_file(here, raw, reader)?,
        min_tests: min_tests(here, raw, reader)?,
        when: match &raw.when {
            Some(when) => value::word(here, "when", when, &WHENS)?,
            None => When::default(),
        },
        baseline: baseline(here, raw, reader)?,
        paths: values(value::patterns(here, "paths", &raw.paths)?),
        flaky_retries: match &raw.flaky_retries {
            Some(retries) => value::whole(here, "flaky_retries", retries, 0..=1)?,
            None => 0,
        },
    })
}

const WHENS: [(&str, When); 3] = [
    ("edit", When::Edit),
    ("turn", When::Turn),
    ("finish", When::Finish),
];

const READERS: [(&str, Reader); Reader::ALL.len()] = {
    let mut words = [("", Reader::Exit); Reader::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = (Reader::ALL[at].as_str(), Reader::ALL[at]);
        at += 1;
    }
    words
};

fn reader(here: &Here<'_>, raw: &Text) -> Result<Reader, Box<Fault>> {
    value::word(here, "report", raw, &READERS)
}

/// Reads the pattern of report files, which some readers need and others never look at.
fn report_file(
    here: &Here<'_>,
    raw: &RawGate,
    reader: Reader,
) -> Result<Option<String>, Box<Fault>> {
    const JUNIT: &str = "name the files, such as `report_file = \"target/surefire-reports/*.xml\"`";
    let word = reader.as_str();
    match (&raw.report_file, reader.report_file(), &raw.report) {
        (None, ReportFile::Required, Some(report)) => {
            let problem = format!("reader `{word}` needs `report_file`");
            Err(here.fault("report", report, problem).with_hint(JUNIT))
        }
        (None, _, _) => Ok(None),
        (Some(file), ReportFile::Refused, _) => {
            let problem = format!("reader `{word}` reads the output and no file");
            Err(here.fault("report_file", file, problem).with_hint(
                "set `report` to `junit`, `jest` or `vitest`, or leave `report_file` out",
            ))
        }
        (Some(file), _, _) => {
            let mut read = value::patterns(here, "report_file", std::slice::from_ref(file))?;
            Ok(read.pop().map(|sourced| sourced.value))
        }
    }
}

fn min_tests(here: &Here<'_>, raw: &RawGate, reader: Reader) -> Result<u32, Box<Fault>> {
    let Some(raw) = &raw.min_tests else {
        return Ok(u32::from(reader.names_tests()));
    };
    let least = value::whole(here, "min_tests", raw, 0..=1_000_000)?;
    if least > 0 && !reader.names_tests() {
        return Err(here
            .fault("min_tests", raw, "reader `exit` counts no tests")
            .with_hint("set `report` to a reader that counts, such as `cargo` or `pytest`, or leave `min_tests` out"));
    }
    Ok(least)
}

fn baseline(here: &Here<'_>, raw: &RawGate, reader: Reader) -> Result<Baseline, Box<Fault>> {
    const WORDS: [(&str, Baseline); 2] = [
        ("strict", Baseline::Strict),
        ("no-worse", Baseline::NoWorse),
    ];
    let Some(raw) = &raw.baseline else {
        return Ok(Baseline::default());
    };
    let baseline = value::word(here, "baseline", raw, &WORDS)?;
    if baseline == Baseline::NoWorse && !reader.names_tests() {
        return Err(here
            .fault("baseline", raw, "reader `exit` names no tests to compare")
            .with_hint("set `report` to a reader that names tests, such as `cargo` or `pytest`, or `baseline` to `strict`"));
    }
    Ok(baseline)
}

/// Reads every setup step, in order.
pub(crate) fn setup(document: &Document<'_>, raw: &[RawSetup]) -> Result<Vec<Setup>, Box<Fault>> {
    raw.iter()
        .enumerate()
        .map(|(index, raw)| {
            let place = Place::named(format!("setup {}", index + 1), ["setup"]);
            let here = Here::new(document, place);
            Ok(Setup {
                run: value::argv(&here, "run", &raw.run)?,
                network: values(value::hosts(
                    &here,
                    "network",
                    &raw.network,
                    Lister::Repository,
                )?),
                when: values(value::patterns(&here, "when", &raw.when)?),
                origin: here.origin(&raw.run),
            })
        })
        .collect()
}

fn values(sourced: Vec<Sourced>) -> Vec<String> {
    sourced.into_iter().map(|sourced| sourced.value).collect()
}
