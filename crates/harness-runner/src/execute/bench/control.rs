//! The negative control: the tests that a change adds, run on the base without the change.
//!
//! Information: whatever goes wrong becomes a word in the record, and no feature waits
//! longer for it than the gate itself took.

use std::time::Duration;

use harness_core::{CheckReport, ControlCheck, Gate, NegativeControl, TreeId};
use harness_engine::RunNegativeControl;
use harness_gate::control::{self, NamedReport};
use harness_guard::Guard;
use harness_host::Cancelled;

use super::{
    super::{Setting, in_shop, setup::Halt},
    Bench,
    checkout::Subject,
};

/// The least time a gate gets: what takes less than that is mostly its start.
const TIME_MIN: Duration = Duration::from_secs(1);

/// What every gate of a control runs on.
struct Overlay<'a> {
    setting: &'a Setting,
    guard: Guard,
    base: TreeId,
    /// The base with the added tests.
    tree: TreeId,
}

impl Bench {
    /// Runs the added tests on the tip of the run's branch.
    pub(crate) async fn negative_control(
        &self,
        run: &RunNegativeControl,
        setting: &Setting,
        cancelled: Cancelled,
    ) -> NegativeControl {
        let overlay = match self.overlay(run, setting).await {
            Ok(overlay) => overlay,
            Err(message) => return NegativeControl::not_run(message),
        };
        let mut checks = Vec::with_capacity(run.plan.gates.len());
        for gate in &run.plan.gates {
            let report = run.reports.iter().find(|report| report.gate == gate.name);
            let check = match report {
                Some(report) => {
                    let check = self.control(gate, report, run, &overlay, cancelled.clone());
                    check
                        .await
                        .unwrap_or_else(|reason| ControlCheck::skipped(&gate.name, reason, 0))
                }
                None => ControlCheck::skipped(&gate.name, "it has no report", 0),
            };
            checks.push(check);
        }
        NegativeControl {
            skipped: String::new(),
            left_out: run.plan.left_out.clone(),
            checks,
        }
    }

    async fn overlay<'a>(
        &self,
        run: &RunNegativeControl,
        setting: &'a Setting,
    ) -> Result<Overlay<'a>, String> {
        let (tip, candidate) = (setting.run.tip.clone(), run.tree.clone());
        let files = run.plan.files.clone();
        let (base, tree) = in_shop(&self.shop, move |shop| {
            let base = shop.tree_of(&tip)?;
            let tree = shop
                .repo
                .apply_changes(&base, &base, &candidate, &|path| files.contains(path))
                .map_err(|error| super::super::chain(&error))?;
            Ok((base, tree))
        })
        .await?;
        Ok(Overlay {
            setting,
            guard: setting.guard()?,
            base,
            tree,
        })
    }

    /// Runs one gate there.
    async fn control(
        &self,
        gate: &Gate,
        report: &CheckReport,
        run: &RunNegativeControl,
        overlay: &Overlay<'_>,
        cancelled: Cancelled,
    ) -> Result<ControlCheck, String> {
        let candidate = self.passed.of(&run.tree, &gate.name);
        let candidate = candidate.ok_or("the names of its tests are not at hand any more")?;
        let kept = self.kept(&overlay.base, gate);
        let base = kept.ok_or("how it came out on the base is not kept")?;
        let base = NamedReport {
            report: &base.report,
            passed: &base.passed,
        };
        if !control::adds_tests(&candidate, base) {
            return Err(control::NOTHING_NEW.to_owned());
        }
        // What is tried is the tests, not the floors of the gate.
        let gate = Gate {
            timeout: Duration::from_millis(report.ms).max(TIME_MIN),
            min_tests: 0,
            flaky_retries: 0,
            ..gate.clone()
        };
        let on = Subject {
            tree: &overlay.tree,
            build: &overlay.guard.bounds().build,
            network: &overlay.guard.bounds().network,
            guard: &overlay.guard,
        };
        let limits = &overlay.setting.run.policy.limits;
        let checkout = self.base.lock().await;
        match self.ready(&checkout, on, cancelled.clone()).await {
            Ok(()) => {}
            Err(Halt::Cancelled) => return Err("it was cancelled".to_owned()),
            Err(Halt::Failed(message)) => return Err(message),
        }
        let there = self
            .check_in(&checkout, &gate, on, None, limits, cancelled)
            .await;
        let there = NamedReport {
            report: &there.report,
            passed: &there.passed,
        };
        Ok(control::compare(&candidate, base, there))
    }
}
