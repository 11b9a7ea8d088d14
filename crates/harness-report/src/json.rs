//! JSON lines: one versioned object per line, additive only.

mod setup;

use harness_core::{
    Action, CallEnd, CheckReport, CheckStatus, Decision, Event, FeatureStatus, Money, NetworkUse,
    Outcome, SessionId, Stop, TestCounts, Timestamp, Usage,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clean::escape_json;

/// Tokens of a request or of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tokens {
    /// Fresh input.
    pub input: u64,
    /// Input read from a cache.
    pub cache_read: u64,
    /// Input written to a cache.
    pub cache_write: u64,
    /// Output, reasoning included.
    pub output: u64,
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        let Usage {
            input,
            cache_read,
            cache_write,
            output,
        } = usage;
        Self {
            input,
            cache_read,
            cache_write,
            output,
        }
    }
}

/// Tests a report speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tests {
    /// Tests that ran.
    pub run: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were skipped.
    pub skipped: u32,
}

impl From<TestCounts> for Tests {
    fn from(counts: TestCounts) -> Self {
        let TestCounts {
            run,
            failed,
            skipped,
        } = counts;
        Self {
            run,
            failed,
            skipped,
        }
    }
}

/// What one line says. Every line also has `v`, `seq`, `time` and `session`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonLine {
    /// The demo has unpacked its repository.
    DemoStarted {
        /// Where it is.
        repository: String,
    },
    /// A session began.
    SessionStarted {
        /// Who decides the next call.
        agent: String,
        /// The model's name.
        model: String,
        /// Whether the model is a recording.
        recorded: bool,
        /// What the kernel enforces.
        level: String,
        /// The run.
        run: String,
        /// The run's branch.
        branch: String,
        /// The feature in work.
        feature: String,
    },
    /// A session was taken up again.
    SessionResumed {},
    /// A model request goes out.
    TurnStarted {
        /// Its number.
        turn: u32,
    },
    /// A model answered.
    ModelResponded {
        /// The turn.
        turn: u32,
        /// Tokens.
        usage: Tokens,
        /// What it cost; null when the price is unknown.
        usd: Option<f64>,
        /// How long it took.
        ms: u64,
        /// What it said.
        text: String,
    },
    /// A model request failed.
    ModelFailed {
        /// The turn.
        turn: u32,
        /// What happened.
        message: String,
        /// The HTTP status.
        status: Option<u16>,
    },
    /// A model request is sent again.
    ProviderRetried {
        /// Which retry.
        attempt: u32,
        /// How long is waited.
        delay_ms: u64,
        /// What had failed.
        reason: String,
    },
    /// The guard has judged a call; refused calls too.
    ToolCalled {
        /// The call.
        id: String,
        /// The tool.
        tool: String,
        /// What it would do: `read`, `list`, `search`, `write`, `edit`, `run`; null when it touches nothing.
        action: Option<String>,
        /// The path or folder.
        path: Option<String>,
        /// The command.
        command: Option<String>,
        /// `allow`, `ask` or `deny`.
        verdict: String,
        /// Why.
        reason: String,
    },
    /// A call is over.
    ToolReturned {
        /// The call.
        id: String,
        /// Whether it was done and went well.
        ok: bool,
        /// How long it took.
        ms: u64,
        /// How many bytes it gave.
        bytes: u64,
    },
    /// A deeper document was loaded.
    DocumentLoaded {
        /// Which.
        path: String,
        /// What it costs, estimated.
        tokens: u64,
    },
    /// The agent proposed a line for the progress log.
    NoteTaken {
        /// The line.
        text: String,
    },
    /// A person said something.
    PersonSaid {
        /// What.
        text: String,
    },
    /// A person took words back before they reached the agent.
    PersonTookBack {
        /// What.
        text: String,
    },
    /// The agent was told to change its ways.
    Nudged {
        /// What it was told.
        text: String,
    },
    /// A change outside the scope was taken back.
    StrayUndone {
        /// Where.
        path: String,
        /// What was done.
        message: String,
    },
    /// The work tree was saved.
    CheckpointCreated {
        /// Its number in the session.
        n: u32,
        /// The commit.
        commit: String,
        /// The changed files.
        files: Vec<String>,
        /// How long it took.
        ms: u64,
    },
    /// A gate ran on the base.
    BaselineEnded {
        /// The gate.
        gate: String,
        /// `green`, `red`, `error` or `timeout`.
        status: String,
        /// Its tests.
        tests: Option<Tests>,
        /// Whether the result was kept from before.
        cached: bool,
    },
    /// The agent says it is done.
    FinishRequested {
        /// Its summary.
        summary: String,
    },
    /// It is not done.
    FinishRefused {
        /// Why.
        reason: String,
        /// What was found in the change.
        findings: Vec<String>,
    },
    /// A gate starts.
    GateStarted {
        /// Which.
        gate: String,
    },
    /// A check is over.
    CheckEnded {
        /// The gate.
        gate: String,
        /// The command.
        check: String,
        /// `green`, `red`, `error` or `timeout`.
        status: String,
        /// The exit code.
        exit_code: Option<i32>,
        /// How long it took.
        ms: u64,
        /// Its tests.
        tests: Option<Tests>,
        /// Why it is not green.
        reason: String,
    },
    /// A gate is over.
    GateEnded {
        /// Which.
        gate: String,
        /// Its colour.
        status: String,
    },
    /// A feature's status changed.
    FeatureStatus {
        /// Which.
        feature: String,
        /// What it was.
        from: String,
        /// What it is.
        to: String,
        /// Why.
        reason: String,
    },
    /// A feature is proven and committed.
    FeaturePassed {
        /// Which.
        feature: String,
        /// The commit.
        commit: String,
        /// The tree that was proven.
        tree: String,
        /// The evidence file.
        evidence: Option<String>,
    },
    /// Unproven work was put aside.
    WorkSetAside {
        /// How many files.
        files: u32,
        /// What went wrong; empty when all went well.
        message: String,
    },
    /// A connection of a process to a host is over, or was refused.
    NetworkUsed {
        /// The host as it was asked for.
        host: String,
        /// The port; 0 where none was named.
        port: u16,
        /// Whether the host is one that may be reached.
        allowed: bool,
        /// Why it was refused, or what broke it; empty when all went well.
        reason: String,
        /// How many bytes were sent.
        sent: u64,
        /// How many bytes were received.
        received: u64,
        /// How long it took.
        ms: u64,
    },
    /// A setup step starts.
    SetupStarted {
        /// Its argv.
        run: Vec<String>,
        /// `work_tree`, `base` or `candidate`.
        place: String,
        /// The hosts it may reach.
        network: Vec<String>,
    },
    /// A setup step is over.
    SetupEnded {
        /// Its argv.
        run: Vec<String>,
        /// `work_tree`, `base` or `candidate`.
        place: String,
        /// `done`, `failed` or `cancelled`.
        status: String,
        /// What went wrong; empty when all went well.
        message: String,
        /// How long it took.
        ms: u64,
    },
    /// Four fifths of a limit are used.
    BudgetWarned {
        /// Which.
        what: String,
    },
    /// A person is needed.
    NeedsHuman {
        /// For what.
        question: String,
    },
    /// Something went wrong that the run may survive.
    Problem {
        /// What.
        message: String,
    },
    /// The run is to stop.
    Stopping {
        /// The end it leads to.
        reason: String,
        /// Why.
        detail: String,
    },
    /// A session is over.
    SessionEnded {
        /// Why.
        reason: String,
        /// Its tokens.
        usage: Tokens,
    },
    /// The run is over.
    RunEnded {
        /// Why.
        reason: String,
        /// What the process exits with.
        exit_code: u8,
        /// The same for people.
        detail: String,
        /// What it cost; null when the price is unknown.
        usd: Option<f64>,
    },
    /// Proven features are on the person's branch.
    Landed {
        /// The run they come from.
        run: String,
        /// The branch; null where HEAD is detached.
        branch: Option<String>,
        /// The commit that HEAD is at now.
        head: String,
        /// Whether HEAD holds exactly what was proven last.
        proven_tree: bool,
        /// How many commits were made; 0 when all had landed before.
        commits: usize,
        /// The features.
        features: Vec<String>,
    },
}

/// Turns events into JSON lines.
#[derive(Debug, Default)]
pub struct JsonLines {
    seq: u64,
    session: Option<SessionId>,
    usage: Usage,
    spent: Option<Money>,
}

impl JsonLines {
    /// Returns what is written for one event: empty, or whole lines with their newline.
    pub fn write(&mut self, event: &Event, time: Timestamp) -> String {
        if let Event::SessionOpened(opened) = event {
            self.session = Some(opened.session);
            self.usage = Usage::default();
            self.spent = opened
                .run
                .model
                .price
                .map(|_| self.spent.unwrap_or(opened.run.spent));
        }
        if let Event::ModelResponded(responded) = event {
            self.usage = self.usage.plus(responded.response.usage);
            if let (Some(spent), Some(cost)) = (&mut self.spent, responded.cost) {
                *spent = *spent + cost;
            }
        }
        self.say(event)
            .map(|line| self.format(&line, time))
            .unwrap_or_default()
    }

    /// Formats one line that comes from no event.
    pub fn format(&mut self, line: &JsonLine, time: Timestamp) -> String {
        let mut object = Map::new();
        object.insert("v".to_owned(), 1.into());
        object.insert("seq".to_owned(), self.seq.into());
        object.insert("time".to_owned(), time.to_string().into());
        object.insert(
            "session".to_owned(),
            self.session
                .map_or(Value::Null, |session| session.to_string().into()),
        );
        if let Ok(Value::Object(body)) = serde_json::to_value(line) {
            object.extend(body);
        }
        self.seq += 1;
        format!("{}\n", escape_json(&Value::Object(object).to_string()))
    }

    fn say(&self, event: &Event) -> Option<JsonLine> {
        Some(match event {
            Event::SessionOpened(opened) => JsonLine::SessionStarted {
                agent: "builtin".to_owned(),
                model: opened.run.model.name.clone(),
                recorded: opened.run.model.recorded,
                level: opened.level.to_string(),
                run: opened.run.run.to_string(),
                branch: opened.branch.clone(),
                feature: opened.feature.to_string(),
            },
            Event::SessionResumed { .. } => JsonLine::SessionResumed {},
            Event::SessionEnded { reason } => JsonLine::SessionEnded {
                reason: reason.clone(),
                usage: self.usage.into(),
            },
            Event::RunEnded { reason, detail } => JsonLine::RunEnded {
                reason: reason.to_string(),
                exit_code: reason.exit_code(),
                detail: detail.clone(),
                usd: self.spent.map(Money::as_usd),
            },
            Event::PersonSaid { text, .. } => JsonLine::PersonSaid { text: text.clone() },
            Event::PersonTookBack { text } => JsonLine::PersonTookBack { text: text.clone() },
            Event::PersonAwaited => JsonLine::NeedsHuman {
                question: "the agent has stopped: say how to go on".to_owned(),
            },
            Event::TurnStarted { turn } => JsonLine::TurnStarted { turn: turn.0 },
            Event::ModelResponded(responded) => JsonLine::ModelResponded {
                turn: responded.turn.0,
                usage: responded.response.usage.into(),
                usd: responded.cost.map(Money::as_usd),
                ms: responded.ms,
                text: responded.response.text(),
            },
            Event::ModelFailed { turn, failure } => JsonLine::ModelFailed {
                turn: turn.0,
                message: failure.message.clone(),
                status: failure.status,
            },
            Event::ProviderRetried {
                attempt,
                delay_ms,
                reason,
                ..
            } => JsonLine::ProviderRetried {
                attempt: *attempt,
                delay_ms: *delay_ms,
                reason: reason.clone(),
            },
            Event::CallJudged {
                call,
                tool,
                action,
                verdict,
            } => {
                let command = match action {
                    Some(Action::Run { command, .. }) => Some(command.clone()),
                    _ => None,
                };
                JsonLine::ToolCalled {
                    id: call.to_string(),
                    tool: tool.clone(),
                    action: action.as_ref().map(|action| kind(action).to_owned()),
                    path: action.as_ref().map(|action| action.path().to_string()),
                    command,
                    verdict: verdict.decision.to_string(),
                    reason: if verdict.decision == Decision::Allow {
                        String::new()
                    } else {
                        verdict.reason.clone()
                    },
                }
            }
            Event::CallEnded { call, end, ms } => {
                let (ok, bytes) = result(end);
                JsonLine::ToolReturned {
                    id: call.to_string(),
                    ok,
                    ms: *ms,
                    bytes,
                }
            }
            Event::DocumentLoaded { path, tokens, .. } => JsonLine::DocumentLoaded {
                path: path.to_string(),
                tokens: tokens.0,
            },
            Event::NoteTaken { text } => JsonLine::NoteTaken { text: text.clone() },
            Event::QuestionAsked { question, .. } => JsonLine::NeedsHuman {
                question: question.clone(),
            },
            Event::QuestionAnswered { answer, .. } => JsonLine::PersonSaid {
                text: answer.clone(),
            },
            Event::Nudged { text } => JsonLine::Nudged { text: text.clone() },
            Event::CheckpointSaved(saved) => JsonLine::CheckpointCreated {
                n: saved.number.0,
                commit: saved.commit.to_string(),
                files: saved
                    .changes
                    .iter()
                    .map(|change| change.path.to_string())
                    .collect(),
                ms: saved.ms,
            },
            Event::StrayUndone { path, message } => JsonLine::StrayUndone {
                path: path.to_string(),
                message: message.clone(),
            },
            Event::BaselineEnded { report, cached } => JsonLine::BaselineEnded {
                gate: report.gate.clone(),
                status: report.status.to_string(),
                tests: report.tests.map(Tests::from),
                cached: *cached,
            },
            Event::FinishRequested { summary, .. } => JsonLine::FinishRequested {
                summary: summary.clone(),
            },
            Event::FinishRefused { reason, findings } => JsonLine::FinishRefused {
                reason: reason.clone(),
                findings: findings
                    .iter()
                    .map(|finding| format!("{}: {}", finding.path, finding.message))
                    .collect(),
            },
            Event::GateStarted { gate } => JsonLine::GateStarted { gate: gate.clone() },
            Event::CheckEnded { report } => check_ended(report),
            Event::GateEnded { gate, status } => JsonLine::GateEnded {
                gate: gate.clone(),
                status: CheckStatus::to_string(status),
            },
            Event::FeaturePassed(passed) => JsonLine::FeaturePassed {
                feature: passed.feature.to_string(),
                commit: passed.commit.to_string(),
                tree: passed.tree.to_string(),
                evidence: passed.evidence.as_ref().map(ToString::to_string),
            },
            Event::FeatureStatusChanged {
                feature,
                from,
                to,
                reason,
            } => JsonLine::FeatureStatus {
                feature: feature.to_string(),
                from: FeatureStatus::to_string(from),
                to: FeatureStatus::to_string(to),
                reason: reason.clone(),
            },
            Event::FeatureGivenUp { detail, .. } => JsonLine::NeedsHuman {
                question: detail.clone(),
            },
            Event::WorkSetAside { files, message } => JsonLine::WorkSetAside {
                files: *files,
                message: message.clone(),
            },
            Event::NetworkUsed(used) => network_used(used),
            Event::SetupStarted { .. } | Event::SetupEnded { .. } => return setup::line(event),
            Event::BudgetWarned { what } => JsonLine::BudgetWarned { what: what.clone() },
            Event::StopDecided { reason, detail } => JsonLine::Stopping {
                reason: reason.to_string(),
                detail: detail.clone(),
            },
            Event::StopRequested | Event::Interrupted => JsonLine::Stopping {
                reason: "interrupted".to_owned(),
                detail: String::new(),
            },
            Event::CheckpointFailed { message }
            | Event::BaselineFailed { message }
            | Event::CandidateFailed { message }
            | Event::CommitFailed { message, .. }
            | Event::OpenFailed { message } => JsonLine::Problem {
                message: message.clone(),
            },
            Event::RetryDue { .. }
            | Event::ClaimTaken
            | Event::LinkMet { .. }
            | Event::CheckpointUnchanged
            | Event::CandidateFrozen(_) => return None,
        })
    }
}

fn network_used(used: &NetworkUse) -> JsonLine {
    JsonLine::NetworkUsed {
        host: used.host.clone(),
        port: used.port,
        allowed: used.allowed,
        reason: used.reason.clone(),
        sent: used.sent.0,
        received: used.received.0,
        ms: used.ms,
    }
}

fn check_ended(report: &CheckReport) -> JsonLine {
    JsonLine::CheckEnded {
        gate: report.gate.clone(),
        check: report.argv.join(" "),
        status: report.status.to_string(),
        exit_code: match report.stop {
            Some(Stop::Exited(code)) => Some(code),
            _ => None,
        },
        ms: report.ms,
        tests: report.tests.map(Tests::from),
        reason: report.reason.clone(),
    }
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Read { .. } => "read",
        Action::List { .. } => "list",
        Action::Search { .. } => "search",
        Action::Write { .. } => "write",
        Action::Edit { .. } => "edit",
        Action::Run { .. } => "run",
    }
}

fn result(end: &CallEnd) -> (bool, u64) {
    match end {
        CallEnd::Done {
            outcome: Outcome::Text { text, .. },
        } => (true, text.len() as u64),
        CallEnd::Done {
            outcome: Outcome::Written { .. },
        } => (true, 0),
        CallEnd::Done {
            outcome: Outcome::Exited { stop, output },
        } => (*stop == Stop::Exited(0), output.bytes),
        CallEnd::Answered { text, is_error } => (!is_error, text.len() as u64),
        CallEnd::Done {
            outcome: Outcome::Refused { .. },
        }
        | CallEnd::Refused { .. }
        | CallEnd::Failed { .. }
        | CallEnd::Cancelled
        | CallEnd::Lost => (false, 0),
    }
}
