//! What is said of the note that the next session is left with.

use harness_core::HandedOver;

use super::{Line, Who};
use crate::clean::clean_line;

/// The most lines of a note that are shown.
const LINES_MAX: usize = 20;
/// What is shown of one line. Unit: characters.
const LINE_CHARS: usize = 400;

pub(super) fn handed_over(note: &HandedOver) -> Vec<Line> {
    let by = if note.by_model {
        "the model's note"
    } else {
        "a note of what the log shows"
    };
    let lines = note.note.lines().filter(|line| line.starts_with("- "));
    let lines = lines
        .take(LINES_MAX)
        .map(|line| clean_line(line, LINE_CHARS));
    let problem = (!note.problem.is_empty()).then(|| clean_line(&note.problem, LINE_CHARS));
    let text = format!("{} handed over, with {by}", note.feature);
    vec![Line::new(Who::Feature, text).with(problem.into_iter().chain(lines))]
}
