//! Which words of a replaced line are others: pairs of removed and added lines, and what differs
//! in them.
//!
//! Lines are paired where they are alike, in order and without crossing; in a pair, what both have
//! in common stays unmarked. Where two lines have little in common, marks would be noise, and there
//! are none. Marks begin and end between graphemes.

use std::{collections::BTreeMap, ops::Range};

use similar::{Algorithm, DiffOp, capture_diff_slices};
use unicode_segmentation::UnicodeSegmentation;

use crate::{Hunk, LineKind, identity::runs, middle::Middle, text::saturate};

/// The longest line that is looked into. Unit: columns, counted as characters.
const COLUMNS_MAX: usize = 5_000;
/// The most pairs of lines of one block that are compared; larger blocks are paired in order
/// where both sides have as many lines, and else not at all.
const PAIRS_MAX: usize = 4_096;
/// The most pairs of words that are compared in one pair of lines; what is more is told from the
/// words both begin and end with alone.
const WORDS_MAX: usize = 250_000;
/// How much two lines have in common at least. Unit: hundredths of their words' bytes.
const ALIKE: u32 = 50;

/// What differs inside the lines of a hunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkedHunk {
    /// For each line of the hunk the byte ranges of its text that differ, in order; none where a
    /// line has no partner or little in common with it.
    pub marks: Vec<Vec<Range<usize>>>,
    /// The rows of the hunk where both texts stand side by side.
    pub rows: Vec<Pairing>,
}

/// One row of two texts side by side: places in the hunk's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// The line of the old text.
    pub old: Option<usize>,
    /// The line of the new text.
    pub new: Option<usize>,
}

/// Marks what differs inside the replaced lines of a hunk, and pairs its lines.
pub fn mark(hunk: &Hunk) -> MarkedHunk {
    let mut marked = MarkedHunk {
        marks: vec![Vec::new(); hunk.lines.len()],
        rows: Vec::new(),
    };
    let mut next = 0;
    for run in runs(hunk) {
        marked.rows.extend((next..run.start).map(both));
        next = run.end;
        block(hunk, run, &mut marked);
    }
    marked.rows.extend((next..hunk.lines.len()).map(both));
    marked
}

const fn both(at: usize) -> Pairing {
    Pairing {
        old: Some(at),
        new: Some(at),
    }
}

/// Marks and pairs one run of removed and added lines.
fn block(hunk: &Hunk, run: Range<usize>, marked: &mut MarkedHunk) {
    let split = hunk.lines[run.clone()]
        .iter()
        .take_while(|line| line.kind == LineKind::Removed)
        .count();
    let (removed, added) = (run.start..run.start + split, run.start + split..run.end);
    let words = |lines: &Range<usize>| -> Vec<Vec<&str>> {
        let lines = hunk.lines[lines.clone()].iter();
        lines.map(|line| words(&line.text)).collect()
    };
    let (old, new) = (words(&removed), words(&added));
    let (mut old_next, mut new_next) = (removed.start, added.start);
    for (from, to) in pairs(&old, &new) {
        let Some((old_marks, new_marks)) = differing(&old[from], &new[to]) else {
            continue;
        };
        let (at, with) = (removed.start + from, added.start + to);
        marked.marks[at] = old_marks;
        marked.marks[with] = new_marks;
        unpaired(&mut marked.rows, old_next..at, new_next..with);
        marked.rows.push(Pairing {
            old: Some(at),
            new: Some(with),
        });
        (old_next, new_next) = (at + 1, with + 1);
    }
    unpaired(&mut marked.rows, old_next..removed.end, new_next..added.end);
}

/// Puts lines without a partner beside each other in order, so that no row is wasted.
fn unpaired(rows: &mut Vec<Pairing>, old: Range<usize>, new: Range<usize>) {
    for row in 0..old.len().max(new.len()) {
        let at = |lines: &Range<usize>| Some(lines.start + row).filter(|at| *at < lines.end);
        rows.push(Pairing {
            old: at(&old),
            new: at(&new),
        });
    }
}

/// Returns which lines belong together: in order, without crossing, the most alike in all.
fn pairs(old: &[Vec<&str>], new: &[Vec<&str>]) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    if old.len() * new.len() > PAIRS_MAX {
        let same = old.len() == new.len();
        return (0..if same { old.len() } else { 0 })
            .map(|at| (at, at))
            .collect();
    }
    let bags: Vec<_> = new.iter().map(|words| bag(words)).collect();
    let width = new.len() + 1;
    // The best sum of what is alike from here on, filled from the ends.
    let mut best = vec![0_u64; (old.len() + 1) * width];
    let mut alike = vec![0_u32; old.len() * new.len()];
    for from in (0..old.len()).rev() {
        let mine = bag(&old[from]);
        for to in (0..new.len()).rev() {
            let value = likeness(&mine, &bags[to]);
            alike[from * new.len() + to] = value;
            let paired = best[(from + 1) * width + to + 1] + u64::from(value);
            let skipped = best[(from + 1) * width + to].max(best[from * width + to + 1]);
            best[from * width + to] = if value >= ALIKE {
                paired.max(skipped)
            } else {
                skipped
            };
        }
    }
    let (mut from, mut to, mut found) = (0, 0, Vec::new());
    while from < old.len() && to < new.len() {
        let value = alike[from * new.len() + to];
        let here = best[from * width + to];
        if value >= ALIKE && here == best[(from + 1) * width + to + 1] + u64::from(value) {
            found.push((from, to));
            (from, to) = (from + 1, to + 1);
        } else if here == best[(from + 1) * width + to] {
            from += 1;
        } else {
            to += 1;
        }
    }
    found
}

/// The words of a line with how often each stands in it, and their bytes together.
type Bag<'a> = (BTreeMap<&'a str, u32>, u32);

fn bag<'a>(words: &[&'a str]) -> Bag<'a> {
    let mut counted = BTreeMap::new();
    let mut bytes = 0;
    for word in words.iter().filter(|word| !word.trim().is_empty()) {
        *counted.entry(*word).or_insert(0) += 1;
        bytes += saturate(word.len());
    }
    (counted, bytes)
}

/// Returns how much two lines have in common, white space left out. Unit: hundredths.
fn likeness(one: &Bag<'_>, other: &Bag<'_>) -> u32 {
    let common = one.0.iter().map(|(word, count)| {
        let both = other.0.get(word).copied().unwrap_or(0).min(*count);
        u64::from(both) * word.len() as u64
    });
    ratio(common.sum(), u64::from(one.1) + u64::from(other.1))
}

/// Returns twice the common bytes in hundredths of all.
fn ratio(common: u64, all: u64) -> u32 {
    let hundredths = (200 * common).checked_div(all).unwrap_or(100);
    u32::try_from(hundredths).unwrap_or(100)
}

type Marks = Vec<Range<usize>>;

/// Returns what differs between two lines; `None` where they have little in common.
fn differing(old: &[&str], new: &[&str]) -> Option<(Marks, Marks)> {
    let mut sides = (Side::default(), Side::default());
    let (mut common, mut all) = (0_u64, 0_u64);
    let weight = |words: &[&str]| -> u64 {
        let words = words.iter().filter(|word| !word.trim().is_empty());
        words.map(|word| word.len() as u64).sum()
    };
    for operation in operations(old, new) {
        let (from, to) = (&old[operation.old_range()], &new[operation.new_range()]);
        let same = matches!(operation, DiffOp::Equal { .. });
        if same {
            common += weight(from);
        }
        all += weight(from) + weight(to);
        sides.0.take(from, same);
        sides.1.take(to, same);
    }
    (ratio(common, all) >= ALIKE).then_some((sides.0.marks, sides.1.marks))
}

fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    if old.len() * new.len() <= WORDS_MAX {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    Middle::of(old, new).replaced()
}

/// One side of a pair while its marks are gathered.
#[derive(Default)]
struct Side {
    at: usize,
    marks: Marks,
    /// Whether nothing but white space stands between the last mark and here.
    blank: bool,
}

impl Side {
    fn take(&mut self, words: &[&str], same: bool) {
        for word in words {
            let next = self.at + word.len();
            if same {
                self.blank &= word.trim().is_empty();
            } else {
                match self.marks.last_mut() {
                    // One mark over words that stand side by side is easier on the eye.
                    Some(last) if self.blank => last.end = next,
                    _ => self.marks.push(self.at..next),
                }
                self.blank = true;
            }
            self.at = next;
        }
    }
}

/// Returns the words of a line, which together are the line; nothing for a line that is too long.
///
/// A word is letters, digits and `_`; each other sign stands alone; white space goes together.
fn words(line: &str) -> Vec<&str> {
    let line_columns = if line.len() > COLUMNS_MAX {
        line.chars().count()
    } else {
        0
    };
    if line_columns > COLUMNS_MAX {
        return Vec::new();
    }
    let mut found: Vec<&str> = Vec::new();
    let (mut start, mut last) = (0, None);
    let bounds: Vec<usize> = if line.is_ascii() {
        Vec::new()
    } else {
        line.split_word_bound_indices().map(|(at, _)| at).collect()
    };
    for (at, grapheme) in line.grapheme_indices(true) {
        let class = Class::of(grapheme);
        let joined = last == Some(class)
            && match class {
                Class::Sign => false,
                Class::Blank => true,
                Class::Word => bounds.binary_search(&at).is_err(),
            };
        if !joined && at > start {
            found.push(&line[start..at]);
            start = at;
        }
        last = Some(class);
    }
    if start < line.len() {
        found.push(&line[start..]);
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Blank,
    Sign,
}

impl Class {
    fn of(grapheme: &str) -> Self {
        match grapheme.chars().next() {
            Some(char) if char.is_alphanumeric() || char == '_' => Self::Word,
            Some(char) if char.is_whitespace() => Self::Blank,
            _ => Self::Sign,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hunks;

    /// The lines of the only hunk, with `[` and `]` around what is marked.
    fn marked(old: &str, new: &str) -> Vec<String> {
        let found = hunks(old, new, 0);
        let marked = mark(&found[0]);
        let lines = found[0].lines.iter().zip(&marked.marks);
        lines
            .map(|(line, marks)| {
                let mut text = line.text.clone();
                for mark in marks.iter().rev() {
                    text.insert(mark.end, ']');
                    text.insert(mark.start, '[');
                }
                format!("{}{text}", line.kind.sign())
            })
            .collect()
    }

    #[test]
    fn changed_words_are_marked() {
        assert_eq!(
            marked("    s.replace(old, \"a\")\n", "    s.replace(new, \"a\")\n"),
            [
                "-    s.replace([old], \"a\")",
                "+    s.replace([new], \"a\")"
            ]
        );
        assert_eq!(
            marked(
                "let first name = compute(1);\n",
                "let second title = compute(1);\n"
            ),
            [
                "-let [first name] = compute(1);",
                "+let [second title] = compute(1);"
            ]
        );
    }

    #[test]
    fn lines_are_paired_where_they_are_alike() {
        assert_eq!(
            marked(
                "call(alpha, beta)\n",
                "// something quite new\ncall(alpha, gamma)\n"
            ),
            [
                "-call(alpha, [beta])",
                "+// something quite new",
                "+call(alpha, [gamma])"
            ]
        );
        let found = hunks("call(alpha, beta)\n", "// new\ncall(alpha, gamma)\n", 0);
        let rows: Vec<_> = mark(&found[0])
            .rows
            .iter()
            .map(|row| (row.old, row.new))
            .collect();
        assert_eq!(rows, [(None, Some(1)), (Some(0), Some(2))]);
    }

    #[test]
    fn nothing_is_marked_where_little_is_common() {
        assert_eq!(
            marked("return first;\n", "while other {}\n"),
            ["-return first;", "+while other {}"]
        );
    }

    #[test]
    fn long_lines_and_large_blocks_are_left_alone() {
        let line = |word: &str| format!("{} {word}\n", "x ".repeat(COLUMNS_MAX));
        let old = line("a");
        assert!(
            mark(&hunks(&old, &line("b"), 0)[0])
                .marks
                .iter()
                .all(Vec::is_empty)
        );
        let many =
            |word: &str| -> String { (0..100).map(|n| format!("call({n}, {word})\n")).collect() };
        let marked = mark(&hunks(&many("a"), &many("b"), 0)[0]);
        assert_eq!(
            marked.marks.iter().filter(|marks| marks.len() == 1).count(),
            200
        );
        assert_eq!(marked.rows.len(), 100);
    }

    #[test]
    fn a_grapheme_is_never_cut() {
        assert_eq!(
            marked("name = cafe\u{301}s here\n", "name = cafes here\n"),
            ["-name = [cafe\u{301}s] here", "+name = [cafes] here"]
        );
        assert_eq!(words("日本語 👩‍👩‍👧x"), ["日", "本", "語", " ", "👩‍👩‍👧", "x"]);
    }

    proptest! {
        #[test]
        fn words_are_the_line_and_cut_no_grapheme(line in "[a-c_ .\u{301}\u{200d}👩日\u{600}é\t]{0,40}") {
            let found = words(&line);
            prop_assert_eq!(found.concat(), line.clone());
            let bounds: Vec<usize> = line.grapheme_indices(true).map(|(at, _)| at).collect();
            let mut at = 0;
            for word in found {
                prop_assert!(bounds.contains(&at));
                at += word.len();
            }
        }

        #[test]
        fn marks_are_in_order_and_every_line_has_one_row(
            old in proptest::collection::vec("[ab c.]{0,8}", 0..12),
            new in proptest::collection::vec("[ab c.]{0,8}", 0..12),
        ) {
            let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            for hunk in hunks(&text(&old), &text(&new), 3) {
                let marked = mark(&hunk);
                for (line, marks) in hunk.lines.iter().zip(&marked.marks) {
                    let mut end = 0;
                    for mark in marks {
                        prop_assert!(end <= mark.start && mark.start < mark.end);
                        prop_assert!(line.text.get(mark.clone()).is_some());
                        end = mark.end;
                    }
                }
                let side = |wrong: LineKind| -> Vec<usize> {
                    let lines = hunk.lines.iter().enumerate();
                    lines.filter(|(_, line)| line.kind != wrong).map(|(at, _)| at).collect()
                };
                let old_rows: Vec<usize> = marked.rows.iter().filter_map(|row| row.old).collect();
                let new_rows: Vec<usize> = marked.rows.iter().filter_map(|row| row.new).collect();
                prop_assert_eq!(old_rows, side(LineKind::Added));
                prop_assert_eq!(new_rows, side(LineKind::Removed));
            }
        }
    }
}
