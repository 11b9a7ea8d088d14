//! What is known to have stood in a log that does not hold it any more.
//!
//! A log that was emptied or cut behind a whole record holds as a chain. What was noted beside it
//! as durable says that it was longer; where there is no such note, the checkpoints do, and the
//! commits of its run. Called by whatever opens or verifies the log of a session; looks only.

use std::collections::BTreeSet;

use harness_core::{CheckpointNumber, SessionId};
use harness_store::{Hash, Head, Store, StoreError, Verification};

use super::runs;
use crate::{
    compose::Site,
    failure::{Failure, chain},
};

/// The trailer of checkpoints and commits that names the last record before them.
const TRAILER: &str = "Harness-Log";

/// Something a log had and has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// How many records the log has.
    pub(crate) has: u64,
    /// How many it had at least, where that is known.
    pub(crate) had: Option<u64>,
    /// What says so, in words.
    pub(crate) by: String,
}

impl Lost {
    /// Says it as the end of a sentence about the log.
    pub(crate) fn words(&self) -> String {
        let Self { has, had, by } = self;
        let had = match had {
            Some(had) if had > has => format!("it had {had} records at least"),
            _ => "the record that is missing was in it".to_owned(),
        };
        match has {
            0 => format!("was emptied: {had}, {by} says"),
            has => format!("was cut or replaced: {has} records are there, {had}, {by} says"),
        }
    }
}

/// Compares the records that a log has with what was known of it before they were read.
///
/// A last record of which a part stands there was cut, not taken away: that is told of it already.
pub(crate) fn look(
    site: Option<&Site>,
    store: &Store,
    session: SessionId,
    known: Option<Head>,
    (has, is_torn): (&BTreeSet<Hash>, bool),
) -> Result<Option<Lost>, Failure> {
    let count = has.len() as u64;
    let lost = |had: Option<u64>, by: String| Lost {
        has: count,
        had,
        by,
    };
    if let Some(known) = known {
        let is_cut = is_torn && count > 0 && known.seq == count + 1;
        let is_there = has.contains(&known.hash) || is_cut;
        return Ok((!is_there).then(|| lost(Some(known.seq), "`log.synced` beside it".to_owned())));
    }
    let Some(site) = site else { return Ok(None) };
    let is_missing = |trailers: &[(String, String)]| {
        let mut named = trailers.iter().filter(|(key, _)| key == TRAILER);
        named.any(|(_, hash)| hash.parse().is_ok_and(|hash: Hash| !has.contains(&hash)))
    };
    let newest = site
        .repo
        .newest_checkpoint(session, CheckpointNumber(u32::MAX))?;
    // The first one is made before the log has a record.
    if let Some(newest) = newest.filter(|newest| newest.number > CheckpointNumber(0)) {
        let info = site.repo.commit_info(&newest.commit)?;
        if count == 0 || is_missing(&info.trailers) {
            return Ok(Some(lost(None, format!("checkpoint {}", newest.number))));
        }
    }
    let index = store
        .runs()
        .map_err(|error| Failure::failed(chain(&error)))?;
    let mut entries = index.entries.iter();
    let Some(entry) = entries.find(|entry| entry.session == session) else {
        return Ok(None);
    };
    let branch = runs::branch(entry.run);
    let Some(tip) = site.repo.branch_tip(&branch)? else {
        return Ok(None);
    };
    let info = site.repo.commit_info(&tip)?;
    let name = session.to_string();
    let is_own = |(key, value): &(String, String)| key == "Harness-Session" && *value == name;
    let is_lost = info.trailers.iter().any(is_own) && is_missing(&info.trailers);
    Ok(is_lost.then(|| lost(None, format!("the commit on `{branch}`"))))
}

/// Verifies the log of a session, and says what is known to be missing from one that holds.
pub(crate) fn verify(
    site: Option<&Site>,
    store: &Store,
    session: SessionId,
) -> Result<(Verification, Option<Lost>), StoreOrGit> {
    let once = || {
        // Known first: whoever writes the log at this moment only adds to it.
        let known = store.synced(session);
        let mut has = BTreeSet::new();
        let found = harness_store::verify_each(store.log_path(session), |hash| {
            has.insert(hash);
        })
        .map_err(StoreOrGit::Store)?;
        let lost = match &found.problem {
            None => look(site, store, session, known, (&has, found.torn.0 > 0))
                .map_err(StoreOrGit::Other)?,
            // It says so itself.
            Some(_) => None,
        };
        Ok((found, lost))
    };
    let found: (Verification, Option<Lost>) = once()?;
    // A note that was read while it was written says nothing.
    if found.1.is_some() { once() } else { Ok(found) }
}

/// Why a log could not be verified.
#[derive(Debug)]
pub(crate) enum StoreOrGit {
    /// It cannot be read.
    Store(StoreError),
    /// What knows of it cannot be read.
    Other(Failure),
}

/// Says what is known to be missing from the log of a session, where it can be read.
pub(crate) fn look_at(
    site: &Site,
    store: &Store,
    session: SessionId,
) -> Result<Option<Lost>, Failure> {
    match verify(Some(site), store, session) {
        Ok((_, lost)) => Ok(lost),
        Err(StoreOrGit::Store(_)) => Ok(None),
        Err(StoreOrGit::Other(failure)) => Err(failure),
    }
}

/// Lists the sessions that a run is known to have had and whose log is gone, not pruned.
pub(crate) fn without_log(store: &Store) -> Result<Vec<SessionId>, Failure> {
    let failed = |error| Failure::failed(chain(&error));
    let there = store.sessions().map_err(failed)?;
    let index = store.runs().map_err(failed)?;
    let mut gone: Vec<SessionId> = index
        .entries
        .iter()
        .map(|entry| entry.session)
        .filter(|session| {
            !there.contains(session) && crate::named::pruned(store, &session.to_string()).is_none()
        })
        .collect();
    gone.dedup();
    Ok(gone)
}
