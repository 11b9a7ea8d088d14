//! What no checkpoint holds, told once.

use std::collections::BTreeSet;

use harness_core::{Event, RepoPath};
use harness_git::Skipped;

/// Paths that are named at a time.
const NAMED_MAX: usize = 5;
/// Paths that are remembered, so that each is told once; of more only the number is told.
const REMEMBERED_MAX: usize = 1_000;

/// Collects what snapshots could not take.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    told: BTreeSet<RepoPath>,
    fresh: Vec<Skipped>,
    more: usize,
}

impl LeftOut {
    /// Notes what a snapshot could not take.
    pub(super) fn note(&mut self, skipped: &[Skipped]) {
        for skipped in skipped {
            if self.told.len() >= REMEMBERED_MAX {
                return;
            }
            if !self.told.insert(skipped.path.clone()) {
                continue;
            }
            if self.fresh.len() < NAMED_MAX {
                self.fresh.push(skipped.clone());
            } else {
                self.more += 1;
            }
        }
    }

    /// Returns what was not told yet, as an event.
    pub(super) fn take(&mut self) -> Option<Event> {
        let fresh = std::mem::take(&mut self.fresh);
        let more = std::mem::take(&mut self.more);
        if fresh.is_empty() {
            return None;
        }
        let named: Vec<String> = fresh
            .iter()
            .map(|skipped| format!("`{}` ({})", skipped.path, skipped.reason.as_str()))
            .collect();
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(Event::ManifestShort {
            message: format!(
                "no checkpoint holds {}{more}, so no undo brings them back and no commit has them",
                named.join(", ")
            ),
        })
    }
}
