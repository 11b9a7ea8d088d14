//! The list of every page: rows that keep who they are, a choice that stays with its row, a filter.
//!
//! Knows nothing of what the rows are about. What is laid out is what is seen, never the whole.

use crate::{
    text::{Role, Row, shortened, width},
    theme::{Sign, Theme},
};

/// The most rows; more are left out, and the page says so.
pub(crate) const ROWS_MAX: usize = 5_000;
/// The longest text to keep rows by. Unit: characters.
const NEEDLE_MAX: usize = 80;
/// Blanks between two cells.
const GAP: usize = 2;
/// The least room for the cell that gives way. Unit: columns.
const FLEXIBLE_MIN: usize = 14;

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Who it is: stays the same while what it says changes.
    pub(crate) id: String,
    /// Its mark.
    pub(crate) sign: Option<Sign>,
    /// What it says, from left to right; cleaned.
    pub(crate) cells: Vec<(Role, String)>,
    /// What stands below it and belongs to it; cleaned.
    pub(crate) below: Vec<Row>,
    /// What else a filter finds it by.
    pub(crate) more: String,
}

impl Line {
    /// Makes a row of its identity.
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }

    /// Gives it a mark.
    #[must_use]
    pub(crate) fn signed(mut self, sign: Sign) -> Self {
        self.sign = Some(sign);
        self
    }

    /// Adds a cell.
    #[must_use]
    pub(crate) fn cell(mut self, role: Role, text: impl Into<String>) -> Self {
        self.cells.push((role, text.into()));
        self
    }

    fn fits(&self, needle: &str) -> bool {
        let mut texts = self.cells.iter().map(|(_, text)| text).chain([&self.more]);
        texts.any(|text| text.to_lowercase().contains(needle))
    }

    fn height(&self) -> usize {
        1 + self.below.len()
    }
}

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Towards the end.
    Down,
    /// Towards the beginning.
    Up,
}

/// Rows with one that is chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    all: Vec<Line>,
    /// The rows that fit the filter, as places in `all`.
    shown: Vec<usize>,
    chosen: usize,
    top: usize,
    needle: String,
    /// How many rows were seen when it was laid out last.
    page: usize,
    /// Which cell gives way when there is no room.
    flexible: usize,
}

impl List {
    /// Makes an empty list; `flexible` is the cell that gives way when there is no room.
    pub(crate) fn with_flexible(flexible: usize) -> Self {
        Self {
            flexible,
            ..Self::default()
        }
    }

    /// Replaces the rows; the same one stays chosen, at the same height.
    pub(crate) fn replace(&mut self, mut lines: Vec<Line>) {
        lines.truncate(ROWS_MAX);
        let id = self.chosen().map(|line| line.id.clone());
        let height = self.chosen.saturating_sub(self.top);
        self.all = lines;
        self.sift();
        let found = id.and_then(|id| self.shown.iter().position(|at| self.all[*at].id == id));
        self.chosen = found.unwrap_or(self.chosen).min(self.last());
        if found.is_some() {
            self.top = self.chosen.saturating_sub(height);
        }
    }

    /// Returns the row that is chosen.
    pub(crate) fn chosen(&self) -> Option<&Line> {
        self.all.get(*self.shown.get(self.chosen)?)
    }

    /// Chooses the row of this identity, where it is shown.
    pub(crate) fn choose(&mut self, id: &str) {
        let found = self.shown.iter().position(|at| self.all[*at].id == id);
        self.chosen = found.unwrap_or(self.chosen);
    }

    /// Returns the rows that fit the filter.
    pub(crate) fn shown(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.shown.iter().map(|at| &self.all[*at])
    }

    /// Whether there is nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns what rows are kept by.
    pub(crate) fn needle(&self) -> &str {
        &self.needle
    }

    /// Keeps the rows with these letters; the chosen one stays chosen as long as it is among them.
    pub(crate) fn filter(&mut self, needle: &str) {
        let id = self.chosen().map(|line| line.id.clone());
        self.needle = needle.chars().take(NEEDLE_MAX).collect();
        self.sift();
        self.chosen = 0;
        if let Some(id) = id {
            self.choose(&id);
        }
    }

    fn sift(&mut self) {
        let needle = self.needle.trim().to_lowercase();
        let fits = |at: &usize| needle.is_empty() || self.all[*at].fits(&needle);
        self.shown = (0..self.all.len()).filter(fits).collect();
    }

    fn last(&self) -> usize {
        self.shown.len().saturating_sub(1)
    }

    /// Goes some rows on; stops at the ends.
    pub(crate) fn step(&mut self, step: Step, rows: usize) {
        self.chosen = match step {
            Step::Down => self.chosen.saturating_add(rows).min(self.last()),
            Step::Up => self.chosen.saturating_sub(rows),
        };
    }

    /// Goes to the first or the last row.
    pub(crate) fn end(&mut self, step: Step) {
        self.step(step, self.shown.len());
    }

    /// Goes to the next row that is wanted, around the ends; `false` when there is none.
    pub(crate) fn seek(&mut self, step: Step, is_wanted: impl Fn(&Line) -> bool) -> bool {
        let count = self.shown.len();
        let found = (1..=count).find(|by| {
            let at = self.around(step, *by);
            is_wanted(&self.all[self.shown[at]])
        });
        if let Some(by) = found {
            self.chosen = self.around(step, by);
        }
        found.is_some()
    }

    fn around(&self, step: Step, by: usize) -> usize {
        let count = self.shown.len().max(1);
        match step {
            Step::Down => (self.chosen + by) % count,
            Step::Up => (self.chosen + count - by % count) % count,
        }
    }

    /// Returns how many rows were seen when it was laid out last.
    pub(crate) fn page(&self) -> usize {
        self.page.max(1)
    }

    /// Keeps what is chosen in sight of so many lines.
    pub(crate) fn arrange(&mut self, lines: usize) {
        let lines = lines.max(1);
        self.chosen = self.chosen.min(self.last());
        self.top = self.top.min(self.chosen);
        let height = |list: &Self, at: usize| {
            let line = list.shown.get(at).map(|at| &list.all[*at]);
            line.map_or(1, Line::height)
        };
        // Upwards from the chosen row, as far as there is room for it whole.
        let (mut used, mut first) = (0, self.chosen);
        for at in (self.top..=self.chosen).rev() {
            used += height(self, at);
            if used > lines && at < self.chosen {
                break;
            }
            first = at;
        }
        self.top = first;
        // A list that has become shorter fills its room again.
        let mut used = 0;
        for at in self.top..self.shown.len() {
            used += height(self, at);
            if used > lines {
                break;
            }
        }
        while self.top > 0 && used + height(self, self.top - 1) <= lines {
            self.top -= 1;
            used += height(self, self.top);
        }
        self.page = self.window(lines).count();
    }

    /// Returns how many rows are above and below those that are seen.
    pub(crate) fn hidden(&self) -> (usize, usize) {
        let end = self.top + self.page;
        (self.top, self.shown.len().saturating_sub(end))
    }

    /// Returns the rows that begin within so many lines, whether each is chosen.
    fn window(&self, lines: usize) -> impl Iterator<Item = (&Line, bool)> {
        let seen = self.shown.iter().enumerate().skip(self.top);
        seen.scan(0, move |used, (index, at)| {
            let line = &self.all[*at];
            let begins = *used;
            *used += line.height();
            (begins < lines && (*used <= lines || begins == 0))
                .then_some((line, index == self.chosen))
        })
    }

    /// Returns the lines that are seen, and which of them is the chosen row.
    pub(crate) fn rows(&self, columns: usize, lines: usize, theme: Theme) -> Vec<(Row, bool)> {
        let seen: Vec<(&Line, bool)> = self.window(lines).collect();
        let marks = seen.iter().filter_map(|(line, _)| line.sign);
        let mark = marks.map(|sign| width(theme.sign(sign))).max();
        let lead = 3 + mark.map_or(0, |mark| mark + 1);
        let widths = self.widths(seen.iter().map(|(line, _)| *line), columns, lead);
        let mut rows = Vec::new();
        for (line, is_chosen) in seen {
            let mut row = Row::of(Role::Strong, if is_chosen { " > " } else { "   " });
            if let Some(sign) = line.sign {
                row.push(sign.role(), theme.sign(sign));
            }
            let mut at = lead;
            for ((role, text), columns) in line.cells.iter().zip(&widths) {
                row = row.padded(at);
                row.push(*role, shortened(text, *columns));
                at += columns + GAP;
            }
            rows.push((row, is_chosen));
            rows.extend(line.below.iter().map(|row| (row.clone(), false)));
        }
        rows.truncate(lines);
        rows
    }

    /// Shares the columns out: one cell gives way, then the last ones go.
    fn widths<'a>(
        &self,
        lines: impl Iterator<Item = &'a Line>,
        columns: usize,
        lead: usize,
    ) -> Vec<usize> {
        let mut natural: Vec<usize> = Vec::new();
        for line in lines {
            for (at, (_, text)) in line.cells.iter().enumerate() {
                if natural.len() <= at {
                    natural.push(0);
                }
                natural[at] = natural[at].max(width(text));
            }
        }
        let columns = columns.saturating_sub(lead + 1);
        while !natural.is_empty() {
            let flexible = self.flexible.min(natural.len() - 1);
            let others = natural.iter().enumerate().filter(|(at, _)| *at != flexible);
            let fixed: usize = others.map(|(_, width)| width + GAP).sum();
            let room = columns.saturating_sub(fixed);
            if room >= natural[flexible].min(FLEXIBLE_MIN) || natural.len() == 1 {
                natural[flexible] = natural[flexible].min(room);
                break;
            }
            // The last cell is cut before it goes.
            let last = natural.len() - 1;
            let missing = natural[flexible].min(FLEXIBLE_MIN) - room;
            if last != flexible && natural[last] >= missing + FLEXIBLE_MIN {
                natural[last] -= missing;
                continue;
            }
            natural.pop();
        }
        natural
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> List {
        let mut list = List::with_flexible(1);
        list.replace(lines(ids));
        list
    }

    fn lines(ids: &[&str]) -> Vec<Line> {
        let line = |id: &&str| Line::new(*id).cell(Role::Plain, *id);
        ids.iter().map(line).collect()
    }

    fn chosen(list: &List) -> &str {
        list.chosen().map_or("", |line| &line.id)
    }

    #[test]
    fn the_choice_stays_with_its_row_when_rows_change() {
        let mut list = list(&["a", "b", "c", "d"]);
        list.step(Step::Down, 2);
        list.replace(lines(&["x", "y", "c", "a"]));
        assert_eq!(chosen(&list), "c");
        list.replace(lines(&["c"]));
        assert_eq!(chosen(&list), "c");
        // What is gone leaves its place to the one that stands there now.
        list.replace(lines(&["p", "q"]));
        assert_eq!(chosen(&list), "p");
        list.replace(Vec::new());
        assert!(list.chosen().is_none());
    }

    #[test]
    fn a_row_keeps_its_height_when_rows_come_above_it() {
        let ids: Vec<String> = (0..50).map(|id| id.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut list = list(&ids);
        list.step(Step::Down, 20);
        list.arrange(10);
        list.step(Step::Up, 4);
        list.arrange(10);
        let before = list.chosen - list.top;
        let more: Vec<&str> = ["new", "newer"].into_iter().chain(ids).collect();
        list.replace(lines(&more));
        list.arrange(10);
        assert_eq!((chosen(&list), list.chosen - list.top), ("16", before));
    }

    #[test]
    fn a_filter_keeps_what_fits_and_the_choice_where_it_can() {
        let mut list = list(&["import", "export", "paging", "port"]);
        list.step(Step::Down, 3);
        list.filter("PORT");
        let shown: Vec<&str> = list.shown().map(|line| line.id.as_str()).collect();
        assert_eq!(shown, ["import", "export", "port"]);
        assert_eq!(chosen(&list), "port");
        list.filter("zzz");
        assert!(list.chosen().is_none());
        list.step(Step::Down, 1);
        assert!(!list.seek(Step::Down, |_| true));
        list.filter("");
        assert_eq!(list.shown().count(), 4);
    }

    #[test]
    fn steps_stop_at_the_ends_and_seeking_goes_around() {
        let mut list = list(&["a", "b", "c"]);
        list.step(Step::Up, 1);
        assert_eq!(chosen(&list), "a");
        list.step(Step::Down, 99);
        assert_eq!(chosen(&list), "c");
        assert!(list.seek(Step::Down, |line| line.id == "b"));
        assert_eq!(chosen(&list), "b");
        assert!(list.seek(Step::Up, |line| line.id == "b"));
        assert!(!list.seek(Step::Up, |line| line.id == "z"));
    }

    #[test]
    fn what_is_chosen_is_in_sight_with_what_stands_below_it() {
        let mut list = list(&[]);
        let all = (0..30).map(|at| Line {
            below: vec![Row::of(Role::Plain, "below"); at % 3],
            ..Line::new(at.to_string()).cell(Role::Plain, at.to_string())
        });
        list.replace(all.collect());
        for lines in 1..12 {
            for step in [Step::Down, Step::Up] {
                for _ in 0..30 {
                    list.step(step, 1);
                    list.arrange(lines);
                    let rows = list.rows(40, lines, Theme::default());
                    assert!(rows.len() <= lines);
                    assert_eq!(rows.iter().filter(|(_, chosen)| *chosen).count(), 1);
                }
            }
        }
    }

    #[test]
    fn no_row_is_wider_than_its_room_and_the_title_gives_way_first() {
        let mut list = List::with_flexible(1);
        let line = Line::new("a")
            .signed(Sign::Good)
            .cell(Role::Strong, "F-012")
            .cell(Role::Plain, "a title that is rather long for its place")
            .cell(Role::Quiet, "gates 3 of 3, evidence");
        list.replace(vec![line]);
        list.arrange(3);
        for columns in 20..120 {
            let rows = list.rows(columns, 3, Theme::default());
            assert!(rows[0].0.width() <= columns, "{columns}: {:?}", rows[0]);
        }
        let text = |columns| list.rows(columns, 3, Theme::default())[0].0.to_text();
        assert!(text(60).ends_with("gates 3 of 3, evidence"));
        assert!(text(60).contains("a title that is"));
        assert!(!text(24).contains("gates"));
    }
}
