//! What a file's hunks are dressed in: changed words, pairs of lines, colours of the language.
//!
//! Made off the drawing path, and kept by content for the files looked at last.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use harness_core::RepoPath;
use harness_review::{AnchorSide, FileChange, MarkedHunk, Piece, Side, mark};

use super::highlight::{Spans, highlight};

/// Lines around a hunk that are coloured too: as many as the widest look shows.
pub(super) const AROUND_MAX: usize = 25;
/// How many files are kept dressed.
const KEPT_MAX: usize = 24;

/// Words and colours of one file.
#[derive(Debug, Default)]
pub(crate) struct Dress {
    /// For each piece; empty ones for those without lines.
    pub(super) marks: Vec<MarkedHunk>,
    old: BTreeMap<u32, Spans>,
    new: BTreeMap<u32, Spans>,
}

impl Dress {
    /// Returns the special parts of a line.
    pub(super) fn spans(
        &self,
        side: AnchorSide,
        line: u32,
    ) -> &[(std::ops::Range<usize>, super::Token)] {
        let lines = match side {
            AnchorSide::Old => &self.old,
            AnchorSide::New => &self.new,
        };
        lines.get(&line).map_or(&[], Vec::as_slice)
    }
}

/// Dresses a file.
pub(super) fn dress(file: &FileChange) -> Dress {
    let marks = file
        .pieces()
        .iter()
        .map(|piece| piece.hunk().map(mark).unwrap_or_default());
    Dress {
        marks: marks.collect(),
        old: coloured(file, AnchorSide::Old),
        new: coloured(file, AnchorSide::New),
    }
}

fn coloured(file: &FileChange, side: AnchorSide) -> BTreeMap<u32, Spans> {
    let (content, name) = match side {
        AnchorSide::Old => (&file.old, file.was.as_ref().unwrap_or(&file.path)),
        AnchorSide::New => (&file.new, &file.path),
    };
    let Some(text) = content.text() else {
        return BTreeMap::new();
    };
    let around = u32::try_from(AROUND_MAX).unwrap_or(u32::MAX);
    let shown: Vec<(u32, u32)> = file
        .pieces()
        .iter()
        .filter_map(Piece::hunk)
        .map(|hunk| {
            let (old, new) = hunk.extent();
            let (start, count) = match side {
                AnchorSide::Old => (hunk.old_start, old),
                AnchorSide::New => (hunk.new_start, new),
            };
            let end = start.saturating_add(count);
            (start.saturating_sub(around), end.saturating_add(around))
        })
        .collect();
    let mut lines = BTreeMap::new();
    let mut next = 0;
    highlight(&name.to_text(), text, |line, spans| {
        while shown.get(next).is_some_and(|(_, end)| *end < line) {
            next += 1;
        }
        if shown.get(next).is_some_and(|(start, _)| *start <= line) {
            lines.insert(line, spans);
        }
    });
    lines
}

/// The files that were dressed last.
#[derive(Debug, Default)]
pub(super) struct Wardrobe {
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    path: RepoPath,
    old: Side,
    new: Side,
    dress: Arc<Dress>,
}

impl Wardrobe {
    /// Returns what a file is dressed in, if that is known for this very content.
    pub(super) fn find(&self, file: &FileChange) -> Option<&Arc<Dress>> {
        let fits = |kept: &&Kept| {
            kept.path == file.path && same(&kept.old, &file.old) && same(&kept.new, &file.new)
        };
        self.kept.iter().find(fits).map(|kept| &kept.dress)
    }

    /// Keeps what a file is dressed in.
    pub(super) fn keep(&mut self, file: &FileChange, dress: Arc<Dress>) {
        self.kept.retain(|kept| kept.path != file.path);
        self.kept.push_front(Kept {
            path: file.path.clone(),
            old: file.old.clone(),
            new: file.new.clone(),
            dress,
        });
        self.kept.truncate(KEPT_MAX);
    }
}

/// Whether two sides are the same; texts that are shared are not read.
fn same(one: &Side, other: &Side) -> bool {
    match (one.text(), other.text()) {
        (Some(one), Some(other)) if std::ptr::eq(one, other) => true,
        _ => one == other,
    }
}
