//! The progress log: append-only Markdown that people and later sessions read.
//!
//! The agent proposes words, the harness stamps them: every text becomes one
//! bounded line behind a label, so that no text can forge a heading. The runner
//! writes the file; this module only makes and cuts its text.

use std::{borrow::Cow, fmt::Write};

use harness_core::{CommitId, FeatureId, SessionId, Timestamp};

use crate::text::{one_line, tail_lines};

mod join;
mod patterns;

pub use join::join;
pub use patterns::{
    Added, PATTERN_BYTES_MAX, PATTERNS_BYTES_MAX, PATTERNS_MAX, added, merge, pattern, window,
    with_patterns,
};

/// The beginning of a new log. The section of patterns is the only one that is ever rewritten.
const NEW_LOG: &str = "# Progress\n\n## Codebase Patterns\n";

/// The longest line of an entry, without its label. Unit: bytes.
pub const LINE_BYTES_MAX: usize = 500;

/// The most lines of one kind in an entry.
pub const LINES_MAX: usize = 20;

/// What the lines of an entry begin with, in their order.
const LABELS: [&str; 6] = [
    "Done",
    "Tried and failed",
    "Gates",
    "Parent",
    "Next",
    "Open questions",
];

/// How a session left its feature, in the words of a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// It is proven.
    Passing,
    /// Another session goes on.
    HandedOver,
    /// A person must decide something.
    NeedsHuman,
    /// Features were added to the list for a goal.
    Planned,
}

impl Word {
    /// Returns the words of the heading.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::HandedOver => "handed over",
            Self::NeedsHuman => "needs human",
            Self::Planned => "planned",
        }
    }
}

/// What an entry says, one text per line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub done: Vec<String>,
    /// What was tried and failed.
    pub tried: Vec<String>,
    /// How the gates came out.
    pub gates: Vec<String>,
    /// The commit the work stands on.
    pub parent: Option<CommitId>,
    /// What comes next.
    pub next: Vec<String>,
    /// What nobody has answered.
    pub questions: Vec<String>,
}

/// Writes an entry: a heading with time, session, feature and word, then bullets.
///
/// White space and control characters in a text become one space, empty texts
/// are left out, and of one kind at most [`LINES_MAX`] are kept.
pub fn entry(
    now: Timestamp,
    session: SessionId,
    feature: &FeatureId,
    word: Word,
    entry: &Entry,
) -> String {
    let heading = now.to_seconds_text();
    let mut text = format!("## {heading} {session} {feature} {}\n\n", word.as_str());
    let parent: Vec<String> = entry.parent.iter().map(ToString::to_string).collect();
    let kinds = [
        &entry.done,
        &entry.tried,
        &entry.gates,
        &parent,
        &entry.next,
        &entry.questions,
    ];
    for (label, lines) in LABELS.into_iter().zip(kinds) {
        bullets(&mut text, label, lines);
    }
    text
}

/// Writes the entry of a person's word: a heading with time, feature and word, then the reason.
pub fn by_person(now: Timestamp, feature: &FeatureId, word: &str, reason: &str) -> String {
    let mut text = format!("## {} {feature} {word}\n\n", now.to_seconds_text());
    bullets(&mut text, "Reason", &[reason.to_owned()]);
    text
}

/// Returns the log with an entry at its end; what was there stays as it is, to the byte.
///
/// An empty log gets its title and the section of patterns first.
pub fn append(existing: &str, entry: &str) -> String {
    let existing = if existing.trim().is_empty() {
        NEW_LOG
    } else {
        existing
    };
    let (newline, entry) = if existing.contains("\r\n") {
        ("\r\n", Cow::Owned(entry.replace('\n', "\r\n")))
    } else {
        ("\n", Cow::Borrowed(entry))
    };
    let gap = match existing {
        text if text.ends_with("\n\n") || text.ends_with("\n\r\n") => String::new(),
        text if text.ends_with('\n') => newline.to_owned(),
        _ => newline.repeat(2),
    };
    format!("{existing}{gap}{entry}")
}

/// Returns the last sections that fit into `max_bytes` together, whole.
///
/// Where not even the last one fits, the end of the text at a line.
pub fn tail(text: &str, max_bytes: usize) -> &str {
    if text.len() <= max_bytes {
        return text;
    }
    let earliest = text.len() - max_bytes;
    let sections = text.match_indices("## ").map(|(at, _)| at);
    let begins_line = |at: &usize| *at == 0 || text.as_bytes()[at - 1] == b'\n';
    let fitting = sections.filter(begins_line).find(|at| *at >= earliest);
    match fitting {
        Some(start) => &text[start..],
        None => tail_lines(text, max_bytes),
    }
}

/// Whether a line is one that an entry of a session can have.
pub fn is_own_bullet(line: &str) -> bool {
    let label = line
        .strip_prefix("- ")
        .and_then(|line| line.split_once(": "));
    label.is_some_and(|(label, _)| LABELS.contains(&label))
}

fn bullets(text: &mut String, label: &str, lines: &[String]) {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| one_line(line, LINE_BYTES_MAX))
        .filter(|line| !line.is_empty())
        .collect();
    for line in lines.iter().take(LINES_MAX) {
        let _ = writeln!(text, "- {label}: {line}");
    }
    if lines.len() > LINES_MAX {
        let _ = writeln!(text, "- {label}: {} more", lines.len() - LINES_MAX);
    }
}

#[cfg(test)]
mod tests;
