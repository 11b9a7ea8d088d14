//! What is said about changes that nobody allowed, and about those of somebody else.

use harness_core::RepoPath;

use super::{ARGUMENT_CHARS, Line, Who};
use crate::clean::clean_line;

/// How many paths a line names before it only counts them.
const PATHS_SHOWN: usize = 5;

/// Says what was taken back, and that something was not.
pub(super) fn undone(path: &RepoPath, why: &str, done: &str, restored: bool) -> Line {
    let path = clean_line(&path.to_text(), ARGUMENT_CHARS);
    // Earlier versions said only what was done.
    let word = if restored || why.is_empty() {
        "undone"
    } else {
        "NOT undone"
    };
    let why = if why.is_empty() {
        String::new()
    } else {
        format!("{}; ", clean_line(why, 300))
    };
    Line::new(
        Who::Guard,
        format!("{word} {path}: {why}{}", clean_line(done, 300)),
    )
}

/// Says what somebody else changed.
pub(super) fn changed_outside(paths: &[RepoPath], more: u64) -> Line {
    let shown = paths.iter().take(PATHS_SHOWN);
    let shown: Vec<String> = shown
        .map(|path| clean_line(&path.to_text(), ARGUMENT_CHARS))
        .collect();
    let more = more + paths.len().saturating_sub(PATHS_SHOWN) as u64;
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Line::new(
        Who::Note,
        format!(
            "changed outside the run: {}{more}; left alone",
            shown.join(", ")
        ),
    )
}
