//! The negative control: what tests that a change adds say about the base.

use serde::{Deserialize, Serialize};

/// How the tests that a change adds came out on the base; information, never red.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NegativeControl {
    /// Why nothing was run; empty when something was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub skipped: String,
    /// What it does not cover, one line; empty when it covers all that was added.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub left_out: String,
    /// One per gate that was run, in the order of the configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<ControlCheck>,
}

/// One gate of a negative control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlCheck {
    /// The gate.
    pub gate: String,
    /// What it shows.
    pub outcome: ControlOutcome,
    /// Names of the tests that pass without the change as well, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<String>,
    /// How many there are.
    #[serde(default)]
    pub count: u32,
    /// How the gate ended there, or why it says nothing; one line, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How long it took. Unit: milliseconds.
    #[serde(default)]
    pub ms: u64,
}

/// What a gate shows about the tests that were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlOutcome {
    /// They do not pass without the change.
    Needed,
    /// Some of them pass without the change.
    ProvesNothing,
    /// It could not be told.
    Skipped,
}

impl NegativeControl {
    /// The most names of tests in a [`ControlCheck`].
    pub const NAMES_MAX: usize = 50;

    /// Makes the record of a control that was not run.
    pub fn not_run(reason: impl Into<String>) -> Self {
        Self {
            skipped: reason.into(),
            ..Self::default()
        }
    }

    /// Returns the checks in which tests pass without the change.
    pub fn proving_nothing(&self) -> impl Iterator<Item = &ControlCheck> {
        self.checks
            .iter()
            .filter(|check| check.outcome == ControlOutcome::ProvesNothing)
    }
}

impl ControlCheck {
    /// Makes the record of a gate that says nothing.
    pub fn skipped(gate: impl Into<String>, reason: impl Into<String>, ms: u64) -> Self {
        Self {
            gate: gate.into(),
            outcome: ControlOutcome::Skipped,
            tests: Vec::new(),
            count: 0,
            reason: reason.into(),
            ms,
        }
    }
}
