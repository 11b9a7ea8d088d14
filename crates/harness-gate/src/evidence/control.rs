//! The negative control as the evidence holds it.

use harness_core::{ControlCheck, ControlOutcome, NegativeControl};
use serde::{Deserialize, Serialize};

/// How the added tests came out on the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlRecord {
    /// Why nothing was run; null when something was.
    #[serde(default)]
    pub skipped: Option<String>,
    /// What it does not cover; null when it covers all that was added.
    #[serde(default)]
    pub left_out: Option<String>,
    /// One per gate that was run.
    #[serde(default)]
    pub checks: Vec<ControlCheckRecord>,
}

/// One gate of a negative control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlCheckRecord {
    /// The gate.
    pub gate: String,
    /// `needed`, `proves_nothing` or `skipped`.
    pub outcome: ControlOutcome,
    /// Names of tests that pass without the change as well, at most 50.
    #[serde(default)]
    pub tests: Vec<String>,
    /// How many there are.
    #[serde(default)]
    pub count: u32,
    /// How it ended, or why it says nothing.
    #[serde(default)]
    pub reason: String,
    /// How long it took. Unit: milliseconds.
    #[serde(default)]
    pub ms: u64,
}

impl From<&NegativeControl> for ControlRecord {
    fn from(control: &NegativeControl) -> Self {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            skipped: some(&control.skipped),
            left_out: some(&control.left_out),
            checks: control.checks.iter().map(Into::into).collect(),
        }
    }
}

impl From<&ControlCheck> for ControlCheckRecord {
    fn from(check: &ControlCheck) -> Self {
        Self {
            gate: check.gate.clone(),
            outcome: check.outcome,
            tests: check.tests.clone(),
            count: check.count,
            reason: check.reason.clone(),
            ms: check.ms,
        }
    }
}
