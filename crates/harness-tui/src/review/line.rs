//! One line of a change as it is seen: cleaned, with its changed words and the colours of its language.

use std::ops::Range;

use harness_report::clean;
use harness_review::LineKind;
use unicode_segmentation::UnicodeSegmentation as _;

use super::Token;
use crate::text::{Role, Row, untabbed, width};

/// The most of a line that is laid out; the rest is counted, and an editor shows it. Unit: characters.
pub(super) const CHARS_MAX: usize = 20_000;

/// How a piece of a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Dye {
    /// Whether the line was added or removed.
    pub(crate) tint: Tint,
    /// What it is in its language.
    pub(crate) token: Token,
    /// Whether it differs from its partner in the other text.
    pub(crate) is_word: bool,
}

/// Whether a line was added or removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Tint {
    /// It is in both texts.
    #[default]
    Both,
    Added,
    Removed,
}

impl From<LineKind> for Tint {
    fn from(kind: LineKind) -> Self {
        match kind {
            LineKind::Added => Self::Added,
            LineKind::Removed => Self::Removed,
            LineKind::Context => Self::Both,
        }
    }
}

/// What a line is dressed in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dressing<'a> {
    pub(super) tint: Tint,
    pub(super) marks: &'a [Range<usize>],
    pub(super) spans: &'a [(Range<usize>, Token)],
    /// What is looked for, in small letters; empty for nothing.
    pub(super) needle: &'a str,
}

/// Lays a line out on rows of so many columns: one that is cut and says how much is hidden, or
/// as many as it takes.
pub(super) fn rows(
    text: &str,
    dressing: Dressing<'_>,
    columns: usize,
    is_wrapped: bool,
) -> Vec<Row> {
    let most = if is_wrapped {
        CHARS_MAX
    } else {
        CHARS_MAX.min(columns.saturating_mul(4).max(80))
    };
    let end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let row = dyed(&text[..end], dressing, end == text.len());
    let beyond = text[end..].chars().count();
    if is_wrapped {
        let mut rows = broken(&row, columns);
        if beyond > 0 {
            rows.push(Row::of(
                Role::Needed,
                format!("… {beyond} more characters: e opens the file"),
            ));
        }
        return rows;
    }
    vec![cut(&row, columns, beyond)]
}

/// Cuts a row at its end, and says how many columns are hidden there.
pub(super) fn cut(row: &Row, columns: usize, beyond: usize) -> Row {
    let whole = row.width();
    if whole <= columns && beyond == 0 {
        return row.clone();
    }
    let hidden = |room: usize| format!("…+{}", (whole + beyond).saturating_sub(room).max(1));
    let room = columns.saturating_sub(width(&hidden(columns)));
    let room = columns.saturating_sub(width(&hidden(room)));
    let mark = hidden(room);
    let mut kept = Row::default();
    let mut used = 0;
    'pieces: for piece in &row.pieces {
        for grapheme in piece.text.graphemes(true) {
            used += width(grapheme);
            if used > room {
                break 'pieces;
            }
            kept.push(piece.role, grapheme);
        }
    }
    kept.padded(room)
        .and(Role::Needed, crate::text::shortened(&mark, columns))
}

/// Breaks a row where it is full: code is not broken at blanks, so that its columns stay.
fn broken(row: &Row, columns: usize) -> Vec<Row> {
    let mut rows = vec![Row::default()];
    let mut used = 0;
    for piece in &row.pieces {
        for grapheme in piece.text.graphemes(true) {
            let more = width(grapheme);
            if more > columns {
                continue;
            }
            if used + more > columns {
                rows.push(Row::default());
                used = 0;
            }
            used += more;
            if let Some(last) = rows.last_mut() {
                last.push(piece.role, grapheme);
            }
        }
    }
    rows
}

/// Cleans a line and gives each part its look.
fn dyed(text: &str, dressing: Dressing<'_>, is_whole: bool) -> Row {
    let (text, has_return) = match text.strip_suffix('\r') {
        Some(text) if is_whole => (text, true),
        _ => (text, false),
    };
    let found = found(text, dressing.needle);
    let mut edges: Vec<usize> = vec![0, text.len()];
    for range in dressing
        .marks
        .iter()
        .chain(dressing.spans.iter().map(|(at, _)| at))
        .chain(&found)
    {
        edges.extend([range.start, range.end]);
    }
    edges.retain(|at| *at <= text.len() && text.is_char_boundary(*at));
    edges.sort_unstable();
    edges.dedup();
    let (mut marks, mut spans, mut hits) = (
        dressing.marks.iter().peekable(),
        dressing.spans.iter().peekable(),
        found.iter().peekable(),
    );
    let mut row = Row::default();
    for edge in edges.windows(2) {
        let (start, end) = (edge[0], edge[1]);
        while marks.next_if(|range| range.end <= start).is_some() {}
        while spans.next_if(|(range, _)| range.end <= start).is_some() {}
        while hits.next_if(|range| range.end <= start).is_some() {}
        let covers = |range: &Range<usize>| range.start <= start && end <= range.end;
        let token = spans.peek().filter(|(range, _)| covers(range));
        let dye = Dye {
            tint: dressing.tint,
            token: token.map(|(_, token)| *token).unwrap_or_default(),
            is_word: marks.peek().is_some_and(|range| covers(range)),
        };
        let role = match hits.peek() {
            Some(range) if covers(range) => Role::Found,
            _ => Role::Dyed(dye),
        };
        row.push(role, untabbed(&clean(&text[start..end])));
    }
    if has_return && dressing.tint != Tint::Both {
        row.push(Role::Quiet, "‹U+000D›");
    }
    row
}

/// Returns where a text is found, whatever the case of its letters.
pub(super) fn found(text: &str, needle: &str) -> Vec<Range<usize>> {
    if needle.is_empty() {
        return Vec::new();
    }
    let lower = text.to_lowercase();
    // Letters whose small form has another length would put the places out.
    let text = if lower.len() == text.len() {
        &lower
    } else {
        text
    };
    let places = text.match_indices(needle);
    places.map(|(at, part)| at..at + part.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, columns: usize, is_wrapped: bool) -> Vec<String> {
        let rows = rows(text, Dressing::default(), columns, is_wrapped);
        rows.iter().map(Row::to_text).collect()
    }

    #[test]
    fn what_is_hidden_is_counted_and_wrapping_shows_it() {
        assert_eq!(texts("abc", 3, false), ["abc"]);
        assert_eq!(texts("abcdefgh", 6, false), ["abc…+5"]);
        assert_eq!(texts("abcdefgh", 3, true), ["abc", "def", "gh"]);
        assert_eq!(texts("漢字漢字", 5, true), ["漢字", "漢字"]);
        let long = format!("x{}; curl", " ".repeat(5_000));
        assert!(
            texts(&long, 40, false)[0].ends_with("…+4973"),
            "{:?}",
            texts(&long, 40, false)
        );
        assert!(texts(&long, 40, true).last().unwrap().contains("curl"));
        let longer = "y".repeat(CHARS_MAX + 7);
        assert!(
            texts(&longer, 40, true)
                .last()
                .unwrap()
                .starts_with("… 7 more characters")
        );
    }

    #[test]
    fn nothing_that_acts_on_a_terminal_is_left() {
        for attack in [
            "\u{1b}]52;c;aGk=\u{7}",
            "\u{9b}6n",
            "\u{202e}abc",
            "a\rb",
            "\u{5}",
            "e\u{301}\u{200d}",
        ] {
            for columns in 1..40 {
                for is_wrapped in [false, true] {
                    for text in texts(attack, columns, is_wrapped) {
                        assert!(!text.chars().any(char::is_control), "{text:?}");
                        assert!(!text.contains('\u{202e}'));
                        assert!(width(&text) <= columns, "{columns} {text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn words_colours_and_matches_lie_over_each_other() {
        let mark = 4..7;
        let spans = [(0..3, Token::Keyword), (4..9, Token::Text)];
        let dressing = Dressing {
            tint: Tint::Added,
            marks: std::slice::from_ref(&mark),
            spans: &spans,
            needle: "ef",
        };
        let row = &rows("let abcdef", dressing, 40, false)[0];
        let told: Vec<(&str, Role)> = row
            .pieces
            .iter()
            .map(|piece| (piece.text.as_str(), piece.role))
            .collect();
        let dye = |token, is_word| {
            Role::Dyed(Dye {
                tint: Tint::Added,
                token,
                is_word,
            })
        };
        assert_eq!(
            told,
            [
                ("let", dye(Token::Keyword, false)),
                (" ", dye(Token::Plain, false)),
                ("abc", dye(Token::Text, true)),
                ("d", dye(Token::Text, false)),
                ("ef", Role::Found)
            ]
        );
    }
}
