//! Text in rows: pieces with a role, wrapped by graphemes to a width.
//!
//! Everything here is already cleaned: what acts on a terminal was made visible
//! before it came. Roles are turned into colours by the theme, at the very end.

use ratatui::buffer::CellWidth as _;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{ink::Ink, review::Dye};

/// What a piece of text is, so that the theme can say how it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Ordinary text.
    #[default]
    Plain,
    /// Less important.
    Quiet,
    /// More important.
    Strong,
    /// Stressed in prose.
    Stressed,
    /// Code in prose.
    Code,
    /// A title.
    Title,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// A person is needed.
    Needed,
    /// Something is going on.
    Working,
    /// A line that was added.
    Added,
    /// A line that was removed.
    Removed,
    /// What the person chose.
    Chosen,
    /// As the program that wrote it wanted it.
    Own(Ink),
    /// A part of a line that is reviewed.
    Dyed(Dye),
    /// What was looked for.
    Found,
}

/// A piece of text in one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The text, without line ends.
    pub(crate) text: String,
    /// What it is.
    pub(crate) role: Role,
}

/// One row on the screen, or one line before it is wrapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The pieces from left to right.
    pub(crate) pieces: Vec<Piece>,
}

impl Row {
    /// Makes a row of one piece.
    pub(crate) fn of(role: Role, text: impl Into<String>) -> Self {
        Self::default().and(role, text)
    }

    /// Adds a piece; an empty one adds nothing.
    #[must_use]
    pub(crate) fn and(mut self, role: Role, text: impl Into<String>) -> Self {
        self.push(role, text);
        self
    }

    /// Adds a piece; an empty one adds nothing.
    ///
    /// What goes on in the cluster that stands last belongs to it, whatever its role: a mark alone
    /// would be lost.
    pub(crate) fn push(&mut self, role: Role, text: impl Into<String>) {
        let mut text = text.into();
        if let Some(last) = self.pieces.last_mut().filter(|last| last.role != role) {
            let more = more_of_cluster(&last.text, &text);
            last.text.extend(text.drain(..more));
        }
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.role == role => last.text.push_str(&text),
            _ => self.pieces.push(Piece { text, role }),
        }
    }

    /// Returns the width. Unit: columns.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|piece| width(&piece.text)).sum()
    }

    /// Returns the text without roles.
    pub(crate) fn to_text(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| piece.text.as_str())
            .collect()
    }

    /// Fills up with blanks to a width.
    #[must_use]
    pub(crate) fn padded(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.and(Role::Plain, " ".repeat(missing))
    }
}

/// The most of a text that is looked at for the rest of a cluster. Unit: characters.
const CLUSTER_MAX: usize = 64;

/// Returns how much of `after` goes on in the last cluster of `before`. Unit: bytes.
fn more_of_cluster(before: &str, after: &str) -> usize {
    let is_plain = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii());
    if is_plain(before.bytes().next_back()) && is_plain(after.bytes().next()) {
        return 0;
    }
    let Some(last) = before.graphemes(true).next_back() else {
        return 0;
    };
    let begin = after.chars().take(CLUSTER_MAX);
    let both: String = last.chars().chain(begin).collect();
    let whole = both.graphemes(true).next().map_or(0, str::len);
    whole.saturating_sub(last.len())
}

/// Returns the columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(grapheme_width).sum()
}

/// Measured as cells are: what is cut here fits there. A control character never comes here.
fn grapheme_width(grapheme: &str) -> usize {
    match grapheme.len() {
        1 => 1,
        _ => usize::from(grapheme.cell_width()),
    }
}

/// Replaces tabs by blanks; a terminal would jump to columns that nobody counted.
pub(crate) fn untabbed(text: &str) -> String {
    text.replace('\t', "    ")
}

/// Cuts a text to at most so many columns, with `…` where something is missing.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let more = grapheme_width(grapheme);
        if used + more + 1 > columns {
            break;
        }
        used += more;
        kept.push_str(grapheme);
    }
    kept.push('…');
    kept
}

/// Returns the end of a text that fits into so many columns.
pub(crate) fn tail(text: &str, columns: usize) -> String {
    let mut from = text.len();
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += grapheme_width(grapheme);
        if used > columns {
            break;
        }
        from = at;
    }
    text[from..].to_owned()
}

/// Wraps a line to rows of at most `columns`, at blanks where there are any.
///
/// An empty line gives one empty row. A word that is too long is broken between
/// graphemes; a grapheme wider than a row is dropped, so the result always ends.
pub(crate) fn wrap(line: &Row, columns: usize) -> Vec<Row> {
    wrap_hanging(line, columns, 0)
}

/// Wraps a line as [`wrap`] does, with the rows below the first moved `hanging` columns to the right.
///
/// At most half of the columns are given away.
pub(crate) fn wrap_hanging(line: &Row, columns: usize, hanging: usize) -> Vec<Row> {
    if line.width() <= columns {
        return vec![line.clone()];
    }
    let hanging = hanging.min(columns / 2);
    let mut rows = Vec::new();
    let mut row: Vec<Cell<'_>> = Vec::new();
    let (mut used, mut room) = (0, columns);
    for cell in cells(line) {
        if cell.columns > columns - hanging {
            continue;
        }
        if used + cell.columns > room {
            let rest = row.split_off(break_at(&row, cell.is_blank()));
            rows.push(to_row(&row, rows.is_empty(), hanging));
            row = rest;
            room = columns - hanging;
            used = row.iter().map(|cell| cell.columns).sum();
            if cell.is_blank() && row.is_empty() {
                continue;
            }
        }
        used += cell.columns;
        row.push(cell);
    }
    rows.push(to_row(&row, rows.is_empty(), hanging));
    rows
}

#[derive(Clone, Copy)]
struct Cell<'a> {
    text: &'a str,
    role: Role,
    columns: usize,
}

impl Cell<'_> {
    fn is_blank(&self) -> bool {
        self.text == " "
    }
}

fn cells(line: &Row) -> impl Iterator<Item = Cell<'_>> {
    line.pieces.iter().flat_map(|piece| {
        piece.text.graphemes(true).map(|text| Cell {
            text,
            role: piece.role,
            columns: grapheme_width(text),
        })
    })
}

/// Where a full row is broken: behind its last blank, else at its end.
fn break_at(row: &[Cell<'_>], next_is_blank: bool) -> usize {
    if next_is_blank {
        return row.len();
    }
    let blank = row.iter().rposition(Cell::is_blank);
    // A row of leading blanks and one long word is broken inside the word.
    let has_word = |end: usize| row[..end].iter().any(|cell| !cell.is_blank());
    blank
        .filter(|at| has_word(*at))
        .map_or(row.len(), |at| at + 1)
}

fn to_row(cells: &[Cell<'_>], is_first: bool, hanging: usize) -> Row {
    let end = cells
        .iter()
        .rposition(|cell| !cell.is_blank())
        .map_or(0, |at| at + 1);
    let indent = if is_first { 0 } else { hanging };
    let mut row = Row::of(Role::Plain, " ".repeat(indent));
    for cell in &cells[..end] {
        row.push(cell.role, cell.text);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let rows = wrap(&Row::of(Role::Plain, text), columns);
        rows.iter().map(Row::to_text).collect()
    }

    #[test]
    fn lines_break_behind_blanks() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
        assert_eq!(wrapped("fits", 4), ["fits"]);
    }

    #[test]
    fn a_word_that_is_too_long_breaks_inside() {
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("    abcdefgh", 6), ["    ab", "cdefgh"]);
    }

    #[test]
    fn wide_and_combined_characters_stay_whole() {
        assert_eq!(wrapped("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrapped("漢", 1), [""]);
        assert_eq!(
            wrapped("e\u{301}e\u{301}e\u{301}", 2),
            ["e\u{301}e\u{301}", "e\u{301}"]
        );
    }

    #[test]
    fn rows_below_the_first_can_hang() {
        let rows = wrap_hanging(&Row::of(Role::Plain, "- one two/three/four"), 9, 2);
        let texts: Vec<String> = rows.iter().map(Row::to_text).collect();
        assert_eq!(texts, ["- one", "  two/thr", "  ee/four"]);
    }

    #[test]
    fn roles_survive_wrapping() {
        let line = Row::of(Role::Plain, "see ").and(Role::Code, "cargo test");
        let rows = wrap(&line, 9);
        assert_eq!(rows[0].to_text(), "see cargo");
        assert_eq!(rows[0].pieces[1].role, Role::Code);
        assert_eq!(rows[1], Row::of(Role::Code, "test"));
    }

    #[test]
    fn no_row_is_wider_than_asked_for() {
        let odd = "a b\u{202f}漢字 👩‍👩‍👧 e\u{301} שלום ‹U+001B› aaaaaaaaaaaaaaaaaaaaaaaa   x";
        for columns in 1..60 {
            for row in wrapped(odd, columns) {
                assert!(width(&row) <= columns, "{columns}: {row:?}");
            }
        }
    }

    #[test]
    fn a_short_text_stays_and_a_long_one_is_marked() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcd", 3), "ab…");
        assert_eq!(shortened("漢字", 3), "漢…");
        assert_eq!(shortened("abc", 0), "");
    }
}
