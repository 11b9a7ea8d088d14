//! Moving and deleting by what a person takes for one character, which may be several.
//!
//! The text area under it counts characters; the cursor is never left inside a cluster here.

use ratatui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation as _;

/// Returns how many characters the clusters before and behind the cursor have, in its line.
///
/// A cursor inside a cluster has one part of it on each side.
fn around(area: &TextArea<'_>) -> (usize, usize) {
    let (row, column) = (area.cursor().0, area.cursor().1);
    let Some(line) = area.lines().get(row) else {
        return (0, 0);
    };
    let mut begin = 0;
    let mut before = 0;
    for cluster in line.graphemes(true) {
        let length = cluster.chars().count();
        if begin + length > column {
            let inside = column - begin;
            return match inside {
                0 => (before, length),
                _ => (inside, length - inside),
            };
        }
        (begin, before) = (begin + length, length);
    }
    (before, 0)
}

/// Goes back one cluster, or to the end of the line before.
pub(super) fn back(area: &mut TextArea<'_>) {
    let (row, column) = (area.cursor().0, area.cursor().1);
    if column > 0 {
        go(area, row, column - around(area).0);
    } else if row > 0 {
        let end = area.lines()[row - 1].chars().count();
        go(area, row - 1, end);
    }
}

/// Goes forward one cluster, or to the beginning of the next line.
pub(super) fn forward(area: &mut TextArea<'_>) {
    let (row, column) = (area.cursor().0, area.cursor().1);
    match around(area).1 {
        0 if row + 1 < area.lines().len() => go(area, row + 1, 0),
        more => go(area, row, column + more),
    }
}

/// Goes to another line, and there to the beginning of the cluster that it comes to.
pub(super) fn vertically(area: &mut TextArea<'_>, movement: CursorMove) {
    area.move_cursor(movement);
    let (row, column) = (area.cursor().0, area.cursor().1);
    let line = area.lines().get(row).map_or("", String::as_str);
    let mut begin = 0;
    let inside = line.graphemes(true).find_map(|cluster| {
        let (start, end) = (begin, begin + cluster.chars().count());
        begin = end;
        (start < column && column < end).then_some(start)
    });
    if let Some(start) = inside {
        go(area, row, start);
    }
}

/// Goes to a character of a line. The text area jumps no farther than it can count.
fn go(area: &mut TextArea<'_>, row: usize, column: usize) {
    match (u16::try_from(row), u16::try_from(column)) {
        (Ok(row), Ok(column)) => area.move_cursor(CursorMove::Jump(row, column)),
        _ if (row, column) < (area.cursor().0, area.cursor().1) => {
            area.move_cursor(CursorMove::Back);
        }
        _ => area.move_cursor(CursorMove::Forward),
    }
}

/// Deletes the cluster before the cursor, or joins the line to the one before.
pub(super) fn delete_before(area: &mut TextArea<'_>) {
    for _ in 0..around(area).0.max(1) {
        area.delete_char();
    }
}

/// Deletes the cluster behind the cursor, or joins the next line.
pub(super) fn delete_behind(area: &mut TextArea<'_>) {
    for _ in 0..around(area).1.max(1) {
        area.delete_next_char();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> TextArea<'static> {
        let mut area = TextArea::from(text.split('\n'));
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        area
    }

    fn column(area: &TextArea<'_>) -> (usize, usize) {
        (area.cursor().0, area.cursor().1)
    }

    #[test]
    fn one_key_is_one_cluster() {
        let mut area = written("ae\u{301}\u{1f1e9}\u{1f1ea}");
        assert_eq!(column(&area), (0, 5));
        back(&mut area);
        assert_eq!(column(&area), (0, 3));
        back(&mut area);
        assert_eq!(column(&area), (0, 1));
        forward(&mut area);
        assert_eq!(column(&area), (0, 3));
        delete_before(&mut area);
        assert_eq!(area.lines(), ["a\u{1f1e9}\u{1f1ea}"]);
        delete_behind(&mut area);
        assert_eq!(area.lines(), ["a"]);
    }

    #[test]
    fn lines_are_joined_and_gone_over_by_one_key() {
        let mut area = written("e\u{301}\nx");
        back(&mut area);
        back(&mut area);
        assert_eq!(column(&area), (0, 2));
        forward(&mut area);
        assert_eq!(column(&area), (1, 0));
        delete_before(&mut area);
        assert_eq!(area.lines(), ["e\u{301}x"]);
    }

    #[test]
    fn up_and_down_stop_at_the_beginning_of_a_cluster() {
        let mut area = written("e\u{301}\u{302}\nab");
        vertically(&mut area, CursorMove::Up);
        assert_eq!(column(&area), (0, 0));
    }
}
