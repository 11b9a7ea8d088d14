//! What a finding goes by, and the change it shows: a person approves exactly that.
//!
//! The id is made of the whole change, also where the text that is shown is cut.
//! Line numbers are no part of it, so that the same hunk keeps its id when
//! something far above it changes.

use std::fmt::Write;

use harness_core::{Finding, FindingKind, RepoPath};
use harness_review::{Hunk, Line, LineKind, content_id};

/// The most bytes of the change that a finding shows.
pub const HUNK_BYTES_MAX: usize = 16 * 1024;
/// The most bytes that the findings of one change show together.
pub const HUNKS_BYTES_MAX: usize = 256 * 1024;

/// Hexadecimal digits of the id.
const ID_DIGITS: usize = 8;

/// Returns the id of a finding: eight hexadecimal digits of the SHA-256 over its kind, path,
/// message and the lines that were removed and added, or whatever else stands for the change.
fn finding_id<'a>(
    kind: FindingKind,
    path: &RepoPath,
    message: &str,
    change: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut parts = vec![
        kind.as_str().as_bytes(),
        path.as_bytes(),
        message.as_bytes(),
    ];
    for line in change {
        parts.push(line.as_bytes());
    }
    content_id(ID_DIGITS, parts)
}

/// Returns a finding with its id, made of `change`: blobs where there is no text, or lines.
#[must_use]
pub fn with_change<'a>(finding: Finding, change: impl IntoIterator<Item = &'a str>) -> Finding {
    let id = finding_id(finding.kind, &finding.path, &finding.message, change);
    Finding { id, ..finding }
}

/// Cuts what the findings of one change show together; ids stay.
pub fn bound_hunks(findings: &mut [Finding]) {
    let mut left = HUNKS_BYTES_MAX;
    for finding in findings {
        if finding.hunk.len() > left {
            "[left out: the change is shown by `git diff`]\n".clone_into(&mut finding.hunk);
        }
        left = left.saturating_sub(finding.hunk.len());
    }
}

/// Makes a finding about some hunks of a file.
pub(super) fn of_hunks(
    kind: FindingKind,
    path: &RepoPath,
    message: String,
    line: Option<u32>,
    hunks: &[&Hunk],
) -> Finding {
    let changed: Vec<String> = hunks
        .iter()
        .flat_map(|hunk| &hunk.lines)
        .filter(|line| line.kind != LineKind::Context)
        .map(written)
        .collect();
    let finding = Finding {
        line,
        hunk: shown(hunks),
        ..Finding::of_path(kind, path.clone(), message)
    };
    with_change(finding, changed.iter().map(String::as_str))
}

/// Writes hunks as `git diff` does, cut at a line end where they are very long.
fn shown(hunks: &[&Hunk]) -> String {
    let (mut text, mut left_out) = (String::new(), 0_usize);
    for hunk in hunks {
        let (old_count, new_count) = hunk.extent();
        let header = format!(
            "@@ -{},{old_count} +{},{new_count} @@",
            hunk.old_start, hunk.new_start
        );
        for line in std::iter::once(header).chain(hunk.lines.iter().map(written)) {
            if left_out > 0 || text.len() + line.len() >= HUNK_BYTES_MAX {
                left_out += 1;
            } else {
                text.push_str(&line);
                text.push('\n');
            }
        }
    }
    if left_out > 0 {
        let _ = writeln!(text, "[{left_out} more lines, not shown: see `git diff`]");
    }
    text
}

/// Writes a line for a finding: a newline that is missing at the end is no part of it.
fn written(line: &Line) -> String {
    format!("{}{}", line.kind.sign(), line.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a person approved in an earlier version stays approved.
    #[test]
    fn the_ids_of_findings_stay() {
        let path = RepoPath::parse("tests/a.rs").unwrap();
        let id = finding_id(
            FindingKind::TestsSkipped,
            &path,
            "`a` is skipped",
            ["-b", "+c"],
        );
        assert_eq!(id, "53b72c4a");
    }
}
