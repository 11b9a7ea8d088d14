//! What a person decided about changed lines, and how it is found again by content.
//!
//! A decision is about blocks: changed lines without an unchanged one between them. It is found
//! again where exactly these lines have changed, wherever they stand now; the unchanged lines beside
//! them and their number tell equal blocks apart. A block that stands where a decided one stood and
//! reads differently is *changed*: a person looks at it again, however small the difference.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use harness_core::{RepoPath, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    HunkId, Kept, Line, LineKind, Piece,
    identity::{Block, digest, old_hint},
    text::saturate,
};

/// Among how many equal blocks a decided one is looked for, the likeliest first.
const EQUAL_MAX: usize = 32;

/// What a person says to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// It is good.
    Accepted,
    /// It is to be taken back.
    Rejected,
}

/// Which lines of a hunk are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All that have changed.
    All,
    /// These, by their places in the hunk; unchanged ones among them say nothing.
    Lines(BTreeSet<usize>),
}

impl Chosen {
    /// Whether the line at a place of the hunk is meant.
    pub fn has(&self, at: usize) -> bool {
        match self {
            Self::All => true,
            Self::Lines(lines) => lines.contains(&at),
        }
    }
}

/// What was decided at once about a hunk, or about a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Tells it from every other one, also of another face.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub choice: Choice,
    /// The file.
    pub path: RepoPath,
    /// The hunk as it was then.
    pub hunk: HunkId,
    /// The changed lines that are meant.
    pub blocks: Vec<DecidedBlock>,
    /// Why it was turned down; empty where nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What takes it back; gone once it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// When the lines were taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Timestamp>,
    /// When it was taken back itself; then it counts for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
}

impl Decision {
    /// Whether lines wait to be taken back.
    pub const fn is_pending(&self) -> bool {
        self.kept.is_some() && self.applied.is_none() && self.withdrawn.is_none()
    }
}

/// A block of changed lines that was decided, by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedBlock {
    digest: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    old: String,
    #[serde(default)]
    around: [String; 2],
    #[serde(default)]
    ordinal: u32,
    /// The lines of the block that are meant; all where this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<u32>>,
    /// What is left of the block once these lines are taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rest: Vec<Rest>,
}

/// Changed lines that are left of a block when others of it are taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    digest: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    old: String,
    /// Which lines of the block they were.
    lines: Vec<u32>,
}

impl DecidedBlock {
    /// Returns the blocks of a piece of which lines are chosen.
    pub(crate) fn all(piece: &Piece, chosen: &Chosen, choice: Choice) -> Vec<Self> {
        let blocks = piece.blocks.iter();
        blocks
            .filter_map(|block| Self::of(piece, block, chosen, choice))
            .collect()
    }

    fn of(piece: &Piece, block: &Block, chosen: &Chosen, choice: Choice) -> Option<Self> {
        let size = block.lines.len();
        let meant: Vec<u32> = (0..size)
            .filter(|at| chosen.has(block.lines.start + at))
            .map(saturate)
            .collect();
        let is_whole = meant.len() == size;
        if meant.is_empty() && !is_whole {
            return None;
        }
        let rest = match (is_whole, choice, piece.hunk()) {
            (false, Choice::Rejected, Some(hunk)) => rest(&hunk.lines[block.lines.clone()], &meant),
            _ => Vec::new(),
        };
        Some(Self {
            digest: block.digest.clone(),
            old: block.old.clone(),
            around: block.around.clone(),
            ordinal: block.ordinal,
            lines: (!is_whole).then_some(meant),
            rest,
        })
    }

    /// Returns the places of its lines in a block of `size` lines.
    fn meant(&self, size: usize) -> Vec<usize> {
        match &self.lines {
            None => (0..size).collect(),
            Some(lines) => {
                let lines = lines.iter().map(|at| *at as usize);
                lines.filter(|at| *at < size).collect()
            }
        }
    }

    fn key(&self) -> Key<'_> {
        (&self.digest, &self.around, self.ordinal)
    }

    /// Returns how sure it is that this is the block, among equal ones.
    fn fits(&self, block: &Block) -> (usize, bool, Reverse<u32>) {
        (
            self.around_in_common(block),
            self.ordinal == block.ordinal,
            Reverse(self.ordinal.abs_diff(block.ordinal)),
        )
    }

    /// Whether both are about some of the same lines.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let same_place = self.ordinal == other.ordinal || self.around == other.around;
        let overlap = match (&self.lines, &other.lines) {
            (Some(mine), Some(others)) => mine.iter().any(|line| others.contains(line)),
            _ => true,
        };
        self.digest == other.digest && same_place && overlap
    }

    fn around_in_common(&self, block: &Block) -> usize {
        let pairs = self.around.iter().zip(&block.around);
        pairs.filter(|(mine, other)| mine == other).count()
    }

    /// Returns how much speaks for this block standing where that one was; 0 for nothing.
    fn stood_at(&self, block: &Block) -> usize {
        let same_old = !self.old.is_empty() && self.old == block.old;
        let no_old = self.old.is_empty() && block.old.is_empty();
        let around = self.around_in_common(block);
        match (same_old, no_old, around) {
            (true, ..) => 4 + around,
            // Added lines alone: between the same neighbours.
            (_, true, 2) => 2,
            // Other old lines, between the same neighbours.
            (_, _, 2) => 1,
            _ => 0,
        }
    }

    /// Rewrites decisions about a block of which lines have been taken back: what is left of it is
    /// decided as it was.
    pub(crate) fn after_applied(applied: &[Self], others: &[Self]) -> Vec<Self> {
        let mut kept = Vec::new();
        for other in others {
            let same = |block: &&Self| {
                !block.rest.is_empty()
                    && block.digest == other.digest
                    && block.ordinal == other.ordinal
            };
            match applied.iter().find(same) {
                None => kept.push(other.clone()),
                Some(block) => kept.extend(block.rest.iter().filter_map(|rest| other.within(rest))),
            }
        }
        kept
    }

    /// Returns what it says about lines that are left.
    fn within(&self, rest: &Rest) -> Option<Self> {
        let mine: Vec<u32> = (0..)
            .zip(&rest.lines)
            .filter(|(_, was)| self.lines.as_ref().is_none_or(|lines| lines.contains(was)))
            .map(|(now, _)| now)
            .collect();
        let is_whole = mine.len() == rest.lines.len();
        (!mine.is_empty()).then(|| Self {
            digest: rest.digest.clone(),
            old: rest.old.clone(),
            around: self.around.clone(),
            ordinal: 0,
            lines: (!is_whole).then_some(mine),
            rest: Vec::new(),
        })
    }
}

/// Returns the blocks that are left when some lines of a block are taken back: added ones of them are
/// gone, removed ones stand again and part what is before from what is after.
fn rest(lines: &[Line], taken: &[u32]) -> Vec<Rest> {
    let mut parts: Vec<Vec<usize>> = vec![Vec::new()];
    for (at, line) in lines.iter().enumerate() {
        match (taken.contains(&saturate(at)), line.kind, parts.last_mut()) {
            (true, LineKind::Removed, _) => parts.push(Vec::new()),
            (true, ..) => {}
            (false, _, Some(part)) => part.push(at),
            (false, _, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    let rest = parts.into_iter().map(|part| {
        let left: Vec<Line> = part.iter().map(|at| lines[*at].clone()).collect();
        Rest {
            digest: digest(left.iter().map(Line::written)),
            old: old_hint(&left),
            lines: part.into_iter().map(saturate).collect(),
        }
    });
    rest.collect()
}

/// How a hunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionState {
    /// Nobody has said anything.
    Unseen,
    /// Some of its lines are decided.
    Partly,
    /// All of it is good.
    Accepted,
    /// All of it is to be taken back.
    Rejected,
    /// All of it is decided, some of it one way and some the other.
    Mixed,
    /// It was decided, and reads differently now.
    Changed,
}

impl DecisionState {
    /// Whether nothing is left to be decided.
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Accepted | Self::Rejected | Self::Mixed)
    }

    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Partly => "partly decided",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Mixed => "accepted and rejected",
            Self::Changed => "changed",
        }
    }
}

/// How a piece of a file stands, and each of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HunkState {
    /// How it stands.
    pub state: DecisionState,
    /// What was said to each line of the hunk; nothing to unchanged and to undecided ones.
    pub lines: Vec<Option<Choice>>,
}

/// Says how the pieces of one file stand, by the decisions about that file, oldest first.
///
/// A later decision about the same lines counts. What was taken back and is there again counts as
/// changed.
pub fn states(pieces: &[Piece], decisions: &[&Decision]) -> Vec<HunkState> {
    let mut blocks: Vec<Standing<'_>> = pieces
        .iter()
        .enumerate()
        .flat_map(|(piece, content)| {
            let blocks = content.blocks.iter();
            blocks.map(move |block| Standing::new(piece, block))
        })
        .collect();
    let counted = || decisions.iter().filter(|one| one.withdrawn.is_none());
    let places = places(counted().flat_map(|decision| &decision.blocks), &blocks);
    let mut lost = Vec::new();
    for decision in counted() {
        for decided in &decision.blocks {
            match places.get(&decided.key()) {
                Some(at) => blocks[*at].decide(decided, decision),
                None if decision.applied.is_none() => lost.push(decided),
                None => {}
            }
        }
    }
    for decided in lost {
        let undecided = blocks.iter_mut().filter(|standing| !standing.is_found);
        let likeliest = undecided
            .map(|standing| (decided.stood_at(standing.block), standing))
            .filter(|(fits, _)| *fits > 0)
            .max_by_key(|(fits, _)| *fits);
        if let Some((_, standing)) = likeliest {
            standing.is_changed = true;
        }
    }
    // A piece has one block at least.
    let of_pieces = blocks.chunk_by(|one, next| one.piece == next.piece);
    pieces
        .iter()
        .zip(of_pieces)
        .map(|(piece, blocks)| state(piece, blocks))
        .collect()
}

/// What a decided block goes by, with what tells it from equal ones.
type Key<'a> = (&'a str, &'a [String; 2], u32);

/// Says which block each decided one is: of equal ones each another, as far as there are enough,
/// those first of which it is surest.
fn places<'a>(
    decided: impl Iterator<Item = &'a DecidedBlock>,
    blocks: &[Standing<'_>],
) -> BTreeMap<Key<'a>, usize> {
    let mut equal: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, standing) in blocks.iter().enumerate() {
        equal.entry(&standing.block.digest).or_default().push(at);
    }
    let known: BTreeMap<Key<'a>, &DecidedBlock> = decided
        .filter(|decided| equal.contains_key(decided.digest.as_str()))
        .map(|decided| (decided.key(), decided))
        .collect();
    let mut pairs = Vec::new();
    for (key, decided) in &known {
        let there = equal.get(key.0).map_or(&[][..], Vec::as_slice);
        let mut fits: Vec<_> = there
            .iter()
            .map(|at| (Reverse(decided.fits(blocks[*at].block)), *at))
            .collect();
        fits.sort();
        let likeliest = fits.into_iter().take(EQUAL_MAX);
        pairs.extend(likeliest.map(|(fits, at)| (fits, *key, at)));
    }
    pairs.sort();
    let (mut found, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (_, key, at) in &pairs {
        if !found.contains_key(key) && taken.insert(*at) {
            found.insert(*key, *at);
        }
    }
    // What was decided twice at different times is about one block all the same.
    for (_, key, at) in pairs {
        found.entry(key).or_insert(at);
    }
    found
}

/// How a block stands while decisions are told.
struct Standing<'a> {
    piece: usize,
    block: &'a Block,
    /// What was said to each line; one entry for what has no lines.
    lines: Vec<Option<Choice>>,
    is_found: bool,
    is_changed: bool,
}

impl<'a> Standing<'a> {
    fn new(piece: usize, block: &'a Block) -> Self {
        Self {
            piece,
            block,
            lines: vec![None; block.lines.len().max(1)],
            is_found: false,
            is_changed: false,
        }
    }

    fn decide(&mut self, decided: &DecidedBlock, decision: &Decision) {
        self.is_found = true;
        // What was taken back and stands here again was put back by somebody.
        self.is_changed = decision.applied.is_some();
        if self.is_changed {
            self.lines.fill(None);
            return;
        }
        for at in decided.meant(self.lines.len()) {
            self.lines[at] = Some(decision.choice);
        }
    }
}

fn state(piece: &Piece, blocks: &[Standing<'_>]) -> HunkState {
    let mut lines = vec![None; piece.hunk().map_or(0, |hunk| hunk.lines.len())];
    for standing in blocks {
        for (at, choice) in standing.block.lines.clone().zip(&standing.lines) {
            lines[at] = *choice;
        }
    }
    let all = || blocks.iter().flat_map(|standing| &standing.lines);
    let has = |choice| all().any(|one| *one == Some(choice));
    let state = if blocks.iter().any(|standing| standing.is_changed) {
        DecisionState::Changed
    } else {
        match (
            all().all(Option::is_some),
            has(Choice::Accepted),
            has(Choice::Rejected),
        ) {
            (_, false, false) => DecisionState::Unseen,
            (false, ..) => DecisionState::Partly,
            (true, true, true) => DecisionState::Mixed,
            (true, true, false) => DecisionState::Accepted,
            (true, false, true) => DecisionState::Rejected,
        }
    };
    HunkState { state, lines }
}

#[cfg(test)]
mod tests;
