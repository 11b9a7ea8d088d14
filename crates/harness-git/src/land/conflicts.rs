//! Where a commit does not fit onto HEAD, as people read it.

use std::collections::BTreeMap;

use git2::{Commit, Index, IndexConflict, MergeFileInput, MergeFileOptions, merge_file};
use harness_core::RepoPath;

use crate::repo::{Repo, commit_id};

/// Lines that are shown of the conflicts of one file.
const LINES_MAX: usize = 40;

/// A file that both sides changed in ways that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictFile {
    /// The file.
    pub path: RepoPath,
    /// Its hunks between conflict markers, at most 40 lines; else what both sides did to it.
    pub text: String,
}

impl Repo {
    /// Returns the conflicts of a pick, sorted by path.
    pub(super) fn conflicts(&self, index: &Index, commit: &Commit<'_>) -> Vec<ConflictFile> {
        let mut files = BTreeMap::new();
        for conflict in index.conflicts().into_iter().flatten().flatten() {
            let sides = [&conflict.our, &conflict.their, &conflict.ancestor];
            let mut paths = sides
                .into_iter()
                .flatten()
                .filter_map(|side| RepoPath::parse(&side.path).ok());
            if let Some(path) = paths.next() {
                let text = self.conflict_text(&conflict, commit);
                files.insert(path, text);
            }
        }
        let files = files.into_iter();
        files
            .map(|(path, text)| ConflictFile { path, text })
            .collect()
    }

    fn conflict_text(&self, conflict: &IndexConflict, commit: &Commit<'_>) -> String {
        let (our, their) = match (&conflict.our, &conflict.their) {
            (Some(our), Some(their)) => (our, their),
            (None, _) => return "deleted on HEAD, changed by the run".to_owned(),
            (_, None) => return "changed on HEAD, deleted by the run".to_owned(),
        };
        let mut options = MergeFileOptions::new();
        options
            .our_label("HEAD")
            .their_label(commit_id(commit.id()).short());
        let no_text = || "changed on HEAD and by the run; it is no text".to_owned();
        let merged = match &conflict.ancestor {
            Some(ancestor) => {
                let git = &self.git;
                git.merge_file_from_index(ancestor, our, their, Some(&mut options))
            }
            None => {
                let (Ok(our), Ok(their)) = (self.blob_bytes(our.id), self.blob_bytes(their.id))
                else {
                    return no_text();
                };
                if our.contains(&0) || their.contains(&0) {
                    return no_text();
                }
                let mut inputs = [&b""[..], &our, &their].map(|bytes| {
                    let mut input = MergeFileInput::new();
                    input.content(bytes);
                    input
                });
                let [nothing, our, their] = &mut inputs;
                merge_file(nothing, our, their, Some(&mut options))
            }
        };
        let Ok(merged) = merged else {
            return no_text();
        };
        let text = String::from_utf8_lossy(merged.content()).into_owned();
        let (mut lines, mut is_inside, mut left_out) = (Vec::new(), false, 0_usize);
        for line in text.lines() {
            is_inside |= line.starts_with("<<<<<<< ");
            if is_inside && lines.len() < LINES_MAX {
                lines.push(line);
            } else if is_inside {
                left_out += 1;
            }
            is_inside &= !line.starts_with(">>>>>>> ");
        }
        if lines.is_empty() {
            return no_text();
        }
        let mut shown = lines.join("\n");
        if left_out > 0 {
            shown.push_str(&format!("\n[{left_out} more lines]"));
        }
        shown
    }
}
