//! Putting two books together that two faces wrote at the same time.
//!
//! Everything in either is in the result. What both have is known by its id, and the later of two
//! changes counts; the order in which two books are put together makes no difference.

use std::{collections::BTreeMap, mem};

use super::{Book, bound};
use crate::{Comment, CommentState, Decision};

impl Book {
    /// Puts another book of the same review into this one.
    ///
    /// A comment keeps its number; where two have the same one, the one that was sent keeps it, or
    /// the older one, and the other gets a number that is free. Returns the numbers that changed:
    /// what it was called, and what it is called now.
    pub fn merge(&mut self, other: Self) -> Vec<(u32, u32)> {
        if (other.based, &other.base) > (self.based, &self.base) {
            (self.base, self.based) = (other.base, other.based);
        }
        let mut decisions: BTreeMap<String, Decision> = BTreeMap::new();
        for decision in mem::take(&mut self.decisions)
            .into_iter()
            .chain(other.decisions)
        {
            match decisions.get_mut(&decision.id) {
                Some(known) => merge_decision(known, decision),
                None => _ = decisions.insert(decision.id.clone(), decision),
            }
        }
        self.decisions = decisions.into_values().collect();
        self.decisions
            .sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        let mut comments: BTreeMap<String, Comment> = BTreeMap::new();
        for comment in mem::take(&mut self.comments)
            .into_iter()
            .chain(other.comments)
        {
            match comments.get_mut(&comment.id) {
                Some(known) => merge_comment(known, comment),
                None => _ = comments.insert(comment.id.clone(), comment),
            }
        }
        self.comments = comments.into_values().collect();
        self.renumber()
    }

    /// Gives every comment a number of its own.
    fn renumber(&mut self) -> Vec<(u32, u32)> {
        let is_draft = |comment: &Comment| comment.state == CommentState::Draft;
        self.comments.sort_by(|a, b| {
            let key = |comment: &Comment| (comment.number, is_draft(comment), comment.time);
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        let mut next = self.next_number();
        let (mut last, mut changed) = (0, Vec::new());
        for comment in &mut self.comments {
            if comment.number == last {
                changed.push((comment.number, next));
                comment.number = next;
                next = next.saturating_add(1);
            } else {
                last = comment.number;
            }
        }
        self.comments.sort_by_key(|comment| comment.number);
        changed
    }
}

fn merge_decision(known: &mut Decision, other: Decision) {
    // The earlier of two that took it back is when it happened; so it is with carrying it out.
    known.withdrawn = earlier(known.withdrawn, other.withdrawn);
    known.applied = earlier(known.applied, other.applied);
    if known.withdrawn.is_some() || known.applied.is_some() {
        known.kept = None;
    }
    // What is left of a block is told by fewer lines of it.
    let key = |decision: &Decision| serde_json::to_string(&decision.blocks).unwrap_or_default();
    let (mine, theirs) = (key(known), key(&other));
    if (theirs.len(), &theirs) < (mine.len(), &mine) {
        known.blocks = other.blocks;
    }
}

fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn merge_comment(known: &mut Comment, other: Comment) {
    // A place that was found counts more than one that was not; any rule does for the rest.
    let place = |comment: &Comment| {
        let place = serde_json::to_string(&comment.place).unwrap_or_default();
        (!comment.outdated, place)
    };
    if place(&other) > place(known) {
        (known.place, known.outdated) = (other.place.clone(), other.outdated);
    }
    if (other.edited, other.kind, &other.text) > (known.edited, known.kind, &known.text) {
        (known.edited, known.kind) = (other.edited, other.kind);
        known.text = other.text;
    }
    if (other.moved, other.state) > (known.moved, known.state) {
        (known.moved, known.state) = (other.moved, other.state);
    }
    // What was edited after it was sent elsewhere has to be sent again.
    if known.state == CommentState::Sent && known.edited > known.moved {
        known.state = CommentState::Draft;
    }
    known.withdrawn = match known.state {
        // What one face sent, another cannot have taken away unseen.
        CommentState::Draft => earlier(known.withdrawn, other.withdrawn),
        _ => None,
    };
    // A number only ever changed to make room, and then it grew.
    known.number = known.number.max(other.number);
    known.answers.extend(other.answers);
    known.answers.sort();
    known.answers.dedup();
    bound(known);
}
