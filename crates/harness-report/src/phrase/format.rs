//! Formatters in words.

use harness_core::Formatted;

use super::{ARGUMENT_CHARS, Line, Who, one};
use crate::clean::{clean, clean_line};

pub(super) fn lines(formatted: &Formatted) -> Vec<Line> {
    let run = clean_line(&formatted.run.join(" "), ARGUMENT_CHARS);
    if !formatted.problem.is_empty() {
        let line = Line::new(
            Who::Harness,
            format!("format `{run}` FAILED, the change stands"),
        );
        return vec![line.with([clean(&formatted.problem).into_owned()])];
    }
    // Files that were formatted already are no news.
    if formatted.changed.is_empty() {
        return Vec::new();
    }
    let changed: Vec<String> = formatted.changed.iter().map(ToString::to_string).collect();
    let changed = clean_line(&changed.join(" "), ARGUMENT_CHARS);
    one(Who::Harness, format!("format `{run}` changed {changed}"))
}
