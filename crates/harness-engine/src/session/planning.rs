//! A session that plans: it reads, asks and proposes features, and writes nothing.
//!
//! A proposal is recorded, kept outside the log, and put to the person as an approval; what they
//! say is carried out by the runner, and after a yes the session waits for the gates on the base,
//! so that whoever works next knows what they stand on. Called by `apply` and by `steps`.

use harness_core::{
    ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallEnd, CallId, CheckStatus, Decided,
    EndReason, Event, Feature, Goal, Policy, Proposal, ProposalSettled, ProposalWord, RunState,
    Sourced, Verdict,
};
use harness_tool::Intent;

use super::{Conclusion, Session, Step, steps::ended};
use crate::{Effect, SettleProposal, calls::CallState, proposal::check_proposal, words};

/// The most questions with answers that go with a proposal.
const DECIDED_MAX: usize = 40;
/// How much of one is kept. Unit: characters.
const DECIDED_CHARS: usize = 1_000;
/// The most notes that go with a proposal.
const NOTES_MAX: usize = 20;

/// What a planning session knows beside what every session does.
#[derive(Debug)]
pub(super) struct Planning {
    /// The rules as the repository has them: what features may write.
    policy: Policy,
    /// The list as it was when the session began.
    existing: Vec<Feature>,
    put: Option<Put>,
    decided: Vec<Decided>,
    /// Why the gates could not be run on the base.
    base_problem: Option<String>,
    /// Whether the agent was told how the gates stand on the base.
    is_base_told: bool,
    /// Whether the person has taken a proposal.
    is_done: bool,
}

/// A proposal on its way.
#[derive(Debug)]
struct Put {
    call: CallId,
    proposal: Proposal,
    state: PutState,
}

#[derive(Clone, Debug, PartialEq)]
enum PutState {
    ToKeep,
    Keeping,
    Kept,
    /// It is with the person, by way of an approval.
    Asked,
    ToSettle(ProposalWord),
    Settling(ProposalWord),
}

impl Planning {
    /// Begins one where that is what the run is for.
    pub(super) fn of(run: &RunState, feature: &Feature) -> Option<Self> {
        let Goal::Plan { .. } = run.goal else {
            return None;
        };
        let mut policy = run.policy.clone();
        let own = feature.scope.write.iter();
        let sourced = |value: &String| Sourced {
            value: value.clone(),
            origin: "the repository's scope".to_owned(),
        };
        policy.scope.write = own.map(sourced).collect();
        let existing = run.features.iter();
        let existing = existing.filter(|entry| entry.id != feature.id).cloned();
        let earlier = run.work_on(&feature.id);
        let mut planning = Self {
            policy,
            existing: existing.collect(),
            put: None,
            decided: earlier.map_or_else(Vec::new, |work| work.decided.clone()),
            base_problem: None,
            is_base_told: false,
            is_done: false,
        };
        for given in run.kept.answers_about(&feature.id) {
            planning.keep_decided(&given.asked, &given.answer);
        }
        Some(planning)
    }

    /// Keeps what a person has decided, as far as there is room.
    fn keep_decided(&mut self, question: &str, answer: &str) {
        let cut = |text: &str| text.chars().take(DECIDED_CHARS).collect();
        let decided = Decided {
            question: cut(question),
            answer: cut(answer),
        };
        if self.decided.len() < DECIDED_MAX && !self.decided.contains(&decided) {
            self.decided.push(decided);
        }
    }

    fn put_of(&mut self, call: CallId) -> Option<&mut Put> {
        self.put.as_mut().filter(|put| put.call == call)
    }

    /// Takes up what another process left: what it had begun for a proposal is begun again.
    ///
    /// After a yes the conversation can go on.
    pub(super) fn resume(&mut self) {
        self.is_done = false;
        self.base_problem = None;
        if let Some(put) = &mut self.put {
            put.state = match std::mem::replace(&mut put.state, PutState::Kept) {
                PutState::Keeping => PutState::ToKeep,
                PutState::Settling(word) => PutState::ToSettle(word),
                state => state,
            };
        }
    }
}

impl Session {
    /// Says what the kind of session makes of a call; `None` where it makes no difference.
    pub(super) fn judge_kind(&self, intent: &Intent) -> Option<Verdict> {
        let Some(planning) = &self.planning else {
            let is_proposal = matches!(intent, Intent::Propose { .. });
            return is_proposal.then(|| Verdict::deny(words::PROPOSES_ONLY_IN_PLAN));
        };
        match intent {
            Intent::Propose { features } => Some(
                match check_proposal(features, &planning.existing, &planning.policy) {
                    Ok(_) => Verdict::allow("touches nothing", None),
                    Err(problems) => Verdict::deny(words::bad_proposal(&problems)),
                },
            ),
            Intent::Finish { .. } | Intent::Check { .. } | Intent::Request { .. } => {
                Some(Verdict::deny(words::ONLY_PLANS))
            }
            Intent::Act(action)
                if !action.is_read_only()
                    && !matches!(action, harness_core::Action::Run { .. }) =>
            {
                Some(Verdict::deny(words::ONLY_PLANS))
            }
            _ => None,
        }
    }

    /// Makes the record of a proposal.
    pub(super) fn propose(&self, id: CallId) -> Step {
        if self.talk.has_words() {
            return answered(id, words::WORDS_FOLLOW, true);
        }
        let found = self.calls.iter().find(|call| call.id == id);
        let (Some(planning), Some(Ok(Intent::Propose { features }))) =
            (&self.planning, found.map(|call| &call.intent))
        else {
            return Step::Wait;
        };
        // It was judged good; the list of the run does not change.
        let Ok(features) = check_proposal(features, &planning.existing, &planning.policy) else {
            return answered(id, words::ONLY_PLANS, true);
        };
        let proposal = Proposal {
            id: self.feature.id.clone(),
            goal: self.feature.description.clone(),
            notes: self.story.notes.iter().take(NOTES_MAX).cloned().collect(),
            decided: planning.decided.clone(),
            features,
        };
        Step::Record(Event::FeaturesProposed {
            call: id,
            proposal: Box::new(proposal),
        })
    }

    pub(super) fn on_proposed(&mut self, call: CallId, proposal: &Proposal) {
        let is_known = self.calls.iter().any(|known| known.id == call);
        if let (true, Some(planning)) = (is_known, &mut self.planning) {
            planning.put = Some(Put {
                call,
                proposal: proposal.clone(),
                state: PutState::ToKeep,
            });
        }
    }

    pub(super) fn on_kept(&mut self, call: CallId) {
        let put = self.planning.as_mut().and_then(|it| it.put_of(call));
        if let Some(put) = put.filter(|put| put.state == PutState::Keeping) {
            put.state = PutState::Kept;
        }
    }

    /// Says what is next for the proposal; `None` where its call goes on like any other.
    pub(super) fn proposal_step(&mut self) -> Option<Step> {
        let put = self.planning.as_mut()?.put.as_mut()?;
        match &put.state {
            PutState::ToKeep => {
                put.state = PutState::Keeping;
                Some(Step::Do(Effect::KeepProposal {
                    call: put.call,
                    proposal: Box::new(put.proposal.clone()),
                }))
            }
            PutState::Kept => Some(Step::Record(Event::ApprovalAsked(Box::new(
                ApprovalAsked {
                    call: put.call,
                    reason: put.proposal.goal.clone(),
                    subject: ApprovalSubject::Features {
                        proposal: Box::new(put.proposal.clone()),
                    },
                    rule: None,
                    always: None,
                },
            )))),
            PutState::ToSettle(_) => self.settle_proposal(),
            PutState::Keeping | PutState::Settling(_) => Some(Step::Wait),
            PutState::Asked => None,
        }
    }

    /// Carries a person's word out, and waits for its end: it is never cut short.
    pub(super) fn settle_proposal(&mut self) -> Option<Step> {
        let put = self.planning.as_mut()?.put.as_mut()?;
        match put.state.clone() {
            PutState::ToSettle(word) => {
                put.state = PutState::Settling(word.clone());
                Some(Step::Do(Effect::SettleProposal(Box::new(SettleProposal {
                    call: put.call,
                    proposal: put.proposal.clone(),
                    word,
                }))))
            }
            PutState::Settling(_) => Some(Step::Wait),
            _ => None,
        }
    }

    pub(super) fn on_proposal_asked(&mut self, asked: &ApprovalAsked) {
        let put = self.planning.as_mut().and_then(|it| it.put_of(asked.call));
        if let Some(put) = put.filter(|put| put.state == PutState::Kept) {
            put.state = PutState::Asked;
        }
    }

    /// Takes a person's answer to a proposal; `false` where it is about something else.
    pub(super) fn on_proposal_answered(&mut self, id: CallId, answer: &ApprovalAnswer) -> bool {
        let Some(planning) = &mut self.planning else {
            return false;
        };
        let (Some(put), Some(call)) = (planning.put_of(id), self.calls.find(id)) else {
            return false;
        };
        if !matches!(call.state, CallState::Asking(_)) {
            return true;
        }
        let word = match answer {
            ApprovalAnswer::No { reason } if !reason.trim().is_empty() => {
                call.answer(words::otherwise(reason), false);
                planning.put = None;
                return true;
            }
            ApprovalAnswer::No { .. } | ApprovalAnswer::Never => ProposalWord::Refused {
                reason: String::new(),
            },
            ApprovalAnswer::Part { without } => ProposalWord::Accepted {
                without: without.clone(),
            },
            ApprovalAnswer::Once | ApprovalAnswer::Session | ApprovalAnswer::Always { .. } => {
                ProposalWord::Accepted {
                    without: Vec::new(),
                }
            }
        };
        put.state = PutState::ToSettle(word);
        call.state = CallState::Running;
        true
    }

    pub(super) fn on_proposal_settled(&mut self, settled: &ProposalSettled) {
        let Some(planning) = &mut self.planning else {
            return;
        };
        let is_ours =
            |put: &mut Put| put.call == settled.call && matches!(put.state, PutState::Settling(_));
        if planning.put.take_if(is_ours).is_none() {
            return;
        }
        let (text, is_error) = match (&settled.word, settled.problem.as_str()) {
            (ProposalWord::Accepted { .. }, "") => {
                planning.is_done = true;
                (words::taken(&settled.features), false)
            }
            (ProposalWord::Refused { .. }, "") => {
                let detail = "the person refused the proposal".to_owned();
                self.pending.giving_up = Some((EndReason::Interrupted, detail));
                (words::PROPOSAL_REFUSED.to_owned(), true)
            }
            (_, problem) => {
                let detail = words::not_added(&settled.proposal, problem);
                self.pending.stop = Some((EndReason::NeedsHuman, detail));
                (format!("the features could not be added: {problem}"), true)
            }
        };
        if let Some(call) = self.calls.find(settled.call) {
            call.answer(text, is_error);
        }
    }

    /// Forgets a proposal whose call is over without a person's word.
    pub(super) fn forget_proposal(&mut self, call: CallId) {
        if let Some(planning) = &mut self.planning {
            let is_over = |put: &mut Put| {
                let is_settled = matches!(put.state, PutState::ToSettle(_) | PutState::Settling(_));
                put.call == call && !is_settled
            };
            planning.put.take_if(is_over);
        }
    }

    /// Ends the session after a yes, once the gates on the base are known.
    pub(super) fn planned_step(&mut self) -> Option<Step> {
        let has_words = self.talk.has_words();
        let planning = self.planning.as_mut().filter(|planning| planning.is_done)?;
        // The person has more to say: the conversation goes on.
        if has_words {
            planning.is_done = false;
            return None;
        }
        if planning.base_problem.is_none() && !self.is_baseline_known() {
            return Some(Step::Wait);
        }
        // Saved first: from the conclusion on nothing is waited for, and no words are passed over.
        if let Some(step) = self.save_if_due() {
            return Some(step);
        }
        if self.saving.in_flight {
            return Some(Step::Wait);
        }
        self.conclusion = Some(Conclusion::Answered);
        Some(Step::Again)
    }

    /// Whether a person has taken what this session was to propose.
    pub(crate) fn has_planned(&self) -> bool {
        self.planning.as_ref().is_some_and(|it| it.is_done)
    }

    /// Keeps what a person has decided.
    pub(super) fn keep_decided(&mut self, id: CallId, answer: &str) {
        let Some(planning) = &mut self.planning else {
            return;
        };
        let found = self.calls.find(id);
        let asked =
            found.filter(|call| matches!(call.state, CallState::Running | CallState::ToAsk));
        if let Some(Ok(Intent::Ask { text })) = asked.map(|call| &call.intent) {
            planning.keep_decided(text, answer);
        }
    }

    /// Returns what a person has decided so far; nothing in a session that works.
    pub(super) fn decided(&self) -> &[Decided] {
        self.planning
            .as_ref()
            .map_or(&[], |it| it.decided.as_slice())
    }

    /// Goes back to where so much was decided: the conversation goes on from there.
    pub(super) fn forget_decided(&mut self, decided: usize) {
        if let Some(planning) = &mut self.planning {
            planning.decided.truncate(decided);
            planning.is_done = false;
        }
    }

    /// Tells the agent once how the gates stand on the base.
    pub(super) fn tell_base(&mut self) {
        let is_known = self.is_baseline_known();
        let reports = self.baseline.reports.values();
        let red = reports.filter(|report| report.status != CheckStatus::Green);
        let red: Vec<String> = red
            .map(|report| format!("{} is {} ({})", report.gate, report.status, report.reason))
            .collect();
        let has_gates = !self.gates.is_empty();
        let Some(planning) = &mut self.planning else {
            return;
        };
        if !is_known || !has_gates || planning.is_done {
            return;
        }
        if !std::mem::replace(&mut planning.is_base_told, true) {
            self.talk.tell(words::base_gates(&red));
        }
    }

    /// Keeps why the gates could not be run on the base; `false` in a session that works.
    pub(super) fn keep_base_problem(&mut self, message: &str) -> bool {
        let Some(planning) = &mut self.planning else {
            return false;
        };
        if !std::mem::replace(&mut planning.is_base_told, true) {
            self.talk.tell(words::base_unknown(message));
        }
        planning.base_problem = Some(message.to_owned());
        true
    }

    /// The agent stopped without a proposal: it is told, then a person says how to go on.
    pub(super) fn after_plan_stop(&self, run: &RunState) -> Step {
        if self.talk.idle_answers <= 1 && !run.steered {
            return Step::Record(Event::Nudged {
                text: words::STOPPED_WITHOUT_PROPOSAL.to_owned(),
            });
        }
        if run.steered {
            return Step::Record(Event::PersonAwaited);
        }
        Step::Record(Event::FeatureGivenUp {
            reason: EndReason::NeedsHuman,
            detail: words::no_proposal(&self.talk.last_words),
        })
    }
}

fn answered(id: CallId, text: &str, is_error: bool) -> Step {
    ended(
        id,
        CallEnd::Answered {
            text: text.to_owned(),
            is_error,
        },
    )
}
