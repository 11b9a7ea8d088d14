//! What a second run of a feature's gates says about its evidence.
//!
//! Pure: the checks come in, what differs goes out. `verify --rerun` runs them.

use harness_core::{Baseline, CheckReport, CheckStatus, Gate};

use super::{CheckRecord, Evidence};

/// One way in which a gate does not come out as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The gate.
    pub gate: String,
    /// Whether it is red now; else it is green and proves less.
    pub is_red: bool,
    /// What differs, in words.
    pub what: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "gate `{}` {}", self.gate, self.what)
    }
}

/// Holds a second run of a feature's gates against its evidence; nothing differs when they agree.
///
/// `runs` are the feature's gates with their reports, judged without a baseline.
/// Failures that the evidence names as known do not count under `no-worse`.
pub fn differences(evidence: &Evidence, runs: &[(&Gate, &CheckReport)]) -> Vec<Difference> {
    let compare = |(gate, report): &(&Gate, &CheckReport)| {
        let recorded = evidence.checks.iter().find(|check| check.gate == gate.name);
        let (is_red, what) = difference(evidence, recorded, gate, report)?;
        Some(Difference {
            gate: gate.name.clone(),
            is_red,
            what,
        })
    };
    runs.iter().filter_map(compare).collect()
}

fn difference(
    evidence: &Evidence,
    recorded: Option<&CheckRecord>,
    gate: &Gate,
    report: &CheckReport,
) -> Option<(bool, String)> {
    if report.status != CheckStatus::Green && !is_no_worse(evidence, gate, report) {
        return Some((true, format!("is {} now: {}", report.status, report.reason)));
    }
    let Some(recorded) = recorded else {
        return Some((false, "was not run when the feature was proven".to_owned()));
    };
    if recorded.argv != gate.run {
        return Some((
            false,
            "ran another command when the feature was proven".to_owned(),
        ));
    }
    let (before, now) = (recorded.tests?, report.tests);
    let now = now.map_or(0, |tests| tests.run);
    (now < before.run).then(|| {
        let what = format!("ran {now} tests, {} were recorded", before.run);
        (false, what)
    })
}

/// Whether a red check has no failure but those that were known when the feature was proven.
fn is_no_worse(evidence: &Evidence, gate: &Gate, report: &CheckReport) -> bool {
    let failed = report.tests.map_or(0, |tests| tests.failed) as usize;
    report.status == CheckStatus::Red
        && gate.baseline == Baseline::NoWorse
        && failed > 0
        && report.failed_tests.len() == failed
        && report
            .failed_tests
            .iter()
            .all(|name| evidence.known_failures.contains(name))
}
