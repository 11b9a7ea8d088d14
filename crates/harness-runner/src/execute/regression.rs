//! Looks up what a change may break: the features that have passed, and what their evidence names.
//!
//! What is chosen of that is decided in `harness-gate`.

use std::collections::HashMap;

use harness_core::{Change, Feature, FeatureId, FeatureStatus, Regression, RepoPath};
use harness_gate::{
    evidence::{EVIDENCE_BYTES_MAX, Evidence, gates_of},
    proof::own_gates,
    regression::{self, Passed},
};
use harness_git::Repo;
use harness_guard::Guard;

use super::{Setting, commit::evidence_path};

/// Returns the gates of passed features that a change touches.
///
/// A feature whose evidence the run's branch does not have is no passed one.
pub(super) fn of_change(repo: &Repo, setting: &Setting, changes: &[Change]) -> Vec<Regression> {
    let run = &setting.run;
    let Some(current) = setting.feature().filter(|_| !changes.is_empty()) else {
        return Vec::new();
    };
    let Ok(tip) = repo.tree_of(&run.tip) else {
        return Vec::new();
    };
    let evidence = |feature: &Feature| {
        let path = evidence_path(&feature.id);
        let bytes = repo.read_blob(&tip, &path, EVIDENCE_BYTES_MAX as u64);
        let text = String::from_utf8(bytes.ok()??).ok()?;
        Evidence::parse(&text).ok()
    };
    let others = run.features.iter();
    let others = others
        .filter(|feature| feature.status == FeatureStatus::Passing && feature.id != current.id);
    let passed: Vec<(&Feature, Evidence)> = others
        .filter_map(|feature| Some((feature, evidence(feature)?)))
        .collect();
    let passed: Vec<Passed<'_>> = passed
        .iter()
        .map(|(feature, evidence)| Passed {
            feature,
            changed: &evidence.changed,
        })
        .collect();
    let guards: HashMap<&FeatureId, Guard> = passed
        .iter()
        .filter_map(|passed| {
            let guard = Guard::new(&run.policy, passed.feature).ok()?;
            Some((&passed.feature.id, guard))
        })
        .collect();
    let covers = |feature: &Feature, path: &RepoPath| {
        let guard = guards.get(&feature.id);
        guard.is_some_and(|guard| guard.scope().is_writable(path))
    };
    let timeout = run.policy.limits.command;
    let all = &run.policy.gates;
    let own = gates_of(current, all).into_iter().cloned();
    let own: Vec<_> = own.chain(own_gates(current, timeout)).collect();
    let paths: Vec<RepoPath> = changes.iter().map(|change| change.path.clone()).collect();
    regression::regressions(&own, all, &passed, &paths, &covers, timeout)
}
