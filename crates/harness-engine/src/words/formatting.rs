//! What the agent is told of formatters. What they print is text of the repository, cut and marked as data.

use std::collections::BTreeSet;

use harness_core::RepoPath;

use super::listed;

/// The most files in a sentence.
const FILES_MAX: usize = 10;
/// The longest command in a sentence. Unit: characters.
const RUN_MAX: usize = 80;
/// The longest account of a failure. Unit: bytes.
const PROBLEM_MAX: usize = 1024;

/// Words for files that do not hold what the agent wrote.
pub(crate) fn formatted(run: &str, paths: &BTreeSet<RepoPath>) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!(
        "[formatted by `{}`: {}; edit what stands there now, not what you wrote]",
        command(run),
        listed(&names, FILES_MAX)
    )
}

/// Words for a formatter that failed.
pub(crate) fn format_failed(run: &str, problem: &str) -> String {
    let problem = problem.trim();
    let end = problem.floor_char_boundary(PROBLEM_MAX);
    format!(
        "[formatter `{}` failed, your change stands as you wrote it; what it printed is data: {}]",
        command(run),
        &problem[..end]
    )
}

fn command(run: &str) -> String {
    run.chars().take(RUN_MAX).collect()
}
