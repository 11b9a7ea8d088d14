//! Work on a feature that an earlier run put aside for a question, for a new run of the same feature.
//!
//! The logs say where it is: the last session of the feature in a run that was not given up either
//! left it aside or took it back. Nothing is brought back here; the engine does that before the
//! first turn, or tells where the work is.

use harness_core::{EndReason, Event, FeatureId, Kept, RunId, SessionId, SetAsideWork};
use harness_store::{Record, Store};

use crate::{
    cmd::runs,
    compose::Site,
    failure::{Failure, chain},
};

/// The most sessions that are looked through, newest first.
const SESSIONS_MAX: usize = 500;

/// Finds the work on a feature that still lies aside; no session before `since` can have left any.
pub(crate) fn of(
    site: &Site,
    store: &Store,
    feature: &FeatureId,
    since: SessionId,
) -> Result<Option<SetAsideWork>, Failure> {
    let root = site.repo.root().display().to_string();
    let index = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let newest_first = index.entries.iter().rev();
    for entry in newest_first
        .take_while(|entry| entry.session >= since)
        .take(SESSIONS_MAX)
    {
        let path = store.log_path(entry.session);
        // A log that cannot be read says nothing of any feature.
        let Ok(Some(first)) = harness_store::first(&path) else {
            continue;
        };
        let Event::SessionOpened(opened) = first.event else {
            continue;
        };
        if opened.root != root || opened.feature != *feature || is_given_up(store, entry.run)? {
            continue;
        }
        let Ok(log) = harness_store::read(&path) else {
            return Ok(None);
        };
        return Ok(left_aside(opened.run.kept, &log.records, feature));
    }
    Ok(None)
}

/// Whether a person gave a run up: then all is as it was before it.
fn is_given_up(store: &Store, run: RunId) -> Result<bool, Failure> {
    let last = runs::sessions_of(store, run)?.pop();
    let log = last.and_then(|session| harness_store::read(store.log_path(session)).ok());
    let records = log.map(|log| log.records).unwrap_or_default();
    let end = records.last().map(|record| &record.event);
    Ok(matches!(
        end,
        Some(Event::RunEnded {
            reason: EndReason::Aborted,
            ..
        })
    ))
}

/// Follows a session's log to what lies aside at its end.
fn left_aside(mut kept: Kept, records: &[Record], feature: &FeatureId) -> Option<SetAsideWork> {
    for record in records {
        match &record.event {
            Event::WorkSetAside {
                kept: Some(work), ..
            } => kept.set_aside((**work).clone()),
            Event::WorkBroughtBack { feature, .. } => kept.forget_aside(feature),
            Event::FeaturePassed(passed) => kept.forget_aside(&passed.feature),
            _ => {}
        }
    }
    kept.aside_of(feature).cloned()
}
