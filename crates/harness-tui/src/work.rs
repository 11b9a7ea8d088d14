//! Where the run stands, as a fold over events: what header and work column show.

mod jobs;
mod judged;

use std::time::Duration;

use harness_core::{
    Beside, CheckReport, CheckStatus, EndReason, Event, FeatureId, FeatureStatus, Goal, Happened,
    Level, Limits, ModelDelta, ModelResponded, Money, PlanItem, RateLimit, SessionId,
    SessionOpened, Spent, Stop, Timestamp, Usage,
};
use harness_report::{Planned, clean, clean_line};

pub(crate) use self::{jobs::JobLine, judged::Judged};
use crate::theme::Sign;

/// The longest title that is kept. Unit: characters.
const TITLE_CHARS: usize = 200;

/// The state of the run that is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    /// The repository's name.
    pub(crate) repository: String,
    /// The branch: the run's own, or the person's while nothing runs.
    pub(crate) branch: String,
    /// The session.
    pub(crate) session: Option<SessionId>,
    /// The features of the run, in the order of the list.
    pub(crate) features: Vec<FeatureLine>,
    /// What a planning run has come to; absent where features are worked on.
    pub(crate) planned: Option<Planned>,
    /// The feature in work.
    pub(crate) current: Option<FeatureId>,
    /// The gates the feature must pass.
    pub(crate) gates: Vec<GateLine>,
    /// Patterns that may be written.
    pub(crate) scope: Vec<String>,
    /// Checkpoints of the session.
    pub(crate) checkpoints: u32,
    /// Features committed in this run.
    pub(crate) commits: u32,
    /// The model; absent before one is known.
    pub(crate) model: Option<ModelLine>,
    /// What is enforced.
    pub(crate) level: Option<Level>,
    /// The agent's plan for the feature.
    pub(crate) plan: Vec<PlanItem>,
    /// Commands that go on in the background.
    pub(crate) jobs: Vec<JobLine>,
    /// What the person's review wants.
    pub(crate) judged: Judged,
    /// What is used up.
    pub(crate) used: Used,
    /// What is going on.
    pub(crate) activity: Activity,
    /// How the run ended.
    pub(crate) end: Option<EndReason>,
    gates_known: Vec<String>,
    /// Whether the agent has stopped and a person has said nothing since; that outlasts a stop of the run.
    has_stopped: bool,
}

/// A feature as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeatureLine {
    /// Its id.
    pub(crate) id: FeatureId,
    /// Its title, cleaned.
    pub(crate) title: String,
    /// How far it is.
    pub(crate) status: FeatureStatus,
    /// Finishes that were refused, while it is in work.
    pub(crate) refused: u32,
}

/// A gate as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GateLine {
    /// Its name, cleaned.
    pub(crate) name: String,
    /// How it came out, and for which state of the files.
    pub(crate) state: GateState,
}

/// How a gate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GateState {
    /// It has not run on anything yet.
    Unknown,
    /// It ran on the base.
    Base(Verdict),
    /// It runs.
    Running,
    /// It ran on the files as they are.
    Current(Verdict),
    /// It ran, and files have changed since.
    Stale(Verdict),
}

/// How a check came out, in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it is good.
    pub(crate) sign: Sign,
    /// The time it took or the tests that failed.
    pub(crate) word: String,
}

/// The model that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelLine {
    /// The person's name for it, cleaned.
    pub(crate) name: String,
    /// Whether it is a recording.
    pub(crate) recorded: bool,
    /// The size of its window. Unit: tokens.
    pub(crate) context: u64,
    /// Whether a cost can be told.
    pub(crate) priced: bool,
}

/// What is used up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    /// Tokens in the window at the last answer.
    pub(crate) context: u64,
    /// Tokens of the run.
    pub(crate) usage: Usage,
    /// Money of the run.
    pub(crate) spent: Money,
    /// Model requests of the session.
    pub(crate) turns: u32,
    /// The bounds.
    pub(crate) limits: Option<Limits>,
    /// When the run began.
    pub(crate) since: Option<Timestamp>,
    /// When it ended.
    pub(crate) until: Option<Timestamp>,
}

/// What is going on right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing runs.
    #[default]
    Nothing,
    /// A run is being set up.
    Opening,
    /// The model was asked and has not said anything yet.
    Thinking(Timestamp),
    /// The model answers.
    Answering(Timestamp),
    /// The model writes a call of this tool.
    Calling(String, Timestamp),
    /// Calls are carried out; the tool of the last one.
    Working(String, Timestamp),
    /// A gate runs.
    Checking(String, Timestamp),
    /// The model is asked again, at this time.
    Retrying(String, Timestamp),
    /// The request waits for a limit of the provider, until then.
    Held(String, Timestamp),
    /// A note for the next session may be written: a limit or a full window has stopped the work.
    Noting(Timestamp),
    /// A person is waited for.
    Awaiting,
    /// The run is coming to its end.
    Stopping,
}

impl Activity {
    /// Returns since when it goes on, where that is worth telling.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Thinking(since)
            | Self::Answering(since)
            | Self::Calling(_, since)
            | Self::Working(_, since)
            | Self::Checking(_, since)
            | Self::Noting(since) => Some(*since),
            _ => None,
        }
    }

    /// Returns when it ends by itself.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Retrying(_, until) | Self::Held(_, until) => Some(*until),
            _ => None,
        }
    }
}

impl Work {
    /// Takes an event in.
    pub(crate) fn take(&mut self, event: &Event, at: Timestamp) {
        if let Some(planned) = &mut self.planned {
            planned.hear(event);
        }
        match event {
            Event::SessionOpened(opened) => self.open(opened, at),
            Event::Forked(_) => {
                (self.used.usage, self.used.spent) = Default::default();
            }
            Event::SessionResumed {
                model,
                limits,
                found,
                ..
            } => {
                self.count(found.spent.unwrap_or_default());
                self.end = None;
                self.used.until = None;
                self.used.limits = Some((**limits).clone());
                self.model = Some(model_line(model));
            }
            Event::ModelChanged { model, .. } => self.model = Some(model_line(model)),
            Event::FeatureAmended { amendment, .. } => {
                let paths = amendment.may_change.iter().map(ToString::to_string);
                let given = amendment.write.iter().cloned().chain(paths);
                self.scope
                    .extend(given.map(|text| clean(&text).into_owned()));
            }
            Event::RunEnded { reason, .. } => {
                self.end = Some(*reason);
                self.used.until = Some(at);
                self.activity = Activity::Nothing;
                self.settle_gates();
            }
            Event::ModelResponded(responded) => self.responded(responded, at),
            Event::ModelFailed {
                spent: Some(spent), ..
            } => self.count(*spent),
            Event::HandedOver(note) => self.count(note.spent.unwrap_or_default()),
            Event::Beside(told) => self.beside(&told.happened),
            Event::PlanSet(set) => self.plan.clone_from(&set.items),
            Event::FeatureStatusChanged { feature, to, .. } => self.status(feature, *to),
            Event::FinishRefused { .. } => self.refused(),
            Event::FeaturePassed(_) => self.commits += 1,
            Event::CheckpointSaved(saved) => {
                self.checkpoints = saved.number.0;
                self.outdate_gates();
            }
            Event::BaselineEnded { report, .. } => self.baseline(report),
            Event::GateStarted { gate } => self.gate(gate, GateState::Running),
            Event::CheckEnded { report } if report.stop == Some(Stop::Cancelled) => {
                self.gate(&report.gate, GateState::Unknown);
            }
            Event::CheckEnded { report } => {
                self.gate(&report.gate, GateState::Current(verdict(report)));
            }
            _ => {}
        }
        jobs::take(&mut self.jobs, event);
        self.judged.take(event);
        self.follow(event, at);
    }

    /// Takes in what is not logged.
    pub(crate) fn stream(&mut self, delta: &ModelDelta, at: Timestamp) {
        match (delta, &self.activity) {
            (ModelDelta::Text(_), Activity::Thinking(_)) => {
                self.activity = Activity::Answering(at);
            }
            (ModelDelta::CallStarted { name }, _) => {
                self.activity = Activity::Calling(clean_line(name, 40), at);
            }
            _ => {}
        }
    }

    /// Says what goes on from now on.
    fn follow(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::PersonAwaited => self.has_stopped = true,
            Event::PersonSaid { .. } | Event::ClaimTaken | Event::TurnStarted { .. } => {
                self.has_stopped = false;
            }
            Event::SessionOpened(_) => self.has_stopped = false,
            _ => {}
        }
        let next = match event {
            Event::SessionResumed { steered: true, .. } if self.has_stopped => Activity::Awaiting,
            Event::TurnStarted { .. } | Event::RetryDue { .. } | Event::ModelChanged { .. } => {
                Activity::Thinking(at)
            }
            Event::ModelResponded(_)
            | Event::CallEnded { .. }
            | Event::FinishRequested { .. }
            | Event::ApprovalAnswered { .. }
            | Event::QuestionAnswered { .. }
            | Event::AnswerTaken(_)
            | Event::RewindAsked { .. }
            | Event::RewindRefused { .. } => Activity::Working(String::new(), at),
            Event::CallJudged { tool, verdict, .. } if verdict.is_allowed() => {
                Activity::Working(clean_line(tool, 40), at)
            }
            Event::GateStarted { gate } => Activity::Checking(clean_line(gate, 40), at),
            Event::CheckEnded { .. } => self.after_check(at),
            Event::ProviderRetried {
                reason, delay_ms, ..
            } => retrying(reason, *delay_ms, at),
            Event::RequestPaced {
                delay_ms,
                limit,
                until,
                ..
            } => held(*delay_ms, *limit, *until, at),
            Event::FeatureGivenUp {
                reason: EndReason::Budget | EndReason::Limit,
                ..
            }
            | Event::WindowFull(_) => Activity::Noting(at),
            Event::HandedOver(_) => Activity::Working(String::new(), at),
            Event::Beside(told) => beside_activity(told, at),
            Event::QuestionAsked { .. }
            | Event::PersonAwaited
            | Event::Rewound(_)
            | Event::ApprovalAsked(_) => Activity::Awaiting,
            Event::StopRequested | Event::Interrupted | Event::StopDecided { .. } => {
                Activity::Stopping
            }
            Event::SessionOpened(_) | Event::SessionResumed { .. } => {
                Activity::Working(String::new(), at)
            }
            _ => return,
        };
        // A run on its way out stays so, whatever still comes in.
        if self.activity != Activity::Stopping || matches!(event, Event::SessionResumed { .. }) {
            self.activity = next;
        }
    }

    /// Says what goes on when a check is over: another gate may have run beside it.
    fn after_check(&self, at: Timestamp) -> Activity {
        let mut gates = self.gates_known.iter().zip(&self.gates);
        match gates.find(|(_, gate)| gate.state == GateState::Running) {
            Some((name, _)) => Activity::Checking(clean_line(name, 40), at),
            None => Activity::Working(String::new(), at),
        }
    }

    fn open(&mut self, opened: &SessionOpened, at: Timestamp) {
        let run = &opened.run;
        self.repository = clean_line(&opened.repository, 60);
        self.branch = clean_line(&opened.branch, 80);
        self.session = Some(opened.session);
        self.planned = Planned::opened(opened, self.planned.take());
        self.current = Some(opened.feature.clone());
        let known = run.work_on(&opened.feature);
        self.plan = known.map_or_else(Vec::new, |work| work.plan.clone());
        let shown = |feature: &&harness_core::Feature| match &run.goal {
            Goal::All => true,
            goal => goal.feature() == Some(&feature.id),
        };
        self.features = run
            .features
            .iter()
            .filter(shown)
            .map(|feature| FeatureLine {
                id: feature.id.clone(),
                title: clean_line(&feature.title, TITLE_CHARS),
                status: feature.status,
                refused: 0,
            })
            .collect();
        self.checkpoints = 0;
        self.model = Some(model_line(&run.model));
        self.level = Some(opened.level);
        self.end = None;
        self.used = Used {
            context: 0,
            usage: run.usage,
            spent: run.spent,
            turns: 0,
            limits: Some(run.policy.limits.clone()),
            since: Some(
                self.used
                    .since
                    .filter(|_| self.used.until.is_none())
                    .unwrap_or(at),
            ),
            until: None,
        };
        self.open_feature(opened);
    }

    /// Shows what holds for the feature in work.
    fn open_feature(&mut self, opened: &SessionOpened) {
        let policy = &opened.run.policy;
        let found = |feature: &&harness_core::Feature| feature.id == opened.feature;
        let Some(feature) = opened.run.features.iter().find(found) else {
            return;
        };
        let names: Vec<&str> = match feature.gates.as_slice() {
            [] => policy.gates.iter().map(|gate| gate.name.as_str()).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        let own = (1..=feature.verify.len()).map(|number| format!("verify-{number}"));
        self.gates_known = names.into_iter().map(str::to_owned).chain(own).collect();
        self.gates = self
            .gates_known
            .iter()
            .map(|name| GateLine {
                name: clean_line(name, 40),
                state: GateState::Unknown,
            })
            .collect();
        let patterns: Vec<&str> = match feature.scope.write.as_slice() {
            [] => policy
                .scope
                .write
                .iter()
                .map(|rule| rule.value.as_str())
                .collect(),
            own => own.iter().map(String::as_str).collect(),
        };
        self.scope = patterns
            .into_iter()
            .map(|pattern| clean(pattern).into_owned())
            .collect();
    }

    fn responded(&mut self, responded: &ModelResponded, _at: Timestamp) {
        let usage = responded.response.usage;
        self.used.turns = responded.turn.0;
        self.used.usage = self.used.usage.plus(usage);
        self.used.spent = self.used.spent + responded.cost.unwrap_or_default();
        self.used.context = usage.input_total() + usage.output;
    }

    /// Counts what a request used that was no whole answer.
    fn count(&mut self, spent: Spent) {
        self.used.usage = self.used.usage.plus(spent.usage);
        self.used.spent = self.used.spent + spent.cost.unwrap_or_default();
    }

    /// Counts what a conversation beside the main one used.
    fn beside(&mut self, happened: &Happened) {
        match happened {
            Happened::Responded { response, cost, .. } => self.count(Spent {
                usage: response.usage,
                cost: *cost,
                estimated: false,
            }),
            Happened::Failed { spent, .. } => self.count(spent.unwrap_or_default()),
            _ => {}
        }
    }

    fn status(&mut self, id: &FeatureId, to: FeatureStatus) {
        if let Some(feature) = self.features.iter_mut().find(|feature| feature.id == *id) {
            feature.status = to;
        }
    }

    fn refused(&mut self) {
        let current = self.current.clone();
        let is_current = |feature: &&mut FeatureLine| Some(&feature.id) == current.as_ref();
        if let Some(feature) = self.features.iter_mut().find(is_current) {
            feature.refused += 1;
        }
    }

    fn gate(&mut self, name: &str, state: GateState) {
        let Some(index) = self.gates_known.iter().position(|known| known == name) else {
            return;
        };
        self.gates[index].state = state;
    }

    fn baseline(&mut self, report: &CheckReport) {
        let is_known = |gate: &&mut GateLine| gate.state == GateState::Unknown;
        let Some(index) = self
            .gates_known
            .iter()
            .position(|known| *known == report.gate)
        else {
            return;
        };
        if let Some(gate) = self.gates.get_mut(index).filter(|gate| is_known(gate)) {
            gate.state = GateState::Base(verdict(report));
        }
    }

    fn outdate_gates(&mut self) {
        for gate in &mut self.gates {
            if let GateState::Current(verdict) = &gate.state {
                gate.state = GateState::Stale(verdict.clone());
            }
        }
    }

    /// A gate that was cut short has come to nothing.
    fn settle_gates(&mut self) {
        for gate in &mut self.gates {
            if gate.state == GateState::Running {
                gate.state = GateState::Unknown;
            }
        }
    }

    /// Returns how many features are proven or taken.
    pub(crate) fn passing(&self) -> usize {
        let is_settled = |feature: &&FeatureLine| feature.status.is_settled();
        self.features.iter().filter(is_settled).count()
    }

    /// Returns how much of the window is used; `None` before the first answer. Unit: percent.
    pub(crate) fn context_percent(&self) -> Option<u64> {
        let model = self.model.as_ref()?;
        let used = self.used.context.saturating_mul(100);
        (self.used.context > 0 && model.context > 0).then(|| (used / model.context).min(100))
    }
}

/// Says that a request is sent again, and when.
fn retrying(reason: &str, delay_ms: u64, at: Timestamp) -> Activity {
    let then = at.plus(Duration::from_millis(delay_ms));
    Activity::Retrying(clean_line(reason, 80), then)
}

/// Says that a request waits for a limit of its provider, and until when.
fn held(delay_ms: u64, limit: RateLimit, until: Timestamp, at: Timestamp) -> Activity {
    let then = at.plus(Duration::from_millis(delay_ms));
    Activity::Held(harness_report::held_for(delay_ms, limit, until), then)
}

/// Says what goes on in a conversation beside the main one.
fn beside_activity(told: &Beside, at: Timestamp) -> Activity {
    let id = told.conversation;
    match &told.happened {
        Happened::Retried {
            reason, delay_ms, ..
        } => retrying(reason, *delay_ms, at),
        Happened::Paced {
            delay_ms,
            limit,
            until,
            ..
        } => held(*delay_ms, *limit, *until, at),
        Happened::Ended { .. } => Activity::Working(String::new(), at),
        _ => Activity::Working(id.to_string(), at),
    }
}

fn model_line(model: &harness_core::ModelProfile) -> ModelLine {
    ModelLine {
        name: clean_line(&model.name, 40),
        recorded: model.recorded,
        context: model.context.0,
        priced: model.price.is_some(),
    }
}

/// Says in a word how a check came out.
pub(crate) fn verdict(report: &CheckReport) -> Verdict {
    let word = match (report.status, report.tests) {
        (CheckStatus::Green, _) => seconds(report.ms),
        (CheckStatus::Red, Some(tests)) => format!("{} of {}", tests.failed, tests.run),
        (CheckStatus::Red, None) => "failed".to_owned(),
        (CheckStatus::Error, _) => "not run".to_owned(),
        (CheckStatus::Timeout, _) => "out of time".to_owned(),
    };
    let sign = match report.status {
        CheckStatus::Green => Sign::Good,
        _ => Sign::Bad,
    };
    Verdict { sign, word }
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// Returns the mark of a feature's status.
pub(crate) const fn sign_of(status: FeatureStatus) -> Sign {
    match status {
        FeatureStatus::Pending => Sign::Waiting,
        FeatureStatus::InProgress => Sign::Working,
        FeatureStatus::Verifying => Sign::Verifying,
        FeatureStatus::NeedsHuman => Sign::Needed,
        FeatureStatus::Blocked => Sign::Blocked,
        FeatureStatus::Passing | FeatureStatus::Accepted => Sign::Good,
        FeatureStatus::Failing => Sign::Bad,
        FeatureStatus::Cancelled => Sign::Cancelled,
    }
}

/// Returns a span of time as a person reads it: `12 s`, `12 min`, `3 h`, `2 d`.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
