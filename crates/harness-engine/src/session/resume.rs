//! Taking up a session whose process is gone, or that was stopped in order.
//!
//! What the harness does for itself is done again; what was done for the agent
//! is not. Called by the engine only, when a resume is logged.

use harness_core::{Baseline, CheckStatus, EndReason, LimitKind, TakenUp, Timestamp, Verdict};
use harness_tool::Intent;

use super::{Conclusion, Session, SettingAside};
use crate::{calls::CallState, check::Check, words};

impl Session {
    /// Takes up a session another process left: what was in flight has no end and never will.
    ///
    /// `steered` says whether a person can go on talking to the agent from now on, `same_provider`
    /// whether the one that was asked before is asked again.
    pub(crate) fn resume(&mut self, steered: bool, same_provider: bool, now: Timestamp) {
        self.resume_interruption();
        self.resume_rewind();
        self.resume_person_review();
        self.resume_conclusion();
        if let Some(check) = &mut self.check {
            check.forget_in_flight();
        }
        if let Some(planning) = &mut self.planning {
            planning.resume();
        }
        self.resume_calls();
        self.talk.ask_again_after(steered, same_provider, now);
        if let Some(beside) = &mut self.besides.open {
            beside.resume(now);
        }
        self.stop_awaiting_words(steered);
        self.resume_question(now);
        self.bring_back.resume();
        // What was saved last may have been cut short, and a person may have
        // changed files since.
        self.saving.in_flight = false;
        self.saving.due = true;
        self.resume_baseline();
        if self.aside == SettingAside::InFlight {
            self.aside = SettingAside::Open;
        }
        self.pending.stop = None;
        self.hand_over.resume();
        self.winding = false;
        self.cost.since = now;
    }

    /// Judges anew what stops nothing any more once somebody goes on.
    ///
    /// An answer was not recorded, and a person can talk again. A limit may be another one by now;
    /// one that still holds stops the work before the next turn. Work that is put aside, or on
    /// its way, stays away.
    fn resume_conclusion(&mut self) {
        let is_here = self.aside == SettingAside::Open;
        self.conclusion.take_if(|conclusion| match conclusion {
            Conclusion::Answered => true,
            Conclusion::GivenUp { reason, .. } => {
                is_here && matches!(reason, EndReason::Budget | EndReason::Limit)
            }
            Conclusion::Passed | Conclusion::HandedOver { .. } => false,
        });
    }

    /// Takes in how the session was found: what the lost request has cost, and what the agent has to know.
    pub(super) fn on_taken_up(&mut self, found: &TakenUp) {
        self.cost.add(found.spent.unwrap_or_default());
        let told = found.differs.iter();
        let told: Vec<String> = told.filter_map(words::differs).collect();
        if !told.is_empty() {
            self.talk.tell_now(told.join("\n"));
        }
    }

    /// Forgets the warnings about limits that hold otherwise now.
    pub(crate) fn forget_warnings(&mut self, changed: &[LimitKind]) {
        self.warned.retain(|limit| !changed.contains(limit));
    }

    fn resume_calls(&mut self) {
        let checked = self.check.as_ref().and_then(Check::call);
        let is_over = self.conclusion.is_some();
        let beside = self.besides.open.as_ref();
        let explored = beside.and_then(|beside| beside.call);
        for call in self.calls.iter_mut() {
            // A yes that was not used died with the process that had heard it.
            if let CallState::Asking(asked) | CallState::Approved(asked) = &call.state {
                call.state = CallState::ToApprove(asked.clone());
            }
            if call.state != CallState::Running {
                continue;
            }
            match call.intent {
                Ok(Intent::Act(_) | Intent::Doc { .. }) => call.state = CallState::Orphaned,
                Ok(Intent::Ask { .. }) => call.state = CallState::ToAsk,
                // Its gates were given up; they are the harness's own and run again.
                _ if !is_over && ![checked, explored].contains(&Some(call.id)) => {
                    call.state = CallState::Judged(Verdict::allow("touches nothing", None));
                }
                _ => {}
            }
        }
    }

    /// Keeps what is known of the base, but a red one that stops the run is looked at again.
    fn resume_baseline(&mut self) {
        self.baseline.asked = false;
        let strict = |name: &str| {
            let gate = self.gates.iter().find(|gate| gate.name == name);
            gate.is_some_and(|gate| gate.baseline == Baseline::Strict)
        };
        self.baseline
            .reports
            .retain(|name, report| report.status == CheckStatus::Green || !strict(name));
    }
}
