//! Reads a change for whoever reviews it; how it is worded is the gate crate's.

use std::borrow::Cow;

use harness_core::{ChangeShown, CommitId, RepoPath, TreeId};
use harness_gate::review::{ChangedFile, worded};
use harness_git::{GitError, Repo};

use super::chain;

/// The most files that are read and named.
const FILES_MAX: usize = 500;
/// The largest file that is compared. Unit: bytes.
const TEXT_MAX: u64 = 2 * 1024 * 1024;

/// Shows the change from a commit to a tree.
///
/// # Errors
/// When a tree cannot be read; the text says why.
pub(super) fn shown(repo: &Repo, tip: &CommitId, tree: &TreeId) -> Result<ChangeShown, String> {
    let base = repo.tree_of(tip).map_err(|error| chain(&error))?;
    let changes = repo.diff(&base, tree).map_err(|error| chain(&error))?;
    let mut files = Vec::with_capacity(changes.len().min(FILES_MAX));
    for change in changes.iter().take(FILES_MAX) {
        let old = text(repo, &base, &change.path)?;
        let new = text(repo, tree, &change.path)?;
        let texts = [old.as_deref(), new.as_deref()];
        let name = harness_tool::quote(&change.path).to_string();
        files.push(ChangedFile::new(name, change, texts, redacted));
    }
    let unnamed = changes.len() - files.len();
    let (diff, cut) = worded(&files, unnamed);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(ChangeShown {
        tree: tree.clone(),
        diff,
        files: number(changes.len()),
        cut: number(cut + unnamed),
        problem: String::new(),
    })
}

fn redacted(text: &str) -> Cow<'_, str> {
    harness_guard::redact(text)
}

/// Reads a text file of a tree; `None` when it is absent, binary or too large to be a source.
fn text(repo: &Repo, tree: &TreeId, path: &RepoPath) -> Result<Option<String>, String> {
    match repo.read_blob(tree, path, TEXT_MAX) {
        Ok(bytes) => Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok())),
        Err(GitError::TooLarge { .. } | GitError::NotAFile { .. }) => Ok(None),
        Err(error) => Err(chain(&error)),
    }
}
