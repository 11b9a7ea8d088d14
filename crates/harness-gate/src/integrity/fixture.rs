//! What tests are held against: snapshots, fixtures, expected outputs.

use harness_core::{FindingKind, RepoPath};

use super::{
    FileChange,
    compare::{Side, Weakness},
};

/// Whether a file is what tests compare with or read, by its path.
pub fn is_fixture(path: &RepoPath) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let is_folder = |folder: &[u8]| {
        matches!(
            folder,
            b"testdata" | b"fixtures" | b"__fixtures__" | b"golden" | b"goldens" | b"__snapshots__"
        )
    };
    path.components().rev().skip(1).any(is_folder)
        || [".snap", ".golden", ".expected", ".approved.txt"]
            .iter()
            .any(|ending| name.ends_with(ending))
        || name.starts_with("expected.")
        || name.starts_with("expected_output")
        || name.starts_with("expected-output")
}

/// Judges a file that tests are held against: what was there stays as it was.
///
/// One that moves as it is, and one that is new, is no finding.
pub(super) fn changed(change: &FileChange<'_>, changes: &[FileChange<'_>]) -> Vec<Weakness> {
    let kind = FindingKind::SnapshotChanged;
    match (change.old, change.new) {
        (Some(old), Some(new)) if old != new => {
            let message = "what tests are held against has changed";
            vec![Weakness::whole(kind, message, Side::New)]
        }
        (Some(old), None) => {
            let moved = changes
                .iter()
                .any(|other| other.old.is_none() && other.new == Some(old));
            let message = "what tests are held against is gone";
            let found = (!moved).then(|| Weakness::whole(kind, message, Side::Old));
            found.into_iter().collect()
        }
        _ => Vec::new(),
    }
}
