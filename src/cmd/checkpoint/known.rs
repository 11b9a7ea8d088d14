//! The checkpoints of a session: those that are whole, those that are damaged, and those that were removed.

use std::collections::BTreeSet;

use harness_core::{CheckpointNumber, Event, RepoPath, SessionId};
use harness_git::{CheckpointEntry, CheckpointRef, nearest_checkpoint};
use harness_store::Store;

use crate::{compose::Site, failure::Failure};

/// What is known of a session's checkpoints.
pub(crate) struct Known {
    pub(crate) session: SessionId,
    /// By number.
    pub(crate) whole: Vec<CheckpointEntry>,
    /// By number.
    pub(crate) damaged: Vec<CheckpointNumber>,
    /// Those the log tells of that are not there any more.
    pub(crate) pruned: BTreeSet<CheckpointNumber>,
    /// What the log tells; empty where it cannot be read, which takes no checkpoint away.
    pub(crate) events: Vec<Event>,
}

impl Known {
    pub(crate) fn of(site: &Site, store: &Store, session: SessionId) -> Result<Self, Failure> {
        let found = site.repo.checkpoints(session)?;
        let log = harness_store::read(store.log_path(session));
        let records = log.map(|log| log.records).unwrap_or_default();
        let events: Vec<Event> = records.into_iter().map(|record| record.event).collect();
        let told = events.iter().filter_map(|event| match event {
            Event::CheckpointSaved(saved) => Some(saved.number),
            _ => None,
        });
        let there: BTreeSet<CheckpointNumber> = found
            .whole
            .iter()
            .map(|entry| entry.number)
            .chain(found.damaged.iter().copied())
            .collect();
        Ok(Self {
            session,
            pruned: told.filter(|number| !there.contains(number)).collect(),
            whole: found.whole,
            damaged: found.damaged,
            events,
        })
    }

    /// Finds a checkpoint that is whole, or says what became of it.
    pub(crate) fn get(&self, number: CheckpointNumber) -> Result<&CheckpointEntry, Failure> {
        let session = self.session;
        let found = self.whole.iter().find(|entry| entry.number == number);
        found.ok_or_else(|| {
            let mut way = format!("harness checkpoint list {session}");
            let message = if self.damaged.contains(&number) {
                format!(
                    "checkpoint {number} of session `{session}` is damaged: objects of it are missing"
                )
            } else if self.pruned.contains(&number) {
                let gone =
                    format!("checkpoint {number} of session `{session}` was removed to save space");
                match nearest_checkpoint(&self.whole, number) {
                    Some(nearest) => {
                        way = format!("harness checkpoint show {nearest} {session}");
                        format!("{gone}; the nearest is {nearest}")
                    }
                    None => gone,
                }
            } else {
                format!("there is no checkpoint {number} in session `{session}`")
            };
            Failure::usage(message).hint(way)
        })
    }

    /// Returns the last one that is whole: what the agent has done is known up to there.
    pub(crate) fn last(&self) -> Result<&CheckpointEntry, Failure> {
        let session = self.session;
        self.whole.last().ok_or_else(|| {
            let message = format!("session `{session}` has no checkpoint that is whole");
            Failure::usage(message).hint(format!("harness checkpoint list {session}"))
        })
    }

    /// Returns what the agent changed after the last whole checkpoint, as far as the log tells.
    pub(crate) fn lost_paths(&self) -> BTreeSet<RepoPath> {
        let last = self.whole.last().map(|entry| entry.number);
        let saved = self.events.iter().filter_map(|event| match event {
            Event::CheckpointSaved(saved) if Some(saved.number) > last => Some(&saved.changes),
            _ => None,
        });
        saved.flatten().map(|change| change.path.clone()).collect()
    }

    /// Returns the one before, if there is one.
    pub(crate) fn before(&self, number: CheckpointNumber) -> Option<&CheckpointEntry> {
        let mut newest_first = self.whole.iter().rev();
        newest_first.find(|entry| entry.number < number)
    }

    /// Returns the first name after all that were ever given.
    pub(crate) fn next(&self) -> CheckpointRef {
        let numbers = self.whole.iter().map(|entry| entry.number);
        let known = numbers.chain(self.damaged.iter().copied());
        let highest = known.chain(self.pruned.iter().copied()).max();
        CheckpointRef {
            session: self.session,
            number: highest.map_or(CheckpointNumber(0), CheckpointNumber::next),
        }
    }
}
