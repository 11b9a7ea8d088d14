//! What is said of the agent's plan, and of a window that fills up.

use std::collections::BTreeMap;

use harness_core::{PlanSet, StepState, WindowCut, WindowFull};

use super::{Line, Who};
use crate::clean::clean_line;

/// What is shown of one step. Unit: characters.
const STEP_CHARS: usize = 200;

/// Says how far the plan is, with its steps.
pub(super) fn plan(set: &PlanSet) -> Line {
    let done = set.items.iter().filter(|item| !item.is_open()).count();
    let doing = set.items.iter().find(|item| item.state == StepState::Doing);
    let now = doing.map_or_else(String::new, |item| {
        format!(", now: {}", clean_line(&item.text, STEP_CHARS))
    });
    let steps = set.items.iter();
    let steps = steps.map(|item| {
        format!(
            "{} {}",
            item.state.mark(),
            clean_line(&item.text, STEP_CHARS)
        )
    });
    Line::new(
        Who::Note,
        format!("plan: {done} of {} done{now}", set.items.len()),
    )
    .with(steps)
}

/// Says what was dropped, what that is worth, and what the agent is told again.
pub(super) fn cut(cut: &WindowCut) -> Line {
    let mut tools: BTreeMap<&str, usize> = BTreeMap::new();
    for dropped in &cut.dropped {
        *tools.entry(dropped.tool.as_str()).or_default() += 1;
    }
    let tools: Vec<String> = tools
        .iter()
        .map(|(tool, count)| format!("{count} {}", clean_line(tool, 40)))
        .collect();
    let results = if cut.dropped.len() == 1 {
        "1 old result"
    } else {
        &format!("{} old results", cut.dropped.len())
    };
    Line::new(
        Who::Harness,
        format!(
            "window cut from {} to {} of {}: {results} dropped ({})",
            cut.before,
            cut.after,
            cut.window,
            tools.join(", ")
        ),
    )
    .with(["feature, scope, gates and plan are said again".to_owned()])
}

/// Says that a fresh session goes on.
pub(super) fn full(full: &WindowFull) -> Line {
    Line::new(
        Who::Harness,
        format!(
            "{}: a fresh session goes on with the feature, hand-over {}",
            clean_line(&full.reason, STEP_CHARS),
            full.number
        ),
    )
}
