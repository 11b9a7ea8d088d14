//! Proposed features as JSON lines.

use harness_core::{Event, Proposal, ProposalWord};
use schemars::JsonSchema;
use serde::Serialize;

use super::JsonLine;

/// A feature that is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonProposed {
    /// Its number in the proposal, from 1.
    pub number: u16,
    /// One line.
    pub title: String,
    /// The whole wish; may be empty.
    pub description: String,
    /// When it counts as done.
    pub acceptance: Vec<String>,
    /// Proposed steps.
    pub steps: Vec<String>,
    /// Numbers of the proposal that must pass first.
    pub after: Vec<u16>,
    /// Features of the list that must pass first.
    pub depends_on: Vec<String>,
    /// Patterns it may write; the whole scope when empty.
    pub write: Vec<String>,
    /// Its gates; all of them when empty.
    pub gates: Vec<String>,
    /// Higher is earlier.
    pub priority: i64,
}

/// A proposed feature that is in the list now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonAdded {
    /// Its number in the proposal, from 1.
    pub number: u16,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// What is said of proposed features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonPlan {
    /// The agent proposes features for the list; a person takes or refuses them.
    FeaturesProposed {
        /// The proposal, such as `P-0001`.
        proposal: String,
        /// The goal, in the person's words.
        goal: String,
        /// The features.
        features: Vec<JsonProposed>,
    },
    /// What a person said of a proposal was carried out, or could not be.
    ProposalSettled {
        /// The proposal.
        proposal: String,
        /// Whether it was taken, at least in part, and is in the list.
        accepted: bool,
        /// What was added to the list.
        features: Vec<JsonAdded>,
        /// The file of the list; null where nothing was added.
        file: Option<String>,
        /// What is worth knowing about how they were added.
        remarks: Vec<String>,
        /// Why nothing was added although it was taken; empty when all went well.
        problem: String,
    },
}

/// Returns the features of a proposal.
pub fn json_proposed(proposal: &Proposal) -> Vec<JsonProposed> {
    let features = proposal.numbered();
    let each = features.map(|(number, feature)| JsonProposed {
        number,
        title: feature.title.clone(),
        description: feature.description.clone(),
        acceptance: feature.acceptance.clone(),
        steps: feature.steps.clone(),
        after: feature.after.clone(),
        depends_on: feature.depends_on.iter().map(ToString::to_string).collect(),
        write: feature.write.clone(),
        gates: feature.gates.clone(),
        priority: feature.priority,
    });
    each.collect()
}

pub(super) fn line(event: &Event) -> Option<JsonLine> {
    match event {
        Event::FeaturesProposed { proposal, .. } => {
            Some(JsonLine::Plan(JsonPlan::FeaturesProposed {
                proposal: proposal.id.to_string(),
                goal: proposal.goal.clone(),
                features: json_proposed(proposal),
            }))
        }
        Event::ProposalKept { problem, .. } if !problem.is_empty() => Some(JsonLine::Problem {
            message: format!("the proposal is kept in the log alone: {problem}"),
        }),
        Event::ProposalSettled(settled) => Some(JsonLine::Plan(JsonPlan::ProposalSettled {
            proposal: settled.proposal.to_string(),
            accepted: matches!(settled.word, ProposalWord::Accepted { .. })
                && settled.problem.is_empty(),
            features: settled
                .features
                .iter()
                .map(|added| JsonAdded {
                    number: added.number,
                    id: added.feature.to_string(),
                    title: added.title.clone(),
                })
                .collect(),
            file: settled.file.as_ref().map(ToString::to_string),
            remarks: settled.remarks.clone(),
            problem: settled.problem.clone(),
        })),
        _ => None,
    }
}
