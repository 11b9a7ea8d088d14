//! The negative control in words.

use harness_core::{ControlCheck, ControlOutcome, NegativeControl};

use super::{Line, Who, seconds};
use crate::clean::clean_line;

pub(super) fn lines(control: &NegativeControl) -> Vec<Line> {
    let mut lines: Vec<Line> = control.checks.iter().map(line).collect();
    if !control.skipped.is_empty() {
        let why = clean_line(&control.skipped, 300);
        let text = format!("added tests not tried on the base: {why}");
        lines.push(Line::new(Who::Gate, text));
    }
    if !control.left_out.is_empty()
        && let Some(last) = lines.pop()
    {
        lines.push(last.with([clean_line(&control.left_out, 300)]));
    }
    lines
}

fn line(check: &ControlCheck) -> Line {
    let gate = clean_line(&check.gate, 100);
    match check.outcome {
        ControlOutcome::Needed => Line::new(
            Who::Gate,
            format!(
                "{gate}: the added tests need the change, tried on the base in {}",
                seconds(check.ms)
            ),
        ),
        ControlOutcome::ProvesNothing => {
            let (tests, prove) = if check.count == 1 {
                ("1 added test passes", "proves")
            } else {
                ("added tests pass", "prove")
            };
            let many = if check.count == 1 {
                String::new()
            } else {
                format!("{} ", check.count)
            };
            let text = format!(
                "{gate}: {many}{tests} on the base too and {prove} nothing about the change"
            );
            let names = check.tests.iter().map(|name| clean_line(name, 200));
            Line::new(Who::Gate, text).with(names)
        }
        ControlOutcome::Skipped => Line::new(
            Who::Gate,
            format!(
                "{gate}: added tests not tried on the base: {}",
                clean_line(&check.reason, 300)
            ),
        ),
    }
}
