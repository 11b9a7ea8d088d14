//! How a person steers: words, at once or with the next turn, and what a stop of the agent means.
//!
//! Words are never ignored: while some wait, the agent's stop or claim is only
//! the end of a turn. What a person asks of the run as a whole (to stop) is the
//! engine's; this file says when the step in hand is over. Called by `apply`
//! and by `steps`.

use harness_core::{Event, Goal, RunState, TurnNumber, Urgency};

use super::{Conclusion, Session, Step};
use crate::{
    calls::Call,
    check::{Check, Errand},
    conversation::Conversation,
    drift::Drift,
    talk::Request,
    words,
};

impl Session {
    /// Whether the agent has stopped and a person says how to go on.
    pub(crate) fn is_awaiting_person(&self) -> bool {
        self.talk.request == Request::Awaiting
    }

    /// Whether the agent itself has stopped, and nobody has said anything since.
    pub(crate) const fn has_stopped(&self) -> bool {
        self.talk.idle_answers > 0
    }

    /// Whether something that was begun for the agent has no end yet.
    pub(crate) fn is_in_step(&self) -> bool {
        self.talk.is_in_flight()
            || self.calls.iter().any(Call::is_performed)
            || self
                .besides
                .open
                .as_ref()
                .is_some_and(Conversation::is_in_flight)
            || self.check.as_ref().is_some_and(Check::is_in_flight)
    }

    /// Whether the agent's stop answers a task: its tree is known to be as it was.
    pub(crate) fn is_answer(&self, run: &RunState) -> bool {
        !self.jobs.run() && self.is_answer_so_far(run)
    }

    /// As [`Session::is_answer`], should no job change the tree any more.
    fn is_answer_so_far(&self, run: &RunState) -> bool {
        let is_saved = !self.saving.due && !self.saving.in_flight;
        let unchanged = run.work_start.as_ref() == Some(&self.saving.tree);
        matches!(run.goal, Goal::Task { .. }) && is_saved && unchanged
    }

    pub(super) fn on_said(&mut self, text: &str, urgency: Urgency) {
        self.talk.hear_person(text);
        self.carried.work.hear(text);
        self.interrupting |= urgency == Urgency::Now;
    }

    pub(super) fn on_took_back(&mut self, text: &str) {
        self.talk.take_back(text);
        self.carried.work.take_back(text);
    }

    pub(super) fn on_awaited(&mut self) {
        if self.calls.is_empty() && self.check.is_none() && !self.await_word_on_clashes() {
            self.talk.await_person();
        }
    }

    /// Begins a turn; one that carries a person's words may well repeat what was done before.
    pub(super) fn on_turn(&mut self, turn: TurnNumber) {
        if self.talk.has_words() {
            self.drift = Drift::new(&self.saving.tree, turn);
        }
        self.drift.forget_remarks();
        self.drift.begin_turn(turn);
        self.talk.begin_turn(turn);
        self.mark_turn();
    }

    /// Takes an interruption up again whose process is gone: nothing is in
    /// flight any more. A commit that was goes first, as without the interruption.
    pub(super) fn resume_interruption(&mut self) {
        let was_committing = |check: &Check| check.commit == Errand::InFlight;
        if self.check.as_ref().is_some_and(was_committing) {
            self.interrupting = false;
        }
    }

    /// Brings what is under way to its end because a person has said something
    /// that cannot wait; `None` when there is no such thing.
    pub(super) fn interruption_step(&mut self) -> Option<Step> {
        if !self.interrupting {
            return None;
        }
        if let Some(step) = self.cut_short() {
            return Some(step);
        }
        self.interrupting = false;
        self.talk.give_up_request();
        Some(Step::Again)
    }

    /// The agent stopped without a call: an answer, a nudge, a person's turn, or a claim of being done.
    pub(super) fn after_stop(&mut self, run: &RunState) -> Step {
        if let Some(step) = self.save_if_due() {
            return step;
        }
        if self.saving.in_flight {
            return Step::Wait;
        }
        if self.planning.is_some() {
            return self.after_plan_stop(run);
        }
        if self.talk.request == Request::Claimed {
            return self.claim();
        }
        // What they still write makes it none.
        if self.is_answer_so_far(run)
            && !run.steered
            && let Some(step) = self.stop_jobs()
        {
            return step;
        }
        if self.is_answer(run) && !run.steered {
            self.conclusion = Some(Conclusion::Answered);
            return Step::Again;
        }
        if self.talk.idle_answers <= 1 && !self.is_answer(run) {
            return Step::Record(Event::Nudged {
                text: words::STOPPED.to_owned(),
            });
        }
        if run.steered {
            return Step::Record(Event::PersonAwaited);
        }
        self.claim()
    }

    /// The stop counts as a claim of being done.
    fn claim(&self) -> Step {
        Step::Record(Event::FinishRequested {
            call: None,
            summary: self.talk.last_words.clone(),
        })
    }
}
