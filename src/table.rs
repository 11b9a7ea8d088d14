//! Rows of cells as lists print them: below each other where there is room, else row by row.

use std::io::{self, IsTerminal as _};

/// Blanks between two columns.
const GAP: &str = "  ";

/// Sets cells below each other, one line per row.
pub(crate) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| length(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Sets cells below each other; on a terminal that is too narrow for that, each row becomes its
/// first cell with the others below it.
pub(crate) fn fitted(rows: &[Vec<String>]) -> Vec<String> {
    let columns = harness_tui::size().map(|(columns, _)| usize::from(columns));
    let columns = columns.filter(|_| io::stdout().is_terminal());
    within(rows, columns)
}

fn within(rows: &[Vec<String>], columns: Option<usize>) -> Vec<String> {
    let lines = aligned(rows);
    match columns {
        Some(columns) if lines.iter().any(|line| length(line) > columns) => {
            rows.iter().map(|row| folded(row, columns)).collect()
        }
        _ => lines,
    }
}

/// Writes a row as its first cell and, indented below it, as many cells per line as there is room for.
fn folded(row: &[String], columns: usize) -> String {
    let mut cells = row.iter().filter(|cell| !cell.is_empty());
    let mut lines: Vec<String> = cells.next().cloned().into_iter().collect();
    for cell in cells {
        match lines.last_mut() {
            Some(line) if line.starts_with(GAP) && length(line) + 2 + length(cell) <= columns => {
                line.push_str(", ");
                line.push_str(cell);
            }
            _ => lines.push(format!("{GAP}{cell}")),
        }
    }
    lines.join("\n")
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_too_wide_are_folded_all_of_them() {
        let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect();
        let rows: Vec<Vec<String>> = vec![
            row(&["short", "api", "", "free"]),
            row(&[
                "a-name-as-long-as-a-line-is-wide",
                "api",
                "200k tokens",
                "$3.00 in, $15.00 out",
            ]),
        ];
        assert_eq!(within(&rows, Some(80)), within(&rows, None));
        assert_eq!(
            within(&rows, None)[0],
            "short                             api               free"
        );
        assert_eq!(
            within(&rows, Some(32)),
            [
                "short\n  api, free",
                "a-name-as-long-as-a-line-is-wide\n  api, 200k tokens\n  $3.00 in, $15.00 out"
            ]
        );
    }
}
