//! Answers to questions that waited, and unproven work that was put aside: what a run keeps
//! from one session to the next beside its limits.
//!
//! Nothing is decided here; the engine fills it from events.

use serde::{Deserialize, Serialize};

use crate::{CheckpointNumber, Difference, FeatureId, QuestionId, SessionId, Timestamp, TreeId};

/// A person's answer to a question that waited for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    /// The question.
    pub question: QuestionId,
    /// The feature it is about.
    pub feature: FeatureId,
    /// What the agent had asked.
    pub asked: String,
    /// The answer.
    pub answer: String,
    /// Who gave it, as the system names them.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The unproven work on a feature, put aside so that another could start clean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideWork {
    /// The feature.
    pub feature: FeatureId,
    /// The session whose checkpoint holds it.
    pub session: SessionId,
    /// That checkpoint.
    pub checkpoint: CheckpointNumber,
    /// The work tree it began from.
    pub start: TreeId,
    /// The work tree with the work in it.
    pub tree: TreeId,
}

/// What a run keeps for its later sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Answers of a person, oldest first; one per question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<GivenAnswer>,
    /// Work that was put aside; at most one entry per feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asides: Vec<SetAsideWork>,
    /// Files that a person took as part of the work while no session was open: the next one is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Difference>,
}

impl Kept {
    /// The most answers that are kept; older ones were told long ago.
    const ANSWERS_MAX: usize = 200;

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the answer to a question.
    pub fn answer_to(&self, question: QuestionId) -> Option<&GivenAnswer> {
        self.answers.iter().find(|given| given.question == question)
    }

    /// Returns the answers about a feature, oldest first.
    pub fn answers_about<'a>(
        &'a self,
        feature: &'a FeatureId,
    ) -> impl Iterator<Item = &'a GivenAnswer> {
        self.answers
            .iter()
            .filter(move |given| given.feature == *feature)
    }

    /// Keeps an answer; the first one to a question holds.
    pub fn take_answer(&mut self, given: &GivenAnswer) {
        if self.answer_to(given.question).is_some() {
            return;
        }
        if self.answers.len() >= Self::ANSWERS_MAX {
            self.answers.remove(0);
        }
        self.answers.push(given.clone());
    }

    /// Returns the work on a feature that was put aside.
    pub fn aside_of(&self, feature: &FeatureId) -> Option<&SetAsideWork> {
        self.asides.iter().find(|aside| aside.feature == *feature)
    }

    /// Keeps where the work on a feature is, in place of what was known of it.
    pub fn set_aside(&mut self, work: SetAsideWork) {
        self.forget_aside(&work.feature);
        self.asides.push(work);
    }

    /// Forgets the work on a feature: it is back, or proven.
    pub fn forget_aside(&mut self, feature: &FeatureId) {
        self.asides.retain(|aside| aside.feature != *feature);
    }
}
