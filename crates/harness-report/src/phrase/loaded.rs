//! Documents and maps that came into the window, with what they cost.

use harness_core::{RepoPath, TokenCount};

use crate::clean::{clean, clean_line};

/// How much of a reason is shown. Unit: characters.
const WHY_CHARS: usize = 200;

/// Words a document that was loaded, or a map that should have been.
pub(super) fn document(
    path: &RepoPath,
    tokens: TokenCount,
    is_map: bool,
    problem: Option<&str>,
) -> String {
    let path = clean(&path.to_text()).into_owned();
    match problem {
        Some(problem) => format!("map {path} NOT loaded: {}", clean_line(problem, WHY_CHARS)),
        None if is_map => format!("map {path} loaded, {tokens}"),
        None => format!("document {path} loaded, {tokens}"),
    }
}
