//! The negative control as a JSON line.

use harness_core::{ControlCheck, ControlOutcome, NegativeControl};
use schemars::JsonSchema;
use serde::Serialize;

use super::JsonLine;

/// A gate that was run on the base with the added tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Control {
    /// The gate.
    gate: String,
    /// `needed`, `proves_nothing` or `skipped`.
    outcome: String,
    /// Names of added tests that pass without the change too, at most 50.
    tests: Vec<String>,
    /// How many there are.
    count: u32,
    /// How it ended, or why it says nothing.
    reason: String,
    /// How long it took.
    ms: u64,
}

pub(super) fn line(control: &NegativeControl) -> JsonLine {
    JsonLine::NegativeControlEnded {
        skipped: control.skipped.clone(),
        left_out: control.left_out.clone(),
        checks: control.checks.iter().map(of).collect(),
    }
}

fn of(check: &ControlCheck) -> Control {
    let outcome = match check.outcome {
        ControlOutcome::Needed => "needed",
        ControlOutcome::ProvesNothing => "proves_nothing",
        ControlOutcome::Skipped => "skipped",
    };
    Control {
        gate: check.gate.clone(),
        outcome: outcome.to_owned(),
        tests: check.tests.clone(),
        count: check.count,
        reason: check.reason.clone(),
        ms: check.ms,
    }
}
