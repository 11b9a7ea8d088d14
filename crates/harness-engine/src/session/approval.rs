//! What waits for a person's word: asked once, answered by a person alone, and asked
//! again where the process is gone that had heard the answer.
//!
//! An answer in the log is known, but it is no permit: what was approved is given
//! to the runner as something that still needs the person's own yes.

use harness_core::{
    Action, Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallEnd, CallId, Decision,
    EndReason, Event, Policy, RunState, Verdict,
};
use harness_guard::Wanted;
use harness_tool::Intent;

use super::{Session, Step, steps::ended};
use crate::{
    Effect,
    calls::{Call, CallState},
    words,
};

impl Session {
    /// Makes the record that asks; `None` where the verdict asks for nothing.
    pub(super) fn approval_wanted(&self, call: &Call, verdict: &Verdict) -> Option<Event> {
        if verdict.decision != Decision::Ask {
            return None;
        }
        if let Ok(Intent::Request { .. }) = &call.intent {
            return self.amendment_wanted(call);
        }
        let action = call.action.clone()?;
        let always = match &action {
            Action::Run { command, .. } => self.guard.narrowest_rule(command),
            _ => None,
        };
        Some(Event::ApprovalAsked(Box::new(ApprovalAsked {
            call: call.id,
            subject: ApprovalSubject::Action { action },
            reason: verdict.reason.clone(),
            rule: verdict.rule.clone(),
            always,
        })))
    }

    /// Says what the guard makes of a request for more.
    pub(super) fn judge_request(&self, call: &Call) -> Verdict {
        if self.asks_no_more {
            return Verdict::deny(words::ASKS_NO_MORE);
        }
        match self.amendment(call) {
            Some(Ok(amendment)) => Verdict {
                decision: Decision::Ask,
                reason: format!("more for `{}`: {amendment}", self.feature.id),
                rule: None,
            },
            Some(Err(verdict)) => verdict,
            None => Verdict::deny("the call makes no sense"),
        }
    }

    fn amendment(&self, call: &Call) -> Option<Result<Amendment, Verdict>> {
        let Ok(Intent::Request {
            paths,
            hosts,
            reason,
        }) = &call.intent
        else {
            return None;
        };
        Some(self.guard.amendment(Wanted {
            paths,
            hosts,
            reason,
        }))
    }

    fn amendment_wanted(&self, call: &Call) -> Option<Event> {
        // What was given meanwhile is judged with it.
        let amendment = self.amendment(call)?.ok()?;
        Some(Event::ApprovalAsked(Box::new(ApprovalAsked {
            call: call.id,
            reason: amendment.reason.clone(),
            subject: ApprovalSubject::Amendment { amendment },
            rule: None,
            always: None,
        })))
    }

    /// Whether this is what a person approved for the call, and is not given yet.
    pub(crate) fn is_to_be_given(&self, id: CallId, amendment: &Amendment) -> bool {
        let subject = ApprovalSubject::Amendment {
            amendment: amendment.clone(),
        };
        let mut calls = self.calls.iter();
        calls.any(|call| {
            let approved =
                matches!(&call.state, CallState::Approved(asked) if asked.subject == subject);
            call.id == id && approved
        })
    }

    /// Takes the rules as they were amended; the next permit is made by them.
    pub(crate) fn renew_guard(&mut self, policy: &Policy) {
        match self.guard.renewed(policy, &self.feature) {
            Ok(guard) => self.guard = guard,
            Err(error) => {
                self.pending.stop = Some((EndReason::Failed, error.to_string()));
            }
        }
    }

    pub(super) fn on_amended(&mut self, id: CallId, amendment: &Amendment) {
        if self.is_to_be_given(id, amendment)
            && let Some(call) = self.calls.find(id)
        {
            call.answer(words::given(amendment), false);
            self.drift.hear_person();
        }
    }

    /// Whether a person's answer about this call is waited for.
    pub(crate) fn is_asking(&self, id: CallId) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|call| call.id == id && matches!(call.state, CallState::Asking(_)))
    }

    pub(super) fn on_approval_asked(&mut self, asked: &ApprovalAsked) {
        if self.findings.on_asked(asked) {
            return;
        }
        self.on_proposal_asked(asked);
        let call = self.calls.find(asked.call);
        if let Some(call) = call.filter(|call| matches!(call.state, CallState::Judged(_))) {
            call.state = CallState::ToApprove(Box::new(asked.clone()));
        }
    }

    pub(super) fn on_approval_answered(&mut self, id: CallId, answer: &ApprovalAnswer) {
        if self.findings.on_answered(id, answer) || self.on_proposal_answered(id, answer) {
            return;
        }
        let Some(call) = self.calls.find(id) else {
            return;
        };
        let CallState::Asking(asked) = &call.state else {
            return;
        };
        let asked = asked.clone();
        if let ApprovalSubject::Action {
            action: Action::Run { command, .. },
        } = &asked.subject
        {
            self.guard.hear(command, answer);
            self.carried.work.answer(command, answer);
        } else if *answer == ApprovalAnswer::Never {
            self.asks_no_more = true;
        }
        if answer.is_yes() {
            call.state = CallState::Approved(asked);
        } else {
            call.answer(words::refused_by_person(answer), true);
        }
    }

    /// Puts the question to the person; without one the feature is theirs.
    pub(super) fn ask_approval(&mut self, id: CallId, run: &RunState) -> Step {
        let Some(call) = self.calls.find(id) else {
            return Step::Wait;
        };
        let CallState::ToApprove(asked) = &call.state else {
            return Step::Wait;
        };
        let asked = asked.clone();
        if run.attended {
            call.state = CallState::Asking(asked.clone());
            return Step::Do(Effect::AskApproval(asked));
        }
        Step::Record(Event::FeatureGivenUp {
            reason: EndReason::NeedsHuman,
            detail: words::approval_needed(&asked),
        })
    }

    /// Does what a person has approved.
    pub(super) fn carry_out_approved(&mut self, id: CallId) -> Step {
        let Some(call) = self.calls.find(id) else {
            return Step::Wait;
        };
        let CallState::Approved(asked) = &call.state else {
            return Step::Wait;
        };
        let action = match asked.subject.clone() {
            ApprovalSubject::Action { action } => action,
            ApprovalSubject::Amendment { amendment } => {
                return Step::Record(Event::FeatureAmended {
                    call: id,
                    amendment,
                });
            }
            // Asked about for a finish, never for a call of its own; a proposal is settled instead.
            ApprovalSubject::Findings { .. } | ApprovalSubject::Features { .. } => {
                return Step::Wait;
            }
        };
        match self.guard.awaited(id, action) {
            Ok(awaited) => {
                call.state = CallState::Running;
                Step::Do(Effect::PerformApproved { call: id, awaited })
            }
            Err(verdict) => ended(
                id,
                CallEnd::Refused {
                    reason: verdict.reason,
                },
            ),
        }
    }
}
