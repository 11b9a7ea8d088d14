//! What must hold after every event, found out without asking the engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use harness_core::{
    Action, Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallId, CheckStatus,
    ConversationKind, Decision, EndReason, Event, Feature, FeatureId, FinishSubject, Gate, Goal,
    ModelResponded, Money, Proposal, ProposalWord, Rewound, RunState, SessionOpened, TurnNumber,
};
use harness_engine::{CommitFeature, Effect, OpenSession, RunGate, RunNegativeControl};
use harness_gate::schedule::{AT_ONCE, share_a_build};
use harness_guard::Guard;

use super::{
    beside::{Watch, is_of},
    jobs::Known,
    money::Purse,
    prompt::check_prompt,
    steering::Steering,
    window::Windows,
    world::{World, number},
};

/// Who says an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The engine's own record, or the first end of an effect.
    First,
    /// An end that was there already.
    Repeated,
}

/// What is known of the session whose log is open.
struct Facts {
    guard: Rc<Guard>,
    feature: Feature,
    gates: Vec<String>,
    attempts_max: u32,
    refused: u32,
    turns: TurnNumber,
    /// The action and what was decided, by call.
    judged: BTreeMap<CallId, (Option<Action>, Decision)>,
    approvals: Approvals,
    proposals: Proposals,
    ended: BTreeMap<CallId, u32>,
    frozen: Option<FinishSubject>,
    committing: bool,
    /// The work tree when each turn began.
    trees: BTreeMap<TurnNumber, u64>,
    besides: Watch,
}

/// What was proposed last, and a person's word on it; both outlast the process.
#[derive(Default)]
struct Proposals {
    proposed: Option<(CallId, Proposal)>,
    word: Option<(CallId, ProposalWord)>,
    /// Whether one was taken.
    accepted: bool,
}

impl Proposals {
    fn answered(&mut self, call: CallId, answer: &ApprovalAnswer) {
        let without = match answer {
            ApprovalAnswer::Part { without } => without.clone(),
            ApprovalAnswer::No { reason } if !reason.is_empty() => return,
            answer if answer.is_yes() => Vec::new(),
            _ => {
                let reason = String::new();
                self.word = Some((call, ProposalWord::Refused { reason }));
                return;
            }
        };
        self.word = Some((call, ProposalWord::Accepted { without }));
    }
}

/// What a person was asked for and said in this process.
#[derive(Default)]
struct Approvals {
    open: Option<ApprovalAsked>,
    granted: Option<CallId>,
    /// What was asked for last.
    asked: Option<ApprovalSubject>,
}

impl Facts {
    /// Takes an answer in, where it is one to what is open.
    fn answered(&mut self, call: CallId, answer: &ApprovalAnswer) {
        let Some(asked) = self.approvals.open.take_if(|open| open.call == call) else {
            return;
        };
        if matches!(asked.subject, ApprovalSubject::Features { .. }) {
            return self.proposals.answered(call, answer);
        }
        if let ApprovalSubject::Action {
            action: Action::Run { command, .. },
        } = &asked.subject
        {
            Rc::make_mut(&mut self.guard).hear(command, answer);
        }
        self.approvals.granted = answer.is_yes().then_some(call);
        self.approvals.asked = Some(asked.subject);
    }
}

/// Watches one simulated run.
#[derive(Default)]
pub(crate) struct Monitor {
    facts: Option<Facts>,
    run: Option<RunState>,
    purse: Purse,
    passed: BTreeSet<FeatureId>,
    /// What a person approved of findings, by feature and id.
    approved: BTreeSet<(FeatureId, String)>,
    ended: bool,
    jobs: Known,
    /// Whether a person has taken a proposal.
    accepted: bool,
    /// Whether a person has refused one.
    refused: bool,
    pub(crate) steering: Steering,
    windows: Windows,
    /// One per feature and number of rules: compiling them is slow.
    guards: BTreeMap<(FeatureId, usize), Rc<Guard>>,
}

impl Monitor {
    pub(crate) fn new(run: &RunState) -> Self {
        Self {
            run: Some(run.clone()),
            ..Self::default()
        }
    }

    /// Returns what the answers in all logs have cost.
    pub(crate) const fn spent(&self) -> Money {
        self.purse.run()
    }

    /// Returns the features whose commit is in the log.
    pub(crate) const fn passed(&self) -> &BTreeSet<FeatureId> {
        &self.passed
    }

    /// Another run has paid for what was done until now, and has its attempts.
    fn forked(&mut self) {
        self.purse = Purse::default();
        self.ended = false;
        if let Some(facts) = &mut self.facts {
            (facts.refused, facts.committing, facts.frozen) = (0, false, None);
        }
    }

    /// Takes note of an event that is logged.
    pub(crate) fn event(
        &mut self,
        event: &Event,
        origin: Origin,
        world: &World,
    ) -> Result<(), String> {
        self.steering.event(event, self.facts.is_some())?;
        self.jobs.event(event)?;
        if let (Some(facts), Some(run), Origin::First) = (&self.facts, &self.run, origin) {
            let limits = &run.policy.limits;
            self.purse.event(event, &facts.feature, limits)?;
        }
        if origin == Origin::First {
            self.windows.event(event)?;
        }
        match event {
            Event::SessionOpened(opened) => {
                self.purse.open_session();
                self.steering.forget_session();
                self.opened(opened);
            }
            Event::SessionResumed {
                attended,
                limits,
                steered,
                ..
            } => {
                self.ended = false;
                let was_committing = self.facts.as_ref().is_some_and(|facts| facts.committing);
                self.steering.resumed(*steered, was_committing);
                if let Some(facts) = &mut self.facts {
                    facts.approvals = Approvals::default();
                }
                if let Some(run) = &mut self.run {
                    run.attended = *attended;
                    run.steered = *steered;
                    run.policy.limits = (**limits).clone();
                }
                self.adapt_attempts();
            }
            Event::Forked(_) => self.forked(),
            Event::ModelResponded(responded) if origin == Origin::First => {
                self.responded(responded)?;
            }
            Event::CallJudged {
                call,
                action,
                verdict,
                ..
            } => self.judged(*call, action.as_ref(), verdict.decision)?,
            Event::ApprovalAsked(asked) => self.approval_asked(asked)?,
            Event::FeatureAmended { call, amendment } => self.amended(*call, amendment)?,
            Event::FindingsApproved {
                feature, findings, ..
            } => {
                let ids = findings.iter();
                self.approved
                    .extend(ids.map(|finding| (feature.clone(), finding.id.clone())));
            }
            Event::ApprovalAnswered { call, answer } if origin == Origin::First => {
                // Nobody may wait for the answer any more.
                if let Some(facts) = &mut self.facts {
                    facts.answered(*call, answer);
                }
            }
            Event::CallEnded { call, .. } if origin == Origin::First => self.call_ended(*call)?,
            Event::FeaturesProposed { call, proposal } => {
                let is_plan = self.run.as_ref().map(|run| &run.goal);
                ensure(matches!(is_plan, Some(Goal::Plan { .. })), || {
                    "proposes in a session that works".to_owned()
                })?;
                self.facts()?.proposals.proposed = Some((*call, (**proposal).clone()));
            }
            Event::ProposalSettled(settled) if origin == Origin::First => {
                let is_yes = matches!(settled.word, ProposalWord::Accepted { .. });
                let is_done = settled.problem.is_empty();
                self.refused |= !is_yes && is_done;
                self.facts()?.proposals.accepted |= is_yes && is_done;
            }
            Event::FinishRequested { .. } => {
                let is_plan = self.run.as_ref().map(|run| &run.goal);
                ensure(!matches!(is_plan, Some(Goal::Plan { .. })), || {
                    "judges a plan by gates".to_owned()
                })?;
                self.facts()?.frozen = None;
            }
            Event::CandidateFrozen(subject) if origin == Origin::First => {
                self.facts()?.frozen = Some(subject.clone());
            }
            Event::FinishRefused { .. } => self.refused()?,
            Event::FeaturePassed(passed) if origin == Origin::First => {
                let facts = self.facts()?;
                ensure(facts.committing, || "passed without a commit".to_owned())?;
                ensure(facts.feature.id == passed.feature, || {
                    "another feature passed".to_owned()
                })?;
                ensure(
                    facts.frozen.as_ref().is_some_and(|f| f.tree == passed.tree),
                    || "passed on a tree that is not the last frozen one".to_owned(),
                )?;
                facts.committing = false;
                ensure(self.passed.insert(passed.feature.clone()), || {
                    "passed twice".to_owned()
                })?;
            }
            Event::CommitFailed { .. } => self.facts()?.committing = false,
            Event::Beside(told) if origin == Origin::First => {
                let facts = self.facts()?;
                facts.besides.beside(told, &facts.guard)?;
            }
            Event::Reviewed(review) => {
                let facts = self.facts()?;
                facts.besides.reviewed(review, &facts.feature)?;
            }
            Event::PersonAwaited => {
                let steered = self.run.as_ref().is_some_and(|run| run.steered);
                ensure(steered, || "awaits a person who cannot talk".to_owned())?;
            }
            Event::TurnStarted { turn } => {
                let last = std::mem::replace(&mut self.facts()?.turns, *turn);
                ensure(*turn == last.next(), || format!("turn {turn} after {last}"))?;
                let work = world.work();
                // A job may change it before it is saved.
                if !self.jobs.may_write() {
                    self.facts()?.trees.insert(*turn, work);
                }
            }
            Event::Rewound(rewound) => self.went_back(rewound, world)?,
            Event::SessionEnded { .. } => {
                self.all_calls_ended()?;
                self.accepted |= self.facts.as_ref().is_some_and(|it| it.proposals.accepted);
                self.facts = None;
                self.steering.forget_session();
            }
            Event::RunEnded { reason, .. } => {
                self.accepted |= self.facts.as_ref().is_some_and(|it| it.proposals.accepted);
                self.ended = true;
                self.all_calls_ended()?;
                self.end_is_true(*reason, world)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Looks at something the engine asks for, given what is in flight besides.
    pub(crate) fn effect(
        &mut self,
        effect: &Effect,
        in_flight: &[&Effect],
        world: &World,
    ) -> Result<(), String> {
        ensure(!self.ended, || {
            "asked for something after the run's end".to_owned()
        })?;
        self.steering.effect(effect)?;
        self.jobs.effect(effect)?;
        match effect {
            Effect::Record(_) => {}
            Effect::OpenSession(open) => self.may_open(open, world)?,
            Effect::RequestModel { turn, prompt } => {
                ensure(!in_flight.iter().any(|e| is_request(e)), || {
                    "two requests in flight".to_owned()
                })?;
                self.turn_is_allowed(*turn)?;
                check_prompt(prompt)?;
                self.windows.request(prompt)?;
            }
            Effect::CancelModel => {
                ensure(in_flight.iter().any(|e| is_request(e)), || {
                    "cancels a request that is not there".to_owned()
                })?;
            }
            Effect::CancelWork => {
                ensure(in_flight.iter().any(|e| is_work(e)), || {
                    "cancels work that is not there".to_owned()
                })?;
            }
            Effect::Perform { call, permit } => {
                self.may_perform(*call, permit.action())?;
                let is_read = permit.action().is_read_only();
                let clashes = |other: &&Effect| {
                    is_change(other) || !is_read && (is_read_call(other) || is_save(other))
                };
                ensure(!in_flight.iter().any(clashes), || {
                    "a change beside another call or a checkpoint".to_owned()
                })?;
            }
            Effect::PerformApproved { call, awaited } => {
                self.may_perform_approved(*call, awaited.action())?;
                let clashes =
                    |other: &&Effect| is_change(other) || is_read_call(other) || is_save(other);
                ensure(!in_flight.iter().any(clashes), || {
                    "an approved change beside another call or a checkpoint".to_owned()
                })?;
            }
            Effect::AskApproval(asked) => {
                let attended = self.run.as_ref().is_some_and(|run| run.attended);
                ensure(attended, || {
                    "wants the approval of a person who is not there".to_owned()
                })?;
                self.facts()?.approvals.open = Some((**asked).clone());
            }
            Effect::TendJob { .. } | Effect::StopJobs { .. } => {
                ensure(!in_flight.iter().any(|e| is_change(e)), || {
                    "jobs are seen to beside a change".to_owned()
                })?;
            }
            Effect::AskPerson { .. } => {
                let attended = self.run.as_ref().is_some_and(|run| run.attended);
                ensure(attended, || "asks a person who is not there".to_owned())?;
            }
            Effect::SaveCheckpoint { .. } => {
                ensure(
                    !in_flight.iter().any(|e| is_change(e) || is_save(e)),
                    || "a checkpoint beside a change or a checkpoint".to_owned(),
                )?;
            }
            Effect::RunBaseline { .. } => {}
            Effect::FreezeCandidate => {
                ensure(!in_flight.iter().any(|e| is_change(e)), || {
                    "frozen while something changes".to_owned()
                })?;
            }
            Effect::RunGate(run) => {
                self.gate_fits(run)?;
                self.may_run_beside(run, in_flight)?;
            }
            Effect::RunNegativeControl(run) => self.may_control(run, in_flight, world)?,
            Effect::CommitFeature(commit) => self.may_commit(commit, world)?,
            Effect::HandOver(write) => {
                ensure(in_flight.iter().all(|e| is_beside(e)), || {
                    "hands over while work runs".to_owned()
                })?;
                if let (Some(facts), Some(run)) = (&self.facts, &self.run) {
                    let limits = &run.policy.limits;
                    self.purse.may_hand_over(write, &facts.feature, limits)?;
                }
            }
            Effect::AskBeside(ask) => {
                ensure(!in_flight.iter().any(|e| is_request(e)), || {
                    "two requests in flight".to_owned()
                })?;
                self.facts()?.besides.may_ask(ask)?;
            }
            Effect::PerformBeside {
                conversation,
                call,
                permit,
                tree,
            } => {
                ensure(!in_flight.iter().any(|e| is_change(e)), || {
                    "looks while something changes".to_owned()
                })?;
                let facts = self.facts()?;
                let judged = match conversation.kind {
                    ConversationKind::Explore => None,
                    ConversationKind::Reviewer => facts.frozen.as_ref().map(|it| &it.candidate),
                };
                ensure(judged == tree.as_ref(), || {
                    format!("{conversation} looks at {tree:?}")
                })?;
                let action = permit.action();
                facts
                    .besides
                    .may_perform(*conversation, *call, action, &facts.guard)?;
            }
            Effect::ShowChange { tree } => {
                let facts = self.facts()?;
                let frozen = facts.frozen.as_ref();
                ensure(frozen.is_some_and(|it| it.candidate == *tree), || {
                    "shows another change".to_owned()
                })?;
            }
            Effect::KeepProposal { call, proposal } => {
                let proposals = &self.facts()?.proposals;
                ensure(
                    proposals.proposed.as_ref() == Some(&(*call, (**proposal).clone())),
                    || "keeps what was not proposed last".to_owned(),
                )?;
            }
            Effect::SettleProposal(settle) => {
                let proposals = &mut self.facts()?.proposals;
                let (call, proposal) = (settle.call, settle.proposal.clone());
                ensure(
                    proposals.proposed.as_ref() == Some(&(call, proposal)),
                    || "settles what was not proposed last".to_owned(),
                )?;
                ensure(
                    proposals.word.as_ref() == Some(&(call, settle.word.clone())),
                    || format!("settles otherwise than the person said: {:?}", settle.word),
                )?;
                ensure(!in_flight.iter().any(|e| is_settling(e)), || {
                    "settles twice at a time".to_owned()
                })?;
            }
            Effect::SetAside | Effect::BringBack(_) | Effect::Rewind(_) | Effect::TurnDown(_) => {
                ensure(in_flight.iter().all(|e| is_beside(e)), || {
                    format!("{effect:?} while work runs")
                })?;
            }
        }
        Ok(())
    }

    /// Returns the turn of the open session.
    pub(crate) fn turn(&self) -> Option<TurnNumber> {
        self.facts.as_ref().map(|facts| facts.turns)
    }

    fn went_back(&mut self, rewound: &Rewound, world: &World) -> Result<(), String> {
        self.all_calls_ended()?;
        let steered = self.run.as_ref().is_some_and(|run| run.steered);
        self.steering.went_back(rewound, steered);
        let then = self.facts()?.trees.get(&rewound.turn).copied();
        let is_back = !rewound.what.has_files() || then.is_none_or(|then| then == world.work());
        ensure(is_back, || {
            format!("back at turn {} with other files", rewound.turn)
        })
    }

    fn facts(&mut self) -> Result<&mut Facts, String> {
        self.facts
            .as_mut()
            .ok_or_else(|| "an event of a session outside of one".to_owned())
    }

    fn opened(&mut self, opened: &SessionOpened) {
        self.run = Some(opened.run.clone());
        let run = &opened.run;
        let feature = run
            .features
            .iter()
            .find(|f| f.id == opened.feature)
            .cloned()
            .unwrap();
        let knows = |name: &String| run.policy.gates.iter().any(|gate| gate.name == *name);
        if !feature.gates.iter().all(knows) {
            return;
        }
        let said = run.policy.commands.len() + 1_000 * run.policy.amendments.len();
        let compile = || Rc::new(Guard::new(&run.policy, &feature).unwrap());
        let mut guard = Rc::clone(
            self.guards
                .entry((feature.id.clone(), said))
                .or_insert_with(compile),
        );
        let answers = run.work_on(&feature.id);
        for answered in answers.iter().flat_map(|work| &work.answers) {
            Rc::make_mut(&mut guard).hear(&answered.command, &answered.answer);
        }
        self.facts = Some(Facts {
            guard,
            gates: gate_names(&run.policy.gates, &feature),
            attempts_max: 0,
            feature,
            refused: run.attempts,
            turns: TurnNumber(0),
            judged: BTreeMap::new(),
            approvals: Approvals::default(),
            proposals: Proposals::default(),
            ended: BTreeMap::new(),
            frozen: None,
            committing: false,
            besides: Watch::default(),
            trees: BTreeMap::new(),
        });
        self.adapt_attempts();
    }

    fn may_open(&self, open: &OpenSession, world: &World) -> Result<(), String> {
        ensure(self.facts.is_none(), || {
            "a session inside a session".to_owned()
        })?;
        ensure(!world.is_spoiled_for(&open.feature.id), || {
            "a feature begins on another's unproven work".to_owned()
        })?;
        ensure(!self.passed.contains(&open.feature.id), || {
            "works on what has passed".to_owned()
        })?;
        let tip = world
            .branch
            .last()
            .map_or(&world.plan.run.base, |made| &made.id);
        ensure(open.run.tip == *tip, || {
            "a session begins on another tip".to_owned()
        })?;
        let start = open.run.work_start.as_ref();
        ensure(start.is_none_or(|start| world.is_start(start)), || {
            "a session begins on another work tree".to_owned()
        })
    }

    fn adapt_attempts(&mut self) {
        if let (Some(facts), Some(run)) = (&mut self.facts, &self.run) {
            facts.attempts_max = facts
                .feature
                .budget
                .attempts
                .unwrap_or(run.policy.limits.attempts)
                .max(1);
        }
    }

    fn responded(&mut self, responded: &ModelResponded) -> Result<(), String> {
        let calls = responded.response.calls().count();
        let turn = responded.turn;
        let facts = self.facts()?;
        for index in (0..).take(calls) {
            ensure(
                facts.ended.insert(CallId { turn, index }, 0).is_none(),
                || "a turn was answered twice".to_owned(),
            )?;
        }
        Ok(())
    }

    fn judged(
        &mut self,
        call: CallId,
        action: Option<&Action>,
        decision: Decision,
    ) -> Result<(), String> {
        let facts = self.facts()?;
        let truth = action.map_or(Decision::Allow, |action| facts.guard.judge(action).decision);
        let is_wider = match decision {
            Decision::Allow => truth != Decision::Allow,
            Decision::Ask => truth == Decision::Deny,
            Decision::Deny => false,
        };
        ensure(!is_wider, || {
            format!("{call:?}: {decision} where the guard says {truth}")
        })?;
        facts.judged.insert(call, (action.cloned(), decision));
        Ok(())
    }

    fn may_perform(&mut self, call: CallId, action: &Action) -> Result<(), String> {
        let facts = self.facts()?;
        ensure(facts.guard.judge(action).is_allowed(), || {
            format!("performs what the guard denies: {action:?}")
        })?;
        let logged = facts.judged.get(&call);
        ensure(
            logged == Some(&(Some(action.clone()), Decision::Allow)),
            || format!("performs what was not judged: {action:?}"),
        )
    }

    /// Only what was asked for, and granted in this process, and not yet done.
    fn may_perform_approved(&mut self, call: CallId, action: &Action) -> Result<(), String> {
        let facts = self.facts()?;
        ensure(facts.guard.judge(action).decision != Decision::Deny, || {
            format!("performs what the guard denies: {action:?}")
        })?;
        let logged = facts.judged.get(&call);
        ensure(
            logged == Some(&(Some(action.clone()), Decision::Ask)),
            || format!("performs what was not asked about: {action:?}"),
        )?;
        ensure(facts.approvals.granted.take() == Some(call), || {
            format!("performs what no person approved: {action:?}")
        })
    }

    fn approval_asked(&mut self, asked: &ApprovalAsked) -> Result<(), String> {
        let facts = self.facts()?;
        if let ApprovalSubject::Findings { findings, .. } = &asked.subject {
            let frozen = facts.frozen.iter().flat_map(|frozen| &frozen.findings);
            let frozen: Vec<_> = frozen.collect();
            let subject = facts.frozen.as_ref();
            let is_review = |finding: &harness_core::Finding| {
                subject.is_some_and(|subject| is_of(subject, &finding.id))
            };
            return ensure(
                findings
                    .iter()
                    .all(|finding| frozen.contains(&finding) || is_review(finding)),
                || format!("asks about what was not found: {asked:?}"),
            );
        }
        if let ApprovalSubject::Features { proposal } = &asked.subject {
            let proposed = facts.proposals.proposed.as_ref();
            return ensure(
                proposed == Some(&(asked.call, (**proposal).clone())),
                || format!("asks about what was not proposed: {asked:?}"),
            );
        }
        let logged = facts.judged.get(&asked.call);
        ensure(
            logged.is_some_and(|(_, decision)| *decision == Decision::Ask),
            || format!("asks about what needs no approval: {asked:?}"),
        )
    }

    /// More is given only where a person granted exactly that in this process.
    fn amended(&mut self, call: CallId, amendment: &Amendment) -> Result<(), String> {
        let facts = self.facts()?;
        ensure(facts.approvals.granted.take() == Some(call), || {
            format!("gives what no person approved: {amendment:?}")
        })?;
        let subject = ApprovalSubject::Amendment {
            amendment: amendment.clone(),
        };
        ensure(facts.approvals.asked.take() == Some(subject), || {
            format!("gives something else than was asked for: {amendment:?}")
        })?;
        ensure(amendment.feature == facts.feature.id, || {
            "gives more for another feature".to_owned()
        })?;
        if let (Some(run), Some(facts)) = (&mut self.run, &mut self.facts) {
            run.policy.amend(amendment);
            let renewed = facts.guard.renewed(&run.policy, &facts.feature);
            facts.guard = Rc::new(renewed.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn call_ended(&mut self, call: CallId) -> Result<(), String> {
        let facts = self.facts()?;
        let open = &mut facts.approvals.open;
        open.take_if(|open| open.call == call);
        let count = facts.ended.get_mut(&call);
        let count = count.ok_or_else(|| format!("{call:?} ended and was never asked for"))?;
        *count += 1;
        ensure(*count == 1, || format!("{call:?} ended {count} times"))
    }

    fn all_calls_ended(&self) -> Result<(), String> {
        if let Some(facts) = &self.facts {
            facts.besides.is_over()?;
        }
        let open = self
            .facts
            .iter()
            .flat_map(|facts| &facts.ended)
            .find(|(_, count)| **count != 1);
        ensure(open.is_none(), || format!("{open:?} has no end"))
    }

    fn refused(&mut self) -> Result<(), String> {
        let facts = self.facts()?;
        facts.refused += 1;
        ensure(facts.refused <= facts.attempts_max, || {
            format!("{} attempts", facts.refused)
        })
    }

    fn turn_is_allowed(&mut self, turn: TurnNumber) -> Result<(), String> {
        let limits = self
            .run
            .as_ref()
            .map(|run| run.policy.limits.clone())
            .unwrap_or_default();
        let spent = self.spent();
        let facts = self.facts()?;
        ensure(turn.0 <= limits.turns, || {
            format!("turn {turn} of {}", limits.turns)
        })?;
        // A turn may begin and its request never be sent: it cannot be paid, or words go first.
        ensure(turn == facts.turns, || {
            format!("a request of turn {turn} in turn {}", facts.turns)
        })?;
        ensure(limits.usd.is_none_or(|usd| spent < usd), || {
            format!("{spent} spent and goes on")
        })
    }

    fn gate_fits(&mut self, run: &RunGate) -> Result<(), String> {
        let facts = self.facts()?;
        let fits = facts
            .frozen
            .as_ref()
            .is_some_and(|frozen| frozen.tree == run.tree);
        ensure(fits, || {
            "a gate runs on a tree that is not the last frozen one".to_owned()
        })
    }

    /// Gates that share a build, or meet in the work tree, run one after the other.
    fn may_run_beside(&mut self, run: &RunGate, in_flight: &[&Effect]) -> Result<(), String> {
        let running: Vec<&Gate> = in_flight
            .iter()
            .filter_map(|effect| gate_of(effect))
            .collect();
        let isolated = self.run.as_ref().is_some_and(|run| run.policy.isolate);
        let most = if isolated { AT_ONCE } else { 1 };
        ensure(running.len() < most, || {
            format!("`{}` runs beside {} gates", run.gate.name, running.len())
        })?;
        let clash = running.iter().find(|gate| share_a_build(gate, &run.gate));
        ensure(clash.is_none(), || {
            format!(
                "`{}` runs beside {clash:?}, which shares its build",
                run.gate.name
            )
        })
    }

    /// Added tests are tried when everything is green and before anything is committed.
    fn may_control(
        &mut self,
        run: &RunNegativeControl,
        in_flight: &[&Effect],
        world: &World,
    ) -> Result<(), String> {
        let facts = self.facts()?;
        let frozen = facts.frozen.as_ref();
        ensure(
            frozen.is_some_and(|frozen| frozen.candidate == run.tree),
            || "a negative control of a tree that is not the last frozen one".to_owned(),
        )?;
        let tree = number(&run.tree);
        let all_green = run
            .reports
            .iter()
            .map(|report| &report.gate)
            .eq(&facts.gates)
            && facts
                .gates
                .iter()
                .all(|gate| world.colour(gate, tree) == CheckStatus::Green);
        ensure(all_green, || {
            "a negative control before all is green".to_owned()
        })?;
        let beside = |effect: &&Effect| gate_of(effect).is_some();
        ensure(!in_flight.iter().any(beside) && !facts.committing, || {
            "a negative control beside a gate or a commit".to_owned()
        })
    }

    fn may_commit(&mut self, commit: &CommitFeature, world: &World) -> Result<(), String> {
        let facts = self.facts()?;
        ensure(facts.frozen.as_ref() == Some(&commit.subject), || {
            "commits what was not frozen last".to_owned()
        })?;
        let feature = facts.feature.id.clone();
        let found = commit.subject.findings.iter();
        let mut ids = found.map(|finding| (feature.clone(), finding.id.clone()));
        ensure(ids.all(|id| self.approved.contains(&id)), || {
            "commits with findings that no person approved".to_owned()
        })?;
        let by = self.run.as_ref().map(|run| run.policy.review);
        let mut words = self.approved.iter();
        let word = words.any(|(of, id)| *of == feature && is_of(&commit.subject, id));
        let facts = self.facts()?;
        facts
            .besides
            .may_commit(commit, by.unwrap_or_default(), word)?;
        ensure(!facts.gates.is_empty(), || {
            "commits without gates".to_owned()
        })?;
        let names: Vec<&String> = commit.reports.iter().map(|report| &report.gate).collect();
        let control = &commit.negative_control;
        ensure(
            !control.skipped.is_empty() || !control.checks.is_empty(),
            || "commits without a word about the negative control".to_owned(),
        )?;
        ensure(names.iter().copied().eq(&facts.gates), || {
            format!("gates {names:?} of {:?}", facts.gates)
        })?;
        let tree = number(&commit.subject.tree);
        for report in &commit.reports {
            let green = report.status == CheckStatus::Green
                && world.colour(&report.gate, tree) == CheckStatus::Green;
            ensure(green, || {
                format!("commits with gate `{}` not green", report.gate)
            })?;
        }
        facts.committing = true;
        let others = world
            .branch
            .iter()
            .filter(|made| made.feature == commit.feature.id);
        for made in others {
            ensure(made.tree == commit.subject.tree, || {
                "commits a feature a second time".to_owned()
            })?;
        }
        Ok(())
    }

    /// A run that says it reached its goal must have.
    fn end_is_true(&self, reason: EndReason, world: &World) -> Result<(), String> {
        let Some(run) = &self.run else { return Ok(()) };
        let answers = reason == EndReason::Answered;
        ensure(!answers || world.is_untouched(), || {
            "answered, but files have changed".to_owned()
        })?;
        let is_task = matches!(run.goal, Goal::Task { .. });
        let is_plan = matches!(run.goal, Goal::Plan { .. });
        ensure(!answers || is_task || is_plan && self.accepted, || {
            "answered, but nobody has asked".to_owned()
        })?;
        let interrupted = reason == EndReason::Interrupted;
        ensure(
            !interrupted || self.steering.has_stopped() || self.refused,
            || "interrupted by nobody".to_owned(),
        )?;
        let wanted: Vec<&FeatureId> = match (reason, &run.goal) {
            (EndReason::AllPassing, _) => run.features.iter().map(|feature| &feature.id).collect(),
            (EndReason::FeaturePassed, Goal::One { feature } | Goal::Task { feature }) => {
                vec![feature]
            }
            _ => Vec::new(),
        };
        for id in wanted {
            let made = world.branch.iter().any(|made| made.feature == *id);
            ensure(made, || {
                format!("ends {reason} and `{id}` was never committed")
            })?;
        }
        Ok(())
    }
}

pub(crate) fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

fn gate_names(all: &[Gate], feature: &Feature) -> Vec<String> {
    let named = |gate: &&Gate| feature.gates.is_empty() || feature.gates.contains(&gate.name);
    let names = all.iter().filter(named).map(|gate| gate.name.clone());
    let own = (1..=feature.verify.len()).map(|number| format!("verify-{number}"));
    names.chain(own).collect()
}

fn gate_of(effect: &Effect) -> Option<&Gate> {
    match effect {
        Effect::RunGate(run) => Some(&run.gate),
        _ => None,
    }
}

pub(crate) const fn is_request(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::RequestModel { .. } | Effect::HandOver(_) | Effect::AskBeside(_)
    )
}

pub(crate) fn is_change(effect: &Effect) -> bool {
    match effect {
        Effect::Perform { permit, .. } => !permit.action().is_read_only(),
        Effect::PerformApproved { .. } => true,
        Effect::CommitFeature(_)
        | Effect::SetAside
        | Effect::BringBack(_)
        | Effect::Rewind(_)
        | Effect::TurnDown(_) => true,
        _ => false,
    }
}

fn is_read_call(effect: &Effect) -> bool {
    matches!(effect, Effect::Perform { permit, .. } if permit.action().is_read_only())
}

const fn is_settling(effect: &Effect) -> bool {
    matches!(effect, Effect::SettleProposal(_))
}

const fn is_save(effect: &Effect) -> bool {
    matches!(effect, Effect::SaveCheckpoint { .. })
}

/// Whether `CancelWork` is about it.
pub(crate) const fn is_work(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Perform { .. }
            | Effect::PerformApproved { .. }
            | Effect::TendJob { .. }
            | Effect::PerformBeside { .. }
            | Effect::ShowChange { .. }
            | Effect::RunGate(_)
            | Effect::RunNegativeControl(_)
            | Effect::RunBaseline { .. }
            | Effect::FreezeCandidate
    )
}

/// Whether a session may end while it runs: gates on the base, a question nobody waits for, and
/// the end of jobs, which they may have come to by themselves.
pub(crate) const fn is_beside(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::RunBaseline { .. }
            | Effect::AskPerson { .. }
            | Effect::AskApproval(_)
            | Effect::StopJobs { .. }
            | Effect::KeepProposal { .. }
    )
}
