//! Hunks: runs of changed lines with some unchanged lines around them.
//!
//! Lines end at `\n` alone, so that a text put together again from its lines
//! is the text, carriage returns included.

use serde::{Deserialize, Serialize};
use similar::{DiffOp, TextDiff, group_diff_ops};

use crate::{AnchorSide, middle::Middle};

/// The most lines, of both texts together, that are compared one by one.
///
/// Lines that both texts begin or end with are not counted. What is larger is
/// shown as one block removed and one added: comparing is quadratic when
/// nothing matches, and nobody reads such a difference.
const COMPARED_LINES_MAX: usize = 20_000;

/// Changed lines with their surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The first line it shows of the old text, counted from 1; where it shows
    /// none, the line it follows, 0 at the top.
    pub old_start: u32,
    /// The same for the new text.
    pub new_start: u32,
    /// The lines; of a replaced block the removed ones come first.
    pub lines: Vec<Line>,
}

impl Hunk {
    /// Returns how many lines it shows of the old and of the new text.
    pub fn extent(&self) -> (u32, u32) {
        let lines_of =
            |other: LineKind| saturate(self.lines.iter().filter(|line| line.kind != other).count());
        (lines_of(LineKind::Added), lines_of(LineKind::Removed))
    }

    /// Iterates over the lines that are on one side only.
    pub fn changed(&self) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .filter(|line| line.kind != LineKind::Context)
    }

    /// Whether nothing but white space differs.
    pub fn is_blank(&self) -> bool {
        let side = |kind| {
            let lines = self.changed().filter(move |line| line.kind == kind);
            lines.flat_map(|line| line.text.chars().filter(|char| !char.is_whitespace()))
        };
        side(LineKind::Removed).eq(side(LineKind::Added))
    }

    /// Returns how many lines a line of one of the texts is away from those it shows; 0 for these.
    pub fn distance(&self, side: AnchorSide, line: u32) -> u32 {
        let (old_count, new_count) = self.extent();
        let (start, count) = match side {
            AnchorSide::Old => (self.old_start, old_count),
            AnchorSide::New => (self.new_start, new_count),
        };
        let end = start.saturating_add(count.saturating_sub(1));
        start.saturating_sub(line).max(line.saturating_sub(end))
    }

    /// Iterates over the lines, each with its number in the old and in the new text.
    pub fn numbered(&self) -> impl Iterator<Item = (Option<u32>, Option<u32>, &Line)> {
        let (mut old, mut new) = (self.old_start, self.new_start);
        self.lines.iter().map(move |line| {
            let (before_old, before_new) = (old, new);
            let (in_old, in_new) = (line.kind != LineKind::Added, line.kind != LineKind::Removed);
            old = old.saturating_add(u32::from(in_old));
            new = new.saturating_add(u32::from(in_new));
            (
                in_old.then_some(before_old),
                in_new.then_some(before_new),
                line,
            )
        })
    }
}

/// One line of a hunk.
///
/// Kept as one text: its sign, the line, and its newline where it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line {
    /// On which side it stands.
    pub kind: LineKind,
    /// The line without its newline; a carriage return stays.
    pub text: String,
    /// Whether a newline follows; false only for the last line of a text.
    pub newline: bool,
}

impl Line {
    /// Returns the line as a patch writes it: its sign, its text, and its newline where it has one.
    pub fn written(&self) -> String {
        let end = if self.newline { "\n" } else { "" };
        format!("{}{}{end}", self.kind.sign(), self.text)
    }

    /// Returns the line as it stands in its text.
    pub(crate) fn whole(&self) -> String {
        self.written().split_off(1)
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.written()
    }
}

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let kind = match text.chars().next() {
            Some('+') => LineKind::Added,
            Some('-') => LineKind::Removed,
            Some(' ') => LineKind::Context,
            _ => return Err(format!("`{text}` is no line of a patch: it has no sign")),
        };
        Ok(line(kind, &text[1..]))
    }
}

/// On which side of a difference a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// In the new text only.
    Added,
    /// In the old text only.
    Removed,
    /// In both.
    Context,
}

impl LineKind {
    /// Returns the sign of a unified difference.
    pub const fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Context => ' ',
        }
    }
}

/// Returns what differs between two texts, each change with up to `context` equal lines around it.
///
/// Equal texts give no hunk. Texts that differ in very many lines come as one
/// replaced block.
pub fn hunks(old: &str, new: &str, context: usize) -> Vec<Hunk> {
    let (old_lines, new_lines) = (lines_of(old), lines_of(new));
    group_diff_ops(operations(&old_lines, &new_lines), context)
        .iter()
        .map(|group| hunk(group, &old_lines, &new_lines))
        .collect()
}

/// Returns how many lines were added and how many removed.
pub fn counts(old: &str, new: &str) -> (u32, u32) {
    let (old_lines, new_lines) = (lines_of(old), lines_of(new));
    operations(&old_lines, &new_lines)
        .iter()
        .filter(|operation| !matches!(operation, DiffOp::Equal { .. }))
        .fold((0, 0), |(added, removed): (u32, u32), operation| {
            (
                added.saturating_add(saturate(operation.new_range().len())),
                removed.saturating_add(saturate(operation.old_range().len())),
            )
        })
}

fn lines_of(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Returns the operations that turn `old` into `new`, in order and without gaps.
fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let middle = Middle::of(old, new);
    if middle.len() <= COMPARED_LINES_MAX {
        return TextDiff::from_slices(old, new).ops().to_vec();
    }
    middle.replaced()
}

fn hunk(group: &[DiffOp], old: &[&str], new: &[&str]) -> Hunk {
    let mut lines = Vec::new();
    for operation in group {
        let (old_range, new_range) = (operation.old_range(), operation.new_range());
        if let DiffOp::Equal { .. } = operation {
            lines.extend(
                new[new_range]
                    .iter()
                    .map(|text| line(LineKind::Context, text)),
            );
        } else {
            lines.extend(
                old[old_range]
                    .iter()
                    .map(|text| line(LineKind::Removed, text)),
            );
            lines.extend(
                new[new_range]
                    .iter()
                    .map(|text| line(LineKind::Added, text)),
            );
        }
    }
    let (old_first, new_first) = group.first().map_or((0, 0), |operation| {
        (operation.old_range().start, operation.new_range().start)
    });
    let mut hunk = Hunk {
        old_start: 0,
        new_start: 0,
        lines,
    };
    let (old_count, new_count) = hunk.extent();
    hunk.old_start = saturate(old_first + usize::from(old_count > 0));
    hunk.new_start = saturate(new_first + usize::from(new_count > 0));
    hunk
}

fn line(kind: LineKind, text: &str) -> Line {
    let bare = text.strip_suffix('\n');
    Line {
        kind,
        text: bare.unwrap_or(text).to_owned(),
        newline: bare.is_some(),
    }
}

fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize, word: &str) -> String {
        (0..count).map(|n| format!("{word} {n}\n")).collect()
    }

    /// Puts the old or the new text together again from hunks that show everything.
    fn rebuilt(hunks: &[Hunk], without: LineKind) -> String {
        let lines = hunks.iter().flat_map(|hunk| &hunk.lines);
        lines
            .filter(|line| line.kind != without)
            .map(|line| format!("{}{}", line.text, if line.newline { "\n" } else { "" }))
            .collect()
    }

    #[test]
    fn a_hunk_knows_where_it_stands_in_both_texts() {
        let old = numbered(20, "line");
        let new = old
            .replace("line 9\n", "one\ntwo\n")
            .replace("line 1\n", "");
        let found = hunks(&old, &new, 1);
        let starts: Vec<_> = found
            .iter()
            .map(|hunk| (hunk.old_start, hunk.new_start, hunk.extent()))
            .collect();
        assert_eq!(starts, [(1, 1, (3, 2)), (9, 8, (3, 4))]);
        assert_eq!(counts(&old, &new), (2, 2));
    }

    #[test]
    fn both_texts_can_be_rebuilt_from_their_lines() {
        let large = numbered(COMPARED_LINES_MAX, "old");
        let cases = [
            ("", "a\n"),
            ("a\n", ""),
            ("a", "a\n"),
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\rb\n", "a\rc\n"),
            ("x\ny\nz", "x\nz\nw"),
            (large.as_str(), &large.replace("old", "new")),
        ];
        for (old, new) in cases {
            let found = hunks(old, new, usize::MAX / 4);
            assert_eq!(rebuilt(&found, LineKind::Added), old);
            assert_eq!(rebuilt(&found, LineKind::Removed), new);
        }
    }

    #[test]
    fn a_line_is_kept_as_one_text() {
        for line in hunks("a\nb\r\n", "a\n c", 1)
            .iter()
            .flat_map(|hunk| &hunk.lines)
        {
            assert_eq!(&Line::try_from(line.written()).unwrap(), line);
        }
        assert!(Line::try_from(String::new()).is_err());
    }

    #[test]
    fn a_hunk_knows_its_numbers_and_whether_only_blanks_differ() {
        let found = hunks("a\nb\n", "a\n  b\nc\n", 1);
        let numbers: Vec<_> = found[0]
            .numbered()
            .map(|(old, new, _)| (old, new))
            .collect();
        let some = |old: u32, new: u32| ((old > 0).then_some(old), (new > 0).then_some(new));
        assert_eq!(numbers, [some(1, 1), some(2, 0), some(0, 2), some(0, 3)]);
        assert_eq!(found[0].distance(AnchorSide::Old, 5), 3);
        assert_eq!(found[0].distance(AnchorSide::New, 3), 0);
        assert!(!found[0].is_blank());
        assert!(hunks("if a {\n", "if a\n  {\n", 1)[0].is_blank());
    }

    #[test]
    fn equal_texts_have_no_hunk() {
        assert_eq!(hunks("a\nb", "a\nb", 3), []);
        assert_eq!(counts("a\nb", "a\nb"), (0, 0));
    }

    #[test]
    fn a_huge_difference_is_one_block_between_what_is_equal() {
        let middle = COMPARED_LINES_MAX;
        let old = format!("first\n{}last\n", numbered(middle, "old"));
        let new = format!("first\n{}last\n", numbered(middle, "new"));
        let found = hunks(&old, &new, 3);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].lines.len(), 2 * middle + 2);
        assert_eq!(counts(&old, &new), (middle as u32, middle as u32));
    }
}
