//! What a person's review wants of the run: what must be fixed, what waits for whose word.

use std::collections::BTreeSet;

use harness_core::Event;

/// The review as far as the run goes by it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// Comments that must be fixed, and whether only the person's word is missing.
    must_fix: Vec<(u32, bool)>,
    /// How many more there are.
    more: u64,
    /// Comments that wait for the agent's answer.
    asked: BTreeSet<u32>,
    /// Comments that were answered since anybody looked.
    answered: BTreeSet<u32>,
    /// Whether something had to be fixed in this session: the gate is shown from then on.
    is_gate: bool,
    /// Whether the agent says that it is done and nothing has come of that yet.
    is_claimed: bool,
}

impl Judged {
    /// Begins with what the book says while no run is at work.
    pub(crate) fn known(must_fix: usize) -> Self {
        Self {
            more: must_fix as u64,
            is_gate: must_fix > 0,
            ..Self::default()
        }
    }

    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(_) => *self = Self::default(),
            Event::ReviewChanged(changed) => {
                let must_fix = changed.must_fix.iter();
                self.must_fix = must_fix
                    .map(|comment| (comment.number, comment.waits_for_person))
                    .collect();
                self.more = changed.more;
                self.asked = changed.asked.iter().copied().collect();
                self.is_gate |= self.must_fix() > 0;
            }
            Event::CommentAnswered(answered) => {
                let mut must_fix = self.must_fix.iter_mut();
                if let Some((_, waits)) = must_fix.find(|(number, _)| *number == answered.number) {
                    *waits = true;
                }
                self.asked.remove(&answered.number);
                self.answered.insert(answered.number);
            }
            Event::FinishRequested { .. } => self.is_claimed = true,
            Event::TurnStarted { .. }
            | Event::FinishRefused { .. }
            | Event::FeaturePassed(_)
            | Event::SessionEnded { .. }
            | Event::RunEnded { .. } => self.is_claimed = false,
            _ => {}
        }
    }

    /// Returns how many comments must be fixed before the feature can finish.
    pub(crate) fn must_fix(&self) -> usize {
        let more = usize::try_from(self.more).unwrap_or(usize::MAX);
        self.must_fix.len().saturating_add(more)
    }

    /// Returns the same for the gate `review`; `None` while nobody ever had to fix anything.
    pub(crate) fn gate(&self) -> Option<usize> {
        self.is_gate.then(|| self.must_fix())
    }

    /// Returns how many comments are worth a look: open, asked or answered.
    pub(crate) fn worth_a_look(&self) -> usize {
        let mut numbers: BTreeSet<u32> = self.must_fix.iter().map(|(number, _)| *number).collect();
        numbers.extend(self.asked.iter().chain(&self.answered));
        let more = usize::try_from(self.more).unwrap_or(usize::MAX);
        numbers.len().saturating_add(more)
    }

    /// Takes in that the person looks at the review.
    pub(crate) fn look(&mut self) {
        self.answered.clear();
    }

    /// Returns the comment that alone keeps the agent from being done, where it is the person's turn.
    pub(crate) fn waits_for_word(&self) -> Option<u32> {
        let all_wait = self.more == 0 && self.must_fix.iter().all(|(_, waits)| *waits);
        let (first, _) = self.must_fix.first()?;
        (self.is_claimed && all_wait).then_some(*first)
    }
}
