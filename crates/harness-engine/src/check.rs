//! Running gates on a frozen candidate: for a finish, because the agent wants to know, or after a turn.

use harness_core::{CallId, CheckReport, CheckStatus, FinishSubject, Gate, NegativeControl, Stop};
use harness_gate::schedule;

use crate::session::Reviewing;

/// Why gates run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The agent says it is done; without a call it only stopped, which counts as the same.
    Finish {
        call: Option<CallId>,
        summary: String,
    },
    /// The tool `check`: information, never an attempt.
    Information { call: CallId },
    /// Gates that run by themselves after a turn: information with the next request.
    Turn,
}

/// Where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GateStage {
    /// Its start is not recorded yet.
    Waiting,
    /// It is to be started.
    Started,
    /// It runs.
    Running,
    /// Its check is over; the gate's end is not recorded yet.
    Checked,
    /// Its end is recorded.
    Over,
}

/// Where freezing, the negative control and committing stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    Due,
    InFlight,
    Done,
}

/// One gate of a check.
#[derive(Debug)]
struct Entry {
    gate: Gate,
    stage: GateStage,
    report: Option<CheckReport>,
}

impl Entry {
    const fn new(gate: Gate) -> Self {
        Self {
            gate,
            stage: GateStage::Waiting,
            report: None,
        }
    }
}

/// Gates running on one candidate.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) purpose: Purpose,
    pub(crate) freeze: Errand,
    pub(crate) subject: Option<FinishSubject>,
    pub(crate) control: Errand,
    pub(crate) negative_control: NegativeControl,
    pub(crate) commit: Errand,
    pub(crate) review: Reviewing,
    pub(crate) problem: Option<String>,
    /// Whether work in flight is to end and nothing new is to start.
    pub(crate) cancelling: bool,
    /// Whether red gates of other features were asked for on the base.
    pub(crate) asked_base: bool,
    /// In the order of the configuration.
    entries: Vec<Entry>,
    /// Which of them run at the same time, one group after the other.
    groups: Vec<Vec<usize>>,
    at_once: usize,
}

impl Check {
    pub(crate) fn new(purpose: Purpose, gates: Vec<Gate>, at_once: usize) -> Self {
        let groups = schedule::groups(&gates, at_once);
        Self {
            purpose,
            freeze: Errand::Due,
            subject: None,
            control: Errand::Due,
            negative_control: NegativeControl::default(),
            commit: Errand::Due,
            review: Reviewing::default(),
            problem: None,
            cancelling: false,
            asked_base: false,
            entries: gates.into_iter().map(Entry::new).collect(),
            groups,
            at_once,
        }
    }

    /// Returns the call that waits for the gates.
    pub(crate) const fn call(&self) -> Option<CallId> {
        match self.purpose {
            Purpose::Finish { call, .. } => call,
            Purpose::Information { call } => Some(call),
            Purpose::Turn => None,
        }
    }

    /// Returns what the agent says it did; empty where it claims nothing.
    pub(crate) fn claim(&self) -> &str {
        match &self.purpose {
            Purpose::Finish { summary, .. } => summary,
            _ => "",
        }
    }

    pub(crate) const fn is_finish(&self) -> bool {
        matches!(self.purpose, Purpose::Finish { .. })
    }

    pub(crate) fn has_gates(&self) -> bool {
        !self.entries.is_empty()
    }

    pub(crate) fn gates(&self) -> impl Iterator<Item = &Gate> {
        self.entries.iter().map(|entry| &entry.gate)
    }

    /// Adds gates behind the others; none may have started.
    pub(crate) fn add_gates(&mut self, gates: impl Iterator<Item = Gate>) {
        self.entries.extend(gates.map(Entry::new));
        self.regroup();
    }

    /// Leaves out gates that have nothing to say about the candidate; none may be running.
    pub(crate) fn keep_gates(&mut self, keep: impl Fn(&Gate) -> bool) {
        self.entries.retain(|entry| keep(&entry.gate));
        self.regroup();
    }

    fn regroup(&mut self) {
        let gates: Vec<Gate> = self.gates().cloned().collect();
        self.groups = schedule::groups(&gates, self.at_once);
    }

    /// Returns the reports that are there, in the order of the configuration.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &CheckReport> {
        self.entries
            .iter()
            .filter_map(|entry| entry.report.as_ref())
    }

    /// Returns the gate something is to be done for: in the first group that is not over, what
    /// is to be started comes before what has ended.
    ///
    /// `None` when every gate of the group runs, or all are over.
    pub(crate) fn next_gate(&self) -> Option<(&Gate, GateStage)> {
        let is_over = |&at: &usize| self.entries[at].stage == GateStage::Over;
        let group = self
            .groups
            .iter()
            .find(|group| !group.iter().all(is_over))?;
        let due = [GateStage::Started, GateStage::Waiting, GateStage::Checked];
        let at = due.into_iter().find_map(|stage| {
            let mut members = group.iter();
            members.find(|&&at| self.entries[at].stage == stage)
        })?;
        let entry = &self.entries[*at];
        Some((&entry.gate, entry.stage))
    }

    /// Moves a gate from one stage to the next; one that stands elsewhere stays there.
    ///
    /// Returns whether it was moved.
    pub(crate) fn advance(&mut self, gate: &str, from: GateStage, to: GateStage) -> bool {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.gate.name == gate && entry.stage == from);
        entry.map(|entry| entry.stage = to).is_some()
    }

    /// Takes in how a gate came out that runs.
    pub(crate) fn take_report(&mut self, report: &CheckReport) {
        let mut entries = self.entries.iter_mut();
        let runs = |entry: &&mut Entry| {
            entry.gate.name == report.gate && entry.stage == GateStage::Running
        };
        if let Some(entry) = entries.find(runs) {
            entry.report = Some(report.clone());
            entry.stage = GateStage::Checked;
        }
    }

    /// Returns how a gate came out.
    pub(crate) fn report_of(&self, gate: &str) -> Option<&CheckReport> {
        self.reports().find(|report| report.gate == gate)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| entry.stage == GateStage::Over)
    }

    pub(crate) fn is_green(&self) -> bool {
        self.is_over()
            && self.entries.iter().all(|entry| {
                let report = entry.report.as_ref();
                report.is_some_and(|report| report.status == CheckStatus::Green)
            })
    }

    /// Whether something is under way that will end in an event.
    pub(crate) fn is_in_flight(&self) -> bool {
        let runs = |entry: &Entry| entry.stage == GateStage::Running;
        self.freeze == Errand::InFlight
            || self.entries.iter().any(runs)
            || self.control == Errand::InFlight
            || self.review.is_in_flight()
            || self.commit == Errand::InFlight
    }

    /// Names the gates that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = &str> {
        let running = |entry: &&Entry| entry.stage == GateStage::Running;
        let entries = self.entries.iter().filter(running);
        entries.map(|entry| entry.gate.name.as_str())
    }

    /// Takes back what was under way when a process died: it is simply done again.
    pub(crate) fn forget_in_flight(&mut self) {
        for errand in [&mut self.freeze, &mut self.control, &mut self.commit] {
            if *errand == Errand::InFlight {
                *errand = Errand::Due;
            }
        }
        for entry in &mut self.entries {
            if entry.stage == GateStage::Running {
                entry.stage = GateStage::Started;
            }
        }
        self.review.forget_in_flight();
        self.cancelling = false;
        self.asked_base = false;
    }
}

/// Whether a report says nothing about the tree it was to be about.
pub(crate) fn is_cut_short(report: &CheckReport) -> bool {
    report.stop == Some(Stop::Cancelled)
}
