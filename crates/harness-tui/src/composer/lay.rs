//! A line as it is written: broken at blanks, none of which is lost, so that the cursor stands
//! exactly before what it is before.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::{Role, Row, width};

/// Breaks a line into rows of at most `columns`; says in which row and column a byte of it stands.
///
/// Blanks that have no room stay at the end of their row, out of sight. A byte inside a cluster
/// stands where that begins.
pub(super) fn lay_out(
    line: &str,
    columns: usize,
    here: Option<usize>,
) -> (Vec<Row>, Option<(usize, usize)>) {
    let mut starts = vec![0];
    let (mut used, mut behind_blank) = (0, None);
    for (at, cluster) in line.grapheme_indices(true) {
        let more = width(cluster);
        let begin = starts.last().copied().unwrap_or_default();
        if cluster == " " {
            used += more;
            behind_blank = Some(at + 1);
            continue;
        }
        if used + more > columns && at > begin {
            let is_word = |start: &usize| !line[begin..*start].trim_start().is_empty();
            let start = behind_blank.filter(is_word).unwrap_or(at);
            used = width(&line[start..at]);
            starts.push(start);
            behind_blank = None;
            // The word itself may be longer than a row.
            if used + more > columns && start < at {
                starts.push(at);
                used = 0;
            }
        }
        used += more;
    }
    let end_of = |row: usize| starts.get(row + 1).copied().unwrap_or(line.len());
    let texts = (0..starts.len()).map(|row| line[starts[row]..end_of(row)].trim_end_matches(' '));
    let rows = texts.map(|text| Row::of(Role::Plain, text)).collect();
    let place = here.map(|here| {
        let row = starts.iter().rposition(|start| *start <= here).unwrap_or(0);
        let before = line[starts[row]..].grapheme_indices(true);
        let before = before.take_while(|(at, cluster)| starts[row] + at + cluster.len() <= here);
        let column: usize = before.map(|(_, cluster)| width(cluster)).sum();
        (row, column.min(columns))
    });
    (rows, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(line: &str, columns: usize) -> Vec<String> {
        let (rows, _) = lay_out(line, columns, None);
        rows.iter().map(Row::to_text).collect()
    }

    fn at(line: &str, columns: usize, here: usize) -> (usize, usize) {
        lay_out(line, columns, Some(here))
            .1
            .expect("it was asked for")
    }

    #[test]
    fn words_go_whole_to_the_next_row_and_blanks_stay() {
        assert_eq!(laid("one two three", 8), ["one two", "three"]);
        assert_eq!(laid("one two  three", 7), ["one two", "three"]);
        assert_eq!(laid("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(laid("a abcdefgh", 3), ["a", "abc", "def", "gh"]);
        assert_eq!(laid("", 3), [""]);
        assert_eq!(laid("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(laid("漢字", 1), ["漢", "字"]);
    }

    #[test]
    fn the_cursor_stands_before_what_it_is_before() {
        // The word that moves to the next row takes the cursor with it, wherever that is in it.
        assert_eq!(at("one two three", 10, 9), (1, 1));
        assert_eq!(at("one two three", 10, 8), (1, 0));
        assert_eq!(at("one two three", 10, 7), (0, 7));
        assert_eq!(at("one two ", 7, 8), (0, 7));
        assert_eq!(at("e\u{301}x", 10, 1), (0, 0));
        assert_eq!(at("e\u{301}x", 10, 3), (0, 1));
        assert_eq!(at("漢字", 10, 3), (0, 2));
    }
}
