//! What a session did and used, as a fold over its log.
//!
//! Everything kept is bounded by the number of tools, gates and models, not by the
//! length of the log. Called by the commands that list and show sessions.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use harness_core::{
    CallEnd, CallId, CheckReport, CheckStatus, ConversationKind, Decision, EndReason, Event,
    FeatureId, Happened, ModelProfile, Outcome, Role, Roles, SessionOpened, Stop, Timestamp,
};

use crate::{
    clean::clean_line,
    tally::{Bill, Span, Tally},
};

/// How many of the dearest requests are kept.
const DEAREST_MAX: usize = 3;
/// How many tools, gates, models and classes of failures are told apart; what comes later counts as `others`.
const NAMES_MAX: usize = 100;
/// The longest name that is kept. Unit: characters.
const NAME_CHARS: usize = 60;
/// How many calls without an end are remembered.
const OPEN_CALLS_MAX: usize = 1_000;

/// A session as its log tells it.
#[derive(Clone, Debug, Default)]
pub struct SessionSummary {
    /// How it began; absent in a log without its first record.
    pub opened: Option<Box<SessionOpened>>,
    /// When it began.
    pub began: Option<Timestamp>,
    /// When its last record was made.
    pub last: Option<Timestamp>,
    /// How long it was worked on.
    pub took: Span,
    /// How often another process took it up.
    pub resumed: u32,
    /// The models that answered, in the order in which they came, with what each used.
    pub models: Vec<(ModelProfile, Tally)>,
    /// The number of its last turn.
    pub turns: u32,
    /// Requests sent.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests that failed, by class.
    pub failures: BTreeMap<String, u64>,
    /// What all requests used.
    pub total: Tally,
    /// The requests that cost most, dearest first, each with its model's name.
    pub dearest: Vec<(Bill, String)>,
    /// What was called.
    pub tools: BTreeMap<String, ToolUse>,
    /// What was checked.
    pub gates: BTreeMap<String, GateUse>,
    /// Finishes that were refused.
    pub refused: u32,
    /// The number of its last checkpoint.
    pub checkpoints: u32,
    /// Features it proved.
    pub passed: Vec<FeatureId>,
    /// How it ended; absent while it runs, and when it was cut short.
    pub end: Option<End>,
    /// How it ended before it was taken up for the last time.
    pub ended_before: Option<String>,
    /// Who answered beside the main conversation and never in it, by name.
    pub helpers: Vec<String>,
    /// The conversations beside the main one: how many of each kind, and what they used.
    pub besides: BTreeMap<ConversationKind, (u32, Tally)>,
    /// Who serves the other roles; the model that answers where it is absent.
    roles: Roles,
    /// The tool of each call without an end, and whether it was refused.
    open_calls: HashMap<CallId, (String, bool)>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How the run ended with it; absent where the run went on.
    pub run: Option<EndReason>,
    /// Why, in one line.
    pub text: String,
}

/// How a tool was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolUse {
    /// Calls.
    pub calls: u64,
    /// Calls that the guard or a person refused.
    pub refused: u64,
    /// Calls that did not go well.
    pub failed: u64,
    /// How long they took.
    pub took: Duration,
}

/// How a gate fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateUse {
    /// Checks.
    pub checks: u64,
    /// Checks that were not green.
    pub red: u64,
    /// How long they took.
    pub took: Duration,
}

impl SessionSummary {
    /// Takes a record in.
    pub fn take(&mut self, event: &Event, at: Timestamp) {
        self.began.get_or_insert(at);
        self.last = Some(at);
        match event {
            Event::SessionResumed { .. } => self.took.begin_again(at),
            _ => self.took.go_on(at),
        }
        match (Bill::of(event), event) {
            (Some(bill), Event::HandedOver(_)) => self.bill_beside(bill, Role::Cheap),
            (Some(bill), Event::Beside(told)) => {
                let kind = told.conversation.kind;
                self.besides.entry(kind).or_default().1.add(&bill);
                self.bill_beside(bill, kind.role());
            }
            (Some(bill), _) => self.bill(bill),
            // What came before was paid for by another session.
            (None, Event::Forked(_)) => self.forget_spent(),
            (None, _) => {}
        }
        match event {
            Event::SessionOpened(opened) => self.open(opened),
            Event::SessionResumed { model, roles, .. } => {
                self.resumed += 1;
                self.ended_before = self.end.take().map(|end| end.text);
                self.roles = (**roles).clone();
                self.turn_to(model);
            }
            Event::ModelChanged { model, .. } => {
                self.requests += 1;
                self.turn_to(model);
            }
            Event::Beside(told) => self.beside(&told.happened, told.conversation.kind),
            Event::TurnStarted { turn } => {
                self.turns = turn.0;
                self.requests += 1;
            }
            Event::ModelFailed { failure, .. } => {
                *named(&mut self.failures, failure.class.as_str()) += 1;
            }
            Event::RetryDue { .. } => {
                self.retries += 1;
                self.requests += 1;
            }
            Event::CallJudged {
                call,
                tool,
                verdict,
                ..
            } => self.judged(*call, tool, verdict.decision),
            Event::CallEnded { call, end, ms } => self.ended(*call, end, *ms),
            Event::CheckEnded { report } => self.checked(report),
            Event::FinishRefused { .. } => self.refused += 1,
            Event::CheckpointSaved(saved) => self.checkpoints = saved.number.0,
            Event::FeaturePassed(passed) if self.passed.len() < NAMES_MAX => {
                self.passed.push(passed.feature.clone());
            }
            Event::SessionEnded { reason } => self.end = Some(end(None, reason)),
            Event::RunEnded { reason, .. } => {
                let text = self.end.take().map(|end| end.text);
                let text = text.filter(|text| !text.is_empty());
                let text = text.unwrap_or_else(|| reason.to_string());
                self.end = Some(end(Some(*reason), &text));
            }
            _ => {}
        }
    }

    /// Returns the name of the model that answers now.
    pub fn model(&self) -> &str {
        let last = self.models.last();
        last.map_or("", |(model, _)| model.name.as_str())
    }

    /// Begins to count anew, with the model that answers.
    fn forget_spent(&mut self) {
        let model = self.models.pop().map(|(model, _)| model);
        *self = Self {
            opened: self.opened.take(),
            began: self.last,
            last: self.last,
            turns: self.turns,
            checkpoints: self.checkpoints,
            roles: std::mem::take(&mut self.roles),
            ..Self::default()
        };
        if let Some(model) = model {
            self.turn_to(&model);
        }
    }

    fn open(&mut self, opened: &SessionOpened) {
        self.turn_to(&opened.run.model);
        self.roles = opened.run.roles.clone();
        self.opened = Some(Box::new(opened.clone()));
    }

    /// Lets a model answer from now on.
    fn turn_to(&mut self, model: &ModelProfile) {
        self.helpers.retain(|helper| *helper != model.name);
        self.put_last(model);
    }

    /// Has what follows billed to a model: the last one is the one that answers.
    fn put_last(&mut self, model: &ModelProfile) {
        let known = self.models.iter().position(|(it, _)| it.name == model.name);
        let used = known.map(|at| self.models.remove(at).1);
        let used = used.unwrap_or(Tally {
            unpriced: model.price.is_none(),
            ..Tally::default()
        });
        if self.models.len() < NAMES_MAX {
            self.models.push((model.clone(), used));
        }
        if self.models.len() == 1 && self.total.requests == 0 {
            self.total.unpriced = model.price.is_none();
        }
    }

    /// Takes in what happens in a conversation beside the main one.
    fn beside(&mut self, happened: &Happened, kind: ConversationKind) {
        match happened {
            Happened::Started { .. } => self.besides.entry(kind).or_default().0 += 1,
            Happened::Failed { failure, .. } => {
                *named(&mut self.failures, failure.class.as_str()) += 1;
            }
            Happened::RetryDue { .. } => self.retries += 1,
            _ => {}
        }
    }

    /// Bills a request that is no turn of the main conversation to whoever was asked.
    fn bill_beside(&mut self, bill: Bill, role: Role) {
        self.requests += 1;
        let answering = self.models.last().map(|(model, _)| model.clone());
        match (self.roles.named(role).cloned(), answering) {
            (Some(helper), Some(answering)) => {
                if self
                    .models
                    .iter()
                    .all(|(model, _)| model.name != helper.name)
                {
                    self.helpers.push(helper.name.clone());
                }
                self.put_last(&helper);
                self.bill(bill);
                self.put_last(&answering);
            }
            _ => self.bill(bill),
        }
    }

    fn bill(&mut self, bill: Bill) {
        self.total.add(&bill);
        if let Some((_, used)) = self.models.last_mut() {
            used.add(&bill);
        }
        let weight = |bill: &Bill| {
            let tokens = bill.usage.input_total() + bill.usage.output;
            (bill.cost.map_or(0, |cost| cost.0), tokens)
        };
        let at = self
            .dearest
            .partition_point(|(known, _)| weight(known) >= weight(&bill));
        self.dearest.insert(at, (bill, self.model().to_owned()));
        self.dearest.truncate(DEAREST_MAX);
    }

    fn judged(&mut self, call: CallId, tool: &str, decision: Decision) {
        let name = clean_line(tool, NAME_CHARS);
        let is_denied = decision == Decision::Deny;
        let used = named(&mut self.tools, &name);
        // A link that is met on the way, and a person's yes, have the same call judged again.
        used.calls += u64::from(!self.open_calls.contains_key(&call));
        used.refused += u64::from(is_denied);
        if self.open_calls.len() < OPEN_CALLS_MAX {
            self.open_calls.insert(call, (name, is_denied));
        }
    }

    fn ended(&mut self, call: CallId, end: &CallEnd, ms: u64) {
        let Some((name, is_denied)) = self.open_calls.remove(&call) else {
            return;
        };
        let used = named(&mut self.tools, &name);
        used.took += Duration::from_millis(ms);
        if is_denied {
            return;
        }
        used.failed += u64::from(match end {
            CallEnd::Done {
                outcome: Outcome::Exited { stop, .. },
            } => *stop != Stop::Exited(0),
            CallEnd::Done { outcome } => matches!(outcome, Outcome::Refused { .. }),
            CallEnd::Answered { is_error, .. } => *is_error,
            CallEnd::Refused { .. } => false,
            CallEnd::Failed { .. } | CallEnd::Cancelled | CallEnd::Lost => true,
        });
    }

    fn checked(&mut self, report: &CheckReport) {
        let used = named(&mut self.gates, &clean_line(&report.gate, NAME_CHARS));
        used.checks += 1;
        used.red += u64::from(report.status != CheckStatus::Green);
        used.took += Duration::from_millis(report.ms);
    }
}

fn end(run: Option<EndReason>, text: &str) -> End {
    End {
        run,
        text: clean_line(text.lines().next().unwrap_or_default(), 200),
    }
}

/// Returns the entry of a name, or the one of all names beyond the bound.
fn named<'a, T: Default>(entries: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    let name = if entries.len() < NAMES_MAX || entries.contains_key(name) {
        name
    } else {
        "others"
    };
    entries.entry(name.to_owned()).or_default()
}

#[cfg(test)]
mod tests;
