//! The way from a claim to a proof: the base's gates, the frozen candidate, its gates, the commit.
//!
//! Like the other steps, each gives one record or one effect. Called by `steps`, and by
//! `apply` with what comes of them.

use harness_core::{
    Baseline, CallEnd, CallId, CheckReport, CheckStatus, EndReason, Event, FinishSubject, Gate,
    NegativeControl, RunState,
};
use harness_gate::{control, schedule};

use super::{
    Session, regression,
    steps::{Step, ended},
};
use crate::{
    Effect, RunGate, RunNegativeControl,
    calls::CallState,
    check::{Check, Errand, GateStage, Purpose},
    drift::Asked,
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
        if self.mends {
            return None;
        }
        let strict = |gate: &&Gate| gate.baseline == Baseline::Strict;
        let red = self.baseline_gates().filter(strict).find_map(|gate| {
            self.baseline
                .reports
                .get(&gate.name)
                .filter(|report| report.status != CheckStatus::Green)
        })?;
        let detail = words::red_base(red);
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

    pub(super) fn is_baseline_known(&self) -> bool {
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
        let purpose = Purpose::Information { call: id };
        self.check = Some(Check::new(purpose, gates, self.at_once));
        self.check_step()
    }

    pub(super) fn check_step(&mut self) -> Step {
        let baseline_known = self.is_baseline_known();
        if self.is_to_be_quiet()
            && let Some(step) = self.stop_jobs()
        {
            return step;
        }
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
        // Nobody waits for these, and they delay the next request.
        let waits_for_base = check.purpose != Purpose::Turn;
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
        if check.is_finish() && !check.has_gates() {
            let detail = "there are no gates, so nothing can be proven: add a `[[gate]]` to the configuration, or \
                take a feature without proof with `harness feature accept`"
                .to_owned();
            return Step::Record(Event::FeatureGivenUp {
                reason: EndReason::NeedsHuman,
                detail,
            });
        }
        if waits_for_base && !baseline_known {
            return Step::Wait;
        }
        self.gate_step(&subject)
    }

    fn gate_step(&mut self, subject: &FinishSubject) -> Step {
        let Some(check) = &mut self.check else {
            return Step::Wait;
        };
        if check.is_over() {
            return self.conclude_check();
        }
        let Some((gate, stage)) = check.next_gate() else {
            return Step::Wait;
        };
        let gate = gate.clone();
        match stage {
            GateStage::Waiting => Step::Record(Event::GateStarted { gate: gate.name }),
            GateStage::Started => {
                check.advance(&gate.name, GateStage::Started, GateStage::Running);
                let mut baseline = self.baseline.reports.get(&gate.name).cloned();
                if let Some(baseline) = &mut baseline
                    && self.findings.approve_losses(subject)
                {
                    baseline.tests = None;
                }
                Step::Do(Effect::RunGate(Box::new(RunGate {
                    gate,
                    tree: subject.candidate.clone(),
                    baseline,
                })))
            }
            GateStage::Running | GateStage::Over => Step::Wait,
            GateStage::Checked => {
                let report = check.report_of(&gate.name);
                let status = report.map_or(CheckStatus::Error, |report| report.status);
                Step::Record(Event::GateEnded {
                    gate: gate.name,
                    status,
                })
            }
        }
    }

    /// All gates have run.
    fn conclude_check(&mut self) -> Step {
        if let Some(step) = self.regression_step() {
            return step;
        }
        let Some(check) = &self.check else {
            return Step::Wait;
        };
        match check.purpose {
            Purpose::Turn => self.conclude_turn_check(),
            Purpose::Information { call } => {
                let text = words::check_result(check.reports(), &self.baseline.reports);
                self.informing.add_told(check.reports());
                ended(
                    call,
                    CallEnd::Answered {
                        text,
                        is_error: false,
                    },
                )
            }
            Purpose::Finish { .. } if !check.is_green() => {
                let reports: Vec<CheckReport> = check.reports().cloned().collect();
                Step::Record(Event::FinishRefused {
                    reason: words::refusal(&reports, &[]),
                    findings: Vec::new(),
                })
            }
            Purpose::Finish { .. } => self.control_step(),
        }
    }

    /// Runs the added tests on the base before the commit; whatever comes of it, the feature is proven.
    fn control_step(&mut self) -> Step {
        let Some(check) = &mut self.check else {
            return Step::Wait;
        };
        let Some(subject) = &check.subject else {
            return Step::Wait;
        };
        match check.control {
            Errand::InFlight => Step::Wait,
            Errand::Done => self.commit_step(),
            Errand::Due => {
                let gates: Vec<Gate> = check.gates().cloned().collect();
                match control::plan(&subject.changes, &gates) {
                    Ok(plan) => {
                        let run = RunNegativeControl {
                            plan,
                            tree: subject.candidate.clone(),
                            reports: check.reports().cloned().collect(),
                        };
                        check.control = Errand::InFlight;
                        Step::Do(Effect::RunNegativeControl(Box::new(run)))
                    }
                    Err(reason) => {
                        check.negative_control = NegativeControl::not_run(reason);
                        check.control = Errand::Done;
                        Step::Again
                    }
                }
            }
        }
    }

    fn commit_step(&mut self) -> Step {
        let subject = self.check.as_ref().and_then(|check| check.subject.as_ref());
        let is_reviewed = subject.is_some_and(|subject| self.is_reviewed(subject));
        let reviewed_by_person = subject.and_then(|subject| self.review_word(subject));
        let Some(check) = &mut self.check else {
            return Step::Wait;
        };
        match (check.commit, &check.subject, &check.purpose) {
            (Errand::Due, Some(subject), Purpose::Finish { .. }) if !is_reviewed => {
                debug_assert!(false, "`{}` is committed without its review", subject.tree);
                Step::Wait
            }
            (Errand::Due, Some(subject), Purpose::Finish { summary, .. }) => {
                let commit = CommitFeature {
                    feature: self.feature.clone(),
                    subject: subject.clone(),
                    reports: check.reports().cloned().collect(),
                    gates: check.gates().cloned().collect(),
                    negative_control: check.negative_control.clone(),
                    summary: summary.clone(),
                    notes: self.story.notes.clone(),
                    refusals: self.story.refusals.clone(),
                    approved: self.findings.approvals_of(subject),
                    review: check.review.judged().cloned(),
                    reviewed_by_person,
                };
                check.commit = Errand::InFlight;
                Step::Do(Effect::CommitFeature(Box::new(commit)))
            }
            _ => Step::Wait,
        }
    }

    /// The candidate could not be fixed: a refusal for a finish, an answer for a check.
    /// Whether no job may run from here on: a finish is to be proven, or gates run in the work tree.
    fn is_to_be_quiet(&self) -> bool {
        let check = self.check.as_ref();
        check.is_some_and(|check| {
            check.freeze == Errand::Due && (check.is_finish() || self.jobs.gates_in_place)
        })
    }

    fn refuse(&mut self, reason: String) -> Step {
        match self.check.as_ref().map(|check| check.purpose.clone()) {
            Some(Purpose::Information { call }) => ended(call, CallEnd::Failed { message: reason }),
            Some(Purpose::Turn) => self.conclude_turn_check(),
            _ => Step::Record(Event::FinishRefused {
                reason,
                findings: Vec::new(),
            }),
        }
    }

    pub(super) fn on_frozen(&mut self, subject: &FinishSubject) {
        if let Some(check) = self
            .check
            .as_mut()
            .filter(|check| check.freeze == Errand::InFlight)
        {
            check.freeze = Errand::Done;
            regression::add_gates(check, subject);
            check.subject = Some(subject.clone());
            self.findings.forget_question();
            self.skip_known_gates(&subject.candidate);
        }
    }

    pub(super) fn on_freeze_failed(&mut self, message: &str) {
        if let Some(check) = self
            .check
            .as_mut()
            .filter(|check| check.freeze == Errand::InFlight)
        {
            check.freeze = Errand::Done;
            check.problem = Some(message.to_owned());
        }
    }

    pub(super) fn on_gate_started(&mut self, gate: &str) {
        if let Some(check) = &mut self.check {
            check.advance(gate, GateStage::Waiting, GateStage::Started);
        }
    }

    pub(super) fn on_check_ended(&mut self, report: &CheckReport) {
        if let Some(check) = &mut self.check {
            check.take_report(report);
        }
    }

    pub(super) fn on_gate_ended(&mut self, gate: &str) {
        let Some(check) = &mut self.check else { return };
        if check.advance(gate, GateStage::Checked, GateStage::Over)
            && let (Some(report), Some(subject)) = (check.report_of(gate), &check.subject)
        {
            self.informing.add_run(report, &subject.candidate);
            let asked = match check.purpose {
                Purpose::Turn => Asked::ByItself,
                Purpose::Finish { .. } | Purpose::Information { .. } => Asked::ByAgent,
            };
            self.drift.hear_gate(report, &subject.candidate, asked);
        }
    }

    pub(super) fn on_control_ended(&mut self, control: &NegativeControl) {
        if let Some(check) = self
            .check
            .as_mut()
            .filter(|check| check.control == Errand::InFlight)
        {
            check.control = Errand::Done;
            check.negative_control = control.clone();
        }
    }
}

/// Returns how many gates may run at the same time: in the work tree itself they would meet each other's files.
pub(super) const fn at_once(run: &RunState) -> usize {
    if run.policy.isolate {
        schedule::AT_ONCE
    } else {
        1
    }
}
