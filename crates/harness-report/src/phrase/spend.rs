//! What is said of requests that ended without an answer, and of what is handed over.

use harness_core::{HandedOver, ModelFailure, Spent};

use super::{Line, Phrases, Who, one};
use crate::clean::{clean, clean_line};

impl Phrases {
    /// Counts what a request used that was no whole answer.
    pub(super) fn count(&mut self, spent: Option<Spent>) {
        let Some(used) = spent else { return };
        self.usage = self.usage.plus(used.usage);
        if let (Some(spent), Some(cost)) = (&mut self.spent, used.cost) {
            *spent = *spent + cost;
        }
    }

    /// Says that a request failed; one that is sent again is told by its retry.
    pub(super) fn model_failed(
        &mut self,
        failure: &ModelFailure,
        spent: Option<Spent>,
    ) -> Vec<Line> {
        self.count(spent);
        if failure.class.is_retryable() {
            return Vec::new();
        }
        let text = format!("model failed: {}", clean(&failure.message));
        one(Who::Note, text)
    }

    /// Says what the next session is left with.
    pub(super) fn handed_over(&mut self, note: &HandedOver) -> Vec<Line> {
        self.count(note.spent);
        let by = if note.by_model {
            "the model's note"
        } else {
            "a note of what the log shows"
        };
        let lines = note.note.lines().filter(|line| line.starts_with("- "));
        let lines = lines.take(20).map(|line| clean_line(line, 400));
        let problem = (!note.problem.is_empty()).then(|| clean_line(&note.problem, 400));
        let text = format!("{} handed over, with {by}", note.feature);
        vec![Line::new(Who::Feature, text).with(problem.into_iter().chain(lines))]
    }
}
