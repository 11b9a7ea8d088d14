//! Decisions in a book: made, taken back, carried out.

use std::collections::BTreeSet;

use harness_core::{RepoPath, Timestamp};

use super::{Book, BookError, DECISIONS_MAX, ID_DIGITS, KEPT_BYTES_MAX, TEXT_BYTES_MAX, within};
use crate::{Choice, Chosen, DecidedBlock, Decision, FileChange, Kept, content_id, states};

impl Book {
    /// Decides chosen lines of a piece of a file, or all of it.
    ///
    /// Earlier decisions about the same lines count no longer; a rejection that waited is dropped
    /// with them, so that what is accepted in the end is not taken back.
    ///
    /// # Errors
    /// When there is nothing changed there, the reason is too long, or there is no room.
    pub fn decide(
        &mut self,
        file: &FileChange,
        piece: usize,
        chosen: &Chosen,
        (choice, reason): (Choice, &str),
        now: Timestamp,
    ) -> Result<&Decision, BookError> {
        let nothing = || BookError::NothingThere {
            path: file.path.clone(),
        };
        if reason.len() > TEXT_BYTES_MAX {
            return Err(BookError::Text {
                bytes: reason.len(),
            });
        }
        within(self.decisions.len() + 1, "decisions", DECISIONS_MAX)?;
        let piece = file.pieces().get(piece).ok_or_else(nothing)?;
        let blocks = DecidedBlock::all(piece, chosen, choice);
        if blocks.is_empty() {
            return Err(nothing());
        }
        let kept = match choice {
            Choice::Rejected => Kept::of(file, piece, chosen),
            Choice::Accepted => None,
        };
        self.has_room_for(kept.as_ref())?;
        self.overrule(&file.path, &blocks, now);
        let facts = [
            now.to_string(),
            piece.id.to_string(),
            format!("{choice:?} {blocks:?} {}", self.decisions.len()),
        ];
        self.decisions.push(Decision {
            id: content_id(ID_DIGITS, facts),
            time: now,
            choice,
            path: file.path.clone(),
            hunk: piece.id.clone(),
            blocks,
            reason: reason.trim().to_owned(),
            kept,
            applied: None,
            withdrawn: None,
        });
        Ok(&self.decisions[self.decisions.len() - 1])
    }

    /// Decides every piece of a file that is not decided yet, and returns how many those were.
    ///
    /// # Errors
    /// As [`Book::decide`]; what was decided before the error stays decided.
    pub fn decide_rest(
        &mut self,
        file: &FileChange,
        (choice, reason): (Choice, &str),
        now: Timestamp,
    ) -> Result<usize, BookError> {
        let decisions: Vec<&Decision> = self.decisions_of(&file.path).collect();
        let states = states(file.pieces(), &decisions);
        let open = states.iter().enumerate();
        let open: Vec<usize> = open
            .filter(|(_, hunk)| !hunk.state.is_decided())
            .map(|(piece, _)| piece)
            .collect();
        for piece in &open {
            self.decide(file, *piece, &Chosen::All, (choice, reason), now)?;
        }
        Ok(open.len())
    }

    fn has_room_for(&self, kept: Option<&Kept>) -> Result<(), BookError> {
        let pending = self
            .decisions
            .iter()
            .filter_map(|decision| decision.kept.as_ref());
        match kept {
            None => Ok(()),
            Some(kept) => within(
                pending.map(Kept::bytes).sum::<usize>() + kept.bytes(),
                "bytes of rejections that wait",
                KEPT_BYTES_MAX,
            ),
        }
    }

    /// Takes back rejections that wait and are about some of these lines.
    fn overrule(&mut self, path: &RepoPath, blocks: &[DecidedBlock], now: Timestamp) {
        let pending = self
            .decisions
            .iter_mut()
            .filter(|decision| decision.is_pending() && decision.path == *path);
        for decision in pending {
            let meets = |mine: &DecidedBlock| blocks.iter().any(|other| mine.meets(other));
            if decision.blocks.iter().any(meets) {
                decision.withdrawn = Some(now);
                decision.kept = None;
            }
        }
    }

    /// Takes the last decision back that counts; `None` where there is none.
    ///
    /// A rejection that was carried out is passed over: undoing a checkpoint undoes that.
    pub fn undo_last(&mut self, now: Timestamp) -> Option<&Decision> {
        let counts =
            |decision: &&mut Decision| decision.withdrawn.is_none() && decision.applied.is_none();
        let last = self.decisions.iter_mut().rev().find(counts)?;
        last.withdrawn = Some(now);
        last.kept = None;
        Some(last)
    }

    /// Takes every decision that counts about a piece of a file back, and returns how many.
    pub fn undecide(&mut self, file: &FileChange, piece: usize, now: Timestamp) -> usize {
        let Some(piece) = file.pieces().get(piece) else {
            return 0;
        };
        let blocks = DecidedBlock::all(piece, &Chosen::All, Choice::Accepted);
        let mut undone = 0;
        for decision in &mut self.decisions {
            let meets = |mine: &DecidedBlock| blocks.iter().any(|other| mine.meets(other));
            let counts = decision.withdrawn.is_none() && decision.applied.is_none();
            if counts && decision.path == file.path && decision.blocks.iter().any(meets) {
                decision.withdrawn = Some(now);
                decision.kept = None;
                undone += 1;
            }
        }
        undone
    }

    /// Iterates over the decisions about a file that count, oldest first.
    pub fn decisions_of<'a>(&'a self, path: &'a RepoPath) -> impl Iterator<Item = &'a Decision> {
        let counts = |decision: &&Decision| decision.withdrawn.is_none();
        let of_file = move |decision: &&Decision| decision.path == *path;
        self.decisions.iter().filter(counts).filter(of_file)
    }

    /// Iterates over the rejections that wait for the end of the turn, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Decision> {
        self.decisions
            .iter()
            .filter(|decision| decision.is_pending())
    }

    /// Notes that rejections were carried out, and keeps what was said about the lines that are left
    /// of their blocks. Returns how many of them waited.
    pub fn applied(&mut self, ids: &BTreeSet<String>, now: Timestamp) -> usize {
        let mut count = 0;
        for at in 0..self.decisions.len() {
            if !self.decisions[at].is_pending() || !ids.contains(&self.decisions[at].id) {
                continue;
            }
            count += 1;
            let decision = &mut self.decisions[at];
            (decision.applied, decision.kept) = (Some(now), None);
            let (blocks, path) = (decision.blocks.clone(), decision.path.clone());
            for (other, decision) in self.decisions.iter_mut().enumerate() {
                if other != at && decision.path == path && decision.applied.is_none() {
                    decision.blocks = DecidedBlock::after_applied(&blocks, &decision.blocks);
                }
            }
        }
        count
    }
}
