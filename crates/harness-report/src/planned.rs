//! What a planning run has come to, for its last line: nothing there is passing or not.

use harness_core::{
    ApprovalSubject, Event, FeatureId, Goal, Proposal, ProposalWord, SessionOpened,
};

use crate::proposal::count;

/// A planning run, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    goal: FeatureId,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is proposed.
    Nothing,
    /// So many features wait for a person's word.
    Proposed(usize),
    /// So many features were taken into the list.
    Accepted(usize),
    Refused,
}

impl Planned {
    /// Begins with a session, or goes on with it where `earlier` is of the same run; `None` where
    /// the session does not plan.
    pub fn opened(opened: &SessionOpened, earlier: Option<Self>) -> Option<Self> {
        let Goal::Plan { feature } = &opened.run.goal else {
            return None;
        };
        let same = earlier.filter(|earlier| earlier.goal == *feature);
        Some(same.unwrap_or_else(|| Self {
            goal: feature.clone(),
            state: State::Nothing,
        }))
    }

    /// Takes an event in.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::FeaturesProposed { proposal, .. } => self.proposed(proposal),
            // Asked once more after a resume.
            Event::ApprovalAsked(asked) => {
                if let ApprovalSubject::Features { proposal } = &asked.subject {
                    self.proposed(proposal);
                }
            }
            Event::ProposalSettled(settled) if settled.problem.is_empty() => {
                self.state = match settled.word {
                    ProposalWord::Accepted { .. } => State::Accepted(settled.features.len()),
                    ProposalWord::Refused { .. } => State::Refused,
                };
            }
            _ => {}
        }
    }

    fn proposed(&mut self, proposal: &Proposal) {
        self.state = State::Proposed(proposal.features.len());
    }

    /// Says it in a few words.
    pub fn to_text(&self) -> String {
        let goal = &self.goal;
        match self.state {
            State::Nothing => format!("{goal} has no proposal"),
            State::Proposed(features) => format!("{goal} proposed, {} to look at", count(features)),
            State::Accepted(features) => format!("{goal} accepted, {} added", count(features)),
            State::Refused => format!("{goal} refused, nothing added"),
        }
    }
}
