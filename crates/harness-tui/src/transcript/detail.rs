//! What a call did, unfolded: the text it read, the lines it changed, the output it gave.

use harness_core::{Action, CallEnd, Outcome};
use harness_report::clean;

use crate::text::{Role, Row, untabbed};

/// The most lines that are unfolded in place; the log has all of it.
const LINES_MAX: usize = 400;
/// The longest line that is unfolded. Unit: characters.
const LINE_CHARS_MAX: usize = 2_000;

/// Returns the lines below an unfolded call.
pub(crate) fn rows(action: Option<&Action>, end: &CallEnd) -> Vec<Row> {
    let mut rows = Vec::new();
    match action {
        Some(edit @ Action::Edit { .. }) => {
            for (old, new) in edit.replacements() {
                add(&mut rows, Role::Removed, "- ", old);
                add(&mut rows, Role::Added, "+ ", new);
            }
        }
        Some(Action::Write { content, .. }) => add(&mut rows, Role::Added, "+ ", content),
        Some(Action::Run { command, .. }) => add(&mut rows, Role::Strong, "$ ", command),
        _ => {}
    }
    match end {
        CallEnd::Done { outcome } => add_outcome(&mut rows, outcome),
        CallEnd::Answered { text, .. } => add(&mut rows, Role::Plain, "", text),
        CallEnd::Refused { reason } => add(&mut rows, Role::Bad, "", reason),
        CallEnd::Failed { message } => add(&mut rows, Role::Bad, "", message),
        CallEnd::Cancelled | CallEnd::Lost => {}
    }
    if rows.is_empty() {
        rows.push(Row::of(Role::Quiet, "nothing more is in the log"));
    }
    let more = rows.len().saturating_sub(LINES_MAX);
    if more > 0 {
        rows.truncate(LINES_MAX);
        rows.push(Row::of(
            Role::Quiet,
            format!("{more} lines more; `harness log show` has the whole"),
        ));
    }
    rows
}

fn add_outcome(rows: &mut Vec<Row>, outcome: &Outcome) {
    match outcome {
        Outcome::Text { text, .. } => add(rows, Role::Plain, "", text),
        Outcome::Exited { output, .. } => add(rows, Role::Plain, "", &output.to_text()),
        Outcome::Refused { message } => add(rows, Role::Bad, "", message),
        Outcome::Image(image) => add(rows, Role::Quiet, "", &image.summary()),
        Outcome::Written { .. } | Outcome::Moved | Outcome::Deleted { .. } => {}
    }
}

fn add(rows: &mut Vec<Row>, role: Role, mark: &str, text: &str) {
    let cleaned = clean(text);
    let lines = cleaned.lines().map(|line| {
        let line: String = line.chars().take(LINE_CHARS_MAX).collect();
        Row::of(role, format!("{mark}{}", untabbed(&line)))
    });
    rows.extend(lines);
}

#[cfg(test)]
mod tests {
    use harness_core::{Captured, Replacement, RepoPath, Stop};

    use super::*;

    #[test]
    fn an_edit_shows_what_it_took_and_what_it_put() {
        let action = Action::Edit {
            path: RepoPath::parse("a").unwrap(),
            old: "one\ntwo".to_owned(),
            new: "1".to_owned(),
            more: vec![Replacement {
                old: "three".to_owned(),
                new: "3".to_owned(),
            }],
        };
        let end = CallEnd::Done {
            outcome: Outcome::Written {
                created: false,
                added: 1,
                removed: 2,
                inexact: None,
            },
        };
        let texts: Vec<String> = rows(Some(&action), &end).iter().map(Row::to_text).collect();
        assert_eq!(texts, ["- one", "- two", "+ 1", "- three", "+ 3"]);
    }

    #[test]
    fn output_is_shown_and_never_obeyed_and_has_a_bound() {
        let output = Captured {
            head: format!("\u{1b}[2J\n{}", "x\n".repeat(1_000)),
            tail: String::new(),
            bytes: 2_004,
        };
        let stop = Stop::Exited(0);
        let end = CallEnd::Done {
            outcome: Outcome::Exited {
                stop,
                output,
                kept: None,
            },
        };
        let rows = rows(None, &end);
        assert_eq!(rows[0].to_text(), "‹U+001B›[2J");
        assert_eq!(rows.len(), LINES_MAX + 1);
        assert!(rows[LINES_MAX].to_text().starts_with("601 lines more"));
    }
}
