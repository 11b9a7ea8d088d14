//! Bounding checkpoints: which stay, and which are forgotten.
//!
//! Checkpoint 0, the newest, and those the caller names always stay. Of the others the
//! older half is thinned out, every second one, until number and size are below their
//! bounds; those of a session that ended long ago go altogether. Only references are
//! removed: git removes what nothing refers to in its own time.

use std::{collections::BTreeSet, fs};

use harness_core::{ByteCount, CheckpointNumber, RunId, SessionId, Timestamp, TreeId};

use crate::{
    checkpoint::{CheckpointEntry, CheckpointRef, Checkpoints},
    repo::{During, GitError, Repo},
};

/// The most checkpoints that a session keeps.
pub const CHECKPOINTS_MAX: usize = 200;

/// The most that the files of a session's checkpoints come to, each counted where it differs
/// from the checkpoint before, as it is on the disk of the work tree.
pub const CHECKPOINT_BYTES_MAX: ByteCount = ByteCount::gib(2);

/// How long checkpoints between the first and the last stay after the last one was made.
/// Unit: milliseconds.
pub const CHECKPOINT_AGE_MAX: u64 = 30 * 24 * 60 * 60 * 1000;

/// What pruning did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The checkpoints that were forgotten, by number.
    pub forgotten: Vec<CheckpointNumber>,
    /// How many are left.
    pub left: usize,
}

impl Repo {
    /// Forgets checkpoints of a session until it is within the bounds.
    ///
    /// Checkpoint 0, the last one and those that `kept` names stay whatever the bounds say;
    /// `kept` is asked only where something would go. Damaged ones are left to be told of.
    ///
    /// # Errors
    /// When the references cannot be listed or one cannot be removed.
    pub fn prune_checkpoints(
        &self,
        session: SessionId,
        kept: &dyn Fn() -> BTreeSet<CheckpointNumber>,
        now: Timestamp,
    ) -> Result<Pruned, GitError> {
        let known = self.checkpoints(session)?;
        let sizes = self.new_bytes(&known.whole)?;
        let mut going = chosen(&known.whole, &sizes, &BTreeSet::new(), now);
        if !going.is_empty() {
            going = chosen(&known.whole, &sizes, &kept(), now);
        }
        let forgotten = going.into_iter().collect::<Vec<_>>();
        for number in &forgotten {
            self.forget_checkpoint(CheckpointRef {
                session,
                number: *number,
            })?;
        }
        Ok(Pruned {
            left: known.whole.len() - forgotten.len(),
            forgotten,
        })
    }

    /// Forgets every checkpoint of a session.
    ///
    /// # Errors
    /// When the references cannot be listed or one cannot be removed.
    pub fn forget_session(&self, session: SessionId) -> Result<usize, GitError> {
        let Checkpoints { whole, damaged } = self.checkpoints(session)?;
        let numbers = whole.into_iter().map(|entry| entry.number).chain(damaged);
        let numbers: Vec<_> = numbers.collect();
        for number in &numbers {
            self.forget_checkpoint(CheckpointRef {
                session,
                number: *number,
            })?;
        }
        Ok(numbers.len())
    }

    /// Lists the sessions whose checkpoints between the ends are old enough to go.
    ///
    /// # Errors
    /// When the references cannot be listed.
    pub fn sessions_with_old_checkpoints(
        &self,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, GitError> {
        let mut old = Vec::new();
        for session in self.sessions_with_checkpoints()? {
            let numbers = self.checkpoint_numbers(session)?;
            let Some(last) = numbers.last().filter(|_| numbers.len() > 2) else {
                continue;
            };
            let commit = self
                .git
                .find_reference(&format!("refs/harness/{session}/{last}"))
                .and_then(|found| found.peel_to_commit());
            let made = commit.map(|commit| crate::commit::timestamp(commit.time()).as_millis());
            if made.is_ok_and(|made| now.as_millis().saturating_sub(made) > CHECKPOINT_AGE_MAX) {
                old.push(session);
            }
        }
        Ok(old)
    }

    /// Lists the sessions that have checkpoints.
    ///
    /// # Errors
    /// When the references cannot be listed.
    pub fn sessions_with_checkpoints(&self) -> Result<BTreeSet<SessionId>, GitError> {
        let prefix = "refs/harness/";
        let mut found = BTreeSet::new();
        let mut references = self
            .git
            .references_glob(&format!("{prefix}*"))
            .during("list", prefix)?;
        for name in references.names().flatten() {
            let inside = name.strip_prefix(prefix).unwrap_or_default();
            let session = inside.split('/').next().unwrap_or_default();
            found.extend(session.parse::<SessionId>());
        }
        // libgit2 passes over a reference file that it cannot parse; its number is used all the same.
        for folder in fs::read_dir(self.common_dir().join(prefix))
            .into_iter()
            .flatten()
        {
            let Ok(folder) = folder else { continue };
            // An empty one is what a removed reference leaves.
            let is_empty =
                fs::read_dir(folder.path()).is_ok_and(|mut inside| inside.next().is_none());
            if !is_empty {
                found.extend(folder.file_name().to_string_lossy().parse::<SessionId>());
            }
        }
        Ok(found)
    }

    /// Returns the highest number of a run that has a branch, `harness/R-…`.
    ///
    /// # Errors
    /// When the references cannot be listed.
    pub fn last_run_with_branch(&self) -> Result<Option<RunId>, GitError> {
        let prefix = "refs/heads/harness/";
        let mut references = self
            .git
            .references_glob(&format!("{prefix}*"))
            .during("list", prefix)?;
        let names = references.names().flatten();
        let runs = names.filter_map(|name| name.strip_prefix(prefix)?.parse().ok());
        Ok(runs.max())
    }

    /// Returns the newest whole checkpoint of a session below a number.
    ///
    /// Older ones are looked at only where a newer one is damaged.
    ///
    /// # Errors
    /// When the references cannot be listed.
    pub fn newest_checkpoint(
        &self,
        session: SessionId,
        below: CheckpointNumber,
    ) -> Result<Option<CheckpointEntry>, GitError> {
        let numbers = self.checkpoint_numbers(session)?;
        let mut numbers = numbers.range(..below).rev();
        Ok(numbers.find_map(|number| {
            let name = CheckpointRef {
                session,
                number: *number,
            };
            self.checkpoint_entry(name, None).ok()
        }))
    }

    /// Returns how much each checkpoint adds to the one before it. Unit: bytes.
    fn new_bytes(&self, entries: &[CheckpointEntry]) -> Result<Vec<u64>, GitError> {
        let odb = self
            .git
            .odb()
            .during("open the objects of", "checkpoints")?;
        let mut sizes = Vec::with_capacity(entries.len());
        let mut before: Option<&TreeId> = None;
        for entry in entries {
            let mut size = 0;
            if let Some(before) = before {
                for difference in self.differences(before, &entry.tree)? {
                    let header = difference.new.map(|new| odb.read_header(new.id));
                    size += header
                        .and_then(Result::ok)
                        .map_or(0, |(size, _)| size as u64);
                }
            }
            sizes.push(size);
            before = Some(&entry.tree);
        }
        Ok(sizes)
    }
}

/// Returns the number of the list that is next to one: the nearest before it, else behind it.
pub fn nearest(entries: &[CheckpointEntry], number: CheckpointNumber) -> Option<CheckpointNumber> {
    let before = entries.iter().rev().find(|entry| entry.number <= number);
    before
        .or_else(|| entries.iter().find(|entry| entry.number > number))
        .map(|entry| entry.number)
}

/// Chooses what goes; `sizes` belong to `entries`, which are sorted by number.
fn chosen(
    entries: &[CheckpointEntry],
    sizes: &[u64],
    kept: &BTreeSet<CheckpointNumber>,
    now: Timestamp,
) -> BTreeSet<CheckpointNumber> {
    let last = entries.last().map(|entry| entry.number);
    let is_pinned = |entry: &CheckpointEntry| {
        entry.number == CheckpointNumber(0)
            || Some(entry.number) == last
            || kept.contains(&entry.number)
    };
    let newest = entries.iter().map(|entry| entry.time.as_millis()).max();
    let age = now.as_millis().saturating_sub(newest.unwrap_or(0));
    let mut going = BTreeSet::new();
    if age > CHECKPOINT_AGE_MAX {
        going.extend(
            entries
                .iter()
                .filter(|entry| !is_pinned(entry))
                .map(|entry| entry.number),
        );
        return going;
    }
    let mut left: Vec<(&CheckpointEntry, u64)> =
        entries.iter().zip(sizes.iter().copied()).collect();
    loop {
        let bytes: u64 = left.iter().map(|(_, size)| size).sum();
        if left.len() <= CHECKPOINTS_MAX && bytes <= CHECKPOINT_BYTES_MAX.0 {
            return going;
        }
        // The older half is thinned out first; with what is left of it gone, all of it.
        let free: Vec<_> = left.iter().filter(|(entry, _)| !is_pinned(entry)).collect();
        let older = free.len().div_ceil(2);
        let thinned: BTreeSet<_> = free
            .iter()
            .take(older)
            .step_by(2)
            .map(|(entry, _)| entry.number)
            .collect();
        if thinned.is_empty() {
            return going;
        }
        left.retain(|(entry, _)| !thinned.contains(&entry.number));
        going.extend(thinned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn entries(count: u32, time: Timestamp) -> Vec<CheckpointEntry> {
        let id = "0123456789012345678901234567890123456789";
        let entry = |number| CheckpointEntry {
            number: CheckpointNumber(number),
            commit: id.parse().unwrap(),
            tree: id.parse().unwrap(),
            time,
            message: String::new(),
        };
        (0..count).map(entry).collect()
    }

    #[test]
    fn within_the_bounds_nothing_goes() {
        let entries = entries(200, NOW);
        assert!(chosen(&entries, &[1; 200], &BTreeSet::new(), NOW).is_empty());
    }

    #[test]
    fn over_the_number_the_older_half_is_thinned_and_the_pinned_stay() {
        let entries = entries(260, NOW);
        let kept = BTreeSet::from([CheckpointNumber(7), CheckpointNumber(9)]);
        let going = chosen(&entries, &[1; 260], &kept, NOW);
        assert!(entries.len() - going.len() <= CHECKPOINTS_MAX);
        for number in [0, 7, 9, 200, 259] {
            assert!(!going.contains(&CheckpointNumber(number)), "{number}");
        }
    }

    #[test]
    fn over_the_size_all_may_go_but_the_pinned() {
        let entries = entries(20, NOW);
        let going = chosen(
            &entries,
            &[CHECKPOINT_BYTES_MAX.0; 20],
            &BTreeSet::new(),
            NOW,
        );
        assert_eq!(going.len(), 18);
        assert!(!going.contains(&CheckpointNumber(0)) && !going.contains(&CheckpointNumber(19)));
    }

    #[test]
    fn of_a_session_that_ended_long_ago_the_ends_stay() {
        let old = Timestamp::from_millis(NOW.as_millis() - CHECKPOINT_AGE_MAX - 1);
        let entries = entries(5, old);
        let kept = BTreeSet::from([CheckpointNumber(2)]);
        let going = chosen(&entries, &[1; 5], &kept, NOW);
        assert_eq!(
            going,
            BTreeSet::from([CheckpointNumber(1), CheckpointNumber(3)])
        );
        assert_eq!(
            nearest(&entries, CheckpointNumber(9)),
            Some(CheckpointNumber(4))
        );
        assert_eq!(
            nearest(&entries[2..], CheckpointNumber(1)),
            Some(CheckpointNumber(2))
        );
        assert_eq!(nearest(&[], CheckpointNumber(1)), None);
    }
}
