//! The review page: a change file by file, what was decided and said about it, and where one stands.
//!
//! Knows nothing of keys and of the disk: `update::review` moves and decides here, the program looks
//! things up and keeps them. What is seen is laid out by `arrange`, the visible part alone.

mod dress;
mod found;
mod highlight;
mod line;
mod paper;
mod say;
mod seek;
mod sheet;
mod tree;
mod window;
mod words;

use std::{collections::BTreeSet, sync::Arc};

use harness_core::{CheckpointNumber, RepoPath};
use harness_review::{
    Base, Book, Change, FileChange, Hidden, HunkState, Order, Piece, Sorting, Spot, Standing,
    finding_rank, standing,
};

pub use found::{DressWanted, Dressed, ReviewAsked, ReviewFound, ReviewKept, ReviewSaved, Then};
pub(crate) use highlight::Token;
pub(crate) use line::{Dye, Tint};
pub(crate) use window::{Room, Shown};

use crate::{pages::State, text::Row, theme::Theme};
use dress::Wardrobe;
use sheet::Item;
use tree::Tree;

/// Lines around a hunk that are shown beyond its own, one after the other.
const CONTEXTS: [usize; 3] = [0, 10, dress::AROUND_MAX];

/// How the two texts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sides {
    /// Beside each other where there is room, else one below the other.
    #[default]
    ByRoom,
    /// One below the other.
    Stacked,
    /// Beside each other.
    Beside,
}

/// How a change is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// How the two texts stand.
    pub(crate) sides: Sides,
    /// Which of the widths around a hunk.
    context: usize,
    /// Whether long lines go on in the next row.
    pub(crate) is_wrapped: bool,
    /// Whether hunks of white space are only named.
    pub(crate) hides_blank: bool,
    /// Whether files that are done are left out of the tree.
    pub(crate) hides_done: bool,
}

/// A part of the sheet that is selected: from one item to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    from: usize,
    piece: usize,
}

/// The page.
#[derive(Debug, Default)]
pub(crate) struct Review {
    /// What is asked for.
    pub(crate) asked: ReviewAsked,
    /// Whether it is there.
    pub(crate) state: State,
    /// Whether something happened since it was looked up.
    pub(crate) is_stale: bool,
    /// The comment that it was opened for.
    pub(crate) wanted: Option<u32>,
    found: Option<ReviewFound>,
    standing: Standing,
    /// How many lines were added and removed.
    counts: (u32, u32),
    order: Order,
    spot: Option<Spot>,
    /// How it is looked at.
    pub(crate) manner: Manner,
    items: Vec<Item>,
    /// What the items were made for; made anew when it differs.
    made_for: Option<MadeFor>,
    cursor: usize,
    top: (usize, usize),
    /// How many items were seen when it was laid out last.
    page: usize,
    selection: Option<Selection>,
    needle: String,
    wardrobe: Wardrobe,
    tree: Tree,
    /// The rows that are seen.
    pub(crate) window: Vec<Shown>,
    /// The rows of the tree that are seen.
    pub(crate) files: Vec<(Row, bool)>,
    /// Counts changes of the book and of the change.
    edition: u64,
    /// Books that were handed out to be kept and have not come back.
    pub(crate) keeping: usize,
    /// Whether a run is at work, which takes rejections back at the end of its turn.
    pub(crate) is_at_work: bool,
    /// How wide the sheet was made last, and whether both texts stood beside each other.
    made_last: (usize, bool),
    theme: Theme,
}

/// What a sheet depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MadeFor {
    edition: u64,
    file: Option<usize>,
    is_beside: bool,
    context: usize,
    hides_blank: bool,
    columns: usize,
    is_dressed: bool,
}

impl Review {
    /// Takes in what was looked up; the place stays where its file and its hunk are still there.
    pub(crate) fn fill(&mut self, mut found: ReviewFound) {
        let place = self.place();
        if let Some(known) = self.found.take().filter(|known| known.key == found.key) {
            found.book.merge(known.book);
        }
        found.book.follow(&found.change);
        self.state = State::There;
        self.counts = found.change.counts();
        self.found = Some(found);
        self.selection = None;
        self.recount();
        self.go_back_to(place.as_ref());
    }

    /// Takes in a book that was kept, with what others wrote.
    pub(crate) fn saved(&mut self, saved: &ReviewSaved) {
        self.keeping = self.keeping.saturating_sub(1);
        let Some(found) = self.found.as_mut().filter(|found| found.key == saved.key) else {
            return;
        };
        let before = found.book.clone();
        found.book.merge(saved.book.clone());
        found.book.follow(&found.change);
        if found.book != before {
            self.recount();
        }
    }

    /// Returns what is reviewed.
    pub(crate) fn found(&self) -> Option<&ReviewFound> {
        self.found.as_ref()
    }

    /// Returns how everything stands.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Returns how many lines were added and removed.
    pub(crate) const fn counts(&self) -> (u32, u32) {
        self.counts
    }

    /// Returns how many files are left out of the tree.
    pub(crate) fn hidden(&self) -> usize {
        self.order.hidden()
    }

    /// Whether there is something to look at.
    pub(crate) fn has_files(&self) -> bool {
        self.found
            .as_ref()
            .is_some_and(|found| !found.change.files().is_empty())
    }

    /// Changes the book, and takes in what follows for every file.
    pub(crate) fn write<T>(&mut self, write: impl FnOnce(&mut Book, &Change) -> T) -> Option<T> {
        let found = self.found.as_mut()?;
        let change = Arc::clone(&found.change);
        let made = write(&mut found.book, &change);
        self.recount();
        Some(made)
    }

    /// Returns what is to be kept, and counts it.
    pub(crate) fn keep(&mut self, then: Then) -> Option<ReviewKept> {
        let found = self.found.as_ref()?;
        self.keeping += 1;
        Some(ReviewKept {
            run: found.run,
            session: found.session,
            book: found.book.clone(),
            then,
        })
    }

    /// Says anew how everything stands, and in which order it comes.
    pub(crate) fn recount(&mut self) {
        let Some(found) = &self.found else { return };
        self.edition += 1;
        self.standing = standing(&found.change, &found.book);
        let weak = found
            .findings
            .iter()
            .filter(|(finding, is_approved)| !is_approved && finding_rank(finding.kind) == 0);
        let weak: BTreeSet<RepoPath> = weak.map(|(finding, _)| finding.path.clone()).collect();
        let hidden = if self.manner.hides_done {
            Hidden::Done
        } else {
            Hidden::Nothing
        };
        self.order = Order::new(
            &found.change,
            &self.standing,
            &weak,
            (Sorting::FindingsFirst, hidden),
        );
        if self.spot.is_none() {
            self.spot = self.order.next_file(None);
            (self.cursor, self.top) = (0, (0, 0));
        }
    }

    /// Returns where one stands.
    pub(crate) fn spot(&self) -> Option<Spot> {
        self.spot
    }

    /// Returns the file that is looked at.
    pub(crate) fn file(&self) -> Option<&FileChange> {
        self.found.as_ref()?.change.files().get(self.spot?.file)
    }

    /// Returns the piece that one stands in.
    pub(crate) fn piece(&self) -> Option<&Piece> {
        self.file()?.pieces().get(self.spot?.piece)
    }

    /// Returns how the piece stands that one stands in.
    pub(crate) fn hunk_state(&self) -> Option<&HunkState> {
        let spot = self.spot?;
        self.standing.files.get(spot.file)?.hunks.get(spot.piece)
    }

    /// Returns the comment that one stands on.
    pub(crate) fn comment(&self) -> Option<u32> {
        match self.items.get(self.cursor)? {
            Item::Said { comment, .. } => *comment,
            _ => None,
        }
    }

    /// Returns the files whose words and colours are wanted and not known: the one that is looked at,
    /// then its neighbours.
    pub(crate) fn undressed(&self) -> Vec<DressWanted> {
        let Some(found) = &self.found else {
            return Vec::new();
        };
        let spots = [
            self.spot,
            self.order.next_file(self.spot),
            self.order.previous_file(self.spot),
        ];
        let files = spots.into_iter().flatten().map(|spot| spot.file);
        let naked = files.filter(|file| {
            let file = found.change.files().get(*file);
            file.is_some_and(|file| self.wardrobe.find(file).is_none())
        });
        naked
            .map(|file| DressWanted {
                change: Arc::clone(&found.change),
                file,
            })
            .collect()
    }

    /// Takes in the words and colours of a file.
    pub(crate) fn dressed(&mut self, dressed: Dressed) {
        if let Some(file) = dressed.wanted.change.files().get(dressed.wanted.file) {
            self.wardrobe.keep(file, dressed.dress);
        }
    }

    /// Goes to a piece: its first changed line, with its heading on top.
    pub(crate) fn go(&mut self, spot: Spot) {
        self.selection = None;
        let is_other = self.spot.is_none_or(|here| here.file != spot.file);
        self.spot = Some(spot);
        if is_other {
            self.made_for = None;
            (self.cursor, self.top) = (0, (0, 0));
        }
        self.make();
        let heading = self
            .items
            .iter()
            .position(|item| *item == Item::Heading { piece: spot.piece });
        let heading = heading.unwrap_or(0);
        self.top = (if spot.piece == 0 { 0 } else { heading }, 0);
        let within = || self.items.iter().enumerate().skip(heading);
        let of_piece = |item: &Item| item.piece() == Some(spot.piece) && item.is_footing();
        let changed = within().find(|(_, item)| of_piece(item) && self.is_changed(item));
        let any = || within().find(|(_, item)| of_piece(item));
        self.cursor = changed.or_else(any).map_or(heading, |(at, _)| at);
    }

    fn is_changed(&self, item: &Item) -> bool {
        let hunk = item
            .piece()
            .and_then(|piece| self.file()?.pieces().get(piece)?.hunk());
        let is_changed = |at: &usize| {
            let line = hunk.and_then(|hunk| hunk.lines.get(*at));
            line.is_some_and(|line| line.kind != harness_review::LineKind::Context)
        };
        matches!(item, Item::Whole { .. }) || item.lines().iter().any(is_changed)
    }

    /// Returns the next piece or file from here.
    pub(crate) fn seek(&self, what: Seek) -> Option<Spot> {
        let change = &self.found.as_ref()?.change;
        match what {
            Seek::NextHunk => self.order.next_hunk(change, self.spot),
            Seek::PreviousHunk => self.order.previous_hunk(change, self.spot),
            Seek::NextFile => self.order.next_file(self.spot),
            Seek::PreviousFile => self.order.previous_file(self.spot),
        }
    }

    /// Returns the checkpoint before or after what is compared now.
    pub(crate) fn checkpoint(&self, way: Way) -> Option<CheckpointNumber> {
        let found = self.found.as_ref()?;
        let all = &found.checkpoints;
        match (&found.book.base, way) {
            (Base::Checkpoint { number }, Way::Back) => {
                all.iter().rev().find(|other| *other < number)
            }
            (Base::Checkpoint { number }, Way::On) => all.iter().find(|other| *other > number),
            (_, Way::Back) => all.last(),
            (_, Way::On) => all.first(),
        }
        .copied()
    }

    /// Where one stands, in words that outlast another look.
    fn place(&self) -> Option<Spotted> {
        Some(Spotted {
            path: self.file()?.path.clone(),
            hunk: self.piece().map(|piece| piece.id.to_string()),
            below_heading: self.cursor.saturating_sub(self.heading(self.spot?.piece)),
            above: self.cursor.saturating_sub(self.top.0),
            piece: self.spot?.piece,
        })
    }

    fn heading(&self, piece: usize) -> usize {
        let heading = self
            .items
            .iter()
            .position(|item| *item == Item::Heading { piece });
        heading.unwrap_or(0)
    }

    fn go_back_to(&mut self, place: Option<&Spotted>) {
        let Some(found) = &self.found else { return };
        self.made_for = None;
        let here = place
            .as_ref()
            .and_then(|place| found.change.file(&place.path));
        let (Some(place), Some((file, change))) = (place, here) else {
            self.spot = self.order.next_file(None);
            if let Some(spot) = self.spot {
                self.go(spot);
            }
            return;
        };
        let pieces = change.pieces();
        let same = pieces
            .iter()
            .position(|piece| Some(piece.id.to_string()) == place.hunk);
        let piece = same.unwrap_or(place.piece.min(pieces.len().saturating_sub(1)));
        self.spot = Some(Spot { file, piece });
        self.make();
        if same.is_some() {
            let last = self.items.len().saturating_sub(1);
            self.cursor = (self.heading(piece) + place.below_heading).min(last);
            self.top = (self.cursor.saturating_sub(place.above), 0);
        } else {
            self.go(Spot { file, piece });
        }
    }
}

/// A place by names.
#[derive(Clone, Debug)]
struct Spotted {
    path: RepoPath,
    hunk: Option<String>,
    below_heading: usize,
    above: usize,
    piece: usize,
}

/// What is gone to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    NextHunk,
    PreviousHunk,
    NextFile,
    PreviousFile,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Towards the end.
    On,
    /// Towards the beginning.
    Back,
}
