//! A text to read: scrolled by lines, searched, wrapped only where it is seen.

use crate::{
    list::Step,
    text::{Role, Row, wrap},
};

/// The most lines of a text; the cut is marked.
pub(crate) const LINES_MAX: usize = 20_000;

/// A text with the part that is seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    /// What it is.
    pub(crate) title: String,
    lines: Vec<Row>,
    top: usize,
    needle: String,
    /// The rows that are seen, as they were laid out.
    pub(crate) window: Vec<Row>,
    /// How many lines begin in the part that is seen.
    page: usize,
    /// Whether the last line is seen.
    is_end: bool,
    columns: usize,
    rows: usize,
}

impl Reader {
    /// Makes a reader at the beginning of a text; `lines` are cleaned.
    pub(crate) fn new(title: impl Into<String>, mut lines: Vec<Row>) -> Self {
        let more = lines.len().saturating_sub(LINES_MAX);
        if more > 0 {
            lines.truncate(LINES_MAX);
            let mark = format!("[{more} lines more are left out]");
            lines.push(Row::of(Role::Quiet, mark));
        }
        Self {
            title: title.into(),
            lines,
            page: 1,
            ..Self::default()
        }
    }

    /// Replaces the text; the place stays where the title does.
    pub(crate) fn renew(&mut self, title: &str, lines: Vec<Row>) {
        let top = if self.title == title { self.top } else { 0 };
        *self = Self {
            top,
            needle: std::mem::take(&mut self.needle),
            ..Self::new(title, lines)
        };
    }

    /// Returns how many lines it has.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns how far the reader is: the last line that is seen, of how many. Unit: lines.
    pub(crate) fn place(&self) -> (usize, usize) {
        let end = (self.top + self.page).min(self.lines.len());
        (end, self.lines.len())
    }

    /// Returns how many lines are seen.
    pub(crate) fn page(&self) -> usize {
        self.page.max(1)
    }

    /// Goes some lines on; stops at the ends.
    pub(crate) fn step(&mut self, step: Step, lines: usize) {
        match step {
            Step::Down if self.is_end => {}
            Step::Down => {
                self.top = self
                    .top
                    .saturating_add(lines)
                    .min(self.lines.len().saturating_sub(1));
                if self.top > self.last_top() {
                    self.top = self.last_top();
                }
            }
            Step::Up => self.top = self.top.saturating_sub(lines),
        }
    }

    /// Goes to the beginning or the end.
    pub(crate) fn end(&mut self, step: Step) {
        self.top = match step {
            Step::Down => self.last_top(),
            Step::Up => 0,
        };
    }

    /// Returns the first line of the last page.
    fn last_top(&self) -> usize {
        let mut used = 0;
        for (at, line) in self.lines.iter().enumerate().rev() {
            used += wrap(line, self.columns.max(1)).len();
            if used > self.rows.max(1) {
                return (at + 1).min(self.lines.len().saturating_sub(1));
            }
        }
        0
    }

    /// Looks for a text from here on.
    pub(crate) fn find(&mut self, needle: &str) -> bool {
        needle.trim().clone_into(&mut self.needle);
        self.is_at(self.top) || self.seek(Step::Down)
    }

    /// Goes to the next line with the text that is looked for; `false` when there is none.
    pub(crate) fn seek(&mut self, step: Step) -> bool {
        let count = self.lines.len();
        let found = (1..=count).find_map(|by| {
            let at = match step {
                Step::Down => (self.top + by) % count,
                Step::Up => (self.top + count - by) % count,
            };
            self.is_at(at).then_some(at)
        });
        self.top = found.unwrap_or(self.top);
        found.is_some()
    }

    fn is_at(&self, at: usize) -> bool {
        let needle = self.needle.to_lowercase();
        let text = |row: &Row| {
            row.pieces
                .iter()
                .map(|piece| piece.text.to_lowercase())
                .collect::<String>()
        };
        !needle.is_empty()
            && self
                .lines
                .get(at)
                .is_some_and(|row| text(row).contains(&needle))
    }

    /// Returns what is looked for.
    pub(crate) fn needle(&self) -> &str {
        &self.needle
    }

    /// Lays out what is seen of it.
    pub(crate) fn arrange(&mut self, columns: usize, rows: usize) {
        (self.columns, self.rows) = (columns, rows);
        self.top = self.top.min(self.lines.len().saturating_sub(1));
        self.window.clear();
        self.page = 0;
        for line in self.lines.iter().skip(self.top) {
            let wrapped = wrap(line, columns.max(1));
            if self.window.len() + wrapped.len() > rows && self.page > 0 {
                break;
            }
            self.window.extend(wrapped);
            self.page += 1;
        }
        self.window.truncate(rows);
        self.is_end = self.top + self.page >= self.lines.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(lines: usize) -> Reader {
        let lines = (1..=lines).map(|line| Row::of(Role::Plain, format!("line {line} of a text")));
        let mut reader = Reader::new("a", lines.collect());
        reader.arrange(40, 10);
        reader
    }

    fn first(reader: &mut Reader) -> String {
        reader.arrange(40, 10);
        reader.window[0].to_text()
    }

    #[test]
    fn it_scrolls_to_the_end_and_not_beyond() {
        let mut reader = reader(25);
        reader.end(Step::Down);
        assert_eq!(first(&mut reader), "line 16 of a text");
        assert_eq!(reader.place(), (25, 25));
        reader.step(Step::Down, 5);
        assert_eq!(first(&mut reader), "line 16 of a text");
        reader.step(Step::Up, 99);
        reader.arrange(40, 10);
        reader.step(Step::Down, 3);
        assert_eq!(first(&mut reader), "line 4 of a text");
    }

    #[test]
    fn matches_are_found_around_the_ends() {
        let mut reader = reader(25);
        assert!(reader.find("LINE 2"));
        assert_eq!(first(&mut reader), "line 2 of a text");
        assert!(reader.seek(Step::Down));
        assert_eq!(first(&mut reader), "line 20 of a text");
        assert!(reader.seek(Step::Up) && reader.seek(Step::Up));
        assert_eq!(first(&mut reader), "line 25 of a text");
        assert!(!reader.find("nowhere"));
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark_and_an_empty_one_is_no_trouble() {
        let reader = Reader::new("a", vec![Row::default(); LINES_MAX + 5]);
        assert_eq!(reader.len(), LINES_MAX + 1);
        let mut reader = Reader::default();
        reader.arrange(0, 0);
        reader.end(Step::Down);
        reader.step(Step::Up, 1);
        assert!(!reader.find("x"));
    }
}
