//! Notices work that goes nowhere: each way of it has a detector of its own.
//!
//! A detector is a fold of what is in the log. It first has one sentence for the agent, with
//! what was seen; where that changes nothing the feature is given up, with the same for people.
//! What a person says begins everything anew. Called by the session; what a remark leads
//! to is decided in `steps`.

mod failing;
mod refusals;
mod returns;
mod standstill;
mod steady;

use std::collections::VecDeque;

use harness_core::{Change, CheckReport, EndReason, TreeId, TurnNumber};

pub(crate) use self::steady::steady;
use self::{failing::Failing, refusals::Refusals, returns::Returns, standstill::Standstill};
use crate::{calls::Call, check, loops::Loops, words};

/// Answers in a row that were cut at the token limit before the feature is given up.
const CUT_ANSWERS_MAX: u32 = 5;

/// What a detector makes of what it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// Say so to the agent.
    Nudge(String),
    /// Give the feature up: the end it leads to, and why in words for people.
    GiveUp(EndReason, String),
}

/// Something that goes on, counted: told once, and the end at a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Streak(u32);

/// What a count has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Come {
    ToNudge,
    ToGivingUp,
}

impl Streak {
    /// Counts one more; `Some` at exactly one of the two bounds.
    pub(super) const fn count(&mut self, nudge_at: u32, give_up_at: u32) -> Option<Come> {
        self.0 += 1;
        if self.0 == give_up_at {
            Some(Come::ToGivingUp)
        } else if self.0 == nudge_at {
            Some(Come::ToNudge)
        } else {
            None
        }
    }

    pub(super) const fn len(self) -> u32 {
        self.0
    }
}

/// Why gates ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The agent wanted to know, or said that it was done.
    ByAgent,
    /// They run by themselves: red is normal while the work goes on.
    ByItself,
}

/// All detectors of a session.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    turn: TurnNumber,
    loops: Loops,
    refusals: Refusals,
    returns: Returns,
    failing: Failing,
    standstill: Standstill,
    cut_answers: Streak,
    /// What was found and is not told yet, oldest first.
    remarks: VecDeque<Remark>,
}

impl Drift {
    /// Begins to look at a session whose work tree is this.
    pub(crate) fn new(tree: &TreeId, turn: TurnNumber) -> Self {
        Self {
            turn,
            returns: Returns::new(tree),
            standstill: Standstill::new(turn),
            ..Self::default()
        }
    }

    /// Takes in that a turn begins.
    pub(crate) fn begin_turn(&mut self, turn: TurnNumber) {
        self.turn = turn;
        let remark = self.standstill.begin_turn(turn);
        self.remarks.extend(remark);
    }

    /// Takes in a call that is over.
    pub(crate) fn hear_call(&mut self, call: &Call) {
        let Some(result) = call.result() else { return };
        self.cut_answers = Streak::default();
        let repeated = self.loops.add(
            self.turn,
            &call.asked,
            &call.intent,
            &harness_tool::without_time(&result.content),
        );
        let refused = self.refusals.hear(call, &result.content);
        if call.intent.is_ok() && !refusals::is_refusal(&result.content) {
            self.standstill
                .hear_result(self.turn, &call.asked, &call.intent, &result.content);
        }
        self.remarks.extend(repeated.into_iter().chain(refused));
    }

    /// Takes in that an answer was cut at the token limit.
    pub(crate) fn hear_cut(&mut self) {
        if self.cut_answers.count(0, CUT_ANSWERS_MAX) == Some(Come::ToGivingUp) {
            let detail = words::cut_for_ever(CUT_ANSWERS_MAX);
            self.remarks
                .push_back(Remark::GiveUp(EndReason::Stuck, detail));
        }
    }

    /// Takes in that the work tree was saved.
    pub(crate) fn hear_tree(&mut self, tree: &TreeId, changes: &[Change]) {
        let (is_new, remark) = self.returns.hear(self.turn, tree, changes);
        if is_new {
            self.standstill.progress(self.turn);
        }
        self.remarks.extend(remark);
    }

    /// Takes in how a gate came out on a tree.
    pub(crate) fn hear_gate(&mut self, report: &CheckReport, tree: &TreeId, asked: Asked) {
        if check::is_cut_short(report) {
            return;
        }
        if self.standstill.hear_gate(report) {
            self.standstill.progress(self.turn);
        }
        if asked == Asked::ByAgent {
            let remark = self.failing.hear(self.turn, report, tree);
            self.remarks.extend(remark);
        }
    }

    /// Takes in that a person has answered or given something.
    pub(crate) const fn hear_person(&mut self) {
        self.refusals = Refusals::new();
        self.standstill.progress(self.turn);
    }

    /// Returns the oldest remark.
    pub(crate) fn remark(&self) -> Option<&Remark> {
        // Who gives up has nothing to tell the agent any more.
        let end = |remark: &&Remark| matches!(remark, Remark::GiveUp(..));
        self.remarks
            .iter()
            .find(end)
            .or_else(|| self.remarks.front())
    }

    /// Takes in that the agent was told.
    pub(crate) fn on_nudge(&mut self, text: &str) {
        let is_it = |remark: &Remark| matches!(remark, Remark::Nudge(nudge) if nudge == text);
        if let Some(at) = self.remarks.iter().position(is_it) {
            self.remarks.remove(at);
        }
    }

    /// Forgets what was not told: the log shows that the work goes on without.
    pub(crate) fn forget_remarks(&mut self) {
        self.remarks.clear();
    }
}
