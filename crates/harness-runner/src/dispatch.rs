//! One select, one queue: every event passes here, in order.

mod findings;
mod metering;
mod proposals;
mod questions;
pub(crate) mod reviews;
mod spending;

use std::{collections::VecDeque, fmt, io, pin::Pin, rc::Rc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use harness_core::{
    ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallEnd, CallId, CommandRule, EndReason, Event,
    ModelDelta, Request, RuleDecision, SessionId, Timestamp, Urgency,
};
use harness_engine::{Effect, Engine, Tick};
use harness_guard::{Approval, Awaited};
use harness_store::{LogWriter, SpendLog, StoreError};
use tokio::sync::mpsc;

pub(crate) use metering::Meter;
pub use proposals::{Added, ProposalKeeper};
pub use questions::given as given_answer;

use reviews::Looked;

use crate::{
    Face, Models, Workplace,
    execute::{Context, Ended, Executor},
};

/// Pieces of answers that wait to be shown; a slow face slows the stream, never memory.
const DELTAS_MAX: usize = 256;
/// Events without waiting in between; more is a bug that must not become a hang.
const EVENTS_IN_A_ROW_MAX: usize = 100_000;

/// What to drive.
#[derive(Debug)]
pub struct Launch {
    /// The run: new, or folded from a session's log.
    pub engine: Engine,
    /// The log of the session that is resumed, and the event that resumes it.
    pub resumed: Option<(LogWriter, Event)>,
    /// What the person says first, to the agent.
    pub said: Vec<String>,
    /// Who answers.
    pub models: Models,
    /// Where rules are kept that a person wants to hold always.
    pub rules: Box<dyn RuleKeeper>,
    /// Where proposed features go; absent where none are proposed.
    pub proposals: Option<Box<dyn ProposalKeeper>>,
    /// Ids of findings that a person approves by a flag.
    pub approve: Vec<String>,
    /// What all runs of the day have cost.
    pub spend: SpendLog,
}

/// Keeps rules about commands that a person wants to hold always.
pub trait RuleKeeper: fmt::Debug {
    /// Keeps a rule and returns where it stands, such as `rules.toml:3`.
    ///
    /// # Errors
    /// Why it cannot be kept; it holds for the run all the same.
    fn keep(&self, rule: &CommandRule) -> Result<String, String>;
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Why.
    pub reason: EndReason,
    /// The same for people.
    pub detail: String,
    /// The last session; absent when none was opened.
    pub session: Option<SessionId>,
    /// Ids of findings that a person approved beforehand and that were not found.
    pub not_found: Vec<String>,
}

/// A run that could not be driven any further.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The log cannot be written, so nothing may happen any more.
    #[error("cannot write the log of the session")]
    Log {
        /// The cause.
        #[source]
        source: StoreError,
    },
    /// Something a run needs could not be set up.
    #[error("cannot {attempt}")]
    SetUp {
        /// What was attempted on what.
        attempt: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A bug of ours: the engine asks for ever.
    #[error("cannot drive the run: it goes round in circles")]
    Circles,
}

type InFlight = Pin<Box<dyn Future<Output = ()>>>;

struct Dispatcher<'a> {
    engine: Engine,
    log: Option<LogWriter>,
    session: Option<SessionId>,
    executor: Rc<Executor>,
    faces: &'a mut [Box<dyn Face>],
    queue: VecDeque<Event>,
    in_flight: FuturesUnordered<InFlight>,
    deltas: mpsc::Sender<ModelDelta>,
    question: Option<CallId>,
    /// What agents have asked and nobody has answered.
    questions: questions::Questions,
    /// What a person's review of the change wants.
    reviews: reviews::Reviews,
    /// What waits for a person's word.
    asked: Option<Box<ApprovalAsked>>,
    /// The person's yes, until it is used.
    approval: Option<Approval>,
    rules: Box<dyn RuleKeeper>,
    proposals: Option<Box<dyn ProposalKeeper>>,
    /// What a person approved beforehand.
    by_flag: findings::ByFlag,
    spending: spending::Spending,
    /// What the request in flight has used.
    meter: Meter,
    /// Words for an agent that has no session yet.
    held: Vec<String>,
    /// Whether an answer of the model or a verdict is in the log and not yet on the disk.
    owes_sync: bool,
    finished: Option<(EndReason, String)>,
    /// Whether a face said that nobody sees it any more.
    unwatched: bool,
}

/// Drives a run to its end.
///
/// `requests` is how a person takes part; the run goes on without when it closes.
///
/// # Errors
/// When the log cannot be written or the run cannot be set up. What was logged before stays.
pub async fn drive(
    workplace: Workplace,
    launch: Launch,
    faces: &mut [Box<dyn Face>],
    mut requests: mpsc::Receiver<Request>,
) -> Result<Finished, RunnerError> {
    let (ended_tx, mut ended) = mpsc::unbounded_channel();
    let (deltas_tx, mut deltas) = mpsc::channel(DELTAS_MAX);
    let questions = questions::Questions::new(workplace.store.clone(), &launch.engine);
    let reviews = reviews::Reviews::new(workplace.store.clone());
    let mut answers = tokio::time::interval(questions::LOOK_EVERY);
    answers.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let executor = Executor::new(workplace, launch.models, ended_tx)?;
    let mut dispatcher = Dispatcher {
        engine: launch.engine,
        log: None,
        session: None,
        executor: Rc::new(executor),
        faces,
        queue: VecDeque::new(),
        in_flight: FuturesUnordered::new(),
        deltas: deltas_tx,
        question: None,
        questions,
        reviews,
        asked: None,
        approval: None,
        rules: launch.rules,
        proposals: launch.proposals,
        by_flag: findings::ByFlag::new(launch.approve),
        spending: spending::Spending::new(launch.spend),
        meter: Meter::default(),
        held: launch.said,
        owes_sync: false,
        finished: None,
        unwatched: false,
    };
    dispatcher.begin(launch.resumed)?;
    loop {
        dispatcher.work_off()?;
        if let Some((reason, detail)) = dispatcher.finished.take() {
            return Ok(Finished {
                reason,
                detail,
                session: dispatcher.session,
                not_found: dispatcher.by_flag.not_found(),
            });
        }
        let deadline = dispatcher.until_deadline();
        let (executor, waits) = (Rc::clone(&dispatcher.executor), dispatcher.waits());
        tokio::select! {
            // A person first: a flood of pieces keeps nobody waiting. What streams comes last.
            biased;
            Some(request) = requests.recv() => dispatcher.ask(request),
            Some(end) = ended.recv() => {
                // What streamed before the end is shown before it.
                while let Ok(delta) = deltas.try_recv() {
                    dispatcher.show(&delta);
                }
                dispatcher.take_end(end)?;
            }
            Some(()) = dispatcher.in_flight.next(), if !dispatcher.in_flight.is_empty() => {}
            _ = answers.tick() => dispatcher.look_outside(),
            () = executor.stirred(), if waits => dispatcher.look_while_waiting(),
            () = tokio::time::sleep(deadline.unwrap_or_default()), if deadline.is_some() => dispatcher.tick(),
            Some(delta) = deltas.recv() => dispatcher.show(&delta),
        }
    }
}

impl Dispatcher<'_> {
    fn begin(&mut self, resumed: Option<(LogWriter, Event)>) -> Result<(), RunnerError> {
        match resumed {
            Some((log, event)) => {
                let run = self.engine.run();
                self.session = self.engine.session();
                self.log = Some(log);
                if let Some(opened) = self.engine.opened() {
                    // Like the person's words: the first turn carries it.
                    let found = self.executor.take_up(opened, &run)?;
                    self.queue.extend(found);
                }
                if let Event::SessionResumed { found, .. } = &event {
                    self.executor.doubt(&found.differs);
                }
                // Said first, so that the first turn carries it.
                if self.session.is_some() {
                    self.release_words(Urgency::NextTurn);
                }
                self.queue.push_back(event);
                self.look_at_review(Looked::Opening);
                Ok(())
            }
            None => {
                let effects = self.engine.start(harness_host::clock::now());
                self.carry_out(effects)
            }
        }
    }

    /// Handles every event that is there.
    fn work_off(&mut self) -> Result<(), RunnerError> {
        for _ in 0..EVENTS_IN_A_ROW_MAX {
            let Some(mut event) = self.queue.pop_front() else {
                return Ok(());
            };
            self.keep_question(&mut event);
            self.take(&event)?;
        }
        Err(RunnerError::Circles)
    }

    /// Logs an event, shows it, and does what follows from it.
    fn take(&mut self, event: &Event) -> Result<(), RunnerError> {
        let now = harness_host::clock::now();
        if let Some(log) = &mut self.log {
            log.append(event, now)
                .map_err(|source| RunnerError::Log { source })?;
        }
        self.owes_sync |= matches!(
            event,
            Event::ModelResponded(_)
                | Event::CallJudged { .. }
                | Event::ApprovalAnswered { .. }
                | Event::Beside(_)
        );
        self.follow_approval(event);
        self.follow_questions(event);
        self.follow_review(event);
        self.executor.notice(event);
        self.show_event(event, now);
        match event {
            Event::ModelResponded(_)
            | Event::ModelFailed { .. }
            | Event::HandedOver(_)
            | Event::SessionResumed { .. }
            | Event::Beside(_) => {
                self.note_spend(event);
            }
            Event::QuestionAsked { call, .. } => self.question = Some(*call),
            Event::QuestionAnswered { .. } | Event::SessionEnded { .. } => self.question = None,
            // A person's words can cut a question short.
            Event::CallEnded { call, .. } if self.question == Some(*call) => self.question = None,
            Event::RunEnded { reason, detail } => {
                self.sync()?;
                self.finished = Some((*reason, detail.clone()));
            }
            _ => {}
        }
        let effects = self.engine.handle(event, now);
        if matches!(event, Event::SessionOpened(_)) {
            self.look_at_review(Looked::Opening);
        }
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), RunnerError> {
        for effect in effects {
            match effect {
                Effect::Record(event) => self.queue.push_front(event),
                effect => self.start(effect)?,
            }
        }
        Ok(())
    }

    /// Starts an effect; whatever acts on the world waits until its reason is on the disk.
    fn start(&mut self, effect: Effect) -> Result<(), RunnerError> {
        match &effect {
            Effect::CommitFeature(_)
            | Effect::SetAside
            | Effect::BringBack(_)
            | Effect::Rewind(_)
            | Effect::TurnDown(_)
            | Effect::SettleProposal(_) => self.sync()?,
            Effect::Perform { .. }
            | Effect::PerformApproved { .. }
            | Effect::PerformBeside { .. }
                if self.owes_sync =>
            {
                self.sync()?;
            }
            _ => {}
        }
        match effect {
            Effect::CancelModel => self.executor.cancel_model(),
            Effect::CancelWork => self.executor.cancel_work(),
            Effect::AskPerson { call, question } => self.ask_person(call, question),
            Effect::AskApproval(asked) => self.ask_approval(asked),
            Effect::PerformApproved { call, awaited } => self.perform_approved(call, awaited),
            Effect::KeepProposal { call, proposal } => self.keep_proposal(call, &proposal),
            Effect::SettleProposal(settle) => self.settle_proposal(*settle),
            Effect::Record(_) => {}
            effect @ (Effect::RequestModel { .. } | Effect::AskBeside(_)) => {
                self.meter = Meter::new(self.engine.estimate());
                self.set_going(effect);
                self.check_day();
            }
            Effect::HandOver(mut write) => {
                self.refuse_unpaid_note(&mut write);
                self.set_going(Effect::HandOver(write));
            }
            effect => self.set_going(effect),
        }
        Ok(())
    }

    /// Sets an effect going. Its way to be cancelled is taken now, not when it is first polled.
    fn set_going(&mut self, effect: Effect) {
        let executor = Rc::clone(&self.executor);
        let context = Context {
            cancelled: executor.begin(&effect),
            log_head: self
                .log
                .as_ref()
                .map(|log| log.head().hash.to_string())
                .unwrap_or_default(),
            deltas: self.deltas.clone(),
        };
        self.in_flight.push(Box::pin(async move {
            executor.execute(effect, context).await;
        }));
    }

    /// The record of a question shows it; after a resume it is shown again.
    fn ask_person(&mut self, call: CallId, question: String) {
        if self.question != Some(call) {
            self.question = Some(call);
            self.show_event(
                &Event::QuestionAsked {
                    call,
                    question,
                    id: self.questions.name_of(call),
                },
                harness_host::clock::now(),
            );
        }
    }

    /// The record shows what is asked; after a resume it is shown again.
    fn ask_approval(&mut self, asked: Box<ApprovalAsked>) {
        if self.asked.as_ref() != Some(&asked) {
            self.asked = Some(asked.clone());
            self.show_event(&Event::ApprovalAsked(asked), harness_host::clock::now());
        }
    }

    fn follow_approval(&mut self, event: &Event) {
        match event {
            Event::ApprovalAsked(asked) => self.asked = Some(asked.clone()),
            Event::ApprovalAnswered { .. } => self.asked = None,
            // A person's words can cut it short.
            Event::CallEnded { call, .. } => {
                self.asked.take_if(|asked| asked.call == *call);
                self.approval.take_if(|approval| approval.call() == *call);
            }
            Event::SessionEnded { .. } => (self.asked, self.approval) = (None, None),
            _ => {}
        }
    }

    /// Does what a person has approved: their yes is used up with it.
    fn perform_approved(&mut self, call: CallId, awaited: Awaited) {
        let permit = self
            .approval
            .take()
            .map(|approval| awaited.approved(approval));
        match permit {
            Some(Ok(permit)) => self.set_going(Effect::Perform { call, permit }),
            _ => self.queue.push_back(Event::CallEnded {
                call,
                end: CallEnd::Failed {
                    message: "no person's approval is at hand".to_owned(),
                },
                ms: 0,
            }),
        }
    }

    /// Takes a person's answer to what is asked; another answer is to nothing.
    fn decide(&mut self, request: Request) {
        let approval = Approval::by_person(&request);
        let (Request::Decide { call, answer }, Some(asked)) = (request, &self.asked) else {
            return;
        };
        if asked.call != call {
            return;
        }
        let answer = kept(self.rules.as_ref(), asked, answer);
        let answer = fitting(asked, answer);
        let subject = asked.subject.clone();
        self.asked = None;
        self.queue
            .push_back(Event::ApprovalAnswered { call, answer });
        match subject {
            // The yes is used up with the record of what it approves.
            ApprovalSubject::Findings { .. } if approval.is_some() => {
                self.approve_findings(&subject);
            }
            // The engine settles it with what was answered.
            ApprovalSubject::Features { .. } => {}
            _ => self.approval = approval,
        }
    }

    /// Says what was held back to the session that is open now.
    fn release_words(&mut self, urgency: Urgency) {
        let said = self.held.drain(..);
        self.queue
            .extend(said.map(|text| Event::PersonSaid { text, urgency }));
    }

    fn sync(&mut self) -> Result<(), RunnerError> {
        self.owes_sync = false;
        match &mut self.log {
            Some(log) => log.sync().map_err(|source| RunnerError::Log { source }),
            None => Ok(()),
        }
    }

    fn take_end(&mut self, end: Ended) -> Result<(), RunnerError> {
        match end {
            Ended::Event(mut event) => {
                self.count_request(&mut event);
                self.approve_by_flag(&event);
                self.queue.push_back(event);
            }
            Ended::Opened { opened, log } => {
                // The log of the session before is complete now.
                self.sync()?;
                self.session = Some(opened.session);
                self.log = Some(log);
                self.queue.push_back(Event::SessionOpened(opened));
                // The first turn has begun by then: it begins anew with the words.
                self.release_words(Urgency::Now);
            }
        }
        Ok(())
    }

    fn show_event(&mut self, event: &Event, time: Timestamp) {
        let mut seen = true;
        for face in self.faces.iter_mut() {
            seen &= face.event(event, time);
        }
        // Who closed the pipe wants the run to end, in order.
        if !seen && !std::mem::replace(&mut self.unwatched, true) {
            self.queue.push_back(Event::Interrupted);
        }
    }

    fn show(&mut self, delta: &ModelDelta) {
        if self.meter.hear(delta) {
            self.hold_to_limits();
        }
        if let ModelDelta::Allowances(allowances) = delta {
            let allowances = allowances.clone();
            return self.queue.push_back(Event::AllowanceTold { allowances });
        }
        // What is said beside the main conversation is told when it is whole.
        if self.engine.is_heard_beside() {
            return;
        }
        for face in self.faces.iter_mut() {
            face.delta(delta);
        }
    }

    fn ask(&mut self, request: Request) {
        if let (Request::Say { text, .. }, None) = (&request, self.engine.session()) {
            return self.held.push(text.clone());
        }
        // Without a session there is no turn to go back to.
        if matches!(request, Request::Rewind { .. }) && self.engine.session().is_none() {
            return;
        }
        if matches!(request, Request::Decide { .. }) {
            return self.decide(request);
        }
        let event = match (request, self.question) {
            (Request::Answer { text: answer }, Some(call)) => {
                Event::QuestionAnswered { call, answer }
            }
            (Request::Answer { text }, None) => Event::PersonSaid {
                text,
                urgency: Urgency::NextTurn,
            },
            (Request::Say { text, urgency }, _) => Event::PersonSaid { text, urgency },
            (Request::TakeBack { text }, _) => Event::PersonTookBack { text },
            (Request::TakeClaim, _) => Event::ClaimTaken,
            (Request::PutOff, Some(call)) => Event::QuestionPutOff {
                call,
                waited: false,
            },
            (Request::PutOff, None) | (Request::Decide { .. }, _) => return,
            (Request::Rewind { turn, what }, _) => Event::RewindAsked { turn, what },
            (Request::Stop, _) => Event::StopRequested,
            (Request::Interrupt, _) => Event::Interrupted,
        };
        self.queue.push_back(event);
    }

    /// Whether all waits for a person, and nothing looks at what they change already.
    fn waits(&self) -> bool {
        let is_looking = self.executor.is_looking();
        if self.session.is_none() || self.in_flight.len() > usize::from(is_looking) {
            self.executor.stop_waiting();
            return false;
        }
        !is_looking
    }

    fn look_while_waiting(&mut self) {
        let executor = Rc::clone(&self.executor);
        executor.begin_look();
        self.in_flight.push(Box::pin(async move {
            executor.look_while_waiting().await;
        }));
    }

    fn tick(&mut self) {
        if let Some(event) = self.engine.observe(Tick::Time, harness_host::clock::now()) {
            self.queue.push_back(event);
        }
    }

    fn until_deadline(&self) -> Option<Duration> {
        self.engine
            .next_deadline()
            .map(|deadline| deadline.since(harness_host::clock::now()))
    }
}

/// A part can be taken of proposed features alone; of anything else that is a no.
fn fitting(asked: &ApprovalAsked, answer: ApprovalAnswer) -> ApprovalAnswer {
    let has_parts = matches!(asked.subject, ApprovalSubject::Features { .. });
    match answer {
        ApprovalAnswer::Part { .. } if !has_parts => ApprovalAnswer::No {
            reason: String::new(),
        },
        answer => answer,
    }
}

/// Keeps the rule of an answer; one that is not about what is asked is a yes to this once.
fn kept(rules: &dyn RuleKeeper, asked: &ApprovalAsked, answer: ApprovalAnswer) -> ApprovalAnswer {
    let ApprovalAnswer::Always { mut rule, .. } = answer else {
        return answer;
    };
    let narrowest = asked.always.as_ref();
    let is_about_it = narrowest.is_some_and(|narrowest| rule.covers(narrowest));
    if !is_about_it || rule.decision != RuleDecision::Allow {
        return ApprovalAnswer::Once;
    }
    let problem = match rules.keep(&rule) {
        Ok(origin) => {
            rule.origin = origin;
            String::new()
        }
        Err(problem) => {
            "this run".clone_into(&mut rule.origin);
            problem
        }
    };
    ApprovalAnswer::Always { rule, problem }
}
