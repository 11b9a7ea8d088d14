//! What is known of gates from before: how they came out on the base, and which tests passed.
//!
//! On the disk by tree and definition of the gate, so that it is about nothing
//! else; the names of passed tests are beside the report and never in the log.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use harness_core::{CheckReport, Gate, TreeId};
use harness_gate::check;
use harness_store::state;

use super::{Bench, Judged};

/// A result as it is kept between runs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Kept {
    pub(super) report: CheckReport,
    /// Names of the tests that passed.
    #[serde(default)]
    pub(super) passed: Vec<String>,
}

/// Names of the tests that passed on the tree that was looked at last.
#[derive(Debug, Default)]
pub(super) struct PassedTests(Mutex<OnTree>);

#[derive(Debug, Default)]
struct OnTree {
    tree: Option<TreeId>,
    by_gate: BTreeMap<String, Vec<String>>,
}

impl PassedTests {
    pub(super) fn remember(&self, tree: &TreeId, gate: &str, names: &[String]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.tree.as_ref() != Some(tree) {
            *known = OnTree {
                tree: Some(tree.clone()),
                by_gate: BTreeMap::new(),
            };
        }
        known.by_gate.insert(gate.to_owned(), names.to_vec());
    }

    /// Returns the names; `None` when the gate has not run on this tree in this process.
    pub(super) fn of(&self, tree: &TreeId, gate: &str) -> Option<Vec<String>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = known.tree.as_ref() == Some(tree);
        is_it.then(|| known.by_gate.get(gate).cloned()).flatten()
    }
}

impl Bench {
    /// Keeps the results of a proven tree: they are the baseline of what comes after it.
    ///
    /// `candidate` is the tree they were made on, `tree` the one that was committed.
    /// Where the names of the tests are not at hand, the gate is run again next time.
    pub(crate) fn keep_baseline(
        &self,
        tree: &TreeId,
        candidate: &TreeId,
        gates: &[Gate],
        reports: &[CheckReport],
    ) {
        for gate in gates {
            let report = reports.iter().find(|report| report.gate == gate.name);
            let passed = match self.passed.of(candidate, &gate.name) {
                None if gate.reader.names_tests() => continue,
                passed => passed.unwrap_or_default(),
            };
            if let Some(report) = report.cloned() {
                self.keep(&self.baseline_file(tree, gate), Judged { report, passed });
            }
        }
    }

    /// Returns how a gate came out on a base, where that is kept.
    pub(super) fn kept(&self, tree: &TreeId, gate: &Gate) -> Option<Kept> {
        // A kept result that cannot be read is made again.
        state::read_json(self.baseline_file(tree, gate)).ok()?
    }

    /// A baseline that cannot be kept is run again next time.
    pub(super) fn keep(&self, file: &Path, judged: Judged) {
        let made = file
            .parent()
            .is_some_and(|folder| fs::create_dir_all(folder).is_ok());
        if made {
            let Judged { report, passed } = judged;
            let _ = state::write_json(file, &Kept { report, passed });
        }
    }

    pub(super) fn baseline_file(&self, tree: &TreeId, gate: &Gate) -> PathBuf {
        // Another setup may bring other dependencies.
        let setup = self.steps.digest();
        let setup = setup.map_or_else(String::new, |digest| format!("-{}", &digest[..16]));
        let name = format!("{tree}-{}{setup}.json", &check::gate_hash(gate)[..16]);
        self.workplace.cache.join("baseline").join(name)
    }
}
