//! The way from a claim to a proof: the base's gates, the frozen candidate, its gates, the commit.
//!
//! Like the other steps, each gives one record or one effect. Called by `steps` only.

use harness_core::{Baseline, CallEnd, CallId, CheckStatus, EndReason, Event, Gate};

use super::{
    Session,
    steps::{Step, ended},
};
use crate::{
    Effect, RunGate,
    calls::CallState,
    check::{Check, Errand, GateStage, Purpose},
    effect::CommitFeature,
    words,
};

impl Session {
    /// Starts the gates on the base, and stops the run when the base is red.
    pub(super) fn baseline_step(&mut self) -> Option<Step> {
        if !self.baseline.asked {
            self.baseline.asked = true;
            let is_new = |gate: &&Gate| !self.baseline.reports.contains_key(&gate.name);
            let gates: Vec<Gate> = self.baseline_gates().filter(is_new).cloned().collect();
            return (!gates.is_empty()).then_some(Step::Do(Effect::RunBaseline { gates }));
        }
        let strict = |gate: &&Gate| gate.baseline == Baseline::Strict;
        let red = self.baseline_gates().filter(strict).find_map(|gate| {
            self.baseline
                .reports
                .get(&gate.name)
                .filter(|report| report.status != CheckStatus::Green)
        })?;
        let detail = format!(
            "gate `{}` is {} on the base already ({}): make the base green first, or set `baseline = \"no-worse\"` for it",
            red.gate, red.status, red.reason
        );
        Some(Step::Record(Event::StopDecided {
            reason: EndReason::Blocked,
            detail,
        }))
    }

    /// Gates that make sense on the base; a feature's own commands are about what does not exist yet.
    fn baseline_gates(&self) -> impl Iterator<Item = &Gate> {
        let shared = self.gates.len() - self.feature.verify.len();
        self.gates.iter().take(shared)
    }

    fn is_baseline_known(&self) -> bool {
        self.baseline_gates()
            .all(|gate| self.baseline.reports.contains_key(&gate.name))
    }

    /// Begins running gates because the agent wants to know.
    pub(super) fn check_for(&mut self, id: CallId, wanted: Option<&str>) -> Step {
        let named = |gate: &&Gate| wanted.is_none_or(|name| gate.name == name);
        let gates: Vec<Gate> = self.gates.iter().filter(named).cloned().collect();
        let Some(call) = self.calls.find(id) else {
            return Step::Wait;
        };
        if gates.is_empty() {
            let names: Vec<&str> = self.gates.iter().map(|gate| gate.name.as_str()).collect();
            let text = match names.as_slice() {
                [] => "there are no gates".to_owned(),
                names => format!("there is no such gate; the gates are: {}", names.join(", ")),
            };
            return ended(
                id,
                CallEnd::Answered {
                    text,
                    is_error: true,
                },
            );
        }
        call.state = CallState::Running;
        self.check = Some(Check::new(Purpose::Information { call: id }, gates));
        self.check_step()
    }

    pub(super) fn check_step(&mut self) -> Step {
        let baseline_known = self.is_baseline_known();
        let Some(check) = &mut self.check else {
            return Step::Wait;
        };
        match check.freeze {
            Errand::Due => {
                check.freeze = Errand::InFlight;
                return Step::Do(Effect::FreezeCandidate);
            }
            Errand::InFlight => return Step::Wait,
            Errand::Done => {}
        }
        let Some(subject) = check.subject.clone() else {
            let reason = check.problem.clone().unwrap_or_default();
            return self.refuse(reason);
        };
        if check.is_finish()
            && let Some(step) = self.findings_step(&subject)
        {
            return step;
        }
        let Some(check) = &self.check else {
            return Step::Wait;
        };
        // Gates that were green before say nothing about a feature that changed nothing.
        if check.is_finish() && subject.changes.is_empty() && self.feature.verify.is_empty() {
            return self.refuse(words::EMPTY_CHANGE.to_owned());
        }
        if check.gates.is_empty() {
            let detail = "there are no gates, so nothing can be proven: add a `[[gate]]` to the configuration, or \
                take a feature without proof with `harness feature accept`"
                .to_owned();
            return Step::Record(Event::FeatureGivenUp {
                reason: EndReason::NeedsHuman,
                detail,
            });
        }
        if !baseline_known {
            return Step::Wait;
        }
        self.gate_step(&subject)
    }

    fn gate_step(&mut self, subject: &harness_core::FinishSubject) -> Step {
        let Some(check) = &mut self.check else {
            return Step::Wait;
        };
        let Some(gate) = check.gate().cloned() else {
            return self.conclude_check();
        };
        match check.stage {
            GateStage::Waiting => Step::Record(Event::GateStarted { gate: gate.name }),
            GateStage::Started => {
                check.stage = GateStage::Running;
                let baseline = self.baseline.reports.get(&gate.name).cloned();
                Step::Do(Effect::RunGate(Box::new(RunGate {
                    gate,
                    tree: subject.candidate.clone(),
                    baseline,
                })))
            }
            GateStage::Running => Step::Wait,
            GateStage::Checked => {
                let status = check
                    .reports
                    .last()
                    .map_or(CheckStatus::Error, |report| report.status);
                Step::Record(Event::GateEnded {
                    gate: gate.name,
                    status,
                })
            }
        }
    }

    /// All gates have run.
    fn conclude_check(&mut self) -> Step {
        let Some(check) = &mut self.check else {
            return Step::Wait;
        };
        if let Purpose::Information { call } = check.purpose {
            let text = words::check_result(&check.reports);
            return ended(
                call,
                CallEnd::Answered {
                    text,
                    is_error: false,
                },
            );
        }
        if !check.is_green() {
            let reason = words::refusal(&check.reports, &[]);
            return Step::Record(Event::FinishRefused {
                reason,
                findings: Vec::new(),
            });
        }
        match (check.commit, &check.subject, &check.purpose) {
            (Errand::Due, Some(subject), Purpose::Finish { summary, .. }) => {
                let commit = CommitFeature {
                    feature: self.feature.clone(),
                    subject: subject.clone(),
                    reports: check.reports.clone(),
                    gates: check.gates.clone(),
                    summary: summary.clone(),
                    notes: self.story.notes.clone(),
                    refusals: self.story.refusals.clone(),
                    approved: self.findings.approvals_of(subject),
                };
                check.commit = Errand::InFlight;
                Step::Do(Effect::CommitFeature(Box::new(commit)))
            }
            _ => Step::Wait,
        }
    }

    /// The candidate could not be fixed: a refusal for a finish, an answer for a check.
    fn refuse(&mut self, reason: String) -> Step {
        match self.check.as_ref().map(|check| check.purpose.clone()) {
            Some(Purpose::Information { call }) => ended(call, CallEnd::Failed { message: reason }),
            _ => Step::Record(Event::FinishRefused {
                reason,
                findings: Vec::new(),
            }),
        }
    }
}
