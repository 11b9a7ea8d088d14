//! Writes a fresh `harness.toml` for what was detected in a repository.
//!
//! Detecting is done elsewhere; nothing is written to disk here.

use std::fmt::Write;

use harness_core::{Baseline, Gate, When};

use crate::setting::{Literal, quoted};

/// What was found in a repository that has no configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// Patterns of what may be written.
    pub write: Vec<String>,
    /// Patterns of build outputs.
    pub build: Vec<String>,
    /// Gates that can be run here.
    pub gates: Vec<Gate>,
    /// The feature list, where it is not the usual file.
    pub feature_file: Option<String>,
}

/// Returns the text of a `harness.toml` for what was detected: short, commented, read back as it is.
pub fn render_repository(detected: &Detected) -> String {
    let mut text = String::from(HEAD);
    let write = if detected.write.is_empty() {
        "# Nothing may be written yet: name the folders of your sources, such as \"src/**\".\n"
    } else {
        "# What an agent may write.\n"
    };
    text.push_str("[scope]\n");
    text.push_str(write);
    let _ = writeln!(text, "write = {}", detected.write.literal());
    if !detected.build.is_empty() {
        text.push_str("# Build outputs: writable, never kept.\n");
        let _ = writeln!(text, "build = {}", detected.build.literal());
    }
    if let Some(file) = &detected.feature_file {
        text.push_str("\n[features]\n# What is wanted, in its own shape. Only the harness and you write it.\n");
        let _ = writeln!(text, "file = {}", quoted(file));
    }
    text.push_str(if detected.gates.is_empty() {
        NO_GATES
    } else {
        GATES
    });
    for gate in &detected.gates {
        text.push_str(&render_gate(gate));
    }
    text
}

const HEAD: &str = "\
# What an agent may do in this repository, and what must be green before its work counts.
# Every key, documented: `harness config default`.

";

const GATES: &str = "
# Each gate is one command, without a shell. All of them must be green.
";

const NO_GATES: &str = "
# Without a gate nothing can be proven. For instance:
#
# [[gate]]
# name = \"test\"
# run = [\"make\", \"test\"]
";

/// Returns a gate as a `[[gate]]` table, read back as it is.
pub fn render_gate(gate: &Gate) -> String {
    let mut text = String::from("[[gate]]\n");
    let mut add = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    add("name", quoted(&gate.name));
    add("run", gate.run.literal());
    if !gate.cwd.is_root() {
        add("cwd", gate.cwd.literal());
    }
    if !gate.environment.is_empty() {
        add("environment", gate.environment.literal());
    }
    add("timeout", gate.timeout.literal());
    add("report", quoted(gate.reader.as_str()));
    if let Some(file) = &gate.report_file {
        add("report_file", quoted(file));
    }
    if gate.reader.names_tests() {
        add("min_tests", gate.min_tests.to_string());
    }
    match gate.when {
        When::Edit => add("when", quoted("edit")),
        When::Turn => add("when", quoted("turn")),
        When::Finish => {}
    }
    if gate.baseline == Baseline::NoWorse {
        add("baseline", quoted("no-worse"));
    }
    if !gate.paths.is_empty() {
        add("paths", gate.paths.literal());
    }
    if gate.flaky_retries > 0 {
        add("flaky_retries", gate.flaky_retries.to_string());
    }
    text.push('\n');
    text
}
