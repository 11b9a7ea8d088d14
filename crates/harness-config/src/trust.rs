//! What a person accepts when trusting a repository, as lines to read.
//!
//! Two configurations that differ in anything that would be executed or opened
//! differ in these lines, so whoever hashes them hashes all of it. Hashing,
//! asking and remembering are done elsewhere; so is the content of script files.

use std::fmt::Write;

use harness_core::{Baseline, CommandRule, Format, Gate, Sourced, When};
use harness_guard::network::registry_hosts;

use crate::{RepositoryConfig, Setup, setting::quoted};

/// One thing that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustLine {
    /// What kind of thing, such as ``gate `test` `` or `write`.
    pub what: String,
    /// Its content, one line, safe to print: a word with anything unusual is quoted and escaped.
    pub text: String,
}

/// Returns everything that a repository would have executed or opened, in the order of its file.
pub fn trust_subject(repository: &RepositoryConfig) -> Vec<TrustLine> {
    let scope = &repository.scope;
    let mut lines = Vec::new();
    lines.extend(repository.gates.iter().map(gate_line));
    lines.extend(
        repository
            .formats
            .iter()
            .map(|format| format_line(&format.value)),
    );
    lines.extend(repository.setup.iter().map(setup_line));
    lines.extend(repository.network.iter().map(network_line));
    lines.extend(repository.rules.iter().map(rule_line));
    lines.extend(list_line("write", &scope.write));
    lines.extend(list_line("build", &scope.build));
    lines.extend(list_line("deny", &scope.deny));
    lines.extend(list_line("hide", &scope.hide));
    lines.extend(list_line("protect", &scope.protect));
    if !repository.link.is_empty() {
        let paths: Vec<String> = repository.link.iter().map(|path| path.to_text()).collect();
        lines.push(line("link", words(&paths)));
    }
    if let Some(isolate) = &repository.isolate
        && !isolate.value
    {
        lines.push(line(
            "isolate",
            "off: gates run in the work tree".to_owned(),
        ));
    }
    if let Some(agent) = &repository.agent.agent {
        lines.push(line("agent", word(&agent.value)));
    }
    lines
}

fn gate_line(gate: &Gate) -> TrustLine {
    let mut text = words(&gate.run);
    let mut add = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = write!(text, "; {name} {value}");
    };
    if !gate.cwd.is_root() {
        add("in", word(&gate.cwd.to_text()));
    }
    if !gate.environment.is_empty() {
        add("with", words(&gate.environment));
    }
    add(
        "timeout",
        humantime::format_duration(gate.timeout).to_string(),
    );
    add("report", gate.reader.as_str().to_owned());
    if let Some(file) = &gate.report_file {
        add("report_file", word(file));
    }
    add("min_tests", gate.min_tests.to_string());
    if gate.when != When::Finish {
        add("when", when(gate.when).to_owned());
    }
    if gate.baseline == Baseline::NoWorse {
        add("baseline", "no-worse".to_owned());
    }
    if !gate.paths.is_empty() {
        add("paths", words(&gate.paths));
    }
    if gate.flaky_retries > 0 {
        add("flaky_retries", gate.flaky_retries.to_string());
    }
    line(&format!("gate `{}`", gate.name), text)
}

fn format_line(format: &Format) -> TrustLine {
    let timeout = humantime::format_duration(format.timeout);
    let text = format!(
        "{}; timeout {timeout}; paths {}",
        words(&format.run),
        words(&format.paths)
    );
    line("format", text)
}

/// The hosts behind a registry's name are written out: they are what is opened.
fn network_line(entry: &Sourced) -> TrustLine {
    line("network", opened(&entry.value))
}

fn rule_line(rule: &CommandRule) -> TrustLine {
    let exact = if rule.exact { " exactly" } else { "" };
    let text = format!(
        "{}{exact} {}; reason {}",
        rule.decision.as_str(),
        words(&rule.prefix),
        quoted(&rule.reason)
    );
    line("rule", text)
}

fn opened(entry: &str) -> String {
    match registry_hosts(entry) {
        Some(hosts) => format!("{} ({})", word(entry), hosts.join(" ")),
        None => word(entry),
    }
}

fn setup_line(setup: &Setup) -> TrustLine {
    let mut text = words(&setup.run);
    if !setup.network.is_empty() {
        let hosts: Vec<String> = setup.network.iter().map(|entry| opened(entry)).collect();
        let _ = write!(text, "; network {}", hosts.join(" "));
    }
    if !setup.when.is_empty() {
        let _ = write!(text, "; when {}", words(&setup.when));
    }
    line("setup", text)
}

const fn when(when: When) -> &'static str {
    match when {
        When::Edit => "edit",
        When::Turn => "turn",
        When::Finish => "finish",
    }
}

fn list_line(what: &str, entries: &[Sourced]) -> Option<TrustLine> {
    let values: Vec<String> = entries.iter().map(|entry| entry.value.clone()).collect();
    (!values.is_empty()).then(|| line(what, words(&values)))
}

fn line(what: &str, text: String) -> TrustLine {
    TrustLine {
        what: what.to_owned(),
        text,
    }
}

fn words(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|text| word(text)).collect();
    words.join(" ")
}

/// Returns a word as it is when nothing in it could be mistaken, else quoted.
fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,*".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}
