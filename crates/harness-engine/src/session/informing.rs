//! Gates that run by themselves after a turn: information for the agent, never an attempt.
//!
//! A gate is due when files that concern it have changed since it was due
//! last. Nothing is refused here and nothing is proven: at a finish every gate
//! runs again. Called by `steps` before a turn begins, and where gates end.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{Change, CheckReport, Gate, RepoPath, TreeId, When};
use harness_guard::Concern;

use super::{Session, steps::Step};
use crate::{
    calls::Call,
    check::{self, Check, Purpose},
    words,
};

/// The most changes a checkpoint names; a list of so many may have been cut.
const CHANGES_MAX: usize = 1_000;
/// The most files of a session that are told from the ones it has not changed.
const COUNTED_MAX: usize = 10_000;

/// What is known of the gates that run by themselves.
#[derive(Debug, Default)]
pub(super) struct Informing {
    /// What has changed since gates were due last.
    changed: BTreeSet<RepoPath>,
    /// Whether more has changed than is named.
    changed_more: bool,
    /// What has changed since the session began, as far as it is counted.
    of_session: BTreeSet<RepoPath>,
    /// What was changed by the tools that edit and write.
    edited: BTreeSet<RepoPath>,
    /// The tree each gate ran on last, for whatever reason.
    ran_on: BTreeMap<String, TreeId>,
    /// What the agent was told of each gate last.
    told: BTreeMap<String, CheckReport>,
}

impl Informing {
    /// Takes in what a checkpoint says has changed.
    pub(super) fn add_changes(&mut self, changes: &[Change]) {
        self.changed_more |= changes.len() >= CHANGES_MAX;
        let paths = changes.iter().map(|change| change.path.clone());
        let room = COUNTED_MAX.saturating_sub(self.of_session.len());
        self.of_session.extend(paths.clone().take(room));
        self.changed.extend(paths);
    }

    /// Takes in a call that is over.
    pub(super) fn add_call(&mut self, call: &Call) {
        let is_done = call.was_done() && call.result().is_some_and(|result| !result.is_error);
        if let (true, Some(action)) = (is_done, &call.action) {
            self.edited.extend(action.changed_paths().cloned());
        }
    }

    /// Forgets what the agent was told: it does not remember it either.
    pub(super) fn forget_told(&mut self) {
        self.told.clear();
    }

    /// Remembers which tree a gate has run on.
    pub(super) fn add_run(&mut self, report: &CheckReport, tree: &TreeId) {
        if !check::is_cut_short(report) {
            self.ran_on.insert(report.gate.clone(), tree.clone());
        }
    }

    /// Remembers what the agent is told.
    pub(super) fn add_told<'a>(&mut self, reports: impl Iterator<Item = &'a CheckReport>) {
        for report in reports.filter(|report| !check::is_cut_short(report)) {
            self.told.insert(report.gate.clone(), report.clone());
        }
    }

    /// Returns the gates that are due, and begins to count changes anew.
    fn take_due(&mut self, gates: &[Gate]) -> Vec<Gate> {
        let due = gates.iter().filter(|gate| self.is_due(gate));
        let due = due.cloned().collect();
        self.changed.clear();
        self.edited.clear();
        self.changed_more = false;
        due
    }

    fn is_due(&self, gate: &Gate) -> bool {
        let concern = Concern::new(&gate.paths);
        let has_changed = |path: &RepoPath| self.changed_more || self.changed.contains(path);
        match gate.when {
            When::Finish => false,
            When::Turn => {
                self.changed_more || self.changed.iter().any(|path| concern.is_about(path))
            }
            When::Edit => {
                let mut edited = self.edited.iter();
                edited.any(|path| has_changed(path) && concern.is_about(path))
            }
        }
    }
}

impl Session {
    /// Runs the gates that are due after the turn that is over; `None` when there are none.
    ///
    /// What a person has said goes first: then they are due after the next turn.
    pub(super) fn inform_step(&mut self) -> Option<Step> {
        let none_runs_by_itself = self.gates.iter().all(|gate| gate.when == When::Finish);
        if none_runs_by_itself || self.talk.has_words() {
            return None;
        }
        // What has changed is known when the work tree is saved.
        if self.saving.in_flight {
            return Some(Step::Wait);
        }
        let due = self.informing.take_due(&self.gates);
        if due.is_empty() {
            return None;
        }
        self.check = Some(Check::new(Purpose::Turn, due, self.at_once));
        Some(Step::Again)
    }

    /// Leaves out the gates that have run on this very tree.
    pub(super) fn skip_known_gates(&mut self, tree: &TreeId) {
        if let Some(check) = &mut self.check
            && check.purpose == Purpose::Turn
        {
            check.keep_gates(|gate| self.informing.ran_on.get(&gate.name) != Some(tree));
        }
    }

    /// Tells the agent how the gates came out that ran by themselves.
    pub(super) fn conclude_turn_check(&mut self) -> Step {
        let Some(check) = self.check.take() else {
            return Step::Wait;
        };
        let text = match &check.problem {
            Some(problem) => Some(words::turn_gates_not_run(problem)),
            None => words::turn_gates(
                check.reports(),
                &self.informing.told,
                &self.baseline.reports,
                &self.informing.of_session,
            ),
        };
        self.informing.add_told(check.reports());
        if let Some(text) = text {
            self.talk.tell(text);
        }
        Step::Again
    }
}
