//! What is seen of a sheet: moving in it, laying it out, selecting and finding in it.

use harness_core::LineRange;
use harness_review::{
    Anchor, AnchorSide, Chosen, DecisionState, Line, LineKind, Piece, Place, Spot,
};
use std::collections::BTreeSet;

use super::{
    CONTEXTS, MadeFor, Review, Selection, Sides, Way, line,
    paper::Paper,
    sheet::{Item, Matter},
    tree::Wood,
};
use crate::{
    text::{Role, Row, shortened},
    theme::Theme,
};

/// From this width of the screen on, both texts stand beside each other.
const BESIDE: usize = 120;

/// A row that is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What it says.
    pub(crate) row: Row,
    /// Whether one stands on it.
    pub(crate) is_here: bool,
    /// Whether it is selected.
    pub(crate) is_chosen: bool,
}

/// The room of the page's parts. Unit: columns and rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Of the whole screen.
    pub(crate) screen: usize,
    /// Of the tree.
    pub(crate) tree: usize,
    /// Of the sheet, its title left out.
    pub(crate) sheet: (usize, usize),
}

impl Review {
    /// Lays out what is seen.
    pub(crate) fn arrange(&mut self, room: Room, theme: Theme) {
        let is_beside = match self.manner.sides {
            Sides::ByRoom => room.screen >= BESIDE,
            Sides::Stacked => false,
            Sides::Beside => true,
        };
        self.make_for(room.sheet.0, is_beside, theme);
        self.keep_in_sight(room.sheet, theme);
        self.window = self.seen(room.sheet, theme);
        let Some(found) = &self.found else {
            self.files.clear();
            return;
        };
        let wood = Wood {
            change: &found.change,
            standing: &self.standing,
            order: &self.order,
            checks: &found.checks,
            file: self.spot.map(|spot| spot.file),
            theme,
        };
        self.files = self.tree.arrange(&wood, room.tree, room.sheet.1 + 1);
    }

    /// Makes the sheet as it was laid out last, where something about it has changed.
    pub(super) fn make(&mut self) {
        let (columns, is_beside) = self.made_last;
        self.make_for(columns, is_beside, self.theme);
    }

    fn make_for(&mut self, columns: usize, is_beside: bool, theme: Theme) {
        (self.made_last, self.theme) = ((columns, is_beside), theme);
        let Some(found) = &self.found else {
            self.items.clear();
            return;
        };
        let file = self
            .spot
            .and_then(|spot| found.change.files().get(spot.file));
        let Some(file) = file else {
            self.items.clear();
            return;
        };
        let dress = self.wardrobe.find(file);
        let made_for = MadeFor {
            edition: self.edition,
            file: self.spot.map(|spot| spot.file),
            is_beside,
            context: CONTEXTS[self.manner.context % CONTEXTS.len()],
            hides_blank: self.manner.hides_blank,
            columns,
            is_dressed: dress.is_some(),
        };
        if self.made_for == Some(made_for) {
            return;
        }
        let matter = Matter {
            file,
            dress: dress.map(AsRef::as_ref),
            book: &found.book,
            findings: &found.findings,
            is_beside,
            context: made_for.context,
            hides_blank: made_for.hides_blank,
            columns: columns.saturating_sub(1),
            theme,
        };
        let items = matter.sheet();
        let is_same_file = self
            .made_for
            .is_some_and(|before| before.file == made_for.file);
        let before = std::mem::replace(&mut self.items, items);
        self.made_for = Some(made_for);
        if is_same_file {
            self.stay(&before);
        }
        if self.cursor >= self.items.len() {
            self.cursor = self.items.len().saturating_sub(1);
        }
        if self
            .items
            .get(self.cursor)
            .is_some_and(|item| !item.is_footing())
        {
            self.step_footing(Way::On);
        }
    }

    /// Stays on what one stood on, at the same height, when items came or went.
    fn stay(&mut self, before: &[Item]) {
        let Some(stood) = before.get(self.cursor) else {
            return;
        };
        let height = self.cursor.saturating_sub(self.top.0);
        let is_same = |item: &Item| match (item, stood) {
            (
                Item::Said {
                    comment: Some(one), ..
                },
                Item::Said {
                    comment: Some(other),
                    ..
                },
            ) => one == other,
            (Item::Around { new, .. }, Item::Around { new: other, .. }) => new == other,
            (one, other) => {
                one.piece() == other.piece()
                    && (one == other
                        || !one.lines().is_empty() && other.lines().starts_with(&one.lines())
                        || !other.lines().is_empty() && one.lines().starts_with(&other.lines()))
            }
        };
        if self.items.get(self.cursor).is_some_and(is_same) && before.len() == self.items.len() {
            return;
        }
        let selected = self
            .selection
            .and_then(|selection| before.get(selection.from).cloned());
        if let Some(at) = self.items.iter().position(is_same) {
            self.cursor = at;
            self.top = (at.saturating_sub(height), 0);
        }
        if let (Some(selection), Some(from)) = (&mut self.selection, selected) {
            match self.items.iter().position(|item| *item == from) {
                Some(at) => selection.from = at,
                None => self.selection = None,
            }
        }
    }

    /// Lays out rows from the top on.
    fn seen(&mut self, (columns, lines): (usize, usize), theme: Theme) -> Vec<Shown> {
        let mut shown = Vec::new();
        let (first, skip) = self.top;
        let mut count = 0;
        for (at, item) in self.items.iter().enumerate().skip(first) {
            if shown.len() >= lines {
                break;
            }
            // The title above says it already.
            if at == first && is_heading_of(item, self.spot) {
                continue;
            }
            let rows = self.rows(item, columns, theme);
            let skip = if at == first {
                skip.min(rows.len().saturating_sub(1))
            } else {
                0
            };
            let is_chosen = self.is_selected(at);
            let room = lines - shown.len();
            let fits = rows.len() - skip <= room;
            shown.extend(rows.into_iter().skip(skip).take(room).map(|row| Shown {
                row,
                is_here: at == self.cursor,
                is_chosen,
            }));
            count += usize::from(fits);
        }
        self.page = count.max(1);
        shown
    }

    /// Scrolls so that what one stands on is seen.
    fn keep_in_sight(&mut self, (columns, lines): (usize, usize), theme: Theme) {
        if self.items.is_empty() {
            self.top = (0, 0);
            return;
        }
        self.cursor = self.cursor.min(self.items.len() - 1);
        let height = |review: &Self, at: usize| {
            let item = review.items.get(at);
            item.map_or(1, |item| review.rows(item, columns, theme).len())
        };
        if self.cursor < self.top.0 {
            let above = self.cursor.saturating_sub(1);
            let has_heading = matches!(self.items[above], Item::Heading { .. });
            self.top = (if has_heading { above } else { self.cursor }, 0);
        }
        if self.top.0 == self.cursor {
            let rows = height(self, self.cursor);
            self.top.1 = self.top.1.min(rows.saturating_sub(1));
            return;
        }
        // Upwards from where one stands, as far as there is room.
        let (mut used, mut first) = (0, self.cursor);
        for at in (self.top.0..=self.cursor).rev() {
            let rows = match self.items.get(at) {
                Some(item) if at == self.top.0 && is_heading_of(item, self.spot) => 0,
                _ => height(self, at),
            };
            used += rows.saturating_sub(if at == self.top.0 { self.top.1 } else { 0 });
            if used > lines && at < self.cursor {
                break;
            }
            first = at;
        }
        if first != self.top.0 {
            self.top = (first, 0);
        }
    }

    /// Lays out one item.
    fn rows(&self, item: &Item, columns: usize, theme: Theme) -> Vec<Row> {
        let laid = || -> Option<Vec<Row>> {
            let (spot, file) = (self.spot?, self.file()?);
            let dress = self.wardrobe.find(file).map(AsRef::as_ref);
            let paper = Paper {
                columns: columns.saturating_sub(1),
                digits: self.digits(),
                is_wrapped: self.manner.is_wrapped,
                needle: &self.needle,
                dress,
                theme,
            };
            let states = self.standing.files.get(spot.file);
            let state = |piece: usize| states.and_then(|file| file.hunks.get(piece));
            let hunk = |piece: usize| file.pieces().get(piece).and_then(Piece::hunk);
            Some(match item {
                Item::Blank => vec![Row::default()],
                Item::Heading { piece } => {
                    let (words, aside) =
                        (self.heading_words(*piece), self.state_words(*piece, theme));
                    let room = paper.columns.saturating_sub(aside.width() + 2);
                    let words = shortened(&words, room);
                    let mut row = Row::of(Role::Working, format!(" {words}"))
                        .padded(columns.saturating_sub(aside.width()));
                    row.pieces.extend(aside.pieces);
                    vec![row]
                }
                Item::Whole { piece } => vec![Row::of(
                    Role::Plain,
                    format!("     {}", self.whole_words(*piece)),
                )],
                Item::Line { piece, at } => {
                    let decided = state(*piece).filter(|state| is_split(state.state));
                    let choice = decided.and_then(|state| *state.lines.get(*at)?);
                    paper.line(hunk(*piece)?, *piece, *at, choice)
                }
                Item::Pair { piece, pairing } => {
                    let decided = state(*piece).filter(|state| is_split(state.state));
                    let choice =
                        |at: Option<usize>| decided.and_then(|state| *state.lines.get(at?)?);
                    paper.pair(
                        hunk(*piece)?,
                        *piece,
                        *pairing,
                        (choice(pairing.old), choice(pairing.new)),
                    )
                }
                Item::Around { old, new, text, .. } => {
                    paper.around((*old, *new), text, self.made_last.1)
                }
                Item::Said { rows, .. } => rows
                    .iter()
                    .map(|row| {
                        let mut all = Row::of(Role::Plain, " ");
                        all.pieces.extend(row.pieces.clone());
                        line::cut(&all, columns, 0)
                    })
                    .collect(),
            })
        };
        laid().unwrap_or_else(|| vec![Row::default()])
    }

    fn is_selected(&self, at: usize) -> bool {
        self.selection.is_some_and(|selection| {
            (selection.from.min(self.cursor)..=selection.from.max(self.cursor)).contains(&at)
        })
    }

    /// Whether lines are selected.
    pub(crate) fn is_selecting(&self) -> bool {
        self.selection.is_some()
    }

    /// Begins to select lines, or stops.
    pub(crate) fn select(&mut self) -> bool {
        let item = self.items.get(self.cursor);
        self.selection = match (self.selection, item) {
            (None, Some(item)) if !item.lines().is_empty() => item.piece().map(|piece| Selection {
                from: self.cursor,
                piece,
            }),
            _ => None,
        };
        self.selection.is_some()
    }

    /// Selects nothing any more.
    pub(crate) fn unselect(&mut self) {
        self.selection = None;
    }

    /// Returns the lines of the hunk that are meant: the selected ones, or all.
    pub(crate) fn chosen(&self) -> Chosen {
        let Some(selection) = self.selection else {
            return Chosen::All;
        };
        let (from, to) = (
            selection.from.min(self.cursor),
            selection.from.max(self.cursor),
        );
        let items = self.items.get(from..=to).unwrap_or_default().iter();
        let of_piece = items.filter(|item| item.piece() == Some(selection.piece));
        let lines: BTreeSet<usize> = of_piece.flat_map(Item::lines).collect();
        Chosen::Lines(lines)
    }

    /// Returns the lines that a comment from here is about: those selected, or the one that one stands on.
    pub(crate) fn lines_place(&self) -> Option<Place> {
        let file = self.file()?;
        let piece = self.spot?.piece;
        let hunk = file.pieces().get(piece)?.hunk()?;
        let lines: Vec<usize> = match self.chosen() {
            Chosen::Lines(lines) => lines.into_iter().collect(),
            Chosen::All => match self.items.get(self.cursor)? {
                Item::Around { new, .. } => {
                    let text = file.new.text()?;
                    let lines = LineRange {
                        first: *new,
                        last: *new,
                    };
                    return Anchor::of(file.path.clone(), AnchorSide::New, text, lines)
                        .map(Place::of_lines);
                }
                item @ (Item::Line { .. } | Item::Pair { .. }) => item.lines(),
                _ => {
                    let changed = hunk
                        .lines
                        .iter()
                        .position(|line| line.kind != LineKind::Context);
                    changed.into_iter().collect()
                }
            },
        };
        let numbered: Vec<(Option<u32>, Option<u32>, &Line)> = hunk.numbered().collect();
        let range = |numbers: Vec<u32>| {
            let (first, last) = (*numbers.iter().min()?, *numbers.iter().max()?);
            Some(LineRange { first, last })
        };
        let new: Vec<u32> = lines.iter().filter_map(|at| numbered.get(*at)?.1).collect();
        let old: Vec<u32> = lines.iter().filter_map(|at| numbered.get(*at)?.0).collect();
        // What is only in the old text is meant there.
        let (side, text, numbers) = match new.is_empty() {
            false => (AnchorSide::New, file.new.text()?, new),
            true => (AnchorSide::Old, file.old.text()?, old),
        };
        Anchor::of(file.path.clone(), side, text, range(numbers)?).map(Place::of_lines)
    }

    /// Returns the line of the new text that one stands at, for an editor.
    pub(crate) fn line(&self) -> u32 {
        let piece = self.piece();
        let here = || match self.items.get(self.cursor)? {
            Item::Around { new, .. } => Some(*new),
            item => {
                let hunk = piece?.hunk()?;
                let numbers = |at: &usize| hunk.numbered().nth(*at).and_then(|(_, new, _)| new);
                item.lines().iter().filter_map(numbers).next_back()
            }
        };
        let first = || piece.and_then(Piece::first_line);
        here().or_else(first).unwrap_or(1).max(1)
    }

    /// Goes some lines on; a line that is longer than the screen is gone through row by row.
    pub(crate) fn step(&mut self, way: Way, count: usize) {
        for _ in 0..count.min(self.items.len().max(1)) {
            let is_long = self.window.iter().all(|shown| shown.is_here) && !self.window.is_empty();
            match way {
                Way::On if is_long && self.has_more_rows() => {
                    self.top = (self.cursor, self.top.1 + 1);
                }
                Way::Back if is_long && self.top.1 > 0 => self.top.1 -= 1,
                _ => self.step_footing(way),
            }
        }
        self.follow();
    }

    fn has_more_rows(&self) -> bool {
        let (columns, _) = self.made_last;
        let rows = self
            .items
            .get(self.cursor)
            .map(|item| self.rows(item, columns, self.theme).len());
        let seen = self.window.len();
        rows.is_some_and(|rows| self.top.1 + seen < rows)
    }

    fn step_footing(&mut self, way: Way) {
        let is_footing = |at: &usize| {
            let Some(item) = self.items.get(*at) else {
                return false;
            };
            // Lines are selected within one hunk.
            item.is_footing()
                && self
                    .selection
                    .is_none_or(|selection| item.piece() == Some(selection.piece))
        };
        let next = match way {
            Way::On => (self.cursor + 1..self.items.len()).find(is_footing),
            Way::Back => (0..self.cursor).rev().find(is_footing),
        };
        match (next, way) {
            (Some(next), _) => {
                self.cursor = next;
                if self.top.0 != next {
                    self.top.1 = 0;
                }
            }
            (None, Way::Back) if self.selection.is_none() => self.top = (0, 0),
            (None, _) => {}
        }
    }

    /// Goes to the first or the last line of the file.
    pub(crate) fn end(&mut self, way: Way) {
        let is_footing = |item: &Item| {
            item.is_footing()
                && self
                    .selection
                    .is_none_or(|selection| item.piece() == Some(selection.piece))
        };
        let found = match way {
            Way::On => self.items.iter().rposition(is_footing),
            Way::Back => self.items.iter().position(is_footing),
        };
        if let Some(at) = found.filter(|at| *at != self.cursor) {
            self.cursor = at;
            self.top.1 = 0;
        }
        if way == Way::Back && self.selection.is_none() {
            self.top = (0, 0);
        }
        self.follow();
    }

    /// Returns how many items were seen.
    pub(crate) fn page(&self) -> usize {
        self.page.max(1)
    }

    /// Knows in which hunk one stands now.
    pub(super) fn follow(&mut self) {
        let piece = self.items.get(self.cursor).and_then(Item::piece);
        if let (Some(spot), Some(piece)) = (&mut self.spot, piece) {
            spot.piece = piece;
        }
    }

    /// Shows more around the hunks, or no more than their own.
    pub(crate) fn widen(&mut self) -> usize {
        self.manner.context = (self.manner.context + 1) % CONTEXTS.len();
        CONTEXTS[self.manner.context]
    }

    /// Turns from one below the other to beside each other, and back.
    pub(crate) fn turn(&mut self) -> Sides {
        self.manner.sides = if self.made_last.1 {
            Sides::Stacked
        } else {
            Sides::Beside
        };
        self.manner.sides
    }
}

fn is_heading_of(item: &Item, spot: Option<Spot>) -> bool {
    matches!(item, Item::Heading { piece } if spot.is_some_and(|spot| spot.piece == *piece))
}

const fn is_split(state: DecisionState) -> bool {
    matches!(state, DecisionState::Partly | DecisionState::Mixed)
}
