//! What of a run HEAD has already, whoever brought it: `land`, a merge, a cherry-pick by hand.
//!
//! A commit that was picked has another id. What was settled in it, or changed
//! after it, would be undone by picking it again, so it is known by its trailers.

use std::collections::BTreeSet;

use harness_core::CommitId;

use crate::{cmd::runs::Proven, compose::Site, failure::Failure};

/// Names a commit that a squash holds.
const LANDED_TRAILER: &str = "Harness-Landed";
/// The most commits of HEAD's history that are looked at.
const COMMITS_MAX: usize = 10_000;

/// What tells the commit of a feature wherever it was picked to.
type Mark = Vec<String>;

/// Parts the features of a run in those that HEAD has and those it has not.
pub(super) fn part(
    site: &Site,
    proven: Vec<Proven>,
) -> Result<(Vec<Proven>, Vec<Proven>), Failure> {
    let (Some(first), Ok(head)) = (proven.first(), site.repo.head()) else {
        return Ok((Vec::new(), proven));
    };
    let base = site.repo.commit_info(&first.commit)?.parents;
    let Some(base) = base.first() else {
        return Ok((Vec::new(), proven));
    };
    let mut marks = BTreeSet::new();
    let mut squashed = BTreeSet::new();
    for commit in site.repo.commits_beyond(&head.commit, base, COMMITS_MAX)? {
        let info = site.repo.commit_info(&commit)?;
        marks.extend(mark(&info.trailers));
        let landed = info
            .trailers
            .iter()
            .filter(|(key, _)| key == LANDED_TRAILER);
        squashed.extend(landed.map(|(_, value)| value.clone()));
    }
    let mut there = Vec::new();
    let mut missing = Vec::new();
    for proven in proven {
        let own: Option<Mark> = mark(&site.repo.commit_info(&proven.commit)?.trailers);
        let is_there = squashed.contains(&proven.commit.to_string())
            || own.is_some_and(|own| marks.contains(&own));
        if is_there {
            there.push(proven);
        } else {
            missing.push(proven);
        }
    }
    Ok((there, missing))
}

fn mark(trailers: &[(String, String)]) -> Option<Mark> {
    let value = |wanted: &str| {
        let mut trailers = trailers.iter();
        trailers
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value.clone())
    };
    ["Harness-Session", "Harness-Feature", "Harness-Tree"]
        .map(value)
        .into_iter()
        .collect()
}

/// Returns the lines that name the commits a squash is made of.
pub(super) fn squash_trailers(commits: &[CommitId]) -> String {
    let lines = commits
        .iter()
        .map(|commit| format!("{LANDED_TRAILER}: {commit}\n"));
    lines.collect()
}
