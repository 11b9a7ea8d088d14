//! Features that have passed and that the work in hand breaks, or that were broken before it.
//!
//! Their gates run with a finish. One that is red refuses the finish, unless it is
//! red on the base too: then the work did not break it, the feature is marked as
//! failing, and a later session takes it up.

use harness_core::{
    CheckReport, CheckStatus, Event, FeatureId, FeatureStatus, Finding, FinishSubject,
};

use super::{Session, steps::Step};
use crate::{Effect, check::Check};

/// A feature that turned out broken on the base.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    feature: FeatureId,
    reason: String,
}

/// Adds the gates of touched features to a finish; without gates of its own a feature proves nothing.
pub(super) fn add_gates(check: &mut Check, subject: &FinishSubject) {
    if check.is_finish() && check.has_gates() {
        let gates = subject.regressions.iter();
        check.add_gates(gates.map(|regression| regression.gate.clone()));
    }
}

/// Says which features a refused finish breaks; empty when it breaks none.
pub(super) fn words(check: &Check, findings: &[Finding]) -> String {
    let regressions = check
        .subject
        .iter()
        .flat_map(|subject| &subject.regressions);
    let is_red = |name: &str| {
        check
            .reports()
            .any(|report| report.gate == name && report.status != CheckStatus::Green)
    };
    let mut broken: Vec<&str> = regressions
        .filter(|regression| is_red(&regression.gate.name))
        .flat_map(|regression| regression.features.iter().map(FeatureId::as_str))
        .collect();
    broken.sort_unstable();
    broken.dedup();
    if broken.is_empty() || !findings.is_empty() {
        return String::new();
    }
    format!(
        "\n\nThe change breaks what has passed before: {}. Mend it without undoing that.",
        broken.join(", ")
    )
}

impl Session {
    /// Finds out whether red gates of other features were red before; `None` when there is nothing to find out.
    pub(super) fn regression_step(&mut self) -> Option<Step> {
        if let Some(broken) = self.broken.first() {
            return Some(Step::Record(Event::FeatureStatusChanged {
                feature: broken.feature.clone(),
                from: FeatureStatus::Passing,
                to: FeatureStatus::Failing,
                reason: broken.reason.clone(),
            }));
        }
        let check = self.check.as_mut().filter(|check| check.is_finish())?;
        let subject = check.subject.as_ref()?;
        let is_red = |name: &str| {
            check
                .reports()
                .any(|report| report.gate == name && report.status != CheckStatus::Green)
        };
        let red: Vec<_> = subject
            .regressions
            .iter()
            .filter(|regression| is_red(&regression.gate.name))
            .cloned()
            .collect();
        let is_unknown = |name: &str| !self.baseline.reports.contains_key(name);
        if red
            .iter()
            .any(|regression| is_unknown(&regression.gate.name))
        {
            if std::mem::replace(&mut check.asked_base, true) {
                return Some(Step::Wait);
            }
            let gates = red.into_iter().map(|regression| regression.gate).collect();
            return Some(Step::Do(Effect::RunBaseline { gates }));
        }
        let before = |name: &str| {
            let report: Option<&CheckReport> = self.baseline.reports.get(name);
            report.filter(|report| report.status != CheckStatus::Green)
        };
        for regression in red {
            let name = &regression.gate.name;
            let Some(report) = before(name) else {
                continue;
            };
            let reason = format!(
                "gate `{name}` is {} without this work: {}",
                report.status, report.reason
            );
            check.keep_gates(|gate| gate.name != *name);
            self.broken
                .extend(regression.features.iter().map(|feature| Broken {
                    feature: feature.clone(),
                    reason: reason.clone(),
                }));
        }
        (!self.broken.is_empty()).then_some(Step::Again)
    }

    /// Takes in what was recorded of a feature, this one or another.
    pub(super) fn on_status(&mut self, feature: &FeatureId, to: FeatureStatus) {
        if *feature == self.feature.id {
            self.feature.status = to;
        }
        self.broken.retain(|broken| broken.feature != *feature);
    }
}
