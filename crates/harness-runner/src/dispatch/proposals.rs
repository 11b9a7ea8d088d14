//! Proposed features on their way out of the log: kept, then carried out as the person said.
//!
//! Who keeps them and who adds to the list is outside; here each of the two comes to its event.

use std::fmt;

use harness_core::{
    AddedFeature, CallId, Event, FeatureId, Proposal, ProposalSettled, ProposalWord, RepoPath,
    SessionId,
};
use harness_engine::SettleProposal;

use super::Dispatcher;

/// Keeps proposals, and does with them what a person says.
pub trait ProposalKeeper: fmt::Debug {
    /// Keeps a proposal, in the place of an earlier one of the same name.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn keep(&self, proposal: &Proposal, session: SessionId) -> Result<(), String>;

    /// Adds a proposal's features to the list, all or none; doing it twice is doing it once.
    ///
    /// # Errors
    /// Why nothing was added.
    fn accept(&self, proposal: &Proposal, without: &[u16]) -> Result<Added, String>;

    /// Notes that a proposal goes nowhere.
    ///
    /// # Errors
    /// Why that cannot be noted.
    fn refuse(&self, proposal: &FeatureId, reason: &str) -> Result<(), String>;
}

/// What was added to the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The features.
    pub features: Vec<AddedFeature>,
    /// The file of the list.
    pub file: RepoPath,
    /// What is worth knowing about it.
    pub remarks: Vec<String>,
}

impl Dispatcher<'_> {
    pub(super) fn keep_proposal(&mut self, call: CallId, proposal: &Proposal) {
        let problem = match (&self.proposals, self.session) {
            (Some(keeper), Some(session)) => keeper.keep(proposal, session).err(),
            _ => None,
        };
        self.queue.push_back(Event::ProposalKept {
            call,
            problem: problem.unwrap_or_default(),
        });
    }

    pub(super) fn settle_proposal(&mut self, settle: SettleProposal) {
        let SettleProposal {
            call,
            proposal,
            word,
        } = settle;
        let mut settled = ProposalSettled {
            call,
            proposal: proposal.id.clone(),
            word,
            features: Vec::new(),
            file: None,
            remarks: Vec::new(),
            problem: String::new(),
        };
        let done = match (&self.proposals, &settled.word) {
            (None, _) => Err("there is nobody who could add to the list".to_owned()),
            (Some(keeper), ProposalWord::Accepted { without }) => {
                keeper.accept(&proposal, without).map(Some)
            }
            (Some(keeper), ProposalWord::Refused { reason }) => {
                keeper.refuse(&proposal.id, reason).map(|()| None)
            }
        };
        match done {
            Ok(Some(added)) => {
                settled.features = added.features;
                settled.file = Some(added.file);
                settled.remarks = added.remarks;
            }
            Ok(None) => {}
            Err(problem) => settled.problem = problem,
        }
        self.queue
            .push_back(Event::ProposalSettled(Box::new(settled)));
    }
}
