//! Words about a window that fills up, and about the plan that outlives it.

use harness_core::{PlanItem, StepState, TokenCount};

/// Dropped steps that are named.
const DROPPED_SHOWN_MAX: usize = 10;

/// Words for what holds as before, after old output was dropped.
pub(crate) fn room_made(intent: &str) -> String {
    format!(
        "[The window was nearly full: old output was dropped above, each with the way back to it. What holds stands here \
         again; go on where you are.]\n{intent}"
    )
}

/// Words for a window that nothing makes room in.
pub(crate) fn window_full(need: u64, window: TokenCount) -> String {
    format!("the window is full ({} of {window})", TokenCount(need))
}

/// Words for a first request that is too large by itself, with the way out.
pub(crate) fn never_fits(need: u64, window: TokenCount, model: &str, largest: &str) -> String {
    format!(
        "the first request takes {}, over three quarters of the {window} that model `{model}` has: the largest part is \
         {largest}. Make that smaller, set a larger `context` if the model has it, or take another with `--model`",
        TokenCount(need)
    )
}

/// Words for a feature that no window is large enough for.
pub(crate) fn handed_over_too_often(times: u32, window: TokenCount) -> String {
    format!(
        "its window of {window} was full {} times: split the feature, or take a model with a larger window",
        times + 1
    )
}

/// Words for sessions that read until they are full and bring nothing.
pub(crate) fn handed_over_for_nothing(times: u32, window: TokenCount) -> String {
    format!(
        "{times} sessions in a row filled their window of {window} and changed, noted and planned nothing: split the \
         feature, or take a model with a larger window"
    )
}

/// Answers a plan that was set, and says which open steps of the one before are gone.
pub(crate) fn planned(before: &[PlanItem], now: &[PlanItem]) -> String {
    let done = now.iter().filter(|item| !item.is_open()).count();
    let mut text = format!("plan set, {done} of {} done", now.len());
    let doing = now.iter().find(|item| item.state == StepState::Doing);
    if let Some(next) = doing.or_else(|| now.iter().find(|item| item.is_open())) {
        text.push_str(&format!("; now: {}", next.text));
    }
    let is_there = |gone: &PlanItem| now.iter().any(|item| item.text == gone.text);
    let gone: Vec<&str> = before
        .iter()
        .filter(|item| item.is_open() && !is_there(item))
        .map(|item| item.text.as_str())
        .collect();
    if gone.is_empty() {
        return text;
    }
    let more = gone.len().saturating_sub(DROPPED_SHOWN_MAX);
    let shown = &gone[..gone.len() - more];
    text.push_str("\nNo longer in it, and never done; put back what is still to do:");
    for item in shown {
        text.push_str(&format!("\n- {item}"));
    }
    if more > 0 {
        text.push_str(&format!("\n- and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(items: &[(&str, StepState)]) -> Vec<PlanItem> {
        let item = |(text, state): &(&str, StepState)| PlanItem {
            text: (*text).to_owned(),
            state: *state,
        };
        items.iter().map(item).collect()
    }

    #[test]
    fn an_open_step_that_is_left_out_is_told() {
        use StepState::{Doing, Done, Open};
        let before = plan(&[("read", Done), ("write", Doing), ("test", Open)]);
        for (now, told) in [
            (
                plan(&[("read", Done), ("write", Done), ("test", Doing)]),
                "plan set, 2 of 3 done; now: test",
            ),
            (
                plan(&[("write", Done)]),
                "plan set, 1 of 1 done\nNo longer in it, and never done; put back what is still to do:\n- test",
            ),
            (
                plan(&[("test", Open), ("write", Open)]),
                "plan set, 0 of 2 done; now: test",
            ),
        ] {
            assert_eq!(planned(&before, &now), told);
        }
    }
}
