//! A list of features that an agent proposes, what a person says of it, and what became of it.
//!
//! A proposal is words: nothing in it is in the feature list, has an id, or passes. Ids are
//! given when a person takes it.

use serde::{Deserialize, Serialize};

use crate::{CallId, FeatureId, RepoPath};

/// The most features one proposal may have.
pub const PROPOSED_MAX: usize = 60;

/// What an agent proposes to work on, for a goal that a person has stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its name, such as `P-0001`; the run that made it has the same number.
    pub id: FeatureId,
    /// The goal, in the person's words.
    pub goal: String,
    /// What the agent noted for later sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What the person has decided while it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<Decided>,
    /// What is proposed, the first to be worked on first.
    pub features: Vec<ProposedFeature>,
}

/// A question of the agent with a person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// One feature that is proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedFeature {
    /// One line.
    pub title: String,
    /// The whole wish.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// When it counts as done, in words; never empty.
    pub acceptance: Vec<String>,
    /// Proposed steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// Numbers of features of the same proposal that must pass first, counted from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u16>,
    /// Features of the list that must pass first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<FeatureId>,
    /// Patterns it may write, inside the repository's scope; the whole scope when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Names of the gates it must pass; all gates when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// Higher is earlier.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i64,
}

/// A person's word on a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum ProposalWord {
    /// It goes into the feature list.
    Accepted {
        /// Numbers of the features that stay out, counted from 1.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without: Vec<u16>,
    },
    /// It goes nowhere.
    Refused {
        /// Why; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
}

/// What became of a person's word on a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalSettled {
    /// The call that proposed.
    pub call: CallId,
    /// The proposal.
    pub proposal: FeatureId,
    /// The word.
    pub word: ProposalWord,
    /// What was added to the list, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<AddedFeature>,
    /// The file of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<RepoPath>,
    /// What is worth knowing about how they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Why the word could not be carried out; empty when it was. Nothing was added then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

/// A proposed feature that is in the list now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedFeature {
    /// Its number in the proposal.
    pub number: u16,
    /// Its id.
    pub feature: FeatureId,
    /// Its title.
    pub title: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Proposal {
    /// Returns the features with their numbers, counted from 1.
    pub fn numbered(&self) -> impl Iterator<Item = (u16, &ProposedFeature)> {
        (1..).zip(&self.features)
    }

    /// Reads numbers of features that stay out, such as `2,5` or `3 4`; sorted, each once.
    ///
    /// # Errors
    /// When one is no number of the proposal, or nothing would be left.
    pub fn read_numbers(&self, text: &str) -> Result<Vec<u16>, String> {
        let count = self.features.len();
        let words = text.split([',', ' ', ';', '\t']);
        let mut numbers = Vec::new();
        for word in words.filter(|word| !word.is_empty()) {
            let number = word.parse::<u16>().ok();
            let number = number.filter(|number| (1..=count).contains(&usize::from(*number)));
            match number {
                Some(number) => numbers.push(number),
                None => {
                    let shown: String = word.chars().take(20).collect();
                    return Err(format!("there is no number `{shown}`, only 1 to {count}"));
                }
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() == count {
            return Err("nothing would be left; refuse the whole instead".to_owned());
        }
        Ok(numbers)
    }
}

impl FeatureId {
    /// Names what the `number`th run plans: `P-0001`.
    pub fn plan(number: u32) -> Self {
        Self::new(format!("P-{number:04}")).expect("a letter, a dash and digits are a legal id")
    }
}
