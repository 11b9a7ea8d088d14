//! Where the transcript is looked at: the end, or a place that stays put.

use super::Transcript;

/// The first row that is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Top {
    /// Whatever shows the end.
    #[default]
    Follow,
    /// A row of an entry; it stays there when more comes below.
    At { entry: usize, row: usize },
}

impl Top {
    /// Follows the entries when `dropped` of them go at the beginning.
    pub(super) fn shift(&mut self, dropped: usize) {
        if let Self::At { entry, row } = self {
            match entry.checked_sub(dropped) {
                Some(left) => *entry = left,
                None => (*entry, *row) = (0, 0),
            }
        }
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Transcript {
    /// Returns the turn of the entry that is selected; none before the first turn.
    pub(crate) fn chosen_turn(&self) -> Option<u32> {
        let entry = self.entries.get(self.selected?)?;
        Some(entry.turn()).filter(|turn| *turn > 0)
    }

    /// Scrolls by rows. Scrolling down to the end follows it from then on.
    pub(crate) fn scroll(&mut self, way: Way, rows: usize) {
        let (entry, row) = self.top_row();
        match way {
            Way::Up => self.top = self.above(entry, row, rows),
            Way::Down => self.scroll_down(entry, row, rows),
        }
        if self.top == Top::Follow {
            self.unseen = 0;
        }
        self.select_in_sight();
    }

    /// Shows the end and follows what comes.
    pub(crate) fn follow(&mut self) {
        self.top = Top::Follow;
        self.unseen = 0;
        if self.selected.is_some() {
            self.selected = self.len().checked_sub(1);
        }
    }

    /// Shows the beginning.
    pub(crate) fn show_first(&mut self) {
        self.top = Top::At { entry: 0, row: 0 };
        if self.selected.is_some() {
            self.selected = Some(0);
        }
        self.settle_top();
    }

    /// Selects the last entry that is seen.
    pub(crate) fn select(&mut self) {
        let last = match self.top {
            Top::Follow => self.len().checked_sub(1),
            Top::At { entry, .. } => Some(entry),
        };
        self.selected = self.selected.or(last);
    }

    /// Selects nothing, and marks nothing.
    pub(crate) fn unselect(&mut self) {
        self.selected = None;
        self.mark(None);
    }

    /// Selects the entry above or below.
    pub(crate) fn step(&mut self, way: Way) {
        let Some(selected) = self.selected else {
            return self.select();
        };
        let next = match way {
            Way::Up => selected.saturating_sub(1),
            Way::Down => (selected + 1).min(self.len().saturating_sub(1)),
        };
        self.selected = Some(next);
        self.bring_in_sight(next);
    }

    /// Selects the first entry of the turn before or after.
    pub(crate) fn step_turn(&mut self, way: Way) {
        let from = self.selected.unwrap_or(self.len().saturating_sub(1));
        let Some(here) = self
            .entries
            .get(from.min(self.entries.len().saturating_sub(1)))
        else {
            return;
        };
        let turn = here.turn();
        let first_of = |at: usize| {
            let turn = self.entries[at].turn();
            let differs = |before: usize| self.entries[before].turn() != turn;
            (0..at)
                .rev()
                .find(|before| differs(*before))
                .map_or(0, |before| before + 1)
        };
        let found = match way {
            Way::Up if first_of(from.min(self.entries.len() - 1)) < from => {
                Some(first_of(from.min(self.entries.len() - 1)))
            }
            Way::Up => (0..from)
                .rev()
                .find(|at| self.entries[*at].turn() != turn)
                .map(first_of),
            Way::Down => (from..self.entries.len()).find(|at| self.entries[*at].turn() != turn),
        };
        if let Some(found) = found {
            self.selected = Some(found);
            self.top = Top::At {
                entry: found,
                row: 0,
            };
            self.settle_top();
        }
    }

    /// Unfolding must not lose the place: what was at the top stays there.
    pub(super) fn keep_in_sight(&mut self, entry: usize) {
        if self.top == Top::Follow && entry + 1 < self.len() {
            let (entry, row) = self.top_row();
            self.top = Top::At { entry, row };
        }
    }

    /// Returns the first row that is seen.
    pub(super) fn top_row(&mut self) -> (usize, usize) {
        match self.top {
            Top::At { entry, row } => (entry, row),
            Top::Follow => self.last_top(),
        }
    }

    /// Goes on following where a place has the end in sight anyway.
    pub(super) fn settle_top(&mut self) {
        let Top::At { entry, row } = self.top else {
            return;
        };
        let (entry, row) = match self.len().checked_sub(1) {
            None => return self.follow(),
            Some(last) if entry > last => (last, 0),
            Some(_) => (entry, row.min(self.height(entry).saturating_sub(1))),
        };
        self.top = Top::At { entry, row };
        if (entry, row) >= self.last_top() {
            self.top = Top::Follow;
            self.unseen = 0;
        }
    }

    /// The first row when the end is shown.
    fn last_top(&mut self) -> (usize, usize) {
        let mut missing = self.size.rows;
        for entry in (0..self.len()).rev() {
            let height = self.height(entry);
            if height >= missing {
                return (entry, height - missing);
            }
            missing -= height;
        }
        (0, 0)
    }

    pub(super) fn above(&mut self, entry: usize, row: usize, rows: usize) -> Top {
        let (mut entry, mut row, mut rows) = (entry, row, rows);
        while rows > row {
            if entry == 0 {
                return Top::At { entry: 0, row: 0 };
            }
            rows -= row + 1;
            entry -= 1;
            row = self.height(entry).saturating_sub(1);
        }
        row -= rows;
        Top::At { entry, row }
    }

    fn scroll_down(&mut self, entry: usize, row: usize, rows: usize) {
        let (mut entry, mut row) = (entry, row + rows);
        while entry < self.len() {
            let height = self.height(entry);
            if row < height {
                self.top = Top::At { entry, row };
                return self.settle_top();
            }
            row -= height;
            entry += 1;
        }
        self.top = Top::Follow;
    }

    /// Moves the selection to where the person looks.
    fn select_in_sight(&mut self) {
        let Some(selected) = self.selected else {
            return;
        };
        let (first, skip) = self.top_row();
        let last = self.last_in_sight(first, skip);
        self.selected = Some(selected.clamp(first, last));
    }

    fn last_in_sight(&mut self, first: usize, skip: usize) -> usize {
        let mut room = self.size.rows + skip;
        for entry in first..self.len() {
            let height = self.height(entry);
            if height >= room {
                return entry;
            }
            room -= height;
        }
        self.len().saturating_sub(1)
    }

    /// Scrolls as far as needed to see an entry's beginning.
    fn bring_in_sight(&mut self, entry: usize) {
        let (first, skip) = self.top_row();
        if entry < first || (entry == first && skip > 0) {
            self.top = Top::At { entry, row: 0 };
            return self.settle_top();
        }
        let before: usize = (first..entry).map(|at| self.height(at)).sum();
        let height = self.height(entry).min(self.size.rows);
        let end = (before + height).saturating_sub(skip);
        if end > self.size.rows {
            let rows = end - self.size.rows;
            self.scroll_down(first, skip, rows);
        }
    }
}
