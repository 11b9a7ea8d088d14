//! Notices an agent that is refused, or not understood, again and again.
//!
//! A refusal says itself what is allowed, so the count begins anew only with something that was
//! done: reading between two attempts at the same wall is no way on.

use harness_core::EndReason;

use super::{Come, Remark, Streak};
use crate::{calls::Call, words};

/// Refused calls without a deed between them before the agent is told the ways that are open.
const REFUSED_TO_NUDGE: u32 = 5;
/// Refused calls without a deed between them before a person is needed.
const REFUSED_MAX: u32 = 12;
/// Calls in a row that make no sense before the agent is told.
const FAULTY_TO_NUDGE: u32 = 3;
/// Calls in a row that make no sense before the feature is given up.
const FAULTY_MAX: u32 = 9;

/// The refused and the faulty calls up to now.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    refused: Streak,
    faulty: Streak,
}

impl Refusals {
    pub(super) const fn new() -> Self {
        Self {
            refused: Streak(0),
            faulty: Streak(0),
        }
    }

    /// Takes in a call that is over, with its result.
    pub(super) fn hear(&mut self, call: &Call, result: &str) -> Option<Remark> {
        let shown = words::call(&call.asked.name, &call.asked.arguments);
        if call.intent.is_err() {
            let come = self.faulty.count(FAULTY_TO_NUDGE, FAULTY_MAX)?;
            let calls = self.faulty.len();
            return Some(match come {
                Come::ToNudge => Remark::Nudge(words::faulty_calls(calls, result)),
                Come::ToGivingUp => Remark::GiveUp(
                    EndReason::Stuck,
                    words::faulty_for_ever(calls, &shown, result),
                ),
            });
        }
        self.faulty = Streak::default();
        if is_refusal(result) && !call.was_done() {
            let come = self.refused.count(REFUSED_TO_NUDGE, REFUSED_MAX)?;
            let calls = self.refused.len();
            return Some(match come {
                Come::ToNudge => Remark::Nudge(words::refused_calls(calls, &shown, result)),
                Come::ToGivingUp => Remark::GiveUp(
                    EndReason::NeedsHuman,
                    words::refused_for_ever(calls, &shown, result),
                ),
            });
        }
        if call.was_done() && call.may_have_changed() {
            self.refused = Streak::default();
        }
        None
    }
}

/// Whether a result says that the call was refused.
pub(super) fn is_refusal(result: &str) -> bool {
    result.starts_with("denied: ")
}
