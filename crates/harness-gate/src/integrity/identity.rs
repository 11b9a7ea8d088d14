//! What a finding goes by, and the change it shows: a person approves exactly that.
//!
//! The id is made of the whole change, also where the text that is shown is cut.
//! Line numbers are no part of it, so that the same hunk keeps its id when
//! something far above it changes.

use std::fmt::Write;

use harness_core::{Finding, FindingKind, RepoPath};
use harness_review::{Hunk, Line, LineKind};
use sha2::{Digest, Sha256};

/// The most bytes of the change that a finding shows.
pub const HUNK_BYTES_MAX: usize = 16 * 1024;
/// The most bytes that the findings of one change show together.
pub const HUNKS_BYTES_MAX: usize = 256 * 1024;

/// Bytes of the id; it is written with two digits each.
const ID_BYTES: usize = 4;

/// Returns the id of a finding: eight hexadecimal digits of the SHA-256 over its kind, path,
/// message and the lines that were removed and added, or whatever else stands for the change.
fn finding_id<'a>(
    kind: FindingKind,
    path: &RepoPath,
    message: &str,
    change: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        // With its length in front, no part can pass for two.
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(kind.as_str().as_bytes());
    part(path.as_bytes());
    part(message.as_bytes());
    for line in change {
        part(line.as_bytes());
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(ID_BYTES)
        .fold(String::new(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
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

fn written(line: &Line) -> String {
    let sign = match line.kind {
        LineKind::Added => '+',
        LineKind::Removed => '-',
        LineKind::Context => ' ',
    };
    format!("{sign}{}", line.text)
}
