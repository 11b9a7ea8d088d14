//! What the agent and the person are told of a person's review.

use std::fmt::Write as _;

use harness_core::{Rejection, ReviewChanged, TurnedDownEnd, TurnedDownPart};

use super::plain;

/// The most of all that is said at once. Unit: bytes.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// The most comments that one line names.
const NAMED_MAX: usize = 5;

pub(crate) const REPLIED: &str = "The person reads it.";
pub(crate) const TURNED_DOWN_FIRST: &str =
    "a person has turned parts of the change down, which are taken back first";
pub(crate) const NO_COMMENTS: &str = "no comment was sent to you";

/// Says that there is no such comment.
pub(crate) fn no_such_comment(number: u32, asked: &[u32]) -> String {
    match numbers(asked) {
        list if list.is_empty() => format!("no comment #{number} waits for an answer; none does"),
        list => format!("no comment #{number} waits for an answer; these do: {list}"),
    }
}

/// Names the red gate in one line.
pub(crate) fn refusal(review: &ReviewChanged) -> String {
    let named = review.must_fix.iter().take(NAMED_MAX);
    let named: Vec<String> = named
        .map(|comment| format!("#{} at {}", comment.number, plain(&comment.place)))
        .collect();
    let open = review.must_fix.len() as u64 + review.more;
    let more = open.saturating_sub(named.len() as u64);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "gate `review` is red: {open} must-fix open: {}{rest}",
        named.join(", ")
    )
}

/// Tells the agent what has to be fixed.
pub(crate) fn must_fix(review: &ReviewChanged) -> String {
    let mut text = "Not done: gate `review` is red. A person must be content with these before it can finish; fix \
        each, then answer it with `reply`.\n"
        .to_owned();
    for comment in &review.must_fix {
        let state = if comment.waits_for_person {
            ", waits for the person"
        } else {
            ""
        };
        let line = format!(
            "\n#{} must-fix at {}{state}\n{}\n",
            comment.number,
            plain(&comment.place),
            comment.text.trim()
        );
        if text.len() + line.len() > TEXT_BYTES_MAX {
            break;
        }
        text.push_str(&line);
    }
    if review.more > 0 {
        _ = write!(text, "\n{} more\n", review.more);
    }
    text
}

/// Tells the person what only they can do.
pub(crate) fn waits_for_person(review: &ReviewChanged) -> String {
    let open: Vec<u32> = review
        .must_fix
        .iter()
        .map(|comment| comment.number)
        .collect();
    let plainly: Vec<String> = open.iter().map(ToString::to_string).collect();
    format!(
        "{}; your word is missing on {}: `harness review` shows it, `harness review resolve {}` lets it finish",
        refusal(review),
        numbers(&open),
        plainly.join(" ")
    )
}

/// Tells the agent what was taken back.
pub(crate) fn turned_down(down: &[Rejection]) -> String {
    let count = match down.len() {
        1 => "1 part".to_owned(),
        count => format!("{count} parts"),
    };
    let mut text = format!(
        "A person turned {count} of the change down; it was taken back in the files. Do not make it again.\n"
    );
    for rejection in down {
        let reason = match rejection.reason.trim() {
            "" => "no reason given",
            reason => reason,
        };
        let mut part = format!("\n{}: {reason}\n", plain(&rejection.path.to_text()));
        for line in rejection.patch.lines() {
            _ = writeln!(part, "> {line}");
        }
        if text.len() + part.len() > TEXT_BYTES_MAX {
            text.push_str("\n[more]\n");
            break;
        }
        text.push_str(&part);
    }
    text
}

/// Tells the person what could not be taken back.
pub(crate) fn clashes(clashes: &[TurnedDownPart]) -> String {
    let lines = clashes.iter().filter_map(|part| match &part.end {
        TurnedDownEnd::Clash { why, line, .. } => {
            let path = plain(&part.path.to_text());
            Some(format!("hunk {} of {path}, line {line}: {why}", part.hunk))
        }
        TurnedDownEnd::Applied | TurnedDownEnd::Withdrawn => None,
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "what was rejected cannot be taken back, decide anew with `harness review`: {}",
        lines.join("; ")
    )
}

fn numbers(numbers: &[u32]) -> String {
    let named: Vec<String> = numbers.iter().map(|number| format!("#{number}")).collect();
    named.join(", ")
}
