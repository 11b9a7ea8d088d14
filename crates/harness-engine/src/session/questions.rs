//! Questions to a person: put, left for later, answered from outside of the run.
//!
//! A question blocks its feature alone. One that nobody answers ends the work on the feature
//! and keeps its place; what was done until then is put aside and brought back with the answer.
//! Answers are kept by the run, so that one that comes in any state of the session is heard.

use std::time::Duration;

use harness_core::{
    CallEnd, CallId, EndReason, Event, GivenAnswer, Goal, QuestionId, RunState, Timestamp,
};
use harness_tool::Intent;

use super::{Conclusion, Session, Step, steps::ended};
use crate::{Effect, calls::CallState, words};

/// How long the run waits for a person before it goes on with another feature.
///
/// Where no other feature waits, a question is waited for as long as it takes.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10 * 60);

/// The question that is open.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    call: CallId,
    id: Option<QuestionId>,
    since: Timestamp,
    put_off: bool,
}

impl Session {
    pub(super) fn on_question(&mut self, call: CallId, id: Option<QuestionId>, now: Timestamp) {
        let Some(found) = self.calls.find(call).filter(|found| !found.is_over()) else {
            return;
        };
        found.state = CallState::ToAsk;
        self.question = Some(Asked {
            call,
            id,
            since: now,
            put_off: false,
        });
    }

    /// Takes an answer in; one to what was asked in another session, or of nothing, is none.
    pub(super) fn on_answer(&mut self, id: CallId, answer: &str) {
        if self.question.as_ref().is_none_or(|asked| asked.call != id) {
            return;
        }
        self.keep_decided(id, answer);
        self.remember_answer(id, answer);
        if let Some(call) = self
            .calls
            .find(id)
            .filter(|call| call.state == CallState::Running)
        {
            call.answer(words::answered(answer), false);
            self.drift.hear_person();
        }
    }

    /// Takes note of an answer from outside of the run; the next step gives it to the agent.
    pub(super) fn on_answer_taken(&mut self, given: &GivenAnswer) {
        let asked = self.question.as_ref();
        let asked = asked.filter(|asked| asked.id == Some(given.question));
        if let Some(call) = asked.map(|asked| asked.call) {
            self.keep_decided(call, &given.answer);
            self.drift.hear_person();
        }
    }

    pub(super) fn on_put_off(&mut self, call: CallId) {
        let Some(asked) = self.question.as_mut().filter(|asked| asked.call == call) else {
            return;
        };
        asked.put_off = true;
        if let Some(call) = self
            .calls
            .find(call)
            .filter(|call| call.state == CallState::Running)
        {
            call.state = CallState::ToAsk;
        }
    }

    /// Forgets the question with its call; one that the feature was given up for goes on waiting.
    pub(super) fn close_question(&mut self, call: CallId) {
        if self.conclusion.is_none() {
            self.question.take_if(|asked| asked.call == call);
        }
    }

    pub(super) const fn resume_question(&mut self, now: Timestamp) {
        if let Some(asked) = &mut self.question {
            asked.since = now;
        }
    }

    /// Returns the question that the feature was given up for, where an answer can name it.
    pub(crate) fn waiting_question(&self) -> Option<QuestionId> {
        let is_theirs = matches!(
            self.conclusion,
            Some(Conclusion::GivenUp {
                reason: EndReason::NeedsHuman,
                ..
            })
        );
        self.question.as_ref().filter(|_| is_theirs)?.id
    }

    /// Whether the work is put aside although no other feature waits: an answer may come when
    /// another one has the work tree.
    pub(super) fn waits_aside(&self, run: &RunState) -> bool {
        run.goal == Goal::All && self.waiting_question().is_some()
    }

    /// Returns when the question is left for later, where another feature waits.
    pub(crate) fn put_off_at(&self) -> Option<(CallId, Timestamp)> {
        let asked = self.question.as_ref().filter(|asked| !asked.put_off)?;
        let mut calls = self.calls.iter();
        let is_put = calls.any(|call| call.id == asked.call && call.state == CallState::Running);
        is_put.then(|| (asked.call, asked.since.plus(ANSWER_WAIT_MAX)))
    }

    /// Returns the question whose call has no end, with what an answer names it by.
    ///
    /// One that the feature was given up for is open no more, whatever its call comes to: it waits.
    pub(crate) fn open_question(&self) -> Option<(CallId, QuestionId)> {
        let asked = self.question.as_ref();
        let asked = asked.filter(|_| self.conclusion.is_none())?;
        let mut calls = self.calls.iter();
        let is_open = calls.any(|call| call.id == asked.call && !call.is_over());
        asked.id.filter(|_| is_open).map(|id| (asked.call, id))
    }

    /// Takes an answer that came from outside of the run.
    pub(super) fn answer_step(&self, run: &RunState) -> Option<Step> {
        let asked = self.question.as_ref()?;
        let given = run.kept.answer_to(asked.id?)?;
        let mut calls = self.calls.iter();
        let call = calls.find(|call| call.id == asked.call)?;
        let is_open = matches!(call.state, CallState::Running | CallState::ToAsk);
        is_open.then(|| {
            ended(
                call.id,
                CallEnd::Answered {
                    text: words::answered(&given.answer),
                    is_error: false,
                },
            )
        })
    }

    /// Puts a question to the person; without one the feature is theirs.
    pub(super) fn ask(&mut self, id: CallId, attended: bool) -> Step {
        let asked = self.question.as_ref().filter(|asked| asked.call == id);
        let (is_put_off, name) = asked.map_or((false, None), |asked| (asked.put_off, asked.id));
        let Some(call) = self.calls.find(id) else {
            return Step::Wait;
        };
        let Ok(Intent::Ask { text }) = &call.intent else {
            return Step::Wait;
        };
        let question = text.clone();
        if attended && !is_put_off {
            call.state = CallState::Running;
            return Step::Do(Effect::AskPerson { call: id, question });
        }
        Step::Record(Event::FeatureGivenUp {
            reason: EndReason::NeedsHuman,
            detail: words::question_waits(&question, name),
        })
    }
}
