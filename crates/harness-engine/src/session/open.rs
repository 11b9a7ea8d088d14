//! Setting a session up from its first record.
//!
//! What a session knows before anything happened comes from that record alone. Called by
//! the engine only, when a session was opened.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use harness_context::Window;
use harness_core::{
    CheckpointNumber, Feature, FeatureStatus, FeatureWork, Gate, Money, Prompt, RunState,
    SessionOpened, Timestamp, TokenCount, ToolSpec, TurnNumber, Usage,
};
use harness_guard::Guard;

use super::{
    Baseline, Cost, Pending, Saving, Session, SettingAside, Story, beside, findings,
    formatting::Formatting, hand_over, informing::Informing, jobs, planning, proving, window,
};
use crate::{calls::Calls, drift::Drift, talk::Talk, words};

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
        let planning = planning::Planning::of(run, &feature);
        let tools = match planning {
            Some(_) => harness_tool::planning_specs(),
            None => harness_tool::specs().to_vec(),
        };
        let largest = largest(&window, &tools);
        let work = run.work_on(&feature.id).cloned();
        let work = work.unwrap_or_else(|| FeatureWork::new(feature.id.clone()));
        let mut talk = Talk::new(window.system, [window.shared, window.own], tools.into());
        if let Some(told) = run.kept.untold.as_ref().and_then(words::differs) {
            talk.tell(told);
        }
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
            formatting: Formatting::default(),
            talk,
            calls: Calls::default(),
            besides: beside::Besides::new(opened),
            review_by: run.policy.review,
            saving: Saving {
                next: CheckpointNumber(1),
                tree: opened.start_tree.clone(),
                due: false,
                in_flight: false,
            },
            baseline: Baseline::default(),
            check: None,
            broken: Vec::new(),
            mends: work.mends || feature.status == FeatureStatus::Failing || planning.is_some(),
            planning,
            drift: Drift::new(&opened.start_tree, TurnNumber(0)),
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
            jobs: jobs::Jobs::new(run.policy.isolate),
            question: None,
            person_review: super::person_review::PersonReview::default(),
            turns: super::rewind::Turns::default(),
            bring_back: super::bring_back::BringBack::default(),
            carried: window::Carried::new(work, &opened.start_tree, largest),
            aside: SettingAside::Open,
            winding: false,
            interrupting: false,
            root: PathBuf::from(&opened.root),
            feature,
        })
    }
}

/// Returns the first request of a session as its first record has it, for whoever wants to see it.
///
/// # Errors
/// As when the session is opened: when the scope, the gates or the window cannot be made.
pub fn first_prompt(opened: &SessionOpened) -> Result<Prompt, String> {
    let mut session = Session::open(opened, opened.run.started_at)?;
    session.talk.begin_turn(TurnNumber(1));
    Ok(session.talk.prompt())
}

/// Names the largest part of the first window, with the tools as one.
fn largest(window: &Window, tools: &[ToolSpec]) -> String {
    let tools = tools
        .iter()
        .map(|tool| tool.description.len() + tool.schema.len());
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
