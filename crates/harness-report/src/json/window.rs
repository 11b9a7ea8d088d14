//! The agent's plan, and a window that fills up, as JSON lines.

use harness_core::{PlanItem, PlanSet, StepState, WindowCut, WindowFull};
use schemars::JsonSchema;
use serde::Serialize;

use super::JsonLine;

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonStep {
    /// What is to be done.
    pub text: String,
    /// `open`, `doing` or `done`.
    pub state: String,
}

impl From<&PlanItem> for JsonStep {
    fn from(item: &PlanItem) -> Self {
        let state = match item.state {
            StepState::Open => "open",
            StepState::Doing => "doing",
            StepState::Done => "done",
        };
        Self {
            text: item.text.clone(),
            state: state.to_owned(),
        }
    }
}

/// A result that was dropped from the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonDropped {
    /// The tool it came from.
    pub tool: String,
    /// What it had.
    pub bytes: u64,
    /// What stands there instead.
    pub stub: String,
}

pub(super) fn plan(set: &PlanSet) -> JsonLine {
    JsonLine::PlanSet {
        items: set.items.iter().map(JsonStep::from).collect(),
    }
}

pub(super) fn cut(cut: &WindowCut) -> JsonLine {
    let dropped = cut.dropped.iter().map(|dropped| JsonDropped {
        tool: dropped.tool.clone(),
        bytes: dropped.bytes.0,
        stub: dropped.stub.clone(),
    });
    JsonLine::WindowCut {
        dropped: dropped.collect(),
        before: cut.before.0,
        after: cut.after.0,
        window: cut.window.0,
        restored: cut.restored.clone(),
    }
}

pub(super) fn full(full: &WindowFull) -> JsonLine {
    JsonLine::WindowFull {
        need: full.need.0,
        window: full.window.0,
        number: full.number,
        reason: full.reason.clone(),
    }
}
