//! Running gates on a frozen candidate: for a finish, or because the agent wants to know.

use harness_core::{CallId, CheckReport, CheckStatus, FinishSubject, Gate};

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
}

/// Where freezing and committing stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    Due,
    InFlight,
    Done,
}

/// Gates running on one candidate.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) purpose: Purpose,
    pub(crate) gates: Vec<Gate>,
    pub(crate) freeze: Errand,
    pub(crate) subject: Option<FinishSubject>,
    pub(crate) stage: GateStage,
    pub(crate) reports: Vec<CheckReport>,
    pub(crate) commit: Errand,
    pub(crate) problem: Option<String>,
    /// Whether work in flight is to end and nothing new is to start.
    pub(crate) cancelling: bool,
    /// Whether red gates of other features were asked for on the base.
    pub(crate) asked_base: bool,
}

impl Check {
    pub(crate) const fn new(purpose: Purpose, gates: Vec<Gate>) -> Self {
        Self {
            purpose,
            gates,
            freeze: Errand::Due,
            subject: None,
            stage: GateStage::Waiting,
            reports: Vec::new(),
            commit: Errand::Due,
            problem: None,
            cancelling: false,
            asked_base: false,
        }
    }

    /// Returns the call that waits for the gates.
    pub(crate) const fn call(&self) -> Option<CallId> {
        match self.purpose {
            Purpose::Finish { call, .. } => call,
            Purpose::Information { call } => Some(call),
        }
    }

    pub(crate) const fn is_finish(&self) -> bool {
        matches!(self.purpose, Purpose::Finish { .. })
    }

    /// Returns the gate whose turn it is; a gate is passed over when its end is recorded.
    pub(crate) fn gate(&self) -> Option<&Gate> {
        match self.stage {
            GateStage::Checked => self.gates.get(self.reports.len().checked_sub(1)?),
            _ => self.gates.get(self.reports.len()),
        }
    }

    pub(crate) fn is_green(&self) -> bool {
        self.reports.len() == self.gates.len()
            && self
                .reports
                .iter()
                .all(|report| report.status == CheckStatus::Green)
    }

    /// Whether something is under way that will end in an event.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.freeze == Errand::InFlight
            || self.stage == GateStage::Running
            || self.commit == Errand::InFlight
    }

    /// Takes back what was under way when a process died: it is simply done again.
    pub(crate) fn forget_in_flight(&mut self) {
        if self.freeze == Errand::InFlight {
            self.freeze = Errand::Due;
        }
        if self.stage == GateStage::Running {
            self.stage = GateStage::Started;
        }
        if self.commit == Errand::InFlight {
            self.commit = Errand::Due;
        }
        self.cancelling = false;
        self.asked_base = false;
    }
}
