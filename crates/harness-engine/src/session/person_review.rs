//! A person's review of the change, while the agent works on it.
//!
//! The book of the review stands outside; what it wants comes as an event. Sent comments are a
//! person's words. What was rejected is taken back at the end of the turn, when nothing is in
//! flight and the files are saved, and the agent is told why. While a comment must be fixed, the
//! gate `review` is red: a finish is refused, or where only the person's word is missing, waits for it.
//! Called by `apply` and by `steps`.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{
    CallId, CommentAnswered, EndReason, Event, Rejection, ReviewChanged, RunState, Timestamp,
    TurnedDown, TurnedDownEnd, TurnedDownPart,
};
use harness_tool::Intent;

use super::{
    Session,
    steps::{Step, ended},
};
use crate::{
    Effect, Engine,
    check::{Check, Errand},
    talk::Request,
    words::person_review as words,
};

/// What a session knows of the review.
#[derive(Debug, Default)]
pub(super) struct PersonReview {
    /// What the book says; what the agent was told is not kept in it.
    now: ReviewChanged,
    /// What the agent was told, by comment, with the time it was sent.
    told: BTreeMap<u32, Timestamp>,
    /// Rejections that were handed on and whose end is not known: the book may know it already.
    taking: Vec<Rejection>,
    /// Rejections that are settled, by id.
    settled: BTreeSet<String>,
    in_flight: bool,
    /// What a person has to decide anew.
    clashes: Vec<TurnedDownPart>,
    /// Why what was rejected could not be taken back at all.
    problem: Option<String>,
    /// Whether the tool that answers comments is offered.
    offers_reply: bool,
}

impl PersonReview {
    fn waiting(&self) -> impl Iterator<Item = &Rejection> {
        let is_open = |rejection: &&Rejection| !self.settled.contains(&rejection.id);
        let is_new = |rejection: &&Rejection| !self.taking.iter().any(|one| one.id == rejection.id);
        let new = self.now.rejections.iter().filter(is_new);
        self.taking.iter().chain(new).filter(is_open)
    }

    fn is_red(&self) -> bool {
        !self.now.must_fix.is_empty()
    }

    /// Returns what the agent was told so far, for a way back to this moment.
    pub(super) fn told(&self) -> BTreeMap<u32, Timestamp> {
        self.told.clone()
    }

    /// Takes back what the agent has forgotten of the comments: it is to be told again.
    pub(super) fn forget_told(&mut self, told: &BTreeMap<u32, Timestamp>) {
        self.told.clone_from(told);
    }

    /// Takes up what was in flight in another process: it is done again.
    pub(super) const fn resume(&mut self) {
        self.in_flight = false;
    }
}

impl Engine {
    /// Returns the person's review as the open session knows it.
    pub fn person_review(&self) -> Option<&ReviewChanged> {
        self.session.as_ref().map(Session::person_review)
    }

    /// Returns which comments of the review the agent was told of, with the time each was sent.
    pub fn told_comments(&self) -> Option<&BTreeMap<u32, Timestamp>> {
        self.session.as_ref().map(Session::told_comments)
    }
}

impl Session {
    /// Returns the review as the session knows it.
    pub(crate) const fn person_review(&self) -> &ReviewChanged {
        &self.person_review.now
    }

    /// Returns which comments the agent was told of.
    pub(crate) const fn told_comments(&self) -> &BTreeMap<u32, Timestamp> {
        &self.person_review.told
    }

    pub(super) fn on_review_changed(&mut self, changed: &ReviewChanged) {
        // A plan changes no file, so there is nothing to review.
        if self.planning.is_some() {
            return;
        }
        let review = &mut self.person_review;
        review.now = ReviewChanged {
            told: None,
            opening: false,
            ..changed.clone()
        };
        let Some(told) = &changed.told else {
            return;
        };
        let comments = told.comments.iter();
        review
            .told
            .extend(comments.map(|comment| (comment.number, comment.since)));
        review.offers_reply = true;
        self.talk.offer(harness_tool::reply_spec());
        self.talk.hear_person(&told.text);
        self.interrupting |= changed.opening;
    }

    pub(super) fn on_turned_down(&mut self, turned: &TurnedDown) {
        if !std::mem::take(&mut self.person_review.in_flight) {
            return;
        }
        if !turned.problem.is_empty() {
            self.person_review.problem = Some(turned.problem.clone());
            return;
        }
        let is_applied = |part: &&TurnedDownPart| part.end == TurnedDownEnd::Applied;
        let applied: BTreeSet<&str> = turned
            .parts
            .iter()
            .filter(is_applied)
            .map(|part| part.id.as_str())
            .collect();
        let down: Vec<Rejection> = self
            .person_review
            .waiting()
            .filter(|rejection| applied.contains(rejection.id.as_str()))
            .cloned()
            .collect();
        if !down.is_empty() {
            self.talk.hear_person(&words::turned_down(&down));
            // Files have changed: a checkpoint of its own.
            self.saving.due = true;
            self.check = None;
        }
        let clashes = turned.parts.iter();
        let clashes = clashes.filter(|part| matches!(part.end, TurnedDownEnd::Clash { .. }));
        self.person_review.clashes.extend(clashes.cloned());
        let ids = turned.parts.iter().map(|part| part.id.clone());
        self.person_review.settled.extend(ids);
        self.person_review.taking.clear();
    }

    pub(super) fn on_comment_answered(&mut self, answered: &CommentAnswered) {
        let review = &mut self.person_review;
        review.now.asked.retain(|number| *number != answered.number);
        let must_fix = review.now.must_fix.iter_mut();
        for comment in must_fix.filter(|comment| comment.number == answered.number) {
            comment.waits_for_person = true;
        }
        if let Some(call) = answered.call.and_then(|id| self.calls.find(id)) {
            call.answer(words::REPLIED.to_owned(), false);
        }
    }

    /// Answers a comment for the agent.
    pub(super) fn reply(&self, id: CallId, comment: u32, text: &str) -> Step {
        if !self.person_review.now.asked.contains(&comment) {
            return ended(
                id,
                harness_core::CallEnd::Answered {
                    text: words::no_such_comment(comment, &self.person_review.now.asked),
                    is_error: true,
                },
            );
        }
        Step::Record(Event::CommentAnswered(Box::new(CommentAnswered {
            call: Some(id),
            number: comment,
            text: text.to_owned(),
        })))
    }

    /// Says why a reply makes no sense where no comment was sent.
    pub(super) fn judge_reply(&self, intent: &Intent) -> Option<harness_core::Verdict> {
        let is_reply = matches!(intent, Intent::Reply { .. });
        let is_offered = self.person_review.offers_reply;
        (is_reply && !is_offered).then(|| harness_core::Verdict::deny(words::NO_COMMENTS))
    }

    /// Says what the review wants before anything else is done; `None` where it wants nothing.
    pub(super) fn person_review_step(&mut self, run: &RunState) -> Option<Step> {
        if self.person_review.in_flight {
            return Some(Step::Wait);
        }
        if let Some(problem) = self.person_review.problem.clone() {
            return Some(Step::Record(Event::StopDecided {
                reason: EndReason::Failed,
                detail: format!("cannot take back what was rejected: {problem}"),
            }));
        }
        self.turn_down_step()
            .or_else(|| self.clash_step(run))
            .or_else(|| self.must_fix_step(run))
    }

    /// Takes back what was rejected, at the end of the turn.
    fn turn_down_step(&mut self) -> Option<Step> {
        self.person_review.waiting().next()?;
        if !self.calls.is_empty() || self.check.is_some() {
            return None;
        }
        let is_between = matches!(
            self.talk.request,
            Request::Due | Request::Idle | Request::Claimed | Request::Awaiting
        );
        if !is_between {
            return None;
        }
        // What goes on writing would write over what is taken back.
        if let Some(step) = self.stop_jobs() {
            return Some(step);
        }
        if let Some(step) = self.save_if_due() {
            return Some(step);
        }
        if self.saving.in_flight || self.bring_back.is_in_flight() {
            return Some(Step::Wait);
        }
        self.person_review.in_flight = true;
        let rejections: Vec<Rejection> = self.person_review.waiting().cloned().collect();
        self.person_review.taking.clone_from(&rejections);
        Some(Step::Do(Effect::TurnDown(rejections)))
    }

    /// Asks the person about what could not be taken back: where they can talk, the agent waits for
    /// their words; else the run is theirs.
    fn clash_step(&mut self, run: &RunState) -> Option<Step> {
        if self.person_review.clashes.is_empty() {
            return None;
        }
        if run.steered {
            let is_between = self.calls.is_empty() && self.check.is_none();
            if self.talk.has_words() || self.talk.request == Request::Awaiting {
                self.person_review.clashes.clear();
                return None;
            }
            let can_wait = matches!(self.talk.request, Request::Due | Request::Idle);
            return (is_between && can_wait).then_some(Step::Record(Event::PersonAwaited));
        }
        let detail = words::clashes(&self.person_review.clashes);
        Some(Step::Record(Event::StopDecided {
            reason: EndReason::NeedsHuman,
            detail,
        }))
    }

    /// Waits for the person's words about what could not be taken back; `false` where that is not why.
    pub(super) fn await_word_on_clashes(&mut self) -> bool {
        let is_why = !self.person_review.clashes.is_empty();
        if is_why && matches!(self.talk.request, Request::Due | Request::Idle) {
            self.talk.request = Request::Awaiting;
            self.person_review.clashes.clear();
        }
        is_why
    }

    /// Refuses a finish while a comment must be fixed, before anything is run for it and before it is
    /// committed.
    fn must_fix_step(&self, run: &RunState) -> Option<Step> {
        let has_rejections = self.person_review.waiting().next().is_some();
        if !self.person_review.is_red() && !has_rejections {
            return None;
        }
        // What looks at the change ends first, and it may be a reviewer's conversation.
        let is_looked_at = self.besides.open.is_some();
        let stands_before = |check: &&Check| {
            let is_proven = check.control == Errand::Done
                && check.commit == Errand::Due
                && check.is_green()
                && !check.is_in_flight()
                && !is_looked_at;
            check.is_finish() && (check.freeze == Errand::Due || is_proven)
        };
        self.check.as_ref().filter(stands_before)?;
        if has_rejections {
            return Some(Step::Record(Event::FinishRefused {
                reason: words::TURNED_DOWN_FIRST.to_owned(),
                findings: Vec::new(),
            }));
        }
        let review = &self.person_review.now;
        let waits_for_person = review
            .must_fix
            .iter()
            .all(|comment| comment.waits_for_person);
        if waits_for_person && run.by_hand.is_none() {
            if run.steered && !self.talk.has_words() {
                // The person is there: their word lets it go on, or they say something else.
                return Some(Step::Wait);
            }
            if !run.steered {
                return Some(Step::Record(Event::StopDecided {
                    reason: EndReason::NeedsHuman,
                    detail: words::waits_for_person(review),
                }));
            }
        }
        Some(Step::Record(Event::FinishRefused {
            reason: words::refusal(review),
            findings: Vec::new(),
        }))
    }

    /// Returns what the agent is told of a finish that the review refused.
    pub(super) fn told_of_must_fix(&self, reason: &str) -> Option<String> {
        let review = &self.person_review.now;
        let is_ours = self.person_review.is_red() && reason == words::refusal(review);
        is_ours.then(|| words::must_fix(review))
    }

    /// Whether the agent has something to hear before its claim means anything.
    pub(super) fn is_to_hear_first(&self) -> bool {
        self.talk.has_words() || self.person_review.waiting().next().is_some()
    }

    /// Whether what was rejected is being taken back.
    pub(super) const fn is_turning_down(&self) -> bool {
        self.person_review.in_flight
    }

    pub(super) fn resume_person_review(&mut self) {
        self.person_review.resume();
        self.person_review.problem = None;
        self.person_review.clashes.clear();
    }
}
