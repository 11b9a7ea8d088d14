//! What is found in a change: against the scope, in what decides how gates run, in the tests, and secrets.
//!
//! Every finding gets its id, its line and the change it is about, as far as
//! that is text. Nothing is judged here but where the findings come from; what
//! becomes of them is the engine's. Called when a candidate is frozen.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use harness_core::{Change, ChangeKind, Feature, Finding, FindingKind, Policy, RepoPath, TreeId};
use harness_gate::integrity::{self, FileChange};
use harness_git::Repo;
use harness_guard::Guard;

use super::chain;

/// The largest file that is looked into for findings.
const TEXT_MAX: u64 = 2 * 1024 * 1024;

/// Looks through the change from one tree to another.
#[derive(Debug)]
pub struct Finder<'a> {
    /// Where the trees are.
    pub repo: &'a Repo,
    /// The judge of the feature.
    pub guard: &'a Guard,
    /// The rules of the run, with what a person gave since it began.
    pub policy: &'a Policy,
    /// The feature that the change is for.
    pub feature: &'a Feature,
    /// The tree before.
    pub base: &'a TreeId,
    /// The tree that would be committed.
    pub candidate: &'a TreeId,
}

impl Finder<'_> {
    /// Returns everything that is found in the change: paths first, then contents.
    ///
    /// # Errors
    /// When a tree cannot be read; the text says why.
    pub fn find(&self, changes: &[Change]) -> Result<Vec<Finding>, String> {
        let mut texts = Vec::with_capacity(changes.len());
        for change in changes {
            texts.push((
                change.path.clone(),
                self.text(self.base, &change.path)?,
                self.text(self.candidate, &change.path)?,
            ));
        }
        let files: Vec<FileChange<'_>> = texts
            .iter()
            .map(|(path, old, new)| FileChange {
                path: path.clone(),
                old: old.as_deref(),
                new: new.as_deref(),
            })
            .collect();
        let mut of_paths = self.guard.judge_changes(changes);
        of_paths.extend(self.changed_scripts(changes, &of_paths));
        of_paths.extend(self.changed_fixtures(changes, &files));
        let mut findings = self.with_blobs(of_paths, &files)?;
        findings.extend(self.inspect(&files, &findings));
        findings.extend(files.iter().filter_map(added_secret));
        for finding in &mut findings {
            if let Cow::Owned(hunk) = harness_guard::redact(&finding.hunk) {
                finding.hunk = hunk;
            }
        }
        integrity::bound_hunks(&mut findings);
        Ok(findings)
    }

    /// Looks for weakened tests and the like; what is found about a path already is not said again.
    fn inspect(&self, files: &[FileChange<'_>], known: &[Finding]) -> Vec<Finding> {
        let mut findings = integrity::inspect(files);
        findings.retain(|finding| {
            finding.kind != FindingKind::SnapshotChanged
                || !(is_known(known, &finding.path) || self.may_change(&finding.path))
        });
        findings
    }

    /// Whether the feature names the path as one that may change, or a person gave it meanwhile.
    fn may_change(&self, path: &RepoPath) -> bool {
        let given = self.policy.amendments.iter();
        let given = given.filter(|more| more.feature == self.feature.id);
        let mut allowed = self
            .feature
            .may_change
            .iter()
            .chain(given.flat_map(|more| &more.may_change));
        allowed.any(|allowed| path.starts_with(allowed))
    }

    /// Finds changed files that a gate's argv names: they decide how the gate comes out.
    ///
    /// The feature's own `verify` commands may name what the feature is about.
    fn changed_scripts(&self, changes: &[Change], known: &[Finding]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for gate in &self.policy.gates {
            let named: Vec<RepoPath> = gate
                .run
                .iter()
                .filter_map(|word| gate.cwd.join(word).ok())
                .collect();
            let hits = changes
                .iter()
                .map(|change| &change.path)
                .filter(|path| named.contains(path) && !self.may_change(path));
            for path in hits {
                if !is_known(known, path) && !is_known(&findings, path) {
                    let message = format!(
                        "gate `{}` runs this file, and `may_change` does not name it",
                        gate.name
                    );
                    findings.push(Finding::of_path(
                        FindingKind::GateAffecting,
                        path.clone(),
                        message,
                    ));
                }
            }
        }
        findings
    }

    /// Finds changed fixtures that are no text, which nothing else looks into.
    fn changed_fixtures(&self, changes: &[Change], files: &[FileChange<'_>]) -> Vec<Finding> {
        let kind = FindingKind::SnapshotChanged;
        let changes = changes.iter().zip(files).filter(|(change, file)| {
            let is_text = file.old.is_some();
            change.kind != ChangeKind::Added
                && !is_text
                && integrity::is_fixture(&change.path)
                && !self.may_change(&change.path)
        });
        changes
            .map(|(change, _)| {
                let message = match change.kind {
                    ChangeKind::Deleted => "what tests are held against is gone",
                    _ => "what tests are held against has changed",
                };
                Finding::of_path(kind, change.path.clone(), message.to_owned())
            })
            .collect()
    }

    /// Gives findings about paths their change: the text, or the blobs where there is none.
    fn with_blobs(
        &self,
        findings: Vec<Finding>,
        files: &[FileChange<'_>],
    ) -> Result<Vec<Finding>, String> {
        if findings.is_empty() {
            return Ok(findings);
        }
        let (before, after) = (self.blobs(self.base)?, self.blobs(self.candidate)?);
        let told = |finding: Finding| {
            let file = files.iter().find(|file| file.path == finding.path);
            let blob = |blobs: &BTreeMap<RepoPath, String>| {
                blobs.get(&finding.path).cloned().unwrap_or_default()
            };
            let (old, new) = (blob(&before), blob(&after));
            let shown = match file {
                Some(file) => integrity::about_file(finding, file),
                None => finding,
            };
            integrity::with_change(shown, [old.as_str(), new.as_str()])
        };
        Ok(findings.into_iter().map(told).collect())
    }

    /// Returns mode and content of each file, as one word.
    fn blobs(&self, tree: &TreeId) -> Result<BTreeMap<RepoPath, String>, String> {
        let files = self.repo.files(tree).map_err(|error| chain(&error))?;
        let named = files.into_iter();
        Ok(named
            .map(|file| (file.path, format!("{:o} {}", file.mode, file.blob)))
            .collect())
    }

    /// Reads a text file of a tree; `None` when it is absent, binary or too large to be a source.
    fn text(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<String>, String> {
        match self.repo.read_blob(tree, path, TEXT_MAX) {
            Ok(bytes) => Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok())),
            Err(
                harness_git::GitError::TooLarge { .. } | harness_git::GitError::NotAFile { .. },
            ) => Ok(None),
            Err(error) => Err(chain(&error)),
        }
    }
}

fn is_known(findings: &[Finding], path: &RepoPath) -> bool {
    findings.iter().any(|finding| finding.path == *path)
}

/// Finds something that looks like a secret in a file that had nothing of it before.
fn added_secret(file: &FileChange<'_>) -> Option<Finding> {
    let has_secret = |text: &str| matches!(harness_guard::redact(text), Cow::Owned(_));
    let old: HashSet<&str> = file.old.into_iter().flat_map(str::lines).collect();
    let new = file.new?;
    let is_new = |line: &str| !old.contains(line);
    let guessed = |line: &str| is_new(line) && harness_guard::seems_secret(line);
    let known = has_secret(new) && !file.old.is_some_and(has_secret);
    if !known && !new.lines().any(guessed) {
        return None;
    }
    let mut lines = new.lines().zip(1..);
    let line = lines.find(|(line, _)| guessed(line) || (known && has_secret(line)));
    let message = "something that looks like a key or token was added".to_owned();
    let finding = Finding {
        line: line.map(|(_, number)| number),
        ..Finding::of_path(FindingKind::SecretAdded, file.path.clone(), message)
    };
    Some(integrity::about_file(finding, file))
}
