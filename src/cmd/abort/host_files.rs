//! What the harness itself wrote for a run: statuses, entries of the progress log, evidence.
//!
//! Only that is taken back. What people wrote into the same files stays.

use std::collections::BTreeSet;

use harness_core::{Event, FeatureId, FeatureStatus, RepoPath, SessionId, SessionOpened, TreeId};
use harness_gate::{
    list::{FeatureList, ListError},
    progress,
};
use harness_git::RestoreMode;
use harness_store::Store;
use serde_json::Value;

use crate::{
    cmd::runs,
    compose::{Site, evidence_folder},
    failure::{Failure, chain},
    intent,
};

/// Takes back what the harness wrote; returns the files that are somebody else's now.
pub(super) fn take_back(
    site: &Site,
    store: &Store,
    openings: &[SessionOpened],
) -> Result<Vec<RepoPath>, Failure> {
    let Some(first) = openings.first() else {
        return Ok(Vec::new());
    };
    let run = &first.run;
    let base = site.repo.tree_of(run.head())?;
    let mut left = BTreeSet::new();
    let touched = touched(site, store, openings)?;
    if !take_back_list(site, first, &touched, &base)? {
        left.insert(run.policy.feature_file.clone());
    }
    let sessions: Vec<SessionId> = openings.iter().map(|opened| opened.session).collect();
    intent::take_back(site, &sessions, &touched)?;
    let tip = match site.repo.branch_tip(&runs::branch(run.run))? {
        Some(tip) => site.repo.tree_of(&tip)?,
        None => base.clone(),
    };
    let progress = &run.policy.progress_file;
    match own_progress(site, progress, &base, &tip, &sessions)? {
        Some(here) => left.extend(restore(site, &here, &base, &|path| path == progress)?),
        None => {
            left.insert(progress.clone());
        }
    }
    let evidence = evidence_folder();
    left.extend(restore(site, &tip, &base, &|path| {
        path.starts_with(&evidence)
    })?);
    Ok(left.into_iter().collect())
}

/// Brings files from the run's tip to its base; returns what somebody changed since.
fn restore(
    site: &Site,
    tip: &TreeId,
    base: &TreeId,
    wanted: &dyn Fn(&RepoPath) -> bool,
) -> Result<BTreeSet<RepoPath>, Failure> {
    let done = site
        .repo
        .restore_around(tip, base, RestoreMode::Write, wanted)?;
    let refused = done.refused.into_iter().map(|refused| refused.path);
    Ok(refused.collect())
}

/// Returns the features whose status the run changed, with the one they had before.
fn touched(
    site: &Site,
    store: &Store,
    openings: &[SessionOpened],
) -> Result<Vec<(FeatureId, FeatureStatus)>, Failure> {
    let Some(run) = openings.first().map(|opened| &opened.run) else {
        return Ok(Vec::new());
    };
    let mut ids: BTreeSet<FeatureId> = runs::proven(&site.repo, run.run, run.head())?
        .into_iter()
        .map(|proven| proven.feature)
        .collect();
    for opened in openings {
        let log = harness_store::read(store.log_path(opened.session));
        let log = log.map_err(|error| Failure::failed(chain(&error)))?;
        ids.extend(
            log.records
                .into_iter()
                .filter_map(|record| match record.event {
                    Event::FeatureStatusChanged { feature, .. } => Some(feature),
                    _ => None,
                }),
        );
    }
    let before = run.features.iter();
    Ok(before
        .filter(|feature| ids.contains(&feature.id))
        .map(|feature| (feature.id.clone(), feature.status))
        .collect())
}

/// Sets statuses back; `false` when the list cannot be read.
fn take_back_list(
    site: &Site,
    first: &SessionOpened,
    touched: &[(FeatureId, FeatureStatus)],
    base: &TreeId,
) -> Result<bool, Failure> {
    let path = &first.run.policy.feature_file;
    let base = site.text_of(base, path)?;
    let wanted = |text: &str| as_before(text, touched, base.as_deref());
    let Some((text, _)) = site.host_file(path)? else {
        return Ok(true);
    };
    match wanted(&text) {
        Ok(before) if before == text => return Ok(true),
        Ok(_) => {}
        Err(_) => return Ok(false),
    }
    site.rewrite(path, |text| {
        let text = text.unwrap_or_default();
        Ok((wanted(&text).unwrap_or(text), ()))
    })?;
    Ok(true)
}

/// Returns a list with the statuses from before the run; to the byte the base's where nothing else differs.
fn as_before(
    text: &str,
    touched: &[(FeatureId, FeatureStatus)],
    base: Option<&str>,
) -> Result<String, ListError> {
    let mut list = FeatureList::parse(text)?;
    for (id, before) in touched {
        let now = list.find(id).map(|feature| feature.status);
        // Taking a feature without proof is a person's word.
        if now.is_some_and(|now| now != *before && now != FeatureStatus::Accepted) {
            list.set_status(id, *before)?;
        }
    }
    let rendered = list.render();
    let is_base = |base: &&str| {
        let parsed = FeatureList::parse(base);
        let (base, here) = (without_statuses(base), without_statuses(&rendered));
        parsed.is_ok_and(|base| base.features() == list.features())
            && base.is_some()
            && base == here
    };
    Ok(base.filter(is_base).map_or(rendered.clone(), str::to_owned))
}

/// Returns the value of a list without what says how its features stand; none of other shapes, where
/// that is one word, set back to the byte.
fn without_statuses(text: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let entries = match &mut value {
        Value::Array(entries) => entries,
        object => object.get_mut("features")?.as_array_mut()?,
    };
    for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
        entry.retain(|key, _| key != "status" && key != "passes");
    }
    Some(value)
}

/// Returns a tree with the progress log as it is here when everything it has beyond the base was
/// written by the run; `None` when somebody else wrote there too.
fn own_progress(
    site: &Site,
    path: &RepoPath,
    base: &TreeId,
    tip: &TreeId,
    sessions: &[SessionId],
) -> Result<Option<TreeId>, Failure> {
    let before = site.text_of(base, path)?.unwrap_or_default();
    let tip_text = site.text_of(tip, path)?.unwrap_or_default();
    let here = site.host_file(path)?.map(|(text, _)| text);
    let text = here.clone().unwrap_or_default();
    let with = |text: Option<String>| {
        let change = (path.clone(), text.map(String::into_bytes));
        site.repo.with_files(tip, &[change])
    };
    if text == before {
        return Ok(Some(with(here)?));
    }
    let added = progress::added(&before, &text);
    let proven = progress::added(&before, &tip_text).unwrap_or_default();
    let is_ours = added.is_some_and(|added| {
        let mut patterns = added.patterns.iter();
        let mut lines = added.entries.lines();
        lines.all(|line| is_own_line(line, sessions))
            && patterns.all(|pattern| proven.patterns.contains(pattern))
    });
    is_ours
        .then(|| with(here))
        .transpose()
        .map_err(Failure::from)
}

/// Whether a run with these sessions could have written a line of the progress log.
fn is_own_line(line: &str, sessions: &[SessionId]) -> bool {
    let names = |session: &SessionId| line.contains(&format!(" {session} "));
    match line.strip_prefix("## ") {
        Some(_) => sessions.iter().any(names),
        None => line.trim().is_empty() || progress::is_own_bullet(line),
    }
}
