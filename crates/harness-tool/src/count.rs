//! How many lines a change adds and removes.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp};

/// The most lines, old and new together, that are compared in order.
///
/// The cost of an exact comparison grows with the square of the difference;
/// 4,000 lines with nothing in common take a few milliseconds.
const COMPARED_LINES_MAX: usize = 4000;

/// Returns how many lines were added and removed when `old` became `new`.
///
/// `old` is absent for a new file. Lines include their endings, so a changed
/// ending counts as a changed line. Where more than 4,000 lines lie between the
/// first and the last difference, moved lines do not count.
pub fn write_counts(old: Option<&[u8]>, new: &[u8]) -> (u32, u32) {
    let old: Vec<&[u8]> = lines(old.unwrap_or_default());
    let new: Vec<&[u8]> = lines(new);
    let (old, new) = without_common_ends(&old, &new);
    let (added, removed) = if old.len() + new.len() <= COMPARED_LINES_MAX {
        in_order(old, new)
    } else {
        by_content(old, new)
    };
    let bounded = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (bounded(added), bounded(removed))
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

fn without_common_ends<'a, 'b>(
    old: &'a [&'b [u8]],
    new: &'a [&'b [u8]],
) -> (&'a [&'b [u8]], &'a [&'b [u8]]) {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    (&old[..old.len() - tail], &new[..new.len() - tail])
}

fn in_order(old: &[&[u8]], new: &[&[u8]]) -> (usize, usize) {
    let ops = similar::capture_diff_slices(Algorithm::Myers, old, new);
    ops.iter().fold((0, 0), |(added, removed), op| match *op {
        DiffOp::Equal { .. } => (added, removed),
        DiffOp::Delete { old_len, .. } => (added, removed + old_len),
        DiffOp::Insert { new_len, .. } => (added + new_len, removed),
        DiffOp::Replace {
            old_len, new_len, ..
        } => (added + new_len, removed + old_len),
    })
}

fn by_content(old: &[&[u8]], new: &[&[u8]]) -> (usize, usize) {
    let mut surplus: HashMap<&[u8], i64> = HashMap::new();
    for line in new {
        *surplus.entry(line).or_default() += 1;
    }
    for line in old {
        *surplus.entry(line).or_default() -= 1;
    }
    surplus.values().fold((0, 0), |(added, removed), &count| {
        let lines = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if count > 0 {
            (added + lines, removed)
        } else {
            (added, removed + lines)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_a_line_diff() {
        let cases: [(Option<&str>, &str, (u32, u32)); 7] = [
            (None, "a\nb\n", (2, 0)),
            (None, "", (0, 0)),
            (Some("a\nb\nc\n"), "a\nx\nc\n", (1, 1)),
            (Some("a\nb\nc\n"), "a\nc\n", (0, 1)),
            (Some("a"), "a\n", (1, 1)),
            (Some("a\nb\n"), "a\nb\n", (0, 0)),
            (Some("a\na\n"), "a\n", (0, 1)),
        ];
        for (old, new, expected) in cases {
            assert_eq!(
                write_counts(old.map(str::as_bytes), new.as_bytes()),
                expected,
                "{old:?}"
            );
        }
    }

    #[test]
    fn many_lines_are_counted_by_content() {
        let old: String = (0..5000).map(|line| format!("{line}\n")).collect();
        let new: String = (0..5000).rev().map(|line| format!("{line}\n")).collect();
        assert_eq!(write_counts(Some(old.as_bytes()), new.as_bytes()), (0, 0));
        let other: String = (5000..10_000).map(|line| format!("{line}\n")).collect();
        assert_eq!(
            write_counts(Some(old.as_bytes()), other.as_bytes()),
            (5000, 5000)
        );
    }
}
