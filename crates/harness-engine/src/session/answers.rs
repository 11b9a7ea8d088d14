//! What becomes of a request: the model's answer, its failure, and when it is sent again.
//!
//! Called by `apply`; what follows is decided by `steps`.

use std::time::Duration;

use harness_core::{
    EndReason, FailureClass, ModelFailure, ModelResponded, Spent, StopReason, Timestamp, TurnNumber,
};

use super::Session;
use crate::{calls::Calls, retry::Failures, talk::Request, words};

impl Session {
    pub(super) fn on_response(&mut self, responded: &ModelResponded) {
        if !self.talk.is_in_flight() || responded.turn != self.talk.turn {
            return;
        }
        let response = &responded.response;
        self.cost.usage = self.cost.usage.plus(response.usage);
        self.cost.spent = self.cost.spent + responded.cost.unwrap_or_default();
        self.talk.hear(response);
        self.calls = Calls::new(responded.turn, response.calls(), &self.root);
        if !self.calls.is_empty() {
            self.talk.idle_answers = 0;
            return;
        }
        match response.stop {
            StopReason::MaxTokens => {
                self.pending.nudge = Some(words::CUT);
                self.drift.hear_cut();
                self.talk.request = Request::Due;
            }
            StopReason::Paused => self.talk.request = Request::Due,
            StopReason::Refused => {
                let detail = format!("the model declined: {}", response.text());
                self.pending.giving_up = Some((EndReason::NeedsHuman, detail));
            }
            StopReason::ContextFull => {
                self.on_window_used_up();
            }
            _ => {
                self.talk.idle_answers += 1;
                self.talk.last_words = response.text();
            }
        }
    }

    pub(super) fn on_failure(
        &mut self,
        turn: TurnNumber,
        failure: &ModelFailure,
        spent: Option<Spent>,
        now: Timestamp,
    ) {
        if !self.talk.is_in_flight() || turn != self.talk.turn {
            return;
        }
        self.cost.add(spent.unwrap_or_default());
        if failure.class == FailureClass::Cancelled {
            self.talk.request = Request::Due;
            return;
        }
        let earlier = self.talk.failures.as_ref().map(|(failures, _)| *failures);
        let failures = Failures::after(earlier, failure.class, now);
        if failure.class == FailureClass::ContextOverflow {
            self.talk.overflow();
        }
        self.talk.failures = Some((failures, failure.clone()));
        self.talk.request = Request::Failed;
    }

    pub(super) fn on_retry_planned(&mut self, turn: TurnNumber, delay_ms: u64, now: Timestamp) {
        if self.talk.request == Request::Failed && turn == self.talk.turn {
            self.talk.request = Request::BackingOff {
                until: now.plus(Duration::from_millis(delay_ms)),
            };
        }
    }

    pub(super) fn on_paced(&mut self, turn: TurnNumber, delay_ms: u64, now: Timestamp) {
        if self.talk.request == Request::Ready && turn == self.talk.turn {
            self.talk.hold(now.plus(Duration::from_millis(delay_ms)));
        }
    }

    /// Takes a request that is to be sent for one that was.
    pub(crate) fn send_if_ready(&mut self) {
        if self.talk.request == Request::Ready {
            self.talk.request = Request::InFlight { cancelling: false };
        }
    }

    pub(super) fn on_retry_due(&mut self, turn: TurnNumber) {
        if matches!(self.talk.request, Request::BackingOff { .. }) && turn == self.talk.turn {
            self.talk.request = Request::Ready;
        }
    }
}
