//! What somebody did in the work tree since HEAD, seen as the work on one feature.
//!
//! It becomes the state of a run whose work it is: what lies beside the feature's
//! scope is counted to where the run began, so that it is neither judged nor
//! committed. Nothing in the work tree is touched.

use harness_config::Resolved;
use harness_core::{
    Change, Feature, FeatureId, Goal, ModelProfile, Policy, Price, RepoPath, RunId, RunState,
    TokenCount, TreeId,
};
use harness_git::{Head, SnapshotCache};
use harness_guard::Guard;

use crate::{
    compose::Site,
    failure::{Failure, chain},
};

/// Paths that are named of those left out.
const NAMED_MAX: usize = 20;

/// What somebody did for one feature.
pub(super) struct Work {
    head: Head,
    /// The work tree as it is, without what is ignored or hidden.
    pub(super) here: TreeId,
    /// The work tree without the work: what differs from it is the work.
    start: TreeId,
    /// What of the work lies in the feature's scope.
    pub(super) changes: Vec<Change>,
    /// Why other changes are no part of the work, one line each.
    pub(super) left_out: Vec<String>,
}

impl Work {
    /// Compares the work tree with HEAD; what the scope does not cover is left out.
    pub(super) fn find(
        site: &Site,
        resolved: &Resolved,
        feature: &Feature,
    ) -> Result<Self, Failure> {
        let guard = Guard::new(&resolved.policy, feature);
        let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
        let scope = guard.scope();
        let head = site.head()?;
        let here = snapshot(site, &guard)?;
        let is_work = |path: &RepoPath| scope.is_writable(path);
        let start = site
            .repo
            .apply_changes(&here, &here, &head.tree, &is_work)?;
        let changes = site.repo.diff(&head.tree, &here)?.into_iter();
        let (changes, others): (Vec<_>, Vec<_>) = changes
            .filter(|change| !scope.is_host_owned(&change.path))
            .partition(|change| is_work(&change.path));
        let left_out = guard.judge_changes(&others).into_iter();
        Ok(Self {
            head,
            here,
            start,
            changes,
            left_out: left_out.map(|finding| finding.message).collect(),
        })
    }

    /// Compares the work tree with HEAD; every change is part of the work, wherever it lies.
    pub(super) fn find_all(
        site: &Site,
        resolved: &Resolved,
        feature: &Feature,
    ) -> Result<Self, Failure> {
        let work = Self::find(site, resolved, feature)?;
        let guard = Guard::new(&resolved.policy, feature);
        let guard = guard.map_err(|error| Failure::usage(chain(&error)))?;
        let changes = site.repo.diff(&work.head.tree, &work.here)?.into_iter();
        let changes = changes.filter(|change| !guard.scope().is_host_owned(&change.path));
        Ok(Self {
            start: work.head.tree.clone(),
            changes: changes.collect(),
            ..work
        })
    }

    /// Names what is not part of the work; `None` where all is.
    pub(super) fn left_out_text(&self, feature: &FeatureId) -> Option<String> {
        if self.left_out.is_empty() {
            return None;
        }
        let mut text = format!("left out, it is not where `{feature}` may write:");
        for message in self.left_out.iter().take(NAMED_MAX) {
            text.push_str(&format!("\n  {message}"));
        }
        let more = self.left_out.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            text.push_str(&format!("\n  and {more} more"));
        }
        Some(text)
    }

    /// Makes the run whose work this is; `features` holds the feature.
    pub(super) fn to_run(
        &self,
        run: RunId,
        policy: Policy,
        features: Vec<Feature>,
        feature: FeatureId,
        summary: &str,
    ) -> RunState {
        RunState {
            work_start: Some(self.start.clone()),
            by_hand: Some(summary.to_owned()),
            ..RunState::new(
                run,
                harness_host::clock::now(),
                Goal::One { feature },
                policy,
                features,
                nobody(),
                self.head.commit.clone(),
            )
        }
    }
}

/// Stores the work tree with everything that is neither ignored, hidden nor built.
pub(crate) fn snapshot(site: &Site, guard: &Guard) -> Result<TreeId, Failure> {
    let head = site.head()?;
    let mut cache = SnapshotCache::default();
    let shot = site
        .repo
        .snapshot(&mut cache, &head.tree, &[RepoPath::root()], &|path| {
            guard.scope().is_never_kept(path)
        });
    shot.map(|shot| shot.tree)
        .map_err(|error| Failure::failed(chain(&error)))
}

/// Stands where a run names its model.
pub(super) fn nobody() -> ModelProfile {
    ModelProfile {
        name: "none (by hand)".to_owned(),
        id: "none".to_owned(),
        provider: String::new(),
        context: TokenCount(200_000),
        output: TokenCount(8_000),
        price: Some(Price::default()),
        effort: None,
        beyond: None,
        recorded: false,
    }
}
