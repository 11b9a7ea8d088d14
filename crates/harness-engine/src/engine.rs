//! The run: features in order, one session each, until everything is proven or something stands in the way.

mod stopping;

use std::borrow::Borrow;

use harness_core::{
    Amendment, ApprovalAnswer, Beside, CallId, EndReason, Event, Feature, FeatureId, FeaturePassed,
    FeatureStatus, GivenUp, Goal, HandOverNote, HandedOver, Happened, LimitKind, Limits,
    ModelProfile, Money, Price, RunState, SessionId, SessionOpened, Timestamp, TurnNumber, Usage,
};
use harness_gate::list::next_feature;

use crate::{
    Effect, OpenSession,
    breaker::Breakers,
    limits,
    limits::Reached,
    pacing::Pacing,
    session::{Conclusion, Session, Step, Surroundings, approvals, hand_over_model},
};

/// Steps without an event in between; more is a bug that must not become a hang.
const STEPS_MAX: usize = 10_000;

/// What is not logged: it can only propose an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Time has passed.
    Time,
    /// Tokens of the request in flight, so far.
    Usage(Usage),
    /// What the day has cost, whoever spent it, and the tokens of the request in flight.
    Day {
        /// All answers of the day that are whole.
        spent: Money,
        /// The request in flight, so far.
        in_flight: Usage,
    },
}

/// A run as a state machine.
#[derive(Debug)]
pub struct Engine {
    pub(crate) run: RunState,
    pub(crate) session: Option<Session>,
    opened: Option<SessionOpened>,
    opening: bool,
    stop: Option<(EndReason, String)>,
    /// Whether a person asked the run to stop after the step in hand.
    stopping: bool,
    end: Option<EndReason>,
    /// The feature given up or handed over last, whose work may still stand in the tree.
    pub(crate) unfinished: Option<FeatureId>,
    /// When the present process took the run up.
    since: Timestamp,
    breakers: Breakers,
    pacing: Pacing,
}

impl Engine {
    /// Makes a run that has no session yet.
    pub const fn new(run: RunState, now: Timestamp) -> Self {
        Self {
            run,
            session: None,
            opened: None,
            opening: false,
            stop: None,
            stopping: false,
            end: None,
            unfinished: None,
            since: now,
            breakers: Breakers::new(),
            pacing: Pacing::new(),
        }
    }

    /// Folds the log of a session: the state in which its process left it.
    ///
    /// `None` when the first event does not open a session.
    pub fn fold<E: Borrow<Event>>(
        events: impl IntoIterator<Item = (E, Timestamp)>,
    ) -> Option<Self> {
        let mut events = events.into_iter();
        let (first, time) = events.next()?;
        let Event::SessionOpened(opened) = first.borrow() else {
            return None;
        };
        let mut engine = Self::new(opened.run.clone(), time);
        engine.handle(first.borrow(), time);
        for (event, time) in events {
            engine.refold(event.borrow(), time);
        }
        Some(engine)
    }

    /// Takes a fact from a log and says what followed from it then.
    pub fn refold(&mut self, event: &Event, time: Timestamp) -> Vec<Effect> {
        // A log of another version may have waited elsewhere.
        if let (Event::ModelResponded(_) | Event::ModelFailed { .. }, Some(session)) =
            (event, &mut self.session)
        {
            session.send_if_ready();
        }
        self.handle(event, time)
    }

    /// Says what is to be done first.
    pub fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        self.advance(now)
    }

    /// Takes a logged fact and says what follows.
    ///
    /// At most one [`Effect::Record`] is returned, and it is the last: it must
    /// be logged and handled before any other event.
    pub fn handle(&mut self, event: &Event, now: Timestamp) -> Vec<Effect> {
        self.apply(event, now);
        self.advance(now)
    }

    /// Takes what is not logged; returns an event to log, if one follows.
    pub fn observe(&self, tick: Tick, now: Timestamp) -> Option<Event> {
        let session = self.working_session()?;
        match tick {
            Tick::Time => {
                if let Some(turn) = session.retry_due(now) {
                    return Some(Event::RetryDue { turn });
                }
                if let Some(due) = session.beside_due(now) {
                    return Some(due);
                }
                let limits = &self.run.policy.limits;
                if let Some(event) = self.question_overdue(session, now) {
                    return Some(event);
                }
                let used = session.used_of(&self.run, self.since, now);
                limits::time_is_up(limits, &session.feature, used).map(Reached::into_event)
            }
            Tick::Day { spent, in_flight } => self.over_day(session, spent, in_flight),
            Tick::Usage(usage) => {
                let used = session.used_of(&self.run, self.since, now);
                session.cut(&self.run, used, usage)
            }
        }
    }

    fn over_day(&self, session: &Session, spent: Money, in_flight: Usage) -> Option<Event> {
        // A model that costs nothing takes nothing from the day.
        session
            .asked_model(&self.run)
            .price
            .filter(|price| *price != Price::default())?;
        let limit = self.run.policy.limits.day_usd?;
        let event = limits::of_day(limit, spent, session.ahead(&self.run, in_flight))?;
        let is_known = matches!(event, Event::BudgetWarned { .. })
            && self.run.account.warned.contains(&LimitKind::DayUsd);
        (!is_known).then_some(event)
    }

    /// Returns the model that answers.
    pub const fn model(&self) -> &ModelProfile {
        &self.run.model
    }

    /// Returns the model that is asked at present, in whichever conversation.
    pub fn asked_model(&self) -> &ModelProfile {
        let session = self.session.as_ref();
        session.map_or(&self.run.model, |session| session.asked_model(&self.run))
    }

    /// Whether what streams in belongs to a conversation beside the main one.
    pub fn is_heard_beside(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_heard_beside)
    }

    /// Returns the model that writes hand-overs.
    pub fn hand_over_model(&self) -> &ModelProfile {
        hand_over_model(&self.run)
    }

    /// Estimates the input of the request in flight, before its provider has said it.
    pub fn estimate(&self) -> Usage {
        let session = self.session.as_ref();
        session.map(Session::estimate).unwrap_or_default()
    }

    /// Returns what one day may cost, where that is limited.
    pub const fn day_limit(&self) -> Option<Money> {
        self.run.policy.limits.day_usd
    }

    /// Whether there is a limit to what one day may cost.
    pub const fn is_limited_by_day(&self) -> bool {
        self.run.policy.limits.day_usd.is_some()
    }

    /// Returns when [`Tick::Time`] is wanted next; `None` when only events matter.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let session = self.working_session()?;
        let used = session.used_of(&self.run, self.since, self.since);
        let limit = limits::time_is_up_at(&self.run.policy.limits, &session.feature, used);
        let due = [session.next_deadline(), self.put_off_at(session)];
        Some(due.into_iter().flatten().fold(limit, Timestamp::min))
    }

    /// Returns how the run ended, when it has.
    pub const fn end(&self) -> Option<EndReason> {
        self.end
    }

    /// Returns the open session.
    pub fn session(&self) -> Option<SessionId> {
        self.opened
            .as_ref()
            .filter(|_| self.session.is_some())
            .map(|opened| opened.session)
    }

    /// Returns the first record of the last session.
    pub const fn opened(&self) -> Option<&SessionOpened> {
        self.opened.as_ref()
    }

    /// Returns the run as it stands, the session's part included.
    pub fn run(&self) -> RunState {
        let mut run = self.run.clone();
        if let Some(session) = &self.session {
            absorb(&mut run, session);
        }
        run
    }

    /// Returns the session that time and tokens still count for: one that is over only tidies up.
    fn working_session(&self) -> Option<&Session> {
        let session = self.session.as_ref()?;
        let is_over = self.stop.is_some() || self.end.is_some() || session.conclusion.is_some();
        (!is_over).then_some(session)
    }

    /// Whether the answer of this turn is waited for.
    fn is_asking(&self, turn: TurnNumber) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.is_asking_model(turn))
    }

    fn apply(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::SessionOpened(opened) => self.on_opened(opened, now),
            Event::SessionResumed {
                attended,
                model,
                limits,
                steered,
                fallback,
                roles,
                answers,
                found,
            } => {
                self.keep_untold(found);
                for given in answers {
                    self.on_answer_taken(given);
                }
                self.run.steered = *steered;
                self.run.fallback = fallback.clone();
                self.run.roles = (**roles).clone();
                self.on_resumed(*attended, model, limits, now);
            }
            Event::SessionEnded { .. } => self.on_session_ended(now),
            Event::RunEnded { reason, .. } => self.end = Some(*reason),
            Event::OpenFailed { message } => self.on_open_failed(message),
            Event::Interrupted => self.stop_for_person(),
            Event::StopRequested => self.stopping = true,
            Event::StopDecided { reason, detail } => self.stop_for(*reason, detail),
            Event::FeaturePassed(passed) => self.on_passed(passed),
            Event::FeatureStatusChanged { feature, to, .. } => self.on_status(feature, *to),
            Event::FeatureAmended { call, amendment } => self.on_amended(*call, amendment),
            Event::FindingsApproved {
                feature,
                findings,
                how,
            } => {
                let approved = approvals(feature, findings, *how, now);
                self.run.approved.extend(approved);
            }
            Event::ApprovalAnswered { call, answer } => self.on_approval_answered(*call, answer),
            Event::ModelResponded(responded) if self.is_asking(responded.turn) => {
                self.breakers.answered(&self.run.model);
                self.pacing.answered(&self.run.model);
            }
            Event::ModelFailed { turn, failure, .. } if self.is_asking(*turn) => {
                self.breakers.failed(&self.run.model, failure, now);
                self.pacing.failed(&self.run.model, failure);
            }
            Event::Beside(told) => self.on_beside(told, now),
            Event::ModelChanged { model, .. } => self.run.change_model(model),
            Event::BudgetWarned {
                limit: Some(limit), ..
            } => self.run.account.warn(*limit),
            Event::HandedOver(note) => self.on_handed_over(note),
            Event::AllowanceTold { allowances } => {
                let model = self.asked_model().clone();
                self.pacing.told(&model, allowances);
            }
            Event::RequestPaced { .. } => self.pacing.waited(&self.run.model),
            Event::AnswerTaken(given) => self.on_answer_taken(given),
            Event::WorkSetAside {
                kept: Some(work), ..
            } => self.run.kept.set_aside((**work).clone()),
            Event::WorkBroughtBack { feature, .. } => self.run.kept.forget_aside(feature),
            Event::Forked(_) => self.run.forget_spent(),
            _ => {}
        }
        if let Some(session) = &mut self.session {
            session.apply(event, now);
            if matches!(event, Event::Rewound(_)) && self.run.steered {
                session.await_words();
            }
        }
    }

    fn on_opened(&mut self, opened: &SessionOpened, now: Timestamp) {
        if self.session.is_some() {
            return;
        }
        self.opening = false;
        self.unfinished.take_if(|id| *id == opened.feature);
        self.opened = Some(opened.clone());
        self.run = opened.run.clone();
        self.run
            .work_start
            .get_or_insert_with(|| opened.start_tree.clone());
        self.run.kept.untold = None;
        match Session::open(opened, now) {
            Ok(session) => self.session = Some(session),
            Err(problem) => self.stop_for(EndReason::Blocked, &problem),
        }
    }

    /// Learns how a provider fares from what happens beside the main conversation.
    fn on_beside(&mut self, told: &Beside, now: Timestamp) {
        let id = told.conversation;
        let is_asking = |turn: TurnNumber| {
            let session = self.session.as_ref();
            session.is_some_and(|session| session.is_asking_beside(id, turn))
        };
        let model = self.run.model_for(id.kind.role());
        match &told.happened {
            Happened::Responded { turn, .. } if is_asking(*turn) => {
                self.breakers.answered(model);
                self.pacing.answered(model);
            }
            Happened::Failed { turn, failure, .. } if is_asking(*turn) => {
                self.breakers.failed(model, failure, now);
                self.pacing.failed(model, failure);
            }
            Happened::Paced { .. } => self.pacing.waited(model),
            _ => {}
        }
    }

    /// Keeps the note for the next session of the feature.
    fn on_handed_over(&mut self, note: &HandedOver) {
        let session = self.session.as_ref();
        if session.is_some_and(Session::is_handing_over) {
            self.run.account.keep_note(HandOverNote {
                feature: note.feature.clone(),
                text: note.note.clone(),
            });
        }
    }

    fn on_open_failed(&mut self, message: &str) {
        if std::mem::take(&mut self.opening) {
            self.stop_for(EndReason::Failed, message);
        }
    }

    fn on_resumed(
        &mut self,
        attended: bool,
        model: &ModelProfile,
        limits: &Limits,
        now: Timestamp,
    ) {
        let same_provider = self.run.model.provider() == model.provider();
        self.run.attended = attended;
        self.run.model = model.clone();
        self.breakers = Breakers::new();
        self.pacing.resume();
        let changed = limits::changed(&self.run.policy.limits, limits);
        let warned = &mut self.run.account.warned;
        warned.retain(|limit| !changed.contains(limit));
        if let Some(session) = &mut self.session {
            session.forget_warnings(&changed);
        }
        self.run.policy.limits = limits.clone();
        self.since = now;
        self.stop = None;
        self.stopping = false;
        self.end = None;
        self.opening = false;
        match &mut self.session {
            Some(session) => session.resume(self.run.steered, same_provider, now),
            None => self.take_back_given_up(),
        }
    }

    fn on_session_ended(&mut self, now: Timestamp) {
        let Some(session) = self.session.take() else {
            return;
        };
        absorb(&mut self.run, &session);
        if !matches!(session.conclusion, Some(Conclusion::HandedOver { .. })) {
            self.run.attempts = 0;
        }
        let waiting = session.waiting_question();
        match session.conclusion {
            Some(Conclusion::GivenUp { reason, detail }) => {
                let (question, feature) = (waiting, session.feature.id);
                self.run.given_up.push(GivenUp {
                    feature,
                    reason,
                    detail,
                    question,
                });
                self.reopen_answered();
            }
            Some(Conclusion::Answered) => self.stop_for(EndReason::Answered, ""),
            Some(Conclusion::HandedOver { .. }) => {
                self.run.keep_work(session.work_handed_over(now));
                self.unfinished = Some(session.feature.id);
            }
            Some(Conclusion::Passed) | None => {}
        }
    }

    fn on_passed(&mut self, passed: &FeaturePassed) {
        let session = self.session.as_ref();
        if !session.is_some_and(|session| session.is_committing(&passed.feature)) {
            return;
        }
        self.run.tip = passed.commit.clone();
        if let Some(head) = passed.head() {
            self.run.lands = Some(head.clone());
        }
        self.run.work_start = Some(passed.work_tree.clone());
        self.run.account.forget_note(&passed.feature);
        self.run.kept.forget_aside(&passed.feature);
    }

    /// A feature that is not in work may turn out broken.
    fn on_status(&mut self, id: &FeatureId, to: FeatureStatus) {
        let session = self.session.as_ref();
        if session.is_some_and(|session| session.feature.id != *id) {
            let found = self
                .run
                .features
                .iter_mut()
                .find(|feature| feature.id == *id);
            if let Some(feature) = found {
                feature.status = to;
            }
        }
    }

    /// What a person gave holds from the next action on, and in the sessions that follow.
    fn on_amended(&mut self, call: CallId, amendment: &Amendment) {
        if let Some(session) = &mut self.session
            && session.is_to_be_given(call, amendment)
        {
            self.run.policy.amend(amendment);
            session.renew_guard(&self.run.policy);
        }
    }

    /// A rule that is kept also holds in the sessions that follow.
    fn on_approval_answered(&mut self, call: CallId, answer: &ApprovalAnswer) {
        let is_open = self
            .session
            .as_ref()
            .is_some_and(|session| session.is_asking(call));
        if let ApprovalAnswer::Always { rule, .. } = answer
            && is_open
        {
            self.run.policy.commands.push(rule.clone());
        }
    }

    /// Asks what is to be done until the answer is a record or to wait.
    fn advance(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        for _ in 0..STEPS_MAX {
            match self.next_step(now) {
                Step::Do(effect) => effects.push(effect),
                Step::Record(event) => {
                    effects.push(Effect::Record(event));
                    return effects;
                }
                Step::Again => {}
                Step::Wait | Step::Over => return effects,
            }
        }
        debug_assert!(false, "the engine goes round in circles");
        effects
    }

    fn next_step(&mut self, now: Timestamp) -> Step {
        if self.end.is_some() || self.opening {
            return Step::Wait;
        }
        self.stop_after_step();
        let another_waits = self.next_feature().is_some();
        let around = Surroundings {
            run: &self.run,
            since: self.since,
            another_waits,
            stopping: self.stopping,
            stop: self.stop.as_ref(),
            breakers: &self.breakers,
            pacing: &self.pacing,
        };
        let Some(session) = &mut self.session else {
            return self.between_sessions();
        };
        if self.stop.is_some() {
            session.wind_down();
        }
        match (session.next_step(around, now), &self.stop) {
            (Step::Over, Some((reason, detail))) => Step::Record(Event::RunEnded {
                reason: *reason,
                detail: detail.clone(),
            }),
            (Step::Over, None) => {
                let reason = session
                    .conclusion
                    .as_ref()
                    .map(Conclusion::to_text)
                    .unwrap_or_default();
                Step::Record(Event::SessionEnded { reason })
            }
            (step, _) => step,
        }
    }

    fn between_sessions(&mut self) -> Step {
        if let Some((reason, detail)) = &self.stop {
            return Step::Record(Event::RunEnded {
                reason: *reason,
                detail: detail.clone(),
            });
        }
        let Some(id) = self.next_feature() else {
            return Step::Record(self.outcome());
        };
        let Some(feature) = self
            .run
            .features
            .iter()
            .find(|feature| feature.id == id)
            .cloned()
        else {
            return Step::Record(Event::RunEnded {
                reason: EndReason::Failed,
                detail: format!("feature `{id}` is not in the run's list"),
            });
        };
        self.opening = true;
        Step::Do(Effect::OpenSession(Box::new(OpenSession {
            run: self.run.clone(),
            feature,
        })))
    }

    /// Returns the feature a session would take up after the present one: first
    /// the one whose work stands in the tree, so that no other is built on it.
    pub(crate) fn next_feature(&self) -> Option<FeatureId> {
        let mut taken: Vec<FeatureId> = self
            .run
            .given_up
            .iter()
            .map(|given_up| given_up.feature.clone())
            .collect();
        taken.extend(
            self.session
                .as_ref()
                .map(|session| session.feature.id.clone()),
        );
        let next = |goal: &Goal| next_feature(&self.run.features, goal, &taken);
        let unfinished = self.unfinished.clone();
        let next = unfinished
            .and_then(|feature| next(&Goal::One { feature }))
            .or_else(|| {
                let mut broken = self.broken_features();
                broken.find_map(|feature| next(&Goal::One { feature }))
            })
            .or_else(|| next(&self.run.goal));
        next.map(|feature| feature.id.clone())
    }

    /// Returns what was passing and is not: it is mended before anything is built on it.
    fn broken_features(&self) -> impl Iterator<Item = FeatureId> {
        let is_broken = |feature: &&Feature| {
            self.run.goal == Goal::All && feature.status == FeatureStatus::Failing
        };
        let broken = self.run.features.iter().filter(is_broken);
        broken.map(|feature| feature.id.clone())
    }

    /// Says how a run ends that has no feature left to take up.
    fn outcome(&self) -> Event {
        if let Some(first) = self.run.given_up.first() {
            let lines = self
                .run
                .given_up
                .iter()
                .map(|given_up| format!("{}: {}", given_up.feature, given_up.detail));
            return Event::RunEnded {
                reason: first.reason,
                detail: lines.collect::<Vec<_>>().join("\n"),
            };
        }
        let left = self.unsettled_features();
        if !left.is_empty() {
            let detail = format!(
                "these features wait for a person or for each other: {}",
                left.join(", ")
            );
            return Event::RunEnded {
                reason: EndReason::NeedsHuman,
                detail,
            };
        }
        let reason = if self.run.goal == Goal::All {
            EndReason::AllPassing
        } else {
            EndReason::FeaturePassed
        };
        Event::RunEnded {
            reason,
            detail: String::new(),
        }
    }

    /// Returns what was asked for and is not settled.
    fn unsettled_features(&self) -> Vec<&str> {
        let is_wanted = |feature: &&Feature| match &self.run.goal {
            Goal::All => feature.status != FeatureStatus::Cancelled,
            goal => goal.feature() == Some(&feature.id),
        };
        self.run
            .features
            .iter()
            .filter(is_wanted)
            .filter(|feature| !feature.status.is_settled())
            .map(|feature| feature.id.as_str())
            .collect()
    }
}

/// Adds what a session did to its run.
fn absorb(run: &mut RunState, session: &Session) {
    run.usage = run.usage.plus(session.cost.usage);
    run.spent = run.spent + session.cost.spent;
    run.account.add(&session.feature.id, session.cost.spent);
    run.attempts = session.attempts;
    match session.conclusion {
        Some(Conclusion::Passed) => run.forget_work(&session.feature.id),
        _ => run.keep_work(session.work()),
    }
    for feature in run
        .features
        .iter_mut()
        .filter(|feature| feature.id == session.feature.id)
    {
        feature.status = session.feature.status;
    }
}
