//! What follows from a session's state.
//!
//! A step either asks for one record, or for one effect and marks it as under
//! way, so that asking again gives something else. Called by the engine only.

use harness_core::{CallEnd, CallId, EndReason, Event, PlanSet, RunState, Timestamp, Verdict};
use harness_tool::Intent;

use super::{Conclusion, Session, SettingAside};
use crate::{
    Effect,
    breaker::{self, Breakers},
    calls::{Call, CallState},
    check::Errand,
    drift::Remark,
    limits::{self, Used},
    pacing::Pacing,
    retry::{self, Patience, Retry},
    talk::{Request, Talk},
    words,
};

/// What comes next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Log this first.
    Record(Event),
    /// Do this, then ask again.
    Do(Effect),
    /// Something changed within: ask again.
    Again,
    /// Nothing until an event comes.
    Wait,
    /// The session has nothing left to do.
    Over,
}

/// What a session needs to know of its run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) run: &'a RunState,
    /// When the process that drives the run took it up.
    pub(crate) since: Timestamp,
    /// Whether another feature waits for the work tree.
    pub(crate) another_waits: bool,
    /// Whether the run stops after the step in hand.
    pub(crate) stopping: bool,
    /// Why the run stops, where it does.
    pub(crate) stop: Option<&'a (EndReason, String)>,
    /// The providers that fail.
    pub(crate) breakers: &'a Breakers,
    /// What providers have left for the next request.
    pub(crate) pacing: &'a Pacing,
}

impl Session {
    /// Says what is to be done now.
    pub(crate) fn next_step(&mut self, around: Surroundings<'_>, now: Timestamp) -> Step {
        if self.winding {
            let used = self.used(around, now);
            return self
                .settle()
                .or_else(|| self.hand_over_step(around, used))
                .unwrap_or(Step::Over);
        }
        if let Some(step) = self.rewind_step(around.run) {
            return step;
        }
        if let Some(step) = self.overdue_record() {
            return step;
        }
        if self.conclusion.is_some() {
            let used = self.used(around, now);
            return self
                .settle()
                .or_else(|| self.hand_over_step(around, used))
                .or_else(|| self.set_aside(around))
                .unwrap_or(Step::Over);
        }
        if let Some(step) = self.interruption_step() {
            return step;
        }
        // What is in flight ends by itself, and the engine stops the run then.
        if around.stopping {
            return Step::Wait;
        }
        if let Some(step) = self.baseline_step() {
            return step;
        }
        if let Some(step) = self.bring_back_step(around.run) {
            return step;
        }
        if let Some(step) = self.person_review_step(around.run) {
            return step;
        }
        if let Some(step) = self.planned_step() {
            return step;
        }
        if let Some(step) = self.beside_step(around, now) {
            return step;
        }
        if let Some(step) = self.review_step(around) {
            return step;
        }
        if let Some(summary) = &around.run.by_hand {
            return self.by_hand_step(summary);
        }
        if let Some(step) = self.give_up_after_attempts(around.run) {
            return step;
        }
        if !self.calls.is_empty() {
            return self.call_step(around.run);
        }
        if self.check.is_some() {
            return self.check_step();
        }
        self.talk_step(around, now)
    }

    /// Returns a record that is due whatever else goes on.
    fn overdue_record(&self) -> Option<Step> {
        if let Some((reason, detail)) = &self.pending.stop {
            return Some(Step::Record(Event::StopDecided {
                reason: *reason,
                detail: detail.clone(),
            }));
        }
        if let (Some((reason, detail)), None) = (&self.pending.giving_up, &self.conclusion) {
            return Some(Step::Record(Event::FeatureGivenUp {
                reason: *reason,
                detail: detail.clone(),
            }));
        }
        if let Some(step) = self.lost_job() {
            return Some(step);
        }
        let (from, to) = (self.feature.status, self.fitting_status());
        if from != to {
            let reason = self
                .conclusion
                .as_ref()
                .map(Conclusion::to_text)
                .unwrap_or_default();
            let feature = self.feature.id.clone();
            return Some(Step::Record(Event::FeatureStatusChanged {
                feature,
                from,
                to,
                reason,
            }));
        }
        let (path, tokens) = self.pending.documents.front()?;
        Some(Step::Record(Event::DocumentLoaded {
            path: path.clone(),
            tokens: *tokens,
            text: None,
            problem: None,
        }))
    }

    fn call_step(&mut self, run: &RunState) -> Step {
        if let Some(call) = self.calls.next_to_judge() {
            return Step::Record(self.judged(call));
        }
        if self.calls.are_over() {
            self.gather_results();
            return Step::Again;
        }
        if self.check.is_some() {
            return self.check_step();
        }
        if let Some(step) = self.proposal_step() {
            return step;
        }
        if let Some(step) = self.answer_step(run) {
            return step;
        }
        self.act(run)
    }

    /// Makes the record of what the guard says about a call.
    fn judged(&self, call: &Call) -> Event {
        let by_kind = call.intent.as_ref().ok();
        let by_kind =
            by_kind.and_then(|intent| self.judge_kind(intent).or_else(|| self.judge_reply(intent)));
        let verdict = match (&call.intent, &call.action) {
            (Err(fault), _) => Verdict::deny(fault.to_string()),
            _ if let Some(verdict) = by_kind => verdict,
            (Ok(Intent::Request { .. }), _) => self.judge_request(call),
            (Ok(_), Some(action)) => self.guard.judge(action),
            (Ok(_), None) => Verdict::allow("touches nothing", None),
        };
        Event::CallJudged {
            call: call.id,
            tool: call.asked.name.clone(),
            action: call.action.clone(),
            verdict,
        }
    }

    /// Does what can be done for the next call.
    fn act(&mut self, run: &RunState) -> Step {
        let saving = self.saving.in_flight;
        let Some(id) = self.calls.next_to_act().map(|call| call.id) else {
            return Step::Wait;
        };
        let Some(call) = self.calls.iter().find(|call| call.id == id) else {
            return Step::Wait;
        };
        if let CallState::Judged(verdict) = &call.state
            && let Some(asked) = self.approval_wanted(call, verdict)
        {
            return Step::Record(asked);
        }
        if let Some(step) = self.refuse_job(call) {
            return step;
        }
        if self.is_turn_unsaved() && call.may_have_changed() {
            return self.save_if_due().unwrap_or(Step::Wait);
        }
        match &call.state {
            CallState::Answering { text, is_error } => ended(
                id,
                CallEnd::Answered {
                    text: text.clone(),
                    is_error: *is_error,
                },
            ),
            CallState::Orphaned => ended(id, CallEnd::Lost),
            CallState::Judged(verdict) if !verdict.is_allowed() => ended(
                id,
                CallEnd::Refused {
                    reason: verdict.reason.clone(),
                },
            ),
            CallState::ToAsk => self.ask(id, run.attended),
            CallState::ToApprove(_) => self.ask_approval(id, run),
            // What changes files waits until the last state is saved.
            CallState::Judged(_) | CallState::Approved(_) if saving && call.may_have_changed() => {
                Step::Wait
            }
            CallState::Judged(_) => self.carry_out(id, run),
            CallState::Approved(_) => self.carry_out_approved(id),
            CallState::New | CallState::Running | CallState::Asking(_) | CallState::Ended(_) => {
                Step::Wait
            }
        }
    }

    /// Carries out an allowed call.
    fn carry_out(&mut self, id: CallId, run: &RunState) -> Step {
        let is_to_hear_first = self.is_to_hear_first();
        let Some(call) = self.calls.find(id) else {
            return Step::Wait;
        };
        match (&call.intent, &call.action) {
            (Ok(Intent::Act(_) | Intent::Doc { .. }), Some(action)) => {
                match self.guard.permit(action.clone()) {
                    Ok(permit) => {
                        call.state = CallState::Running;
                        Step::Do(Effect::Perform { call: id, permit })
                    }
                    Err(verdict) => ended(
                        id,
                        CallEnd::Refused {
                            reason: verdict.reason,
                        },
                    ),
                }
            }
            (Ok(Intent::Job { .. }), _) => self.tend_job(id),
            (Ok(Intent::Explore { text }), _) => {
                let text = text.clone();
                self.explore(id, &text, run)
            }
            (Ok(Intent::Plan { items }), _) => Step::Record(Event::PlanSet(PlanSet {
                call: id,
                items: items.clone(),
            })),
            (Ok(Intent::Note { text }), _) => Step::Record(Event::NoteTaken { text: text.clone() }),
            (Ok(Intent::Request { .. }), _) => ended(
                id,
                CallEnd::Answered {
                    text: words::OPEN_ALREADY.to_owned(),
                    is_error: false,
                },
            ),
            (Ok(Intent::Ask { text }), _) => Step::Record(Event::QuestionAsked {
                call: id,
                question: text.clone(),
                id: None,
            }),
            // What the person has said may change what there is to be done.
            (Ok(Intent::Finish { .. }), _) if is_to_hear_first => ended(
                id,
                CallEnd::Answered {
                    text: words::WORDS_FOLLOW.to_owned(),
                    is_error: true,
                },
            ),
            (Ok(Intent::Finish { summary }), _) => Step::Record(Event::FinishRequested {
                call: Some(id),
                summary: summary.clone(),
            }),
            (Ok(Intent::Propose { .. }), _) => self.propose(id),
            (Ok(Intent::Reply { comment, text }), _) => {
                let (comment, text) = (*comment, text.clone());
                self.reply(id, comment, &text)
            }
            (Ok(Intent::Check { gate }), _) => {
                let wanted = gate.clone();
                self.check_for(id, wanted.as_deref())
            }
            (Ok(Intent::Act(_) | Intent::Doc { .. }), None) | (Err(_), _) => ended(
                id,
                CallEnd::Refused {
                    reason: "the call makes no sense".to_owned(),
                },
            ),
        }
    }

    fn talk_step(&mut self, around: Surroundings<'_>, now: Timestamp) -> Step {
        match self.talk.request {
            Request::InFlight { .. } | Request::BackingOff { .. } => Step::Wait,
            Request::Ready => self.send(around, now),
            Request::Failed => self.after_failure(around, now),
            Request::Due => self.begin_turn(around, now),
            // A stop is not judged while words wait.
            Request::Idle | Request::Claimed | Request::Awaiting if self.talk.has_words() => {
                self.begin_turn(around, now)
            }
            Request::Idle | Request::Claimed => self.after_stop(around.run),
            Request::Awaiting => self.save_if_due().unwrap_or(Step::Wait),
        }
    }

    /// Sends the request, or holds it back while the provider would refuse it.
    fn send(&mut self, around: Surroundings<'_>, now: Timestamp) -> Step {
        // Another model may have a smaller window.
        let is_full = self.cut_step(around.run);
        if let Some(step) = is_full.or_else(|| self.full_step(around.run)) {
            return step;
        }
        // A retry, or the same request at another model, may be too dear now, or its price unknown.
        let unpaid = self.price_missing(around.run);
        if let Some(step) = unpaid.or_else(|| self.money_step(around, now)) {
            return step;
        }
        let model = &around.run.model;
        if around.pacing.is_short(model, now)
            && let Some(hold) = around.pacing.hold(model, self.talk.need(), now)
        {
            return Step::Record(Event::RequestPaced {
                turn: self.talk.turn,
                delay_ms: u64::try_from(hold.wait.as_millis()).unwrap_or(u64::MAX),
                limit: hold.limit,
                until: hold.until,
            });
        }
        self.talk.request = Request::InFlight { cancelling: false };
        Step::Do(Effect::RequestModel {
            turn: self.talk.turn,
            prompt: self.talk.prompt(),
        })
    }

    fn begin_turn(&mut self, around: Surroundings<'_>, now: Timestamp) -> Step {
        if let Some(step) = self.save_if_due() {
            return step;
        }
        let used = self.used(around, now);
        if let Some(step) = self.price_missing(around.run) {
            return step;
        }
        if let Some(step) = self.cut_step(around.run) {
            return step;
        }
        let ahead = self.ahead(around.run, self.talk.estimate());
        let limits = &around.run.policy.limits;
        if let Some(reached) = limits::reached(limits, &self.feature, used, ahead) {
            return Step::Record(reached.into_event());
        }
        if let Some(step) = self.full_step(around.run) {
            return step;
        }
        if let Some(step) = self.warning_step(around.run, used) {
            return step;
        }
        if let Some(step) = self.inform_step() {
            return step;
        }
        if let Some(step) = self.drift_step() {
            return step;
        }
        if let Some(text) = self.pending.nudge {
            return Step::Record(Event::Nudged {
                text: text.to_owned(),
            });
        }
        Step::Record(Event::TurnStarted {
            turn: self.talk.turn.next(),
        })
    }

    /// Tells the agent that its work goes nowhere, or gives the feature up; a person's words go first.
    fn drift_step(&self) -> Option<Step> {
        if self.talk.has_words() {
            return None;
        }
        Some(Step::Record(match self.drift.remark()? {
            Remark::Nudge(text) => Event::Nudged { text: text.clone() },
            Remark::GiveUp(reason, detail) => Event::FeatureGivenUp {
                reason: *reason,
                detail: detail.clone(),
            },
        }))
    }

    /// Gives the feature up as soon as its attempts are used up: one answer can hold several claims.
    fn give_up_after_attempts(&self, run: &RunState) -> Option<Step> {
        if self.attempts < self.attempts_max(run) {
            return None;
        }
        let detail = words::attempts_used_up(self.attempts, &self.story.refusals);
        Some(Step::Record(Event::FeatureGivenUp {
            reason: EndReason::GatesRed,
            detail,
        }))
    }

    pub(super) fn attempts_max(&self, run: &RunState) -> u32 {
        self.feature
            .budget
            .attempts
            .unwrap_or(run.policy.limits.attempts)
            .max(1)
    }

    /// Stops where what is left does not pay the request that is ready.
    fn money_step(&self, around: Surroundings<'_>, now: Timestamp) -> Option<Step> {
        let ahead = self.ahead(around.run, self.talk.estimate());
        let limits = &around.run.policy.limits;
        let forbidden = limits::unpaid(limits, &self.feature, self.used(around, now), ahead)?;
        Some(Step::Record(forbidden.into_event()))
    }

    fn used(&self, around: Surroundings<'_>, now: Timestamp) -> Used {
        self.used_of(around.run, around.since, now)
    }

    fn after_failure(&mut self, around: Surroundings<'_>, now: Timestamp) -> Step {
        let run = around.run;
        if let Some(step) = self.overflow_step(run) {
            return step;
        }
        let Some((failures, failure)) = &self.talk.failures else {
            return Step::Wait;
        };
        let seed = u64::from(run.run.number()) << 32 | u64::from(self.talk.turn.0);
        let patience = Patience::of(run.attended, &run.policy.limits);
        let decision = retry::decide(failure, *failures, patience, seed, now);
        let is_given_up = decision == Retry::GiveUp;
        if let Some(model) = breaker::successor(run, around.breakers, failure, is_given_up, now) {
            return Step::Record(Event::ModelChanged {
                from: run.model.name.clone(),
                model: model.clone(),
                reason: failure.message.clone(),
            });
        }
        match decision {
            Retry::After(delay) => Step::Record(Event::ProviderRetried {
                turn: self.talk.turn,
                attempt: failures.count,
                delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                reason: failure.message.clone(),
            }),
            Retry::GiveUp => Step::Record(Event::StopDecided {
                reason: EndReason::ProviderFailed,
                detail: failure.message.clone(),
            }),
        }
    }

    pub(super) fn save_if_due(&mut self) -> Option<Step> {
        if !self.saving.due || self.saving.in_flight {
            return None;
        }
        self.saving.due = false;
        self.saving.in_flight = true;
        Some(Step::Do(Effect::SaveCheckpoint {
            number: self.saving.next,
        }))
    }

    /// Brings everything under way to its end; `None` when nothing is left.
    fn settle(&mut self) -> Option<Step> {
        if let Some(step) = self.cut_short() {
            return Some(step);
        }
        // Before the last checkpoint, so that it holds what they have written.
        if let Some(step) = self.stop_jobs() {
            return Some(step);
        }
        if self.bring_back.is_in_flight() || self.is_rewinding() || self.is_turning_down() {
            return Some(Step::Wait);
        }
        let is_waiting = self.saving.in_flight || self.aside == SettingAside::InFlight;
        self.save_if_due()
            .or_else(|| is_waiting.then_some(Step::Wait))
    }

    /// Brings what is done for the agent to its end; `None` when nothing is left.
    pub(super) fn cut_short(&mut self) -> Option<Step> {
        // A person's word is never cut short: it is a moment's work.
        if let Some(step) = self.settle_proposal() {
            return Some(step);
        }
        if let Some(step) = self.cut_beside() {
            return Some(step);
        }
        if let Some(step) = cancel_request(&mut self.talk) {
            return Some(step);
        }
        if let Some(check) = &mut self.check {
            // A commit is never cut short: it is proven and cheap.
            if check.is_in_flight() {
                let asked = std::mem::replace(&mut check.cancelling, true);
                let cancel = !asked && check.commit != Errand::InFlight;
                return Some(if cancel {
                    self.cancel_work()
                } else {
                    Step::Wait
                });
            }
            self.check = None;
        }
        if let Some(step) = self.settle_calls() {
            return Some(step);
        }
        if !self.calls.is_empty() {
            self.gather_results();
        }
        None
    }

    /// Cancels the gates on the base with the rest; they are asked for again if the session goes on.
    pub(super) fn cancel_work(&mut self) -> Step {
        self.baseline.asked = false;
        Step::Do(Effect::CancelWork)
    }

    /// Cancels what runs for calls, records the end of every other call, and waits for the rest.
    fn settle_calls(&mut self) -> Option<Step> {
        let mut cancel = false;
        for call in self.calls.iter_mut().filter(|call| call.is_performed()) {
            cancel |= !std::mem::replace(&mut call.cancelling, true);
        }
        if cancel {
            return Some(self.cancel_work());
        }
        let passed = self.conclusion == Some(Conclusion::Passed);
        let can_end = |call: &&Call| !call.is_over() && !call.is_performed();
        if let Some(call) = self.calls.iter().find(can_end) {
            return Some(ended(call.id, early_end(call, passed)));
        }
        (!self.calls.are_over()).then_some(Step::Wait)
    }

    /// Takes unproven work out of the way when another feature waits for the work tree.
    fn set_aside(&mut self, around: Surroundings<'_>) -> Option<Step> {
        let unproven = matches!(self.conclusion, Some(Conclusion::GivenUp { .. }));
        let changed = around.run.work_start.as_ref() != Some(&self.saving.tree);
        let is_wanted = around.another_waits || self.waits_aside(around.run);
        if !unproven || !changed || !is_wanted {
            return None;
        }
        match self.aside {
            SettingAside::Open => {
                self.aside = SettingAside::InFlight;
                Some(Step::Do(Effect::SetAside))
            }
            SettingAside::InFlight | SettingAside::Done => None,
        }
    }
}

/// Brings the request in flight of a conversation to its end; `None` where there is none.
pub(super) fn cancel_request(talk: &mut Talk) -> Option<Step> {
    let is_to_ask = talk.cancel()?;
    Some(if is_to_ask {
        Step::Do(Effect::CancelModel)
    } else {
        Step::Wait
    })
}

/// Says how a call ends that is not carried out any more.
fn early_end(call: &Call, passed: bool) -> CallEnd {
    match &call.state {
        CallState::Running if passed && matches!(call.intent, Ok(Intent::Finish { .. })) => {
            CallEnd::Answered {
                text: words::PASSED.to_owned(),
                is_error: false,
            }
        }
        CallState::Answering { text, is_error } => CallEnd::Answered {
            text: text.clone(),
            is_error: *is_error,
        },
        CallState::Orphaned => CallEnd::Lost,
        CallState::Judged(verdict) if !verdict.is_allowed() => CallEnd::Refused {
            reason: verdict.reason.clone(),
        },
        _ => CallEnd::Cancelled,
    }
}

pub(super) fn ended(call: CallId, end: CallEnd) -> Step {
    Step::Record(Event::CallEnded { call, end, ms: 0 })
}
