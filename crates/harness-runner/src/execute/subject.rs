//! What a proof is about: a tree without the harness's own files, and a digest of its content.
//!
//! The content of a feature is what its scope covers, what it changed wherever
//! that lies, and what decides how its gates come out. It is told from the
//! repository alone, so that every clone tells the same: what a person gave while
//! a run went on is in no clone, and counts by the paths that were changed with it.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use harness_core::{Change, CommitId, Feature, FeatureId, FeatureScope, Policy, RepoPath, TreeId};
use harness_gate::{
    evidence::{self, Content, gates_of},
    proof,
};
use harness_git::{Repo, TreeFile};
use harness_guard::{Guard, is_gate_affecting};

use super::chain;

/// Changed paths that evidence names; of more, those are left out that the scope covers anyway.
const CHANGED_MAX: usize = 10_000;

/// A tree as a proof would see it. Its files are listed once, whatever is asked about it.
#[derive(Debug)]
pub struct Subject {
    tree: TreeId,
    whole: TreeId,
    policy: Policy,
    scope_sha256: String,
    /// Sorted by path.
    files: Vec<TreeFile>,
    gate_affecting: Vec<usize>,
    /// Which files a scope covers: features mostly share a few scopes.
    covered: RefCell<HashMap<ScopeKey, Rc<[usize]>>>,
}

/// What of a feature decides which paths it may write.
type ScopeKey = (FeatureScope, Vec<RepoPath>);

impl Subject {
    /// Takes HEAD's tree without the host-owned paths.
    ///
    /// # Errors
    /// When HEAD cannot be read or the policy's scope is malformed; the text says why.
    pub fn of_head(repo: &Repo, policy: &Policy) -> Result<Self, String> {
        let head = repo.head().map_err(|error| chain(&error))?.tree;
        Self::of_tree(repo, policy, &head)
    }

    /// Takes any tree without the host-owned paths.
    ///
    /// # Errors
    /// When it cannot be read or the policy's scope is malformed; the text says why.
    pub fn of_tree(repo: &Repo, policy: &Policy, whole: &TreeId) -> Result<Self, String> {
        let policy = Policy {
            amendments: Vec::new(),
            review: harness_core::ReviewBy::None,
            ..policy.clone()
        };
        let files = repo.files(whole).map_err(|error| chain(&error))?;
        let guard = guard_of_any(&policy)?;
        let (own, files): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|file| guard.scope().is_host_owned(&file.path));
        let gate_affecting = positions(&files, is_gate_affecting);
        Ok(Self {
            tree: without(repo, whole, own)?,
            whole: whole.clone(),
            scope_sha256: scope_hash(&policy),
            policy,
            files,
            gate_affecting,
            covered: RefCell::default(),
        })
    }

    /// Returns the subject tree.
    pub const fn tree(&self) -> &TreeId {
        &self.tree
    }

    /// Returns the tree with everything in it, which gates run on.
    pub const fn whole(&self) -> &TreeId {
        &self.whole
    }

    /// Digests what a proof of the feature is about; `changed` are the paths it changed.
    ///
    /// # Errors
    /// When the feature's scope is malformed; the text says why.
    pub fn content(&self, feature: &Feature, changed: &[RepoPath]) -> Result<Content, String> {
        let covered = self.covered_by(feature)?;
        let gates: Vec<_> = gates_of(feature, &self.policy.gates)
            .into_iter()
            .cloned()
            .collect();
        let named = proof::named_files(&gates, feature);
        let found = |path: &RepoPath| {
            let at = self.files.binary_search_by(|file| file.path.cmp(path));
            at.ok()
        };
        let single = named.iter().chain(changed).filter_map(found);
        let all = covered.iter().copied();
        let all = all.chain(self.gate_affecting.iter().copied()).chain(single);
        let entries = all.map(|at| {
            let file = &self.files[at];
            (&file.path, file.mode, &file.blob)
        });
        Ok(Content {
            sha256: evidence::content_digest(entries),
            scope_sha256: self.scope_sha256.clone(),
        })
    }

    /// Returns the files that a feature may write, by their position.
    fn covered_by(&self, feature: &Feature) -> Result<Rc<[usize]>, String> {
        let key = (feature.scope.clone(), feature.may_change.clone());
        if let Some(known) = self.covered.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let guard = Guard::new(&self.policy, feature).map_err(|error| chain(&error))?;
        let found: Rc<[usize]> =
            positions(&self.files, |path| guard.scope().is_writable(path)).into();
        self.covered.borrow_mut().insert(key, Rc::clone(&found));
        Ok(found)
    }
}

/// Returns the paths of a change as evidence names them, sorted.
pub(super) fn changed_paths(
    changes: &[Change],
    policy: &Policy,
    feature: &Feature,
) -> Vec<RepoPath> {
    let mut paths: Vec<RepoPath> = changes.iter().map(|change| change.path.clone()).collect();
    if paths.len() > CHANGED_MAX
        && let Ok(guard) = Guard::new(policy, feature)
    {
        paths.retain(|path| !guard.scope().is_writable(path));
        paths.truncate(CHANGED_MAX);
    }
    paths.sort();
    paths
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
    let guard = guard_of_any(policy)?;
    let files = repo.files(tree).map_err(|error| chain(&error))?;
    let own = files.into_iter();
    let own = own.filter(|file| guard.scope().is_host_owned(&file.path));
    without(repo, tree, own.collect())
}

/// Who owns a path does not depend on the feature.
fn guard_of_any(policy: &Policy) -> Result<Guard, String> {
    let any = Feature::titled(FeatureId::task(1), "");
    Guard::new(policy, &any).map_err(|error| chain(&error))
}

fn without(repo: &Repo, tree: &TreeId, files: Vec<TreeFile>) -> Result<TreeId, String> {
    let gone: Vec<_> = files.into_iter().map(|file| (file.path, None)).collect();
    repo.with_files(tree, &gone).map_err(|error| chain(&error))
}

fn positions(files: &[TreeFile], is_wanted: impl Fn(&RepoPath) -> bool) -> Vec<usize> {
    let wanted = files.iter().enumerate();
    let wanted = wanted.filter(|(_, file)| is_wanted(&file.path));
    wanted.map(|(at, _)| at).collect()
}

/// Hashes what decides, beside the feature, which paths it may write.
fn scope_hash(policy: &Policy) -> String {
    let rules = &policy.scope;
    let lists = [
        &rules.write,
        &rules.deny,
        &rules.hide,
        &rules.protect,
        &rules.host_owned,
    ];
    let lists: Vec<Vec<&str>> = lists
        .map(|list| list.iter().map(|rule| rule.value.as_str()).collect())
        .to_vec();
    evidence::scope_hash(&lists)
}
