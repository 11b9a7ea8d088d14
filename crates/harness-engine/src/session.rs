//! One session: one agent, one fresh context, one feature.
//!
//! This file takes events in, `open` the first one and `answers` those of the model. `steps`
//! says what follows from them, `resume` what becomes of a session that another process
//! left, `steering` what a person changes, `approval` what waits for a person's word,
//! `proving` and `informing` how gates run, `asides` what is said beside calls and their
//! results, `jobs` commands that go on, `hand_over` what is left for the next session,
//! `beside` what conversations beside the main one want, `review` who looks at a change
//! before it is committed, `planning` the session that only plans, `questions` what a person
//! is asked, `person_review` what a person's review of the change wants, `rewind` how a session goes
//! back to a turn, `bring_back` what becomes of work put aside, `window` what becomes of a full
//! window, `in_flight` what had no end when a process ended, `fork` how a session begins with
//! another one's work.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
};

use harness_core::{
    CallEnd, CallId, CheckReport, CheckpointNumber, CheckpointSaved, EndReason, Event, Feature,
    FeatureId, FeatureStatus, Finding, Gate, LimitKind, Money, Outcome, RepoPath, ReviewBy, Stop,
    Timestamp, TokenCount, TreeId, TurnNumber, Usage, Verdict,
};
use harness_guard::Guard;
use harness_tool::Intent;

use crate::{
    calls::{CallState, Calls},
    check::{Check, Errand, Purpose},
    drift::Drift,
    talk::{Request, Talk},
    words,
};

mod answers;
mod approval;
mod asides;
mod beside;
mod bring_back;
mod by_hand;
mod findings;
mod fork;
mod formatting;
mod hand_over;
mod in_flight;
mod informing;
mod jobs;
mod open;
mod person_review;
mod planning;
mod proving;
mod questions;
mod regression;
mod resume;
mod review;
mod rewind;
mod spending;
mod steering;
mod steps;
mod window;

use self::informing::Informing;

pub(crate) use findings::approvals;
pub use hand_over::HAND_OVER_OUTPUT_MAX;
pub(crate) use hand_over::hand_over_model;
pub use open::first_prompt;
pub use questions::ANSWER_WAIT_MAX;
pub(crate) use review::{Reviewing, too_low};
pub(crate) use steps::{Step, Surroundings};

/// How the work on the feature ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Conclusion {
    Passed,
    Answered,
    GivenUp {
        reason: EndReason,
        detail: String,
    },
    /// The window is full; a fresh session goes on.
    HandedOver {
        reason: String,
    },
}

impl Conclusion {
    /// Returns the word for the session's end.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Answered => "answered".to_owned(),
            Self::GivenUp { reason, detail } => format!("{reason}: {detail}"),
            Self::HandedOver { reason } => format!("handed over: {reason}"),
        }
    }
}

/// Saving the work tree.
#[derive(Debug)]
struct Saving {
    next: CheckpointNumber,
    tree: TreeId,
    due: bool,
    in_flight: bool,
}

/// Gates on the base.
#[derive(Debug, Default)]
struct Baseline {
    asked: bool,
    reports: BTreeMap<String, CheckReport>,
}

/// Taking unproven work out of the way of the next feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SettingAside {
    Open,
    InFlight,
    Done,
}

/// What the session has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) since: Timestamp,
    pub(crate) usage: Usage,
    pub(crate) spent: Money,
}

/// What the progress log will tell.
#[derive(Debug, Default)]
struct Story {
    notes: Vec<String>,
    refusals: Vec<String>,
}

/// What waits to be recorded, oldest first.
#[derive(Debug, Default)]
struct Pending {
    nudge: Option<&'static str>,
    giving_up: Option<(EndReason, String)>,
    stop: Option<(EndReason, String)>,
    documents: VecDeque<(RepoPath, TokenCount)>,
}

/// The state of a session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) feature: Feature,
    pub(crate) attempts: u32,
    pub(crate) cost: Cost,
    pub(crate) conclusion: Option<Conclusion>,
    guard: Guard,
    /// Whether a person does not want to be asked for more in this session.
    asks_no_more: bool,
    gates: Vec<Gate>,
    /// How many gates may run at the same time.
    at_once: usize,
    informing: Informing,
    formatting: formatting::Formatting,
    talk: Talk,
    calls: Calls,
    besides: beside::Besides,
    review_by: ReviewBy,
    saving: Saving,
    baseline: Baseline,
    check: Option<Check>,
    /// Features that turned out broken and are not recorded as failing yet.
    broken: Vec<regression::Broken>,
    /// Whether red gates on the base stop nothing: the feature is a broken one, which is to be mended,
    /// or the session plans.
    mends: bool,
    drift: Drift,
    story: Story,
    findings: findings::Findings,
    pending: Pending,
    loaded: BTreeSet<RepoPath>,
    warned: BTreeSet<LimitKind>,
    hand_over: hand_over::HandOver,
    jobs: jobs::Jobs,
    /// What there is more to know where the session plans; absent where it works.
    planning: Option<planning::Planning>,
    /// The question that is open, or that the feature was given up for.
    question: Option<questions::Asked>,
    person_review: person_review::PersonReview,
    turns: rewind::Turns,
    bring_back: bring_back::BringBack,
    carried: window::Carried,
    aside: SettingAside,
    /// Whether the run is to stop: what is in flight ends and nothing new begins.
    winding: bool,
    /// Whether what is in flight ends because a person has said something that cannot wait.
    interrupting: bool,
    root: PathBuf,
}

impl Session {
    /// Takes one event in; events that no longer fit the state change nothing.
    pub(crate) fn apply(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::PersonSaid { text, urgency } => self.on_said(text, *urgency),
            Event::PersonTookBack { text } => self.on_took_back(text),
            Event::PersonAwaited => self.on_awaited(),
            // There is nothing to prove in a plan.
            Event::ClaimTaken if self.planning.is_some() => {}
            Event::ClaimTaken => self.talk.take_claim(),
            Event::TurnStarted { turn } => self.on_turn(*turn),
            Event::ModelResponded(responded) => self.on_response(responded),
            Event::ModelFailed {
                turn,
                failure,
                spent,
            } => self.on_failure(*turn, failure, *spent, now),
            Event::ProviderRetried { turn, delay_ms, .. } => {
                self.on_retry_planned(*turn, *delay_ms, now);
            }
            Event::RequestPaced { turn, delay_ms, .. } => self.on_paced(*turn, *delay_ms, now),
            Event::RetryDue { turn } => self.on_retry_due(*turn),
            Event::ModelChanged { .. } => self.on_model_changed(),
            Event::CallJudged {
                call,
                action,
                verdict,
                ..
            } => self.on_judged(*call, action.as_ref(), verdict),
            Event::LinkMet {
                call,
                link,
                target,
                resolved,
            } => self.on_link(*call, link, target, resolved.as_ref()),
            Event::CallEnded { call, end, ms } => self.on_call_ended(*call, end, *ms),
            Event::DocumentLoaded {
                path,
                text,
                problem,
                ..
            } => self.on_document(path, text.as_deref(), problem.as_deref()),
            Event::StrayUndone {
                path, message, why, ..
            } => self.talk.tell(words::stray(path, why, message)),
            Event::NoteTaken { text } => self.on_note(text),
            Event::QuestionAsked { call, id, .. } => self.on_question(*call, *id, now),
            Event::QuestionAnswered { call, answer } => self.on_answer(*call, answer),
            Event::QuestionPutOff { call, .. } => self.on_put_off(*call),
            Event::RewindAsked { turn, what } => self.on_rewind_asked(*turn, *what),
            Event::RewindRefused { turn, .. } => self.on_rewind_refused(*turn),
            Event::Rewound(rewound) => self.on_rewound(rewound),
            Event::WorkBroughtBack {
                feature,
                files,
                message,
            } => self.on_brought_back(feature, *files, message),
            Event::ApprovalAsked(asked) => self.on_approval_asked(asked),
            Event::ApprovalAnswered { call, answer } => self.on_approval_answered(*call, answer),
            Event::FeatureAmended { call, amendment } => self.on_amended(*call, amendment),
            Event::FindingsApproved {
                feature,
                findings,
                how,
            } => self.on_findings_approved(feature, findings, *how, now),
            Event::SessionResumed {
                attended,
                answers,
                found,
                ..
            } => {
                for given in answers {
                    self.on_answer_taken(given);
                }
                self.findings.resume(*attended);
                self.jobs.resume();
                self.on_taken_up(found);
            }
            Event::Forked(forked) => self.on_forked(forked, now),
            Event::JobStarted { call, command } => self.on_job_started(*call, command),
            Event::JobEnded { call, end, .. } => self.on_job_ended(*call, end),
            Event::Nudged { text } => self.on_nudge(text),
            Event::CheckpointSaved(saved) => self.on_saved(saved),
            Event::CheckpointUnchanged => {
                self.saving.in_flight = false;
                self.mark_saved();
            }
            Event::CheckpointFailed { message } => self.on_saving_failed(message),
            Event::BaselineEnded { report, .. } => self.on_baseline(report),
            Event::BaselineFailed { message } => self.on_baseline_failed(message),
            Event::FinishRequested { call, summary } => self.on_finish(*call, summary),
            Event::CandidateFrozen(subject) => self.on_frozen(subject),
            Event::CandidateFailed { message } => self.on_freeze_failed(message),
            Event::GateStarted { gate } => self.on_gate_started(gate),
            Event::CheckEnded { report } => self.on_check_ended(report),
            Event::GateEnded { gate, .. } => self.on_gate_ended(gate),
            Event::NegativeControlEnded { control } => self.on_control_ended(control),
            Event::FinishRefused { reason, findings } => self.on_refused(reason, findings),
            Event::FeaturePassed(passed) => self.on_passed(&passed.feature),
            Event::CommitFailed {
                message,
                needs_human,
            } => self.on_commit_failed(message, *needs_human),
            Event::FeatureStatusChanged { feature, to, .. } => self.on_status(feature, *to),
            Event::FeatureGivenUp { reason, detail } => self.on_given_up(*reason, detail),
            Event::WorkSetAside { message, .. } => self.on_set_aside(message),
            Event::BudgetWarned { what, limit } => self.on_warned(what, *limit),
            Event::HandedOver(note) => self.on_handed_over(note),
            Event::Formatted(formatted) => self.on_formatted(formatted),
            Event::FeaturesProposed { call, proposal } => self.on_proposed(*call, proposal),
            Event::ProposalKept { call, .. } => self.on_kept(*call),
            Event::ProposalSettled(settled) => self.on_proposal_settled(settled),
            Event::PlanSet(set) => self.on_plan(set.call, &set.items),
            Event::WindowCut(cut) => self.on_cut(cut),
            Event::WindowFull(full) => self.on_full(full),
            Event::Interrupted => self.hand_over.interrupt(),
            Event::Beside(told) => self.on_beside(told, now),
            Event::ChangeShown(shown) => self.on_change_shown(shown),
            Event::Reviewed(review) => self.on_reviewed(review),
            // The run keeps it, and the next step finds it there.
            Event::AnswerTaken(given) => self.on_answer_taken(given),
            Event::ReviewChanged(changed) => self.on_review_changed(changed),
            Event::TurnedDown(turned) => self.on_turned_down(turned),
            Event::CommentAnswered(answered) => self.on_comment_answered(answered),
            Event::AllowanceTold { .. }
            | Event::StopDecided { .. }
            | Event::ChangedOutside { .. }
            | Event::ManifestShort { .. }
            | Event::NetworkUsed(_)
            | Event::SetupStarted { .. }
            | Event::SetupEnded { .. }
            | Event::SessionOpened(_)
            | Event::SessionEnded { .. }
            | Event::RunEnded { .. }
            | Event::StopRequested
            | Event::OpenFailed { .. } => {}
        }
    }

    /// Whether the proof of this feature is being committed.
    pub(crate) fn is_committing(&self, feature: &FeatureId) -> bool {
        let check = self.check.as_ref();
        *feature == self.feature.id && check.is_some_and(|check| check.commit == Errand::InFlight)
    }

    /// Tells the session that the run is to stop.
    pub(crate) fn wind_down(&mut self) {
        self.winding = true;
    }

    /// Returns when something is due on its own.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        match self.talk.request {
            Request::BackingOff { until } => Some(until),
            _ => self.beside_deadline(),
        }
    }

    /// Whether the answer of this turn is waited for.
    pub(crate) fn is_asking_model(&self, turn: TurnNumber) -> bool {
        self.talk.is_in_flight() && self.talk.turn == turn
    }

    /// Returns the turn whose retry is due.
    pub(crate) fn retry_due(&self, now: Timestamp) -> Option<TurnNumber> {
        matches!(self.talk.request, Request::BackingOff { until } if until <= now)
            .then_some(self.talk.turn)
    }

    fn on_judged(&mut self, id: CallId, action: Option<&harness_core::Action>, verdict: &Verdict) {
        let Some(call) = self
            .calls
            .find(id)
            .filter(|call| call.state == CallState::New)
        else {
            return;
        };
        call.action = action.cloned();
        call.state = CallState::Judged(verdict.clone());
    }

    fn on_link(&mut self, id: CallId, link: &RepoPath, target: &str, resolved: Option<&RepoPath>) {
        if let Some(call) = self
            .calls
            .find(id)
            .filter(|call| call.state == CallState::Running)
        {
            call.follow_link(link, target, resolved);
        }
    }

    fn on_call_ended(&mut self, id: CallId, end: &CallEnd, ms: u64) {
        let Some(call) = self.calls.find(id).filter(|call| call.can_end(end)) else {
            return;
        };
        call.end(end, ms);
        self.check.take_if(|check| check.call() == Some(id));
        if let (
            Ok(Intent::Doc { .. }),
            CallEnd::Done {
                outcome: Outcome::Text { text, .. },
            },
            Some(action),
        ) = (&call.intent, end, &call.action)
        {
            self.pending
                .documents
                .push_back((action.path().clone(), TokenCount::estimate(text)));
        }
        self.forget_proposal(id);
        self.close_question(id);
    }

    fn on_saved(&mut self, saved: &CheckpointSaved) {
        if self.saving.in_flight && saved.number == self.saving.next {
            self.saving.in_flight = false;
            self.saving.tree = saved.tree.clone();
            self.saving.next = saved.number.next();
            self.informing.add_changes(&saved.changes);
            self.drift.hear_tree(&saved.tree, &saved.changes);
            self.mark_saved();
            self.carried.work.add_changes(&saved.changes);
        }
    }

    fn on_saving_failed(&mut self, message: &str) {
        if !std::mem::take(&mut self.saving.in_flight) {
            return;
        }
        self.pending.stop = Some((
            EndReason::Failed,
            format!("cannot save the work tree: {message}"),
        ));
    }

    fn on_baseline(&mut self, report: &CheckReport) {
        // It says nothing about the base; it may even come from the session before.
        if report.stop == Some(Stop::Cancelled) {
            return;
        }
        self.baseline
            .reports
            .insert(report.gate.clone(), report.clone());
        self.tell_base();
    }

    fn on_baseline_failed(&mut self, message: &str) {
        if self.conclusion.is_some() || self.keep_base_problem(message) {
            return;
        }
        self.pending.stop = Some((
            EndReason::Blocked,
            format!("cannot run the gates on the base: {message}"),
        ));
    }

    fn on_finish(&mut self, call: Option<CallId>, summary: &str) {
        if let Some(call) = call.and_then(|id| self.calls.find(id)) {
            call.state = CallState::Running;
        }
        let purpose = Purpose::Finish {
            call,
            summary: summary.to_owned(),
        };
        self.talk.request = Request::Idle;
        self.check = Some(Check::new(purpose, self.gates.clone(), self.at_once));
    }

    fn on_refused(&mut self, reason: &str, findings: &[Finding]) {
        let by_person = self.told_of_must_fix(reason);
        let Some(check) = self.check.take() else {
            return;
        };
        let Purpose::Finish { call, .. } = check.purpose else {
            return;
        };
        self.attempts += 1;
        self.story.refusals.push(reason.to_owned());
        let text = match (findings, &check.problem) {
            ([], _) if let Some(text) = by_person => text,
            ([], None) if let Some(text) = check.review.refusal(reason) => text,
            ([], Some(problem)) => format!("Not done: {problem}"),
            ([], None) if check.reports().next().is_none() => format!("Not done: {reason}"),
            ([], None) => words::red_gates(check.reports(), &self.baseline.reports),
            (findings, _) => words::findings(reason, findings),
        };
        let text = text + &regression::words(&check, findings);
        self.informing.add_told(check.reports());
        match call.and_then(|id| self.calls.find(id)) {
            Some(call) => call.answer(text, true),
            None => {
                self.talk.tell(text);
                self.talk.idle_answers = 0;
                self.talk.request = Request::Due;
            }
        }
    }

    fn on_passed(&mut self, feature: &FeatureId) {
        if self.is_committing(feature) {
            self.check = None;
            self.conclusion = Some(Conclusion::Passed);
        }
    }

    fn on_commit_failed(&mut self, message: &str, needs_human: bool) {
        if let Some(check) = self
            .check
            .as_mut()
            .filter(|check| check.commit == Errand::InFlight)
        {
            check.commit = Errand::Due;
            let reason = if needs_human {
                EndReason::NeedsHuman
            } else {
                EndReason::Failed
            };
            self.pending.stop = Some((reason, message.to_owned()));
        }
    }

    fn on_given_up(&mut self, reason: EndReason, detail: &str) {
        self.pending.giving_up = None;
        self.conclusion = Some(Conclusion::GivenUp {
            reason,
            detail: detail.to_owned(),
        });
    }

    /// Work that is still in the way of the next feature stops the run.
    fn on_set_aside(&mut self, problem: &str) {
        if self.aside != SettingAside::InFlight {
            return;
        }
        self.aside = SettingAside::Done;
        if !problem.is_empty() {
            self.aside = SettingAside::Open;
            let detail = format!(
                "cannot set aside the work on `{}`: {problem}",
                self.feature.id
            );
            self.pending.stop = Some((EndReason::NeedsHuman, detail));
        }
    }

    /// Takes the finished calls of an answer in and makes the next turn due.
    fn gather_results(&mut self) {
        let calls = self.calls.take();
        for call in &calls {
            self.informing.add_call(call);
            self.drift.hear_call(call);
        }
        self.saving.due |= calls
            .iter()
            .any(|call| call.may_have_changed() && call.was_done())
            || self.jobs.run();
        self.talk
            .give_results(calls.iter().filter_map(|call| call.result().cloned()));
        self.tell_formatting();
        self.talk.request = Request::Due;
    }

    /// Returns the status that fits what is known.
    fn fitting_status(&self) -> FeatureStatus {
        match (&self.conclusion, &self.check) {
            (Some(Conclusion::Passed), _) => FeatureStatus::Passing,
            // A limit is no matter of the feature: the next run takes it up.
            (
                Some(Conclusion::GivenUp {
                    reason: EndReason::Budget | EndReason::Limit,
                    ..
                }),
                _,
            ) => FeatureStatus::Pending,
            (Some(Conclusion::GivenUp { .. }), _) => FeatureStatus::NeedsHuman,
            (Some(Conclusion::Answered), _) => self.feature.status,
            (Some(Conclusion::HandedOver { .. }), _) => FeatureStatus::InProgress,
            (None, Some(check)) if check.is_finish() => FeatureStatus::Verifying,
            (None, _) => FeatureStatus::InProgress,
        }
    }
}
