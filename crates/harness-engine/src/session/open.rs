//! Setting a session up from its first record.
//!
//! What a session knows before anything happened comes from that record alone. Called by
//! the engine only, when a session was opened.

use std::{collections::BTreeSet, path::PathBuf};

use harness_core::{
    CheckpointNumber, Feature, FeatureStatus, Gate, Money, RunState, SessionOpened, Timestamp,
    Usage,
};
use harness_guard::Guard;

use super::{
    Baseline, Cost, Pending, Saving, Session, SettingAside, Story, findings, hand_over,
    informing::Informing, proving,
};
use crate::{calls::Calls, loops::Loops, talk::Talk};

impl Session {
    /// Sets a session up from its first record.
    ///
    /// # Errors
    /// When the scope, the gates or the window cannot be made; the text says
    /// what a person has to change.
    pub(crate) fn open(opened: &SessionOpened, now: Timestamp) -> Result<Self, String> {
        let run = &opened.run;
        let feature = run
            .features
            .iter()
            .find(|feature| feature.id == opened.feature)
            .cloned();
        let feature = feature
            .ok_or_else(|| format!("feature `{}` is not in the run's list", opened.feature))?;
        let guard = Guard::new(&run.policy, &feature).map_err(|error| error.to_string())?;
        let gates = gates_of(run, &feature)?;
        let window =
            harness_context::assemble(opened, &feature).map_err(|error| error.to_string())?;
        Ok(Self {
            attempts: run.attempts,
            cost: Cost {
                since: now,
                usage: Usage::default(),
                spent: Money(0),
            },
            conclusion: None,
            guard,
            asks_no_more: false,
            gates,
            at_once: proving::at_once(run),
            informing: Informing::default(),
            talk: Talk::new(window.system, [window.shared, window.own]),
            calls: Calls::default(),
            saving: Saving {
                next: CheckpointNumber(1),
                tree: opened.start_tree.clone(),
                due: false,
                in_flight: false,
            },
            baseline: Baseline::default(),
            check: None,
            broken: Vec::new(),
            mends: feature.status == FeatureStatus::Failing,
            loops: Loops::default(),
            story: Story::default(),
            findings: findings::Findings::new(run, &feature.id),
            pending: Pending::default(),
            loaded: opened
                .sources
                .iter()
                .filter_map(|source| source.path.clone())
                .collect(),
            warned: BTreeSet::new(),
            hand_over: hand_over::HandOver::default(),
            question: None,
            turns: super::rewind::Turns::default(),
            bring_back: super::bring_back::BringBack::default(),
            aside: SettingAside::Open,
            winding: false,
            interrupting: false,
            root: PathBuf::from(&opened.root),
            feature,
        })
    }
}

/// Returns the gates a feature must pass, its own commands last.
fn gates_of(run: &RunState, feature: &Feature) -> Result<Vec<Gate>, String> {
    let all = &run.policy.gates;
    let mut gates = if feature.gates.is_empty() {
        all.clone()
    } else {
        Vec::new()
    };
    for name in &feature.gates {
        let gate = all.iter().find(|gate| gate.name == *name);
        let missing = || {
            format!(
                "feature `{}` names the gate `{name}`, which the configuration does not have",
                feature.id
            )
        };
        gates.push(gate.cloned().ok_or_else(missing)?);
    }
    let own = harness_gate::proof::own_gates(feature, run.policy.limits.command);
    gates.extend(own);
    Ok(gates)
}
