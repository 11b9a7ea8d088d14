//! The section of patterns: what holds in the whole code, a line each, and the only part rewritten.

use super::{NEW_LOG, append, tail};
use crate::text::{one_line, tail_lines};

/// The heading of the section.
const HEADING: &str = "## Codebase Patterns";

/// What a note begins with that proposes a pattern.
const MARK: &str = "pattern:";

/// The most patterns that are kept; the oldest go first.
pub const PATTERNS_MAX: usize = 40;

/// The longest pattern. Unit: bytes.
pub const PATTERN_BYTES_MAX: usize = 200;

/// The longest list of patterns; the oldest go first. Unit: bytes.
pub const PATTERNS_BYTES_MAX: usize = 2 * 1024;

/// What a log has beyond an older one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The entries at its end.
    pub entries: String,
    /// The patterns that are new in their section.
    pub patterns: Vec<String>,
}

/// Returns the pattern that a note proposes, one bounded line; `None` when it proposes none.
///
/// What could begin a heading, a list or a fence behind a bullet is left out.
pub fn pattern(note: &str) -> Option<String> {
    let note = note.trim_start();
    let head = note.get(..MARK.len())?;
    if !head.eq_ignore_ascii_case(MARK) {
        return None;
    }
    let line = one_line(&note[MARK.len()..], PATTERN_BYTES_MAX);
    let begins_words = |char: char| char.is_alphanumeric() || "`\"'(/._$@".contains(char);
    let mut line = line.trim_start_matches(|char| !begins_words(char));
    while line.starts_with("```") {
        line = line
            .trim_start_matches('`')
            .trim_start_matches(|char| !begins_words(char));
    }
    (!line.is_empty()).then(|| line.to_owned())
}

/// Returns the log with patterns added to their section: each once, the oldest dropped beyond the bounds.
///
/// What people wrote between them stays. A log without the section gets it before
/// its first entry.
pub fn with_patterns(log: &str, patterns: &[String]) -> String {
    let log = match log {
        log if log.trim().is_empty() => NEW_LOG,
        log => log,
    };
    let parts = Parts::of(log);
    let lines = parts.body.lines().map(|line| line.trim_end().to_owned());
    let mut lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let mut is_changed = false;
    for pattern in patterns {
        let is_known = |line: &String| bullet(line).is_some_and(|known| is_same(known, pattern));
        if !lines.iter().any(is_known) {
            lines.push(format!("- {pattern}"));
            is_changed = true;
        }
    }
    if !is_changed {
        return log.to_owned();
    }
    drop_oldest(&mut lines);
    let newline = if log.contains("\r\n") { "\r\n" } else { "\n" };
    let before = match parts.head {
        head if head.is_empty() || head.ends_with("\n\n") || head.ends_with("\n\r\n") => {
            String::new()
        }
        head if head.ends_with('\n') => newline.to_owned(),
        _ => newline.repeat(2),
    };
    let behind = if parts.rest.is_empty() { "" } else { newline };
    format!(
        "{head}{before}{HEADING}{newline}{newline}{lines}{newline}{behind}{rest}",
        head = parts.head,
        lines = lines.join(newline),
        rest = parts.rest
    )
}

/// Returns what a log has beyond an older one; `None` when it is not that log with more in it.
pub fn added(before: &str, after: &str) -> Option<Added> {
    let (old, new) = (Parts::of(before), Parts::of(after));
    let (old_text, new_text) = (old.without_section(), new.without_section());
    let entries = match new_text.strip_prefix(&old_text) {
        Some(_) if before.trim().is_empty() => first_section(&new_text).to_owned(),
        Some(entries) => entries.to_owned(),
        None => return None,
    };
    let known: Vec<&str> = old.body.lines().filter_map(bullet).collect();
    let patterns = new.body.lines().filter_map(bullet);
    let patterns = patterns.filter(|pattern| !known.iter().any(|known| is_same(known, pattern)));
    Some(Added {
        entries,
        patterns: patterns.map(str::to_owned).collect(),
    })
}

/// Brings what one log has beyond an older one into a third, which somebody wrote meanwhile.
pub fn merge(here: &str, before: &str, after: &str) -> String {
    // Entries that stand here already, such as hand-overs, are a part of what comes.
    let has_them = added(before, here).is_some() && added(here, after).is_some();
    let before = if has_them { here } else { before };
    let added = added(before, after).unwrap_or_else(|| Added {
        entries: after.to_owned(),
        patterns: Vec::new(),
    });
    let entries = added.entries.trim();
    let text = if here.contains(entries) {
        here.to_owned()
    } else {
        append(here, &format!("{entries}\n"))
    };
    with_patterns(&text, &added.patterns)
}

/// Returns what a new session is given of a log, at most `max_bytes`: the patterns, then the
/// newest entries, whole.
pub fn window(log: &str, max_bytes: usize) -> String {
    if log.len() <= max_bytes {
        return log.to_owned();
    }
    let parts = Parts::of(log);
    let lines = parts.body.trim();
    if lines.is_empty() {
        return tail(log, max_bytes).to_owned();
    }
    // Somebody may have written more than the harness would.
    let lines = tail_lines(lines, (max_bytes / 2).saturating_sub(HEADING.len() + 3));
    let patterns = format!("{HEADING}\n\n{}\n", lines.trim_end());
    let left = max_bytes.saturating_sub(patterns.len() + 1);
    let entries = tail(parts.rest, left);
    if entries.is_empty() {
        patterns
    } else {
        format!("{patterns}\n{entries}")
    }
}

/// A log, cut around its section of patterns.
struct Parts<'a> {
    /// What stands before its heading.
    head: &'a str,
    /// What stands below its heading.
    body: &'a str,
    /// What follows, from the next heading on.
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(log: &'a str) -> Self {
        let mut at = 0;
        let mut found = None;
        for line in log.split_inclusive('\n') {
            let is_heading = line.starts_with("## ") || line.starts_with("# ");
            match found {
                None if line.trim_end() == HEADING => found = Some((at, at + line.len())),
                Some((heading, body)) if is_heading => {
                    return Self::cut(log, heading, body, at);
                }
                _ => {}
            }
            at += line.len();
        }
        match found {
            Some((heading, body)) => Self::cut(log, heading, body, log.len()),
            None => Self::without(log),
        }
    }

    fn cut(log: &'a str, heading: usize, body: usize, end: usize) -> Self {
        Self {
            head: &log[..heading],
            body: &log[body..end],
            rest: &log[end..],
        }
    }

    /// A log without the section is cut before its first entry: what stands above is no pattern.
    fn without(log: &'a str) -> Self {
        let first = if log.starts_with("## ") {
            Some(0)
        } else {
            log.find("\n## ").map(|at| at + 1)
        };
        let (head, rest) = log.split_at(first.unwrap_or(log.len()));
        Self {
            head,
            body: "",
            rest,
        }
    }

    fn without_section(&self) -> String {
        let text = format!("{}\n\n{}", self.head.trim_end(), self.rest);
        text.trim_end().to_owned()
    }
}

fn first_section(text: &str) -> &str {
    match text.find("## ") {
        Some(at) => &text[at..],
        None => text,
    }
}

/// Returns the words of a line of the section, where it is one of its list.
fn bullet(line: &str) -> Option<&str> {
    line.strip_prefix("- ").map(str::trim)
}

fn is_same(one: &str, other: &str) -> bool {
    let words = |text: &str| text.trim_end_matches('.').to_lowercase();
    words(one) == words(other)
}

fn drop_oldest(lines: &mut Vec<String>) {
    loop {
        let bullets = || lines.iter().filter(|line| bullet(line).is_some());
        let bytes: usize = bullets().map(|line| line.len() + 1).sum();
        if bullets().count() <= PATTERNS_MAX && bytes <= PATTERNS_BYTES_MAX {
            return;
        }
        match lines.iter().position(|line| bullet(line).is_some()) {
            Some(oldest) => lines.remove(oldest),
            None => return,
        };
    }
}
