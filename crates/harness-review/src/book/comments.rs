//! Comments in a book: written, sent, answered, resolved, and found again.

use std::collections::BTreeSet;

use harness_core::{LineRange, RepoPath, Timestamp};

use super::{Book, BookError, COMMENTS_MAX, ID_DIGITS, TEXT_BYTES_MAX, bound, within};
use crate::{
    AnchorSide, Answer, Author, Change, Comment, CommentKind, CommentState, Heard, Located, Place,
    Side, content_id, message::ANSWER_BYTES_MAX, relocate, text::head,
};

/// The most comments that are not a person's: a person's own always have room.
const OVERHEARD_MAX: usize = 500;

/// A comment as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// How much it weighs.
    pub kind: CommentKind,
    /// What it is about.
    pub place: Place,
    /// What is said.
    pub text: String,
    /// Who says it.
    pub by: Author,
}

/// A comment whose lines are elsewhere now, or not there any more, or there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The comment.
    pub number: u32,
    /// Where its lines are.
    pub to: Located,
}

impl Book {
    /// Writes a comment down; one by a person is a draft until it is sent, others are there at once.
    ///
    /// # Errors
    /// When the text is empty or too long, or there is no room.
    pub fn comment(&mut self, draft: Draft, now: Timestamp) -> Result<&Comment, BookError> {
        checked(&draft.text)?;
        within(self.comments.len() + 1, "comments", COMMENTS_MAX)?;
        let number = self.next_number();
        let facts = [
            now.to_string(),
            number.to_string(),
            draft.place.worded(),
            draft.text.clone(),
        ];
        self.comments.push(Comment {
            id: content_id(ID_DIGITS, facts),
            number,
            kind: draft.kind,
            place: draft.place,
            state: match draft.by {
                Author::Person => CommentState::Draft,
                Author::Agent | Author::Reviewer => CommentState::Sent,
            },
            text: draft.text.trim().to_owned(),
            answers: Vec::new(),
            by: draft.by,
            time: now,
            edited: now,
            moved: now,
            outdated: false,
            withdrawn: None,
        });
        Ok(&self.comments[self.comments.len() - 1])
    }

    /// Writes down what an agent or a reviewer said elsewhere; `from` tells it from everything else
    /// that was said, so that it is written down once, however often it is heard.
    ///
    /// Returns whether it is new. What has no text, is too long or has no room is left out.
    pub fn overhear(&mut self, draft: Draft, from: &[String], time: Timestamp) -> bool {
        let id = content_id(ID_DIGITS, from.iter().cloned());
        let is_known = self.comments.iter().any(|comment| comment.id == id);
        let others = self.comments.iter();
        let others = others
            .filter(|comment| comment.by != Author::Person)
            .count();
        if is_known || others >= OVERHEARD_MAX || self.comment(draft, time).is_err() {
            return false;
        }
        if let Some(comment) = self.comments.last_mut() {
            comment.id = id;
        }
        true
    }

    pub(super) fn next_number(&self) -> u32 {
        let numbers = self.comments.iter().map(|comment| comment.number);
        numbers.max().unwrap_or(0).saturating_add(1)
    }

    /// Returns a comment by its number; none that was taken away.
    pub fn comment_by_number(&self, number: u32) -> Option<&Comment> {
        let mut shown = self.shown();
        shown.find(|comment| comment.number == number)
    }

    /// Iterates over the comments that are shown, by number.
    pub fn shown(&self) -> impl Iterator<Item = &Comment> {
        self.comments
            .iter()
            .filter(|comment| comment.withdrawn.is_none())
    }

    fn found(&mut self, number: u32) -> Result<&mut Comment, BookError> {
        let mut shown = self
            .comments
            .iter_mut()
            .filter(|comment| comment.withdrawn.is_none());
        shown
            .find(|comment| comment.number == number)
            .ok_or(BookError::NoComment { number })
    }

    /// Changes kind and text of a draft.
    ///
    /// # Errors
    /// When there is no such draft, or the text is empty or too long.
    pub fn edit(
        &mut self,
        number: u32,
        kind: CommentKind,
        text: &str,
        now: Timestamp,
    ) -> Result<&Comment, BookError> {
        checked(text)?;
        let comment = self.found(number)?;
        is_unsent(comment)?;
        (comment.kind, comment.edited) = (kind, now);
        text.trim().clone_into(&mut comment.text);
        Ok(comment)
    }

    /// Takes a draft away.
    ///
    /// # Errors
    /// When there is no such draft.
    pub fn withdraw(&mut self, number: u32, now: Timestamp) -> Result<&Comment, BookError> {
        let comment = self.found(number)?;
        is_unsent(comment)?;
        comment.withdrawn = Some(now);
        Ok(comment)
    }

    /// Words the drafts as one message for the agent and returns it with their numbers; nothing is
    /// sent yet. Weightier comments come first, as what has no room waits.
    pub fn drafts(&self) -> (String, Vec<u32>) {
        let mut drafts: Vec<&Comment> = self
            .shown()
            .filter(|comment| comment.state == CommentState::Draft)
            .collect();
        drafts.sort_by_key(|comment| (comment.kind, comment.number));
        crate::drafts(&drafts)
    }

    /// Notes that drafts were sent, and returns how many of the numbers were drafts.
    pub fn sent(&mut self, numbers: &[u32], now: Timestamp) -> usize {
        let drafts = self.comments.iter_mut().filter(|comment| {
            comment.state == CommentState::Draft
                && comment.withdrawn.is_none()
                && numbers.contains(&comment.number)
        });
        drafts
            .map(|comment| (comment.state, comment.moved) = (CommentState::Sent, now))
            .count()
    }

    /// Returns the numbers of the comments that an agent may answer: sent and not resolved.
    pub fn asked(&self) -> BTreeSet<u32> {
        let is_asked = |comment: &&Comment| match comment.state {
            CommentState::Draft => !comment.answers.is_empty(),
            state => matches!(state, CommentState::Sent | CommentState::Answered),
        };
        let asked = self.shown().filter(is_asked);
        asked.map(|comment| comment.number).collect()
    }

    /// Notes what was answered and returns the numbers that it was about.
    ///
    /// What a person answers waits to be sent, as a draft does.
    pub fn answer(&mut self, heard: &[Heard], by: Author, now: Timestamp) -> Vec<u32> {
        let asked = self.asked();
        let mut answered = Vec::new();
        for heard in heard.iter().filter(|heard| asked.contains(&heard.number)) {
            let Ok(comment) = self.found(heard.number) else {
                continue;
            };
            comment.answers.push(Answer {
                time: now,
                by,
                text: head(&heard.text, ANSWER_BYTES_MAX).to_owned(),
            });
            comment.state = match (by, comment.state) {
                // A person who answers asks again, and what they said waits to be sent.
                (Author::Person, _) | (_, CommentState::Draft) => CommentState::Draft,
                (Author::Agent | Author::Reviewer, _) => CommentState::Answered,
            };
            comment.moved = now;
            bound(comment);
            answered.push(heard.number);
        }
        answered
    }

    /// Notes that a person is content with a comment.
    ///
    /// # Errors
    /// When there is no such comment, or it is resolved.
    pub fn resolve(&mut self, number: u32, now: Timestamp) -> Result<&Comment, BookError> {
        let comment = self.found(number)?;
        let open = [
            CommentState::Draft,
            CommentState::Sent,
            CommentState::Answered,
        ];
        is_in(comment, &open)?;
        (comment.state, comment.moved) = (CommentState::Resolved, now);
        Ok(comment)
    }

    /// Opens a resolved comment again.
    ///
    /// # Errors
    /// When there is no such comment, or it is not resolved.
    pub fn reopen(&mut self, number: u32, now: Timestamp) -> Result<&Comment, BookError> {
        let comment = self.found(number)?;
        is_in(comment, &[CommentState::Resolved])?;
        let was = if comment.answers.is_empty() {
            CommentState::Sent
        } else {
            CommentState::Answered
        };
        (comment.state, comment.moved) = (was, now);
        Ok(comment)
    }

    /// Looks for the lines of every comment in the texts of a change, as [`Book::relocate`] does, once
    /// what was said and decided about files that were renamed goes by their new names.
    pub fn follow(&mut self, change: &Change) -> Vec<Moved> {
        let renamed = change.files().iter().filter_map(|file| {
            let was = file.was.as_ref()?;
            change.file(was).is_none().then_some((was, &file.path))
        });
        for (was, path) in renamed {
            let decisions = self.decisions.iter_mut();
            for decision in decisions.filter(|decision| decision.path == *was) {
                decision.path = path.clone();
            }
            for comment in &mut self.comments {
                comment.place.renamed(was, path);
            }
        }
        self.relocate(|path, side| {
            let (_, file) = change.file(path)?;
            let side = match side {
                AnchorSide::Old => &file.old,
                AnchorSide::New => &file.new,
            };
            match side {
                Side::Absent => Some(""),
                side => side.text(),
            }
        })
    }

    /// Looks for the lines of every comment that is not resolved, in texts that the caller gives, and
    /// returns those that are elsewhere, gone, or there again.
    ///
    /// `text` returns the text of one side of a file: the empty one for a file that is gone, `None`
    /// where it is not known, and then nothing is said. A comment that is outdated keeps its lines.
    pub fn relocate<'t>(
        &mut self,
        mut text: impl FnMut(&RepoPath, AnchorSide) -> Option<&'t str>,
    ) -> Vec<Moved> {
        let mut moved = Vec::new();
        for comment in self.comments.iter_mut().filter(|comment| comment.is_open()) {
            let number = comment.number;
            let Some(anchor) = comment.place.anchor_mut() else {
                continue;
            };
            let Some(now) = text(&anchor.path, anchor.side) else {
                continue;
            };
            let to = relocate(anchor, now);
            let lines = to.lines();
            let is_elsewhere = lines.is_some_and(|lines: LineRange| lines != anchor.lines);
            // An anchor whose neighbours have changed learns the new ones, unless its own text has.
            if let Some(lines) = lines {
                let again = anchor.moved_to(now, lines);
                if again.sha256 == anchor.sha256 {
                    *anchor = again;
                } else {
                    anchor.lines = lines;
                }
            }
            let was = std::mem::replace(&mut comment.outdated, lines.is_none());
            if is_elsewhere || was != comment.outdated {
                moved.push(Moved { number, to });
            }
        }
        moved
    }

    /// Returns the open `must-fix` of persons: while there is one, the gate `review` is red.
    pub fn open_must_fix(&self) -> Vec<&Comment> {
        let open = self
            .comments
            .iter()
            .filter(|comment| comment.is_open_must_fix());
        open.collect()
    }
}

fn checked(text: &str) -> Result<(), BookError> {
    let bytes = text.trim().len();
    if bytes == 0 || bytes > TEXT_BYTES_MAX {
        return Err(BookError::Text { bytes });
    }
    Ok(())
}

/// Refuses a comment that somebody else has seen.
fn is_unsent(comment: &Comment) -> Result<(), BookError> {
    if comment.state == CommentState::Draft && comment.answers.is_empty() {
        return Ok(());
    }
    is_in(comment, &[])
}

fn is_in(comment: &Comment, states: &[CommentState]) -> Result<(), BookError> {
    if states.contains(&comment.state) {
        return Ok(());
    }
    Err(BookError::State {
        number: comment.number,
        state: comment.state,
    })
}
