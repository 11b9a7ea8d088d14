//! Where a file differs: its hunks, and which lines are in them.

use std::collections::BTreeSet;

use harness_review::{AnchorSide, Hunk, LineKind, hunks};

use super::{FileChange, compare::Side};

/// Equal lines around each change.
const CONTEXT_LINES: usize = 3;

/// The hunks of a file with the lines that were removed and added, counted from 1.
pub(super) struct Difference {
    pub(super) hunks: Vec<Hunk>,
    removed: BTreeSet<u32>,
    added: BTreeSet<u32>,
}

impl Difference {
    pub(super) fn of(change: &FileChange<'_>) -> Self {
        let (old, new) = (change.old.unwrap_or(""), change.new.unwrap_or(""));
        let hunks = hunks(old, new, CONTEXT_LINES);
        let (mut removed, mut added) = (BTreeSet::new(), BTreeSet::new());
        for (old_line, new_line, line) in hunks.iter().flat_map(Hunk::numbered) {
            match line.kind {
                LineKind::Removed => removed.extend(old_line),
                LineKind::Added => added.extend(new_line),
                LineKind::Context => {}
            }
        }
        Self {
            hunks,
            removed,
            added,
        }
    }

    /// Whether a line of the old text is gone, or one of the new text is new.
    pub(super) fn is_changed(&self, side: Side, line: u32) -> bool {
        match side {
            Side::Old => self.removed.contains(&line),
            Side::New => self.added.contains(&line),
        }
    }

    /// Returns the first line that is new, or the first that is gone where none is.
    pub(super) fn first_line(&self) -> Option<u32> {
        let new = self.added.first();
        new.or_else(|| self.removed.first()).copied()
    }

    /// Returns the place of the hunk that shows a line, or is nearest to it; `None` where nothing differs.
    pub(super) fn hunk_at(&self, side: Side, line: u32) -> Option<usize> {
        let side = match side {
            Side::Old => AnchorSide::Old,
            Side::New => AnchorSide::New,
        };
        let nearest = self.hunks.iter().enumerate();
        nearest
            .min_by_key(|(_, hunk)| hunk.distance(side, line))
            .map(|(at, _)| at)
    }
}
