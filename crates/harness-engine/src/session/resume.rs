//! Taking up a session whose process is gone, or that was stopped in order.
//!
//! What the harness does for itself is done again; what was done for the agent
//! is not. Called by the engine only, when a resume is logged.

use harness_core::{Baseline, CheckStatus, LimitKind, Timestamp, Verdict};
use harness_tool::Intent;

use super::{Conclusion, Session, SettingAside};
use crate::{calls::CallState, check::Check};

impl Session {
    /// Takes up a session another process left: what was in flight has no end and never will.
    ///
    /// `steered` says whether a person can go on talking to the agent from now on.
    pub(crate) fn resume(&mut self, steered: bool, now: Timestamp) {
        self.resume_interruption();
        self.resume_rewind();
        self.resume_person_review();
        // An answer is judged anew: it was not recorded, and a person can talk again.
        self.conclusion
            .take_if(|conclusion| *conclusion == Conclusion::Answered);
        if let Some(check) = &mut self.check {
            check.forget_in_flight();
        }
        if let Some(planning) = &mut self.planning {
            planning.resume();
        }
        self.resume_calls();
        self.talk.ask_again(steered);
        if let Some(beside) = &mut self.besides.open {
            beside.resume();
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
