//! Questions that a person has answered since the session before.
//!
//! A question is what an agent wrote, which may have been led by the repository; the answer is a
//! person's word.

use harness_core::{FeatureId, RunState};

use crate::text::one_line;

/// What is shown of a question. Unit: characters.
const QUESTION_CHARS: usize = 600;
/// The newest answers that are told.
const ANSWERS_MAX: usize = 10;

/// Words what was asked and answered about a feature; nothing where nobody has.
pub(super) fn given(run: &RunState, feature: &FeatureId) -> Option<String> {
    let all: Vec<_> = run.kept.answers_about(feature).collect();
    let newest = &all[all.len().saturating_sub(ANSWERS_MAX)..];
    let lines = newest.iter().map(|given| {
        let asked: String = one_line(&given.asked)
            .chars()
            .take(QUESTION_CHARS)
            .collect();
        format!(
            "- An agent asked: {asked}\n  The person answers: {}\n",
            given.answer
        )
    });
    let text: String = lines.collect();
    (!text.is_empty()).then(|| format!("# Answers of the person\n{text}"))
}
