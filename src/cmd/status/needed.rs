//! What waits for the person: questions without an answer, and features that only they can let go on.
//!
//! An answer that no run has taken yet asks for nothing more than a resume. Called by `status` alone.

use std::collections::BTreeSet;

use harness_core::{Feature, FeatureId, FeatureStatus, QuestionId};

use crate::{compose::Site, failure::Failure, output::Output, questions};

/// How the words of a question that waits go on, before the command that answers it.
const WAY: &str = "; answer it: `harness answer ";

/// What of a repository is a person's turn.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// Questions that wait for an answer, by name.
    questions: BTreeSet<String>,
    /// Features that are left to a person and have their answer.
    answered: Vec<FeatureId>,
    /// How many others are left to a person.
    pub(super) features: usize,
}

impl Needed {
    pub(super) fn look(site: &Site, features: &[Feature]) -> Result<Self, Failure> {
        let mut needed = Self::default();
        let mut has_answer = BTreeSet::new();
        if let Some(store) = site.existing_store()? {
            for kept in questions::in_reach(site, &store, &|_| {})? {
                if questions::settled(&kept, features, &store)?.is_none() {
                    needed.questions.insert(kept.id.to_string());
                }
            }
            has_answer = questions::with_answer(site, &store)?;
        }
        for feature in features {
            match feature.status {
                FeatureStatus::NeedsHuman if has_answer.contains(&feature.id) => {
                    needed.answered.push(feature.id.clone());
                }
                FeatureStatus::NeedsHuman | FeatureStatus::Blocked => needed.features += 1,
                _ => {}
            }
        }
        Ok(needed)
    }

    /// Returns the names of the features that have their answer.
    pub(super) fn answered(&self) -> Vec<&str> {
        self.answered.iter().map(FeatureId::as_str).collect()
    }

    /// Returns the names of the questions that wait.
    pub(super) fn questions(&self) -> Vec<&str> {
        self.questions.iter().map(String::as_str).collect()
    }

    /// Says what can be answered, and what has its answer.
    pub(super) fn tell(&self, output: &Output) -> Result<(), Failure> {
        if !self.questions.is_empty() {
            output.text(&format!(
                "note: waiting for an answer of yours: {}; `harness answer` lists them",
                self.questions().join(", ")
            ))?;
        }
        if !self.answered.is_empty() {
            output.text(&format!(
                "note: answered: {}; `harness resume --last` goes on with it",
                self.answered().join(", ")
            ))?;
        }
        Ok(())
    }

    /// Returns a line of why a run ended, without a wish that is granted already.
    pub(super) fn still_true(&self, line: &str) -> String {
        let Some((before, way)) = line.split_once(WAY) else {
            return line.to_owned();
        };
        let name = way.split([' ', '`']).next().unwrap_or_default();
        let is_question = name.parse::<QuestionId>().is_ok();
        if !is_question || self.questions.contains(name) {
            return line.to_owned();
        }
        format!("{before}; it waits for no answer any more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_question_that_waits_is_to_be_answered() {
        let needed = Needed {
            questions: ["Q-0002".to_owned()].into(),
            ..Needed::default()
        };
        let asks = |id: &str| {
            format!("F-1: the agent asks: a or b?; answer it: `harness answer {id} \"TEXT\"`")
        };
        assert_eq!(needed.still_true(&asks("Q-0002")), asks("Q-0002"));
        assert_eq!(
            needed.still_true(&asks("Q-0001")),
            "F-1: the agent asks: a or b?; it waits for no answer any more"
        );
        assert_eq!(needed.still_true(&asks("nothing")), asks("nothing"));
        assert_eq!(needed.still_true("F-2: gates red"), "F-2: gates red");
    }
}
