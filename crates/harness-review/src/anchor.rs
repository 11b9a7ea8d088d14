//! Where a comment stands: its lines by their text, found again in a text that has moved on.
//!
//! The text itself decides; the lines around it tell equal places apart. What cannot be found with
//! confidence is outdated, and is shown with the text it was about: a comment on the wrong line is
//! worse than one without a line.

use harness_core::{LineRange, RepoPath};
use serde::{Deserialize, Serialize};

use crate::{
    identity::{HINT_DIGITS, content_id, sha256_hex},
    text::{bare, head, lines_of, saturate},
};

/// The most lines a comment is about; of a longer range it is about the first ones.
pub const ANCHOR_LINES_MAX: usize = 200;
/// The most text that is kept of them. Unit: bytes.
pub const ANCHOR_BYTES_MAX: usize = 8 * 1024;
/// How many lines before and after are known.
const AROUND_LINES: usize = 3;
/// The most places that are weighed.
const PLACES_MAX: usize = 1_000;

/// The lines of one side that a comment is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The file.
    pub path: RepoPath,
    /// Which text of it.
    pub side: AnchorSide,
    /// Where the lines stand, or stood when they were last found.
    pub lines: LineRange,
    /// The lines, joined by newlines; of long ones the beginning.
    pub text: String,
    /// SHA-256 of the whole lines, in hexadecimal.
    pub sha256: String,
    /// What the lines before go by, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// What the lines after go by, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
}

/// Which text of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnchorSide {
    /// The one before the change.
    Old,
    /// The one after it.
    New,
}

impl Anchor {
    /// Makes the anchor of some lines of a text, counted from 1; `None` where there are none.
    ///
    /// At most [`ANCHOR_LINES_MAX`] of them.
    pub fn of(path: RepoPath, side: AnchorSide, text: &str, lines: LineRange) -> Option<Self> {
        let all = lines_of(text);
        let first = (lines.first as usize).checked_sub(1)?;
        let end = (lines.last as usize)
            .min(all.len())
            .min(first + ANCHOR_LINES_MAX);
        let meant = all.get(first..end).filter(|meant| !meant.is_empty())?;
        let joined = joined(meant);
        Some(Self {
            path,
            side,
            lines: LineRange {
                first: saturate(first + 1),
                last: saturate(end),
            },
            sha256: sha256_hex(joined.as_bytes()),
            text: head(&joined, ANCHOR_BYTES_MAX).to_owned(),
            before: hints(all[..first].iter().rev()),
            after: hints(all[end..].iter()),
        })
    }

    fn count(&self) -> usize {
        (self.lines.last.saturating_sub(self.lines.first) as usize + 1).min(ANCHOR_LINES_MAX)
    }

    /// Returns the anchor of the same lines, found again.
    #[must_use]
    pub fn moved_to(&self, text: &str, lines: LineRange) -> Self {
        Self::of(self.path.clone(), self.side, text, lines).unwrap_or_else(|| self.clone())
    }
}

/// Where the lines of a comment are in a later text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Located {
    /// Where they were.
    Exact(LineRange),
    /// Elsewhere, with the same lines around them.
    Moved(LineRange),
    /// There, with other lines around them, or indented in another way.
    EditedAround(LineRange),
    /// Not found with confidence.
    Outdated {
        /// The line where they probably were, if the lines around them are still there.
        near: Option<u32>,
    },
}

impl Located {
    /// Returns the lines; `None` where they were not found.
    pub const fn lines(self) -> Option<LineRange> {
        match self {
            Self::Exact(lines) | Self::Moved(lines) | Self::EditedAround(lines) => Some(lines),
            Self::Outdated { .. } => None,
        }
    }
}

/// Finds the lines of a comment in a later text: exactly, then moved, then with other lines around.
pub fn relocate(anchor: &Anchor, text: &str) -> Located {
    let lines = lines_of(text);
    let all = Hints {
        lines: lines.iter().map(|line| hint(line)).collect(),
    };
    let (count, first) = (
        anchor.count(),
        (anchor.lines.first as usize).saturating_sub(1),
    );
    let exact =
        |place: usize| sha256_hex(joined(&lines[place..place + count]).as_bytes()) == anchor.sha256;
    if let Some(found) = best(
        anchor,
        &all,
        first,
        starts(anchor, &lines, same).filter(|at| exact(*at)),
    ) {
        let range = range(found.place, count);
        return match found.weight {
            _ if found.place == first => Located::Exact(range),
            0 => Located::EditedAround(range),
            _ => Located::Moved(range),
        };
    }
    // A text that was cut cannot be compared without its white space.
    let is_whole = anchor.text.len() < ANCHOR_BYTES_MAX;
    let indented = starts(anchor, &lines, same_words).filter(|_| is_whole);
    match best(anchor, &all, first, indented) {
        Some(found) => Located::EditedAround(range(found.place, count)),
        None => Located::Outdated {
            near: near(anchor, &all, first),
        },
    }
}

/// Iterates over the places where the lines of an anchor may begin.
fn starts<'a>(
    anchor: &'a Anchor,
    lines: &'a [&str],
    same: fn(&str, &str) -> bool,
) -> impl Iterator<Item = usize> + 'a {
    let wanted: Vec<&str> = anchor.text.split('\n').collect();
    let is_whole = anchor.text.len() < ANCHOR_BYTES_MAX;
    // The last line of a text that was cut is none.
    let sure = wanted.len() - usize::from(!is_whole && wanted.len() > 1);
    let count = anchor.count();
    let end = (lines.len() + 1).saturating_sub(count);
    let is_there = move |at: &usize| {
        let mut pairs = lines[*at..at + count].iter().zip(&wanted[..sure]);
        !is_whole && sure == 1 || pairs.all(|(line, wanted)| same(bare(line), wanted))
    };
    (0..end).filter(is_there)
}

struct Best {
    place: usize,
    /// How many lines around are the same.
    weight: usize,
}

/// Returns the place that is most likely, if it is likely enough.
fn best(
    anchor: &Anchor,
    all: &Hints,
    first: usize,
    places: impl Iterator<Item = usize>,
) -> Option<Best> {
    let weighed: Vec<Best> = places
        .take(PLACES_MAX)
        .map(|place| Best {
            place,
            weight: all.weight(anchor, place),
        })
        .collect();
    let most = weighed.iter().map(|found| found.weight).max()?;
    let is_only = weighed.len() == 1;
    let nearest = weighed
        .into_iter()
        .filter(|found| found.weight == most)
        .min_by_key(|found| found.place.abs_diff(first))?;
    let knows_around = !anchor.before.is_empty() || !anchor.after.is_empty();
    let says_something = anchor.text.contains(char::is_alphanumeric);
    let is_likely = most > 0 || !knows_around || (is_only && says_something);
    is_likely.then_some(nearest)
}

/// Returns the line before which, by what stood around them, the lines probably stood.
fn near(anchor: &Anchor, all: &Hints, first: usize) -> Option<u32> {
    let weighed = (0..=all.lines.len()).map(|place| {
        let end = (place + anchor.count()).min(all.lines.len());
        let before = all.before(anchor, place);
        let after = all.after(anchor, place).max(all.after(anchor, end));
        (
            before + after,
            std::cmp::Reverse(place.abs_diff(first)),
            place,
        )
    });
    let (weight, _, place) = weighed.max()?;
    (weight > 0).then(|| saturate(place + 1).min(saturate(all.lines.len()).max(1)))
}

/// What every line of a text goes by.
struct Hints {
    lines: Vec<String>,
}

impl Hints {
    fn weight(&self, anchor: &Anchor, place: usize) -> usize {
        self.before(anchor, place) + self.after(anchor, place + anchor.count())
    }

    fn before(&self, anchor: &Anchor, place: usize) -> usize {
        let there = self.lines[..place.min(self.lines.len())].iter().rev();
        common(there, &anchor.before)
    }

    fn after(&self, anchor: &Anchor, end: usize) -> usize {
        common(
            self.lines[end.min(self.lines.len())..].iter(),
            &anchor.after,
        )
    }
}

fn common<'a>(there: impl Iterator<Item = &'a String>, known: &[String]) -> usize {
    there
        .zip(known)
        .take_while(|(line, known)| line == known)
        .count()
}

fn hints<'a>(lines: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    lines.take(AROUND_LINES).map(|line| hint(line)).collect()
}

/// Returns what a line goes by, its indentation left out.
fn hint(line: &str) -> String {
    content_id(HINT_DIGITS, [line.trim()])
}

fn joined(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| bare(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn same(line: &str, wanted: &str) -> bool {
    line == wanted
}

fn same_words(line: &str, wanted: &str) -> bool {
    line.split_whitespace().eq(wanted.split_whitespace())
}

fn range(place: usize, count: usize) -> LineRange {
    LineRange {
        first: saturate(place + 1),
        last: saturate(place + count),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn anchor(text: &str, first: u32, last: u32) -> Anchor {
        let path = RepoPath::parse("a").unwrap();
        Anchor::of(path, AnchorSide::New, text, LineRange { first, last }).unwrap()
    }

    fn lines(first: u32, last: u32) -> LineRange {
        LineRange { first, last }
    }

    const TEXT: &str = "fn one() {\n    work();\n}\n\nfn two() {\n    work();\n    rest();\n}\n";

    #[test]
    fn lines_are_found_where_they_are_and_where_they_went() {
        let two = anchor(TEXT, 6, 7);
        assert_eq!(relocate(&two, TEXT), Located::Exact(lines(6, 7)));
        let moved = format!("// new\n\n{TEXT}");
        assert_eq!(relocate(&two, &moved), Located::Moved(lines(8, 9)));
        let alone = "x\n    work();\n    rest();\ny\n";
        assert_eq!(relocate(&two, alone), Located::EditedAround(lines(2, 3)));
        let indented = TEXT.replace("    ", "\t");
        assert_eq!(
            relocate(&two, &indented),
            Located::EditedAround(lines(6, 7))
        );
    }

    #[test]
    fn the_lines_around_tell_equal_ones_apart() {
        // `work();` of `two` moves to where that of `one` stood.
        let work = anchor(TEXT, 6, 6);
        let swapped = "fn two() {\n    work();\n    rest();\n}\n\nfn one() {\n    work();\n}\n";
        assert_eq!(relocate(&work, swapped), Located::Moved(lines(2, 2)));
        let first = anchor(TEXT, 2, 2);
        assert_eq!(relocate(&first, swapped), Located::Moved(lines(7, 7)));
    }

    #[test]
    fn what_is_gone_is_outdated_and_told_where_it_was() {
        let two = anchor(TEXT, 6, 7);
        let changed = TEXT.replace("rest", "sleep");
        assert_eq!(
            relocate(&two, &changed),
            Located::Outdated { near: Some(6) }
        );
        assert_eq!(relocate(&two, ""), Located::Outdated { near: None });
        // A lone bracket elsewhere is not the one that was meant.
        let bracket = anchor(TEXT, 8, 8);
        assert_eq!(
            relocate(&bracket, "x\n}\ny\n"),
            Located::Outdated { near: None }
        );
    }

    #[test]
    fn long_ranges_are_cut_and_found() {
        let text: String = (0..900)
            .map(|line| format!("{line} {}\n", "x".repeat(90)))
            .collect();
        let long = anchor(&text, 101, 900);
        assert_eq!(long.lines, lines(101, 300));
        assert!(long.text.len() <= ANCHOR_BYTES_MAX);
        assert_eq!(
            relocate(&long, &format!("top\n{text}")),
            Located::Moved(lines(102, 301))
        );
        let one_line = "x".repeat(2 * ANCHOR_BYTES_MAX);
        assert_eq!(
            relocate(&anchor(&one_line, 1, 1), &one_line),
            Located::Exact(lines(1, 1))
        );
        assert!(Anchor::of(RepoPath::root(), AnchorSide::Old, "a\n", lines(2, 2)).is_none());
        assert!(Anchor::of(RepoPath::root(), AnchorSide::Old, "a\n", lines(0, 0)).is_none());
    }

    proptest! {
        #[test]
        fn what_is_found_reads_as_it_did(
            text in "([a-c}]{1,2}\n){1,20}", now in "([a-c}]{1,2}\n){0,20}", first in 1_u32..20, more in 0_u32..4,
        ) {
            let count = lines_of(&text).len() as u32;
            let first = first.min(count);
            let anchor = anchor(&text, first, (first + more).min(count));
            prop_assert_eq!(relocate(&anchor, &text), Located::Exact(anchor.lines));
            if let Located::Exact(found) | Located::Moved(found) = relocate(&anchor, &now) {
                let again = anchor.moved_to(&now, found);
                prop_assert_eq!(&again.text, &anchor.text);
                prop_assert_eq!(&again.sha256, &anchor.sha256);
            }
        }

        #[test]
        fn what_moves_as_a_whole_is_found(above in "([x-z]{2}\n){0,9}", first in 1_u32..8) {
            let anchor = anchor(TEXT, first, first);
            let now = format!("{above}{TEXT}");
            let moved = above.lines().count() as u32;
            prop_assert_eq!(relocate(&anchor, &now).lines(), Some(lines(first + moved, first + moved)));
        }
    }
}
