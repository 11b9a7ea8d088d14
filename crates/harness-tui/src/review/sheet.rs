//! The sheet of one file: every line, heading, comment and finding of it in order, not yet laid out.
//!
//! Made anew when something about the file changes, never per frame.

use std::collections::BTreeMap;

use harness_core::Finding;
use harness_review::{
    AnchorSide, Book, Comment, FileChange, Hunk, Line, Pairing, Piece, Place, finding_rank,
    piece_of,
};

use super::{dress::Dress, say};
use crate::{text::Row, theme::Theme};

/// One thing on the sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Nothing, to keep things apart.
    Blank,
    /// Where a piece begins.
    Heading { piece: usize },
    /// A piece that has no lines.
    Whole { piece: usize },
    /// A line of a hunk.
    Line { piece: usize, at: usize },
    /// Two lines of a hunk beside each other.
    Pair { piece: usize, pairing: Pairing },
    /// A line around a hunk, with its numbers.
    Around {
        piece: usize,
        old: u32,
        new: u32,
        text: String,
    },
    /// What was said or found.
    Said {
        piece: Option<usize>,
        comment: Option<u32>,
        rows: Vec<Row>,
    },
}

impl Item {
    /// Whether one can stand on it.
    pub(super) const fn is_footing(&self) -> bool {
        !matches!(self, Self::Blank | Self::Heading { .. })
    }

    /// Returns the piece it belongs to.
    pub(super) const fn piece(&self) -> Option<usize> {
        match self {
            Self::Heading { piece }
            | Self::Whole { piece }
            | Self::Line { piece, .. }
            | Self::Pair { piece, .. }
            | Self::Around { piece, .. } => Some(*piece),
            Self::Said { piece, .. } => *piece,
            Self::Blank => None,
        }
    }

    /// Returns the lines of the hunk it shows.
    pub(super) fn lines(&self) -> Vec<usize> {
        match self {
            Self::Line { at, .. } => vec![*at],
            Self::Pair { pairing, .. } => {
                let mut lines: Vec<usize> =
                    [pairing.old, pairing.new].into_iter().flatten().collect();
                lines.dedup();
                lines
            }
            _ => Vec::new(),
        }
    }
}

/// What a sheet is made of.
pub(super) struct Matter<'a> {
    pub(super) file: &'a FileChange,
    pub(super) dress: Option<&'a Dress>,
    pub(super) book: &'a Book,
    pub(super) findings: &'a [(Finding, bool)],
    /// Whether both texts stand beside each other.
    pub(super) is_beside: bool,
    /// How many lines around a hunk are shown beyond its own.
    pub(super) context: usize,
    /// Whether hunks of white space are only named.
    pub(super) hides_blank: bool,
    /// Room for what is said. Unit: columns.
    pub(super) columns: usize,
    pub(super) theme: Theme,
}

/// Where comments of a file stand.
#[derive(Default)]
struct Placed<'a> {
    /// Above everything.
    top: Vec<&'a Comment>,
    /// Below a line of a piece.
    lines: BTreeMap<(usize, AnchorSide, u32), Vec<&'a Comment>>,
    /// Below a piece.
    ends: BTreeMap<usize, Vec<&'a Comment>>,
}

impl Matter<'_> {
    /// Makes the sheet.
    pub(super) fn sheet(&self) -> Vec<Item> {
        let placed = self.placed();
        let mut items: Vec<Item> = placed
            .top
            .iter()
            .map(|comment| self.comment(None, comment))
            .collect();
        // Once for all hunks, and not at all where nothing around them is shown.
        let surroundings = match self.context {
            0 => Vec::new(),
            _ => self.file.surroundings(),
        };
        let mut shown_to = 0;
        for (at, piece) in self.file.pieces().iter().enumerate() {
            if !items.is_empty() {
                items.push(Item::Blank);
            }
            items.push(Item::Heading { piece: at });
            self.found(at, &mut items);
            match piece.hunk() {
                None => items.push(Item::Whole { piece: at }),
                Some(hunk) if self.hides_blank && hunk.is_blank() => {
                    items.push(Item::Whole { piece: at });
                }
                Some(hunk) => {
                    self.hunk(
                        at,
                        hunk,
                        (&placed, &surroundings),
                        &mut shown_to,
                        &mut items,
                    );
                }
            }
            let ends = placed.ends.get(&at).into_iter().flatten();
            items.extend(ends.map(|comment| self.comment(Some(at), comment)));
        }
        items
    }

    fn placed(&self) -> Placed<'_> {
        let mut placed = Placed::default();
        for comment in self.book.shown() {
            match &comment.place {
                Place::Change => placed.top.push(comment),
                Place::File { path } if *path == self.file.path => placed.top.push(comment),
                Place::File { .. } => {}
                Place::Line(anchor) | Place::Range(anchor) if anchor.path == self.file.path => {
                    let distance = |piece: &Piece| {
                        let hunk = piece.hunk();
                        hunk.map_or(u32::MAX, |hunk| {
                            hunk.distance(anchor.side, anchor.lines.last)
                        })
                    };
                    let pieces = self.file.pieces().iter().enumerate();
                    match pieces.map(|(at, piece)| (distance(piece), at)).min() {
                        Some((0, at)) if !comment.outdated && !self.is_folded(at) => {
                            let key = (at, anchor.side, anchor.lines.last);
                            placed.lines.entry(key).or_default().push(comment);
                        }
                        Some((_, at)) => placed.ends.entry(at).or_default().push(comment),
                        None => placed.top.push(comment),
                    }
                }
                Place::Line(_) | Place::Range(_) => {}
            }
        }
        placed
    }

    fn is_folded(&self, piece: usize) -> bool {
        let piece = self.file.pieces().get(piece).and_then(Piece::hunk);
        self.hides_blank && piece.is_some_and(Hunk::is_blank)
    }

    fn hunk(
        &self,
        piece: usize,
        hunk: &Hunk,
        (placed, surroundings): (&Placed<'_>, &[&str]),
        shown_to: &mut u32,
        items: &mut Vec<Item>,
    ) {
        let (before, after) = self.file.around(surroundings, hunk, self.context);
        let around = |old: u32, new: u32, text: &&str| Item::Around {
            piece,
            old,
            new,
            text: text.strip_suffix('\n').unwrap_or(text).to_owned(),
        };
        let (old_count, new_count) = hunk.extent();
        let (old_start, new_start) = (hunk.old_start.max(1), hunk.new_start.max(1));
        let room = usize::try_from(new_start.saturating_sub(*shown_to + 1)).unwrap_or(0);
        let before = &before[before.len() - before.len().min(room)..];
        for (by, text) in (1..)
            .zip(before.iter().rev())
            .collect::<Vec<(u32, _)>>()
            .iter()
            .rev()
        {
            items.push(around(
                old_start.saturating_sub(*by),
                new_start.saturating_sub(*by),
                text,
            ));
        }
        self.lines(piece, hunk, placed, items);
        let (old_end, new_end) = (old_start + old_count, new_start + new_count);
        let next = self.file.pieces().get(piece + 1).and_then(Piece::hunk);
        let room = next.map_or(after.len(), |next| {
            next.new_start.saturating_sub(new_end) as usize
        });
        for (by, text) in (0..).zip(after.iter().take(room)) {
            items.push(around(old_end + by, new_end + by, text));
            *shown_to = new_end + by;
        }
        *shown_to = (*shown_to).max(new_end.saturating_sub(1));
    }

    fn lines(&self, piece: usize, hunk: &Hunk, placed: &Placed<'_>, items: &mut Vec<Item>) {
        let numbers: Vec<(Option<u32>, Option<u32>, &Line)> = hunk.numbered().collect();
        let said_below = |at: usize, items: &mut Vec<Item>| {
            let (old, new, _) = numbers[at];
            let keys = [(AnchorSide::Old, old), (AnchorSide::New, new)];
            for (side, line) in keys
                .into_iter()
                .filter_map(|(side, line)| Some((side, line?)))
            {
                let said = placed.lines.get(&(piece, side, line)).into_iter().flatten();
                items.extend(said.map(|comment| self.comment(Some(piece), comment)));
            }
        };
        let rows = self
            .dress
            .and_then(|dress| dress.marks.get(piece))
            .map(|marks| &marks.rows);
        match rows.filter(|rows| self.is_beside && !rows.is_empty()) {
            Some(rows) => {
                for pairing in rows {
                    items.push(Item::Pair {
                        piece,
                        pairing: *pairing,
                    });
                    let item = items.last().map(Item::lines).unwrap_or_default();
                    for at in item {
                        said_below(at, items);
                    }
                }
            }
            None if self.is_beside => {
                // Not paired yet: each line on its side.
                for (at, line) in hunk.lines.iter().enumerate() {
                    let pairing = match line.kind {
                        harness_review::LineKind::Added => Pairing {
                            old: None,
                            new: Some(at),
                        },
                        harness_review::LineKind::Removed => Pairing {
                            old: Some(at),
                            new: None,
                        },
                        harness_review::LineKind::Context => Pairing {
                            old: Some(at),
                            new: Some(at),
                        },
                    };
                    items.push(Item::Pair { piece, pairing });
                    said_below(at, items);
                }
            }
            None => {
                for at in 0..hunk.lines.len() {
                    items.push(Item::Line { piece, at });
                    said_below(at, items);
                }
            }
        }
    }

    fn comment(&self, piece: Option<usize>, comment: &Comment) -> Item {
        Item::Said {
            piece,
            comment: Some(comment.number),
            rows: say::comment(comment, self.columns),
        }
    }

    /// Adds what was found about a piece, weakened tests first.
    fn found(&self, piece: usize, items: &mut Vec<Item>) {
        let of_file = self
            .findings
            .iter()
            .filter(|(finding, _)| finding.path == self.file.path);
        let mut found: Vec<&(Finding, bool)> = of_file
            .filter(|(finding, _)| piece_of(self.file, finding) == Some(piece))
            .collect();
        found.sort_by_key(|(finding, _)| finding_rank(finding.kind));
        items.extend(found.into_iter().map(|(finding, is_approved)| Item::Said {
            piece: Some(piece),
            comment: None,
            rows: say::finding(finding, *is_approved, self.columns, self.theme),
        }));
    }
}
