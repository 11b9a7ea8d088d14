//! Setting a session up from its first record.
//!
//! What a session knows before anything happened comes from that record alone. Called by
//! the engine only, when a session was opened.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use harness_context::Window;
use harness_core::{
    CheckpointNumber, Feature, FeatureStatus, FeatureWork, Gate, Money, RunState, SessionOpened,
    Timestamp, TokenCount, Usage,
};
use harness_guard::Guard;

use super::{
    Baseline, Cost, Pending, Saving, Session, SettingAside, Story, findings, hand_over,
    informing::Informing, proving, window,
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
        let largest = largest(&window);
        let work = run.work_on(&feature.id).cloned();
        let work = work.unwrap_or_else(|| FeatureWork::new(feature.id.clone()));
        let mut guard = guard;
        for answered in &work.answers {
            guard.hear(&answered.command, &answered.answer);
        }
        Ok(Self {
            attempts: run.attempts,
            cost: Cost {
                since: now.minus(Duration::from_millis(work.worked_ms)),
                usage: Usage::default(),
                spent: Money(0),
            },
            conclusion: None,
            guard,
            asks_no_more: work.asks_no_more,
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
            mends: work.mends || feature.status == FeatureStatus::Failing,
            loops: Loops::default(),
            story: Story {
                notes: work.notes.clone(),
                refusals: work.refusals.clone(),
            },
            findings: findings::Findings::new(run, &feature.id),
            pending: Pending::default(),
            loaded: opened
                .sources
                .iter()
                .filter_map(|source| source.path.clone())
                .collect(),
            warned: BTreeSet::new(),
            hand_over: hand_over::HandOver::default(),
            carried: window::Carried::new(work, &opened.start_tree, largest),
            aside: SettingAside::Open,
            winding: false,
            interrupting: false,
            root: PathBuf::from(&opened.root),
            feature,
        })
    }
}

/// Names the largest part of the first window, with the tools as one.
fn largest(window: &Window) -> String {
    let tools = harness_tool::specs().iter();
    let tools = tools.map(|tool| tool.description.len() + tool.schema.len());
    let tools = TokenCount((tools.sum::<usize>() / 4) as u64);
    let part = window.listing.iter().max_by_key(|part| part.tokens);
    match part.filter(|part| part.tokens > tools) {
        Some(part) => match &part.path {
            Some(path) => format!("the {} `{path}` with {}", part.name, part.tokens),
            None => format!("the {} with {}", part.name, part.tokens),
        },
        None => format!("the tools with {tools}"),
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
