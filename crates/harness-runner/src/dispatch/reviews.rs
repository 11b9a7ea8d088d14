//! The book of the run's review, which a person changes while the run is at work.
//!
//! The book is looked at when a session begins, once a second, and after what the agent has answered.
//! What a run goes by is an event, so that the log alone says why it did what it did. A book that cannot be read
//! is no reason to stop: what was known holds on.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{
    CommentAnswered, Event, Goal, ModelResponded, OpenMustFix, Rejection, ReviewChanged,
    SessionOpened, Timestamp, ToldComment, ToldComments,
};
use harness_review::{
    Author, Book, BookError, Comment, CommentState, Decision, Heard, Kept, drafts, heard,
};
use harness_store::{BookStamp, NotRead, ReviewKey, Store};

use super::Dispatcher;

/// Why the book is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// A session begins, or goes on in another process.
    Opening,
    /// It may have changed.
    Again,
}

/// What is known of the book.
#[derive(Debug)]
pub(super) struct Reviews {
    store: Store,
    /// The state of its file that was looked at; absent while it was not.
    seen: Option<Option<BookStamp>>,
}

impl Reviews {
    pub(super) const fn new(store: Store) -> Self {
        Self { store, seen: None }
    }
}

impl Dispatcher<'_> {
    /// Looks at the book, and takes in what it says otherwise than the session knows.
    pub(super) fn look_at_review(&mut self, looked: Looked) {
        let event = self.review_changed(looked);
        self.queue.extend(event);
    }

    fn review_changed(&mut self, looked: Looked) -> Option<Event> {
        let is_on_its_way = |event: &Event| matches!(event, Event::ReviewChanged(_));
        if self.queue.iter().any(is_on_its_way) {
            return None;
        }
        let is_open = self.engine.session().is_some();
        let is_work = |opened: &&SessionOpened| !matches!(opened.run.goal, Goal::Plan { .. });
        let opened = self.engine.opened().filter(|_| is_open).filter(is_work)?;
        let key = ReviewKey::of_run(opened.run.run);
        let stamp = self.reviews.store.review_stamp(&key);
        if looked == Looked::Again && self.reviews.seen == Some(stamp) {
            return None;
        }
        self.reviews.seen = Some(stamp);
        let found = self.reviews.store.review(&key, parse).ok()?;
        let (none, nothing) = (BTreeMap::new(), ReviewChanged::default());
        let told = self.engine.told_comments().unwrap_or(&none);
        let book = found.book.as_ref();
        let changed = book
            .map(|book| wants(book, told, looked))
            .unwrap_or_default();
        let known = self.engine.person_review().unwrap_or(&nothing);
        let as_known = ReviewChanged {
            told: None,
            opening: false,
            ..changed.clone()
        };
        if changed.told.is_some() {
            // What had no room in one message goes with the next one.
            self.reviews.seen = None;
        }
        let is_news = changed.told.is_some() || as_known != *known;
        is_news.then(|| Event::ReviewChanged(Box::new(changed)))
    }

    /// Follows what a logged event means for the book.
    pub(super) fn follow_review(&mut self, event: &Event) {
        match event {
            Event::ModelResponded(responded) => {
                self.hear_answers(responded);
                self.look_at_review(Looked::Again);
            }
            Event::CommentAnswered(answered) => self.keep_answer(answered),
            // The turn may end here, or the feature with it.
            Event::FinishRequested { .. } | Event::NegativeControlEnded { .. } => {
                self.look_at_review(Looked::Again);
            }
            // What the agent has forgotten it is told again.
            Event::Rewound(_) => self.reviews.seen = None,
            _ => {}
        }
    }

    /// Takes answers that the agent gives in its text, by the numbers of the comments.
    fn hear_answers(&mut self, responded: &ModelResponded) {
        let Some(review) = self.engine.person_review() else {
            return;
        };
        let asked: BTreeSet<u32> = review.asked.iter().copied().collect();
        if asked.is_empty() {
            return;
        }
        for Heard { number, text } in heard(&responded.response.text(), &asked) {
            let call = None;
            let answered = CommentAnswered { call, number, text };
            self.queue
                .push_back(Event::CommentAnswered(Box::new(answered)));
        }
    }

    /// Writes an answer into the book. What cannot be written stands in the log.
    fn keep_answer(&mut self, answered: &CommentAnswered) {
        let Some(opened) = self.engine.opened() else {
            return;
        };
        let key = ReviewKey::of_run(opened.run.run);
        let now = harness_host::clock::now();
        let heard = Heard {
            number: answered.number,
            text: answered.text.clone(),
        };
        let _ = change(&self.reviews.store, &key, |book| {
            book.answer(&[heard], Author::Agent, now);
        });
    }
}

/// Changes a book that is there, under its lock.
pub(crate) fn change(
    store: &Store,
    key: &ReviewKey,
    change: impl FnOnce(&mut Book),
) -> Result<(), String> {
    let changed = store.change_review(key, parse, |found| {
        let Some(mut book) = found.book else {
            return Ok((None, ()));
        };
        change(&mut book);
        let text = book.to_json().map_err(|error| error.to_string())?;
        Ok::<_, String>((Some(text), ()))
    });
    changed.map_err(|error| crate::execute::chain(&error))?
}

/// Reads a book's text for the store.
pub(crate) fn parse(text: &str) -> Result<Book, NotRead> {
    Book::from_json(text).map_err(|error| match error {
        BookError::Malformed(_) => NotRead::Broken(error.to_string()),
        error => NotRead::Refused(error.to_string()),
    })
}

/// Says what a book wants of a run.
fn wants(book: &Book, told: &BTreeMap<u32, Timestamp>, looked: Looked) -> ReviewChanged {
    let open = book.open_must_fix();
    let named = open.iter().take(ReviewChanged::MUST_FIX_MAX);
    let must_fix: Vec<OpenMustFix> = named.map(|comment| must_fix(comment)).collect();
    // What a person answered to somebody else's comment is told as well.
    let has_word = |comment: &Comment| {
        let mut answers = comment.answers.iter();
        comment.by == Author::Person || answers.any(|answer| answer.by == Author::Person)
    };
    let waits = |comment: &&Comment| comment.state == CommentState::Sent && has_word(comment);
    let sent: Vec<&Comment> = book.shown().filter(waits).collect();
    let is_new = |comment: &&&Comment| told.get(&comment.number) != Some(&comment.moved);
    let new: Vec<&Comment> = sent.iter().filter(is_new).copied().collect();
    let pending = book.pending().take(ReviewChanged::REJECTIONS_MAX);
    ReviewChanged {
        more: (open.len() - must_fix.len()) as u64,
        must_fix,
        asked: sent.iter().map(|comment| comment.number).collect(),
        told: message(&new),
        rejections: pending.map(rejection).collect(),
        opening: looked == Looked::Opening,
    }
}

/// Words comments for the agent; what has no room is told of with the next look.
fn message(comments: &[&Comment]) -> Option<ToldComments> {
    let (text, numbers) = drafts(comments);
    let told = comments
        .iter()
        .filter(|comment| numbers.contains(&comment.number));
    let comments: Vec<ToldComment> = told
        .map(|comment| ToldComment {
            number: comment.number,
            since: comment.moved,
        })
        .collect();
    (!comments.is_empty()).then_some(ToldComments { comments, text })
}

fn must_fix(comment: &Comment) -> OpenMustFix {
    OpenMustFix {
        number: comment.number,
        place: bounded(&comment.place.worded()),
        text: bounded(&comment.text),
        waits_for_person: comment.state != CommentState::Sent,
    }
}

fn rejection(decision: &Decision) -> Rejection {
    let patch = match &decision.kept {
        Some(Kept::Lines(patch)) => patch.worded(),
        Some(Kept::Whole(_)) => "[the file as a whole]".to_owned(),
        None => String::new(),
    };
    Rejection {
        id: decision.id.clone(),
        hunk: decision.hunk.to_string(),
        path: decision.path.clone(),
        reason: bounded(&decision.reason),
        patch: bounded(&patch),
    }
}

fn bounded(text: &str) -> String {
    let most = ReviewChanged::TEXT_BYTES_MAX;
    text[..text.floor_char_boundary(most)].to_owned()
}
