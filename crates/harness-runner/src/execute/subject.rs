//! What a proof is about: a tree without the harness's own files, and a digest of its content.

use harness_core::{CommitId, Feature, FeatureId, Policy, RepoPath, TreeId};
use harness_gate::evidence;
use harness_git::Repo;
use harness_guard::Guard;

use super::chain;

/// HEAD as a proof would see it.
#[derive(Debug)]
pub struct Subject {
    tree: TreeId,
    head: TreeId,
    policy: Policy,
}

impl Subject {
    /// Takes HEAD's tree without the host-owned paths.
    ///
    /// # Errors
    /// When HEAD cannot be read or the policy's scope is malformed; the text says why.
    pub fn of_head(repo: &Repo, policy: &Policy) -> Result<Self, String> {
        let head = repo.head().map_err(|error| chain(&error))?.tree;
        Ok(Self {
            tree: subject_tree(repo, policy, &head)?,
            head,
            policy: policy.clone(),
        })
    }

    /// Returns the subject tree.
    pub const fn tree(&self) -> &TreeId {
        &self.tree
    }

    /// Digests what a proof of the feature is about.
    ///
    /// # Errors
    /// When the tree cannot be read or the feature's scope is malformed; the text says why.
    pub fn content_digest(&self, repo: &Repo, feature: &Feature) -> Result<String, String> {
        content_digest(repo, &self.policy, feature, &self.head)
    }
}

/// Returns the subject tree of a commit: what a proof of it would be about.
///
/// # Errors
/// When the commit cannot be read or the policy's scope is malformed; the text says why.
pub fn subject_tree_of(repo: &Repo, policy: &Policy, commit: &CommitId) -> Result<TreeId, String> {
    let tree = repo.tree_of(commit).map_err(|error| chain(&error))?;
    subject_tree(repo, policy, &tree)
}

/// Returns a tree without the paths that only the harness writes: the same before and after the
/// commit that carries the proof itself.
pub(super) fn subject_tree(repo: &Repo, policy: &Policy, tree: &TreeId) -> Result<TreeId, String> {
    // Who owns a path does not depend on the feature.
    let any = Feature::titled(FeatureId::task(1), "");
    let guard = Guard::new(policy, &any).map_err(|error| chain(&error))?;
    let files = repo.files(tree).map_err(|error| chain(&error))?;
    let host: Vec<_> = files
        .into_iter()
        .filter(|file| guard.scope().is_host_owned(&file.path))
        .map(|file| (file.path, None))
        .collect();
    repo.with_files(tree, &host).map_err(|error| chain(&error))
}

/// Digests the files a proof of the feature is about: its write scope, and what decides how gates run.
///
/// What the feature changed lies in its scope, or it would have been a finding.
pub(super) fn content_digest(
    repo: &Repo,
    policy: &Policy,
    feature: &Feature,
    tree: &TreeId,
) -> Result<String, String> {
    let guard = Guard::new(policy, feature).map_err(|error| chain(&error))?;
    let concerns =
        |path: &RepoPath| guard.scope().is_writable(path) || harness_guard::is_gate_affecting(path);
    let files = repo.files(tree).map_err(|error| chain(&error))?;
    let entries = files.iter().filter(|file| concerns(&file.path));
    Ok(evidence::content_digest(
        entries.map(|file| (&file.path, file.mode, &file.blob)),
    ))
}
