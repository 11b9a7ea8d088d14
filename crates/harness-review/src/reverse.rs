//! Taking lines back: a reverse patch, found by its content in a text that may have moved on.
//!
//! A patch is applied where its lines stand, and only where that is certain: what is above or below
//! is as it was, or its content stands in one place alone. Unchanged lines around it are dropped
//! step by step, as `patch` does, but never so far that two places would do. Everything else is a
//! clash, which shows a person both sides; nothing is guessed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::{Deserialize, Serialize};

use crate::{
    Hunk, Line, LineKind,
    decision::Chosen,
    identity::{content_id, runs},
    text::{head, lines_of, saturate},
};

/// Unchanged lines that are kept around what is taken back.
const CONTEXT_LINES: usize = 3;
/// Digits of what goes for the text above and below.
const BESIDE_DIGITS: usize = 16;
/// How far from its place lines without anything around them may be found. Unit: lines.
const NEAR_LINES: usize = 100;
/// The most places that are told of.
const PLACES_MAX: usize = 10;
/// The most of each side that a clash shows. Unit: bytes.
const SHOWN_BYTES_MAX: usize = 4 * 1024;
/// How far around its place the likeliest lines are looked for. Unit: lines.
const LOOKED_AT_LINES: usize = 200;

/// What takes a hunk, or chosen lines of it, back.
///
/// Kept with a decision: it needs neither of the texts it was made of. Lines that were not chosen
/// are no part of it, or stand as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// How many lines stood above it.
    start: u32,
    /// The old lines that come back; orders what goes to one place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    old_lines: Vec<u32>,
    /// What goes for the text above.
    #[serde(default)]
    above: String,
    /// What goes for the text below.
    #[serde(default)]
    below: String,
    /// How many lines stood below it.
    #[serde(default)]
    lines_below: u32,
    /// The lines: added ones go, removed ones come back.
    lines: Vec<Line>,
}

impl Patch {
    /// Makes the patch that takes chosen lines of a hunk of the text `new` back; `None` where none
    /// of them has changed.
    pub fn of(new: &str, hunk: &Hunk, chosen: &Chosen) -> Option<Self> {
        let touched: Vec<Range<usize>> = runs(hunk)
            .into_iter()
            .filter(|run| run.clone().any(|at| chosen.has(at)))
            .collect();
        let first = touched.first()?.start.saturating_sub(CONTEXT_LINES);
        let end = (touched.last()?.end + CONTEXT_LINES).min(hunk.lines.len());
        let in_new = |line: &&Line| line.kind != LineKind::Removed;
        let before = hunk.lines[..first].iter().filter(in_new).count();
        let (_, new_count) = hunk.extent();
        let start = (hunk.new_start as usize).saturating_sub(usize::from(new_count > 0)) + before;
        let lines: Vec<Line> = (first..end)
            .filter_map(|at| taken(&hunk.lines[at], chosen.has(at)))
            .collect();
        let removed = hunk.numbered().enumerate().filter(|(at, (.., line))| {
            (first..end).contains(at) && chosen.has(*at) && line.kind == LineKind::Removed
        });
        let old_lines = removed.filter_map(|(_, (old, ..))| old).collect();
        let texts = lines_of(new);
        let start = start.min(texts.len());
        let shown = lines.iter().filter(in_new).count();
        let end = (start + shown).min(texts.len());
        Some(Self {
            start: saturate(start),
            old_lines,
            above: beside(&texts[..start]),
            below: beside(&texts[end..]),
            lines_below: saturate(texts.len() - end),
            lines,
        })
    }

    /// Returns the lines that go and those that come back, as a patch that is applied forwards.
    pub fn worded(&self) -> String {
        let (mut out, mut back) = (String::new(), String::new());
        for line in &self.lines {
            let text = &line.text;
            match line.kind {
                LineKind::Added => out.push_str(&format!("-{text}\n")),
                LineKind::Removed => back.push_str(&format!("+{text}\n")),
                LineKind::Context => {
                    out.push_str(&std::mem::take(&mut back));
                    out.push_str(&format!(" {text}\n"));
                }
            }
        }
        out + &back
    }

    /// Returns about how much room it takes. Unit: bytes.
    pub(crate) fn bytes(&self) -> usize {
        let lines = self.lines.iter().map(|line| line.text.len() + 6);
        200 + lines.sum::<usize>()
    }

    fn side(&self, without: LineKind) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.kind != without);
        lines.map(Line::whole).collect()
    }

    /// Returns how many unchanged lines it begins and ends with.
    fn context(&self) -> (usize, usize) {
        let context = |line: &&Line| line.kind == LineKind::Context;
        let lead = self.lines.iter().take_while(context).count();
        let tail = self.lines.iter().rev().take_while(context).count();
        (lead, tail)
    }
}

/// Returns a line as the patch takes it: one that was not chosen stands as it is, or is gone already.
fn taken(line: &Line, chosen: bool) -> Option<Line> {
    match line.kind {
        LineKind::Removed if !chosen => None,
        LineKind::Added if !chosen => Some(Line {
            kind: LineKind::Context,
            ..line.clone()
        }),
        _ => Some(line.clone()),
    }
}

/// What became of the patches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// The text with everything taken back that could be.
    pub text: String,
    /// What became of each patch, in the order in which they were given.
    pub outcomes: Vec<Outcome>,
}

impl Reversed {
    /// Returns what could not be taken back.
    pub fn clashes(&self) -> impl Iterator<Item = &Clash> {
        self.outcomes.iter().filter_map(Outcome::clash)
    }
}

/// What became of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken back.
    Applied {
        /// The line where it stood, from 1.
        line: u32,
    },
    /// It was taken back before; nothing is to be done.
    Already,
    /// A person has to look at it.
    Clash(Clash),
}

impl Outcome {
    /// Returns the clash, if it is one.
    pub const fn clash(&self) -> Option<&Clash> {
        match self {
            Self::Clash(clash) => Some(clash),
            _ => None,
        }
    }
}

/// Something that cannot be taken back without a person: both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// Why.
    pub why: Why,
    /// Where it stood, from 1.
    pub line: u32,
    /// What should stand there, at most 4 KiB.
    pub wanted: String,
    /// What would stand there instead, at most 4 KiB.
    pub instead: String,
    /// What stands there now, at most 4 KiB.
    pub found: String,
    /// The lines where it stands, from 1, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<u32>,
}

/// Why something cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is not there any more.
    Gone,
    /// It stands in several places.
    Ambiguous,
    /// Another of the patches takes the same lines back.
    Overlaps,
}

impl Why {
    /// Returns it in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "it is not there any more",
            Self::Ambiguous => "it stands in several places",
            Self::Overlaps => "another rejection takes the same lines back",
        }
    }
}

/// Takes patches back in a text, all at once: each is found in the text as it is given.
///
/// What clashes is left as it stands; the others are taken back all the same.
pub fn reverse(current: &str, patches: &[&Patch]) -> Reversed {
    let lines = lines_of(current);
    let mut edits = Edits::default();
    let outcomes = patches
        .iter()
        .map(|patch| match place(patch, &lines) {
            Found::At { line, first } => {
                if edits.take(patch, first, line) {
                    Outcome::Applied {
                        line: saturate(line + 1),
                    }
                } else {
                    Outcome::Clash(clash(patch, &lines, Why::Overlaps, Vec::new()))
                }
            }
            Found::Already => Outcome::Already,
            Found::Nowhere => Outcome::Clash(clash(patch, &lines, Why::Gone, Vec::new())),
            Found::Everywhere(places) => {
                Outcome::Clash(clash(patch, &lines, Why::Ambiguous, places))
            }
        })
        .collect();
    Reversed {
        text: edits.applied(&lines),
        outcomes,
    }
}

enum Found {
    /// From the patch's line `first` on, it stands from this line on.
    At {
        line: usize,
        first: usize,
    },
    Already,
    Nowhere,
    Everywhere(Vec<usize>),
}

fn place(patch: &Patch, lines: &[&str]) -> Found {
    let search = Search {
        patch,
        lines,
        new: patch.side(LineKind::Removed),
        old: patch.side(LineKind::Added),
    };
    let certain = search.between().or_else(|| search.beside());
    certain.unwrap_or_else(|| search.anywhere())
}

/// A patch that is looked for in a text.
struct Search<'a> {
    patch: &'a Patch,
    lines: &'a [&'a str],
    /// What should stand there.
    new: Vec<String>,
    /// What would stand there instead.
    old: Vec<String>,
}

impl Search<'_> {
    fn above(&self) -> Option<usize> {
        let above = self.patch.start as usize;
        let there = self.lines.get(..above)?;
        (beside(there) == self.patch.above).then_some(above)
    }

    /// Returns where the text below begins, if it is as it was.
    fn below(&self) -> Option<usize> {
        let end = self
            .lines
            .len()
            .checked_sub(self.patch.lines_below as usize)?;
        (beside(&self.lines[end..]) == self.patch.below).then_some(end)
    }

    /// Looks between the text above and the text below, where both are as they were.
    fn between(&self) -> Option<Found> {
        let (line, end) = (self.above()?, self.below()?);
        let there = self.lines.get(line..end)?;
        if there == self.new {
            Some(Found::At { line, first: 0 })
        } else {
            (there == self.old).then_some(Found::Already)
        }
    }

    /// Looks beside the text above or the text below, where one of them is as it was and long enough
    /// to be no accident.
    fn beside(&self) -> Option<Found> {
        let (patch, enough) = (self.patch, CONTEXT_LINES as u32);
        let [new, old] = match (self.above(), self.below()) {
            (Some(line), None) if patch.start >= enough => [Some(line), Some(line)],
            (None, Some(end)) if patch.lines_below >= enough => {
                [&self.new, &self.old].map(|side| end.checked_sub(side.len()))
            }
            _ => return None,
        };
        let is_there = |at: Option<usize>, side| at.is_some_and(|at| self.stand_at(at, side));
        match (is_there(new, &self.new), is_there(old, &self.old)) {
            // Lines that repeat do not say how many of them there were.
            (true, true) => Some(Found::Everywhere(new.into_iter().collect())),
            (true, false) => Some(Found::At {
                line: new?,
                first: 0,
            }),
            (false, true) => Some(Found::Already),
            (false, false) => None,
        }
    }

    fn stand_at(&self, at: usize, side: &[String]) -> bool {
        let there = self.lines.get(at..at + side.len());
        !side.is_empty() && there.is_some_and(|there| there == side)
    }

    /// Looks everywhere, with fewer and fewer unchanged lines around what has changed.
    fn anywhere(&self) -> Found {
        let (lead, tail) = self.patch.context();
        let only_removed = !self.has(LineKind::Added);
        for kept in [usize::MAX, 1, 0] {
            let (dropped, cut) = (lead.saturating_sub(kept), tail.saturating_sub(kept));
            let is_whole = kept == usize::MAX;
            if !is_whole && (only_removed || dropped + cut == 0) {
                continue;
            }
            let wanted = &self.new[dropped..self.new.len() - cut];
            let expected = self.patch.start as usize + dropped;
            let places = places(self.lines, wanted);
            match places.as_slice() {
                [] => {}
                [line] if is_whole && self.may_be_back(*line, lead > 0 && tail > 0) => {
                    return Found::Everywhere(places);
                }
                [line] if kept > 0 || line.abs_diff(expected) <= NEAR_LINES => {
                    return Found::At {
                        line: *line,
                        first: dropped,
                    };
                }
                [_] => {}
                // Fewer lines around it can only be found in more places.
                _ => return Found::Everywhere(places),
            }
            if is_whole && self.is_back(lead, tail) {
                return Found::Already;
            }
        }
        Found::Nowhere
    }

    fn has(&self, kind: LineKind) -> bool {
        self.patch.lines.iter().any(|line| line.kind == kind)
    }

    /// Whether what would come back may be there already beside what was found: what only comes back
    /// leaves no trace of its own, but for the lines around it that would be apart.
    fn may_be_back(&self, line: usize, is_framed: bool) -> bool {
        let end = line + self.new.len();
        let from_end = end.checked_sub(self.old.len());
        let stands = self.stand_at(line, &self.old)
            || from_end.is_some_and(|line| self.stand_at(line, &self.old));
        stands || !(is_framed || self.has(LineKind::Added))
    }

    /// Whether the old lines stand nearby, in one place alone and with something around them, while
    /// the new ones, which say enough to be found, are nowhere.
    fn is_back(&self, lead: usize, tail: usize) -> bool {
        let is_framed = lead > 0 && tail > 0;
        let is_known = is_framed || (self.has(LineKind::Removed) && lead + tail > 0);
        let near = |line: &usize| line.abs_diff(self.patch.start as usize) <= NEAR_LINES;
        match places(self.lines, &self.old).as_slice() {
            [line] => is_known && is_telling(&self.new) && near(line),
            _ => false,
        }
    }
}

/// Whether lines say enough to be looked for: a lone bracket stands everywhere.
fn is_telling(lines: &[String]) -> bool {
    lines
        .iter()
        .any(|line| line.contains(char::is_alphanumeric))
}

/// Returns where lines stand, the first few places; none for lines that do not say enough.
fn places(lines: &[&str], wanted: &[String]) -> Vec<usize> {
    if !is_telling(wanted) || wanted.len() > lines.len() {
        return Vec::new();
    }
    let starts = 0..=lines.len() - wanted.len();
    let found = starts.filter(|line| lines[*line..line + wanted.len()] == *wanted);
    found.take(PLACES_MAX).collect()
}

fn beside(lines: &[&str]) -> String {
    content_id(BESIDE_DIGITS, lines)
}

/// What is to be done to the lines of a text.
#[derive(Default)]
struct Edits {
    gone: BTreeSet<usize>,
    /// What comes before a line, each with the old line it was.
    back: BTreeMap<usize, Vec<(u32, String)>>,
}

impl Edits {
    /// Takes in what a patch does where it stands; false if another one does it already.
    fn take(&mut self, patch: &Patch, first: usize, line: usize) -> bool {
        let (mut gone, mut back, mut at) = (Vec::new(), Vec::new(), line);
        let mut old_lines = patch.old_lines.iter();
        let (_, tail) = patch.context();
        for line in &patch.lines[first..patch.lines.len() - tail] {
            match line.kind {
                LineKind::Context => at += 1,
                LineKind::Added => {
                    gone.push(at);
                    at += 1;
                }
                LineKind::Removed => {
                    let old = old_lines.next().copied().unwrap_or(u32::MAX);
                    back.push((at, old, line.whole()));
                }
            }
        }
        let taken = |(at, old, text): &(usize, u32, String)| {
            let there = self.back.get(at).into_iter().flatten();
            there
                .into_iter()
                .any(|(other, same)| other == old && same == text)
        };
        if gone.iter().any(|at| self.gone.contains(at)) || back.iter().any(taken) {
            return false;
        }
        self.gone.extend(gone);
        for (at, old, text) in back {
            self.back.entry(at).or_default().push((old, text));
        }
        true
    }

    fn applied(mut self, lines: &[&str]) -> String {
        let mut out = String::new();
        let ending = if lines.first().is_some_and(|line| line.ends_with("\r\n")) {
            "\r\n"
        } else {
            "\n"
        };
        let mut push = |line: &str| {
            // A line that was the last one and is not any more needs its end.
            if !out.is_empty() && !out.ends_with('\n') && !line.is_empty() {
                out.push_str(ending);
            }
            out.push_str(line);
        };
        for at in 0..=lines.len() {
            let mut back = self.back.remove(&at).unwrap_or_default();
            back.sort_by_key(|(old, _)| *old);
            for (_, text) in back {
                push(&text);
            }
            if at < lines.len() && !self.gone.contains(&at) {
                push(lines[at]);
            }
        }
        out
    }
}

fn clash(patch: &Patch, lines: &[&str], why: Why, places: Vec<usize>) -> Clash {
    let wanted = patch.side(LineKind::Removed);
    let at = likeliest(lines, &wanted, patch.start as usize);
    let end = (at + wanted.len().max(1)).min(lines.len());
    let short = |text: String| head(&text, SHOWN_BYTES_MAX).to_owned();
    Clash {
        why,
        line: patch.start.saturating_add(1),
        found: short(lines[at.min(end)..end].concat()),
        wanted: short(wanted.concat()),
        instead: short(patch.side(LineKind::Added).concat()),
        places: places.into_iter().map(|line| saturate(line + 1)).collect(),
    }
}

/// Returns the line near `expected` from which on the most of `wanted` stands.
fn likeliest(lines: &[&str], wanted: &[String], expected: usize) -> usize {
    let expected = expected.min(lines.len());
    let common = |at: usize| {
        let pairs = lines[at..].iter().zip(wanted.iter().take(LOOKED_AT_LINES));
        pairs.filter(|(there, line)| *there == line).count()
    };
    let near =
        expected.saturating_sub(LOOKED_AT_LINES)..(expected + LOOKED_AT_LINES).min(lines.len());
    near.max_by_key(|at| (common(*at), std::cmp::Reverse(at.abs_diff(expected))))
        .unwrap_or(expected)
}

#[cfg(test)]
mod tests;
