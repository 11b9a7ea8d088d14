//! A run at a glance: a fold over its log that a few lines say whole.

use harness_core::{EndReason, Event, Money, QuestionId, Timestamp};
use harness_report::{Bill, Tally, clean_line};
use serde_json::{Value, json};

/// The longest part of a line. Unit: characters.
const PART_CHARS: usize = 100;

/// What of a session is shown.
#[derive(Debug, Default)]
pub(super) struct Glance {
    session: String,
    run: String,
    feature: String,
    turn: u32,
    /// What it does now.
    doing: String,
    /// The gate that ran last, and how it came out.
    gate: String,
    spent: Tally,
    /// What waits for a person, with the command that answers it.
    waits: Option<String>,
    pub(super) end: Option<EndReason>,
    /// Whether the session is over and its run may go on in another.
    pub(super) is_over: bool,
    /// When its last record was made.
    pub(super) last: Option<Timestamp>,
}

impl Glance {
    /// Takes a record in.
    pub(super) fn take(&mut self, event: &Event, at: Timestamp) {
        self.last = Some(at);
        if let Some(bill) = Bill::of(event) {
            self.spent.add(&bill);
        }
        match event {
            Event::SessionOpened(opened) => {
                self.session = opened.session.to_string();
                self.run = opened.run.run.to_string();
                self.feature = clean_line(opened.feature.as_str(), PART_CHARS);
                self.spent = Tally {
                    usage: opened.run.usage,
                    spent: opened.run.spent,
                    unpriced: opened.run.model.price.is_none(),
                    ..Tally::default()
                };
                self.set("begins");
            }
            Event::Forked(_) => {
                self.spent = Tally {
                    unpriced: self.spent.unpriced,
                    ..Tally::default()
                };
            }
            Event::SessionResumed { .. } => {
                (self.end, self.is_over, self.waits) = (None, false, None);
                self.set("resumed");
            }
            Event::SessionEnded { .. } => {
                self.is_over = true;
                self.set("session over");
            }
            Event::RunEnded { reason, .. } => {
                self.end = Some(*reason);
                self.doing = format!("ended, {reason}");
            }
            Event::TurnStarted { turn } => {
                self.turn = turn.0;
                self.set("asks the model");
            }
            Event::RetryDue { .. } => self.set("asks the model again"),
            Event::ModelResponded(_) => self.set("has an answer"),
            Event::ProviderRetried { reason, .. } => {
                self.doing = format!("waits, {}", clean_line(reason, PART_CHARS));
            }
            Event::RequestPaced { limit, .. } => {
                self.doing = format!("waits for the provider's limit of {}", limit.as_str());
            }
            Event::CallJudged { tool, verdict, .. } if verdict.is_allowed() => {
                self.doing = format!("tool {}", clean_line(tool, PART_CHARS));
            }
            Event::GateStarted { gate } => {
                self.gate = format!("{} runs", clean_line(gate, PART_CHARS));
                self.set("checks");
            }
            Event::GateEnded { gate, status } => {
                self.gate = format!("{} {status}", clean_line(gate, PART_CHARS));
            }
            Event::FeaturePassed(passed) => {
                self.doing = format!(
                    "{} is proven",
                    clean_line(passed.feature.as_str(), PART_CHARS)
                );
            }
            Event::QuestionAsked { question, id, .. } => {
                self.waits = Some(question_waits(question, *id));
            }
            Event::ApprovalAsked(asked) => {
                self.waits = Some(format!(
                    "an approval: {}",
                    clean_line(&asked.reason, PART_CHARS)
                ));
            }
            Event::PersonAwaited => self.waits = Some("your words".to_owned()),
            Event::QuestionAnswered { .. }
            | Event::AnswerTaken(_)
            | Event::ApprovalAnswered { .. }
            | Event::PersonSaid { .. }
            | Event::QuestionPutOff { .. } => self.waits = None,
            _ => {}
        }
    }

    fn set(&mut self, doing: &str) {
        doing.clone_into(&mut self.doing);
    }

    /// Says that nobody writes the log any more, although it has no end.
    pub(super) fn lost(&mut self) {
        self.doing = format!(
            "cut short: its process is gone; `harness resume {}` goes on",
            self.session
        );
        self.waits = None;
    }

    /// Returns it as lines, the first of them always there.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut first = format!("harness: {} {}, {}", self.run, self.session, self.feature);
        if self.turn > 0 {
            first.push_str(&format!(", turn {}", self.turn));
        }
        first.push_str(&format!(", {}, {}", self.doing, self.spent.money()));
        let gate = Some(format!("gate: {}", self.gate)).filter(|_| !self.gate.is_empty());
        let waits = self.waits.as_ref().map(|waits| format!("ask: {waits}"));
        std::iter::once(first).chain(gate).chain(waits).collect()
    }

    /// Returns it as JSON.
    pub(super) fn body(&self) -> Value {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        json!({ "run": some(&self.run), "of_session": some(&self.session), "feature": some(&self.feature),
            "turn": self.turn, "doing": self.doing, "gate": some(&self.gate), "usd": self.spent.cost().map(Money::as_usd),
            "waits": self.waits, "ended": self.end.map(|end| end.to_string()) })
    }
}

fn question_waits(question: &str, id: Option<QuestionId>) -> String {
    let shown = clean_line(question, PART_CHARS);
    match id {
        Some(id) => format!("{shown}; `harness answer {id} TEXT`"),
        None => shown,
    }
}
