//! Checkpoints that a log tells of and that are gone: pruned, or removed by somebody.

use std::collections::BTreeSet;

use harness_core::{CheckpointNumber, Event, SessionId};
use harness_git::{Checkpoints, nearest_checkpoint};
use harness_store::Store;

use crate::failure::Failure;

/// Returns the checkpoints of a session that were saved and are no more, by number.
///
/// A log that cannot be read tells of none.
pub(super) fn pruned(
    store: &Store,
    session: SessionId,
    known: &Checkpoints,
) -> BTreeSet<CheckpointNumber> {
    let mut saved = BTreeSet::new();
    let read = harness_store::fold(store.log_path(session), |record| {
        if let Event::CheckpointSaved(checkpoint) = record.event {
            saved.insert(checkpoint.number);
        }
    });
    drop(read);
    for entry in &known.whole {
        saved.remove(&entry.number);
    }
    for number in &known.damaged {
        saved.remove(number);
    }
    saved
}

/// Says that a checkpoint is not there, and which is next to it.
pub(super) fn missing(
    store: &Store,
    session: SessionId,
    known: &Checkpoints,
    number: CheckpointNumber,
) -> Failure {
    let is_pruned = pruned(store, session, known).contains(&number);
    let nearest = nearest_checkpoint(&known.whole, number).filter(|_| is_pruned);
    match nearest {
        Some(nearest) => Failure::usage(format!(
            "checkpoint {number} of session `{session}` was pruned; the nearest is {nearest}"
        ))
        .hint(format!("harness checkpoint undo {nearest} {session}")),
        None => Failure::usage(format!(
            "there is no checkpoint {number} in session `{session}`"
        ))
        .hint(format!("harness checkpoint list {session}")),
    }
}
