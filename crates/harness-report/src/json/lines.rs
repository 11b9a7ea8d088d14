//! Turns events into JSON lines: numbers, times and sums are kept here, words in `say`.

use harness_core::{CallId, Event, RunId, SessionId, Timestamp, TurnNumber};
use serde_json::{Map, Value};

use super::JsonLine;
use crate::{
    clean::escape_json,
    tally::{Bill, Tally},
};

/// Turns events into JSON lines.
#[derive(Debug, Default)]
pub struct JsonLines {
    pub(super) seq: u64,
    pub(super) session: Option<SessionId>,
    /// What the lines of an event belong to, beside the session.
    run: Option<RunId>,
    turn: Option<TurnNumber>,
    call: Option<CallId>,
    pub(super) of_session: Tally,
    pub(super) of_run: Tally,
}

impl JsonLines {
    /// Returns what is written for one event: empty, or whole lines with their newline.
    pub fn write(&mut self, event: &Event, time: Timestamp) -> String {
        if let Event::SessionOpened(opened) = event {
            (self.run, self.turn) = (Some(opened.run.run), None);
            let is_first = self.session.replace(opened.session).is_none();
            let unpriced = opened.run.model.price.is_none();
            if is_first {
                self.of_run.usage = opened.run.usage;
                self.of_run.spent = opened.run.spent;
            }
            self.of_run.unpriced |= unpriced;
            self.of_session = Tally {
                unpriced,
                ..Tally::default()
            };
        }
        if matches!(event, Event::Forked(_)) {
            let unpriced = self.of_session.unpriced;
            self.of_session = Tally {
                unpriced,
                ..Tally::default()
            };
            self.of_run = self.of_session;
        }
        if let Some(bill) = Bill::of(event) {
            self.of_session.add(&bill);
            self.of_run.add(&bill);
        }
        if let Event::TurnStarted { turn } = event {
            self.turn = Some(*turn);
        }
        self.call = call_of(event);
        let text = self.say(event).map(|line| self.format(&line, time));
        self.call = None;
        if matches!(event, Event::SessionEnded { .. }) {
            self.turn = None;
        }
        text.unwrap_or_default()
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
            let belongs: [(&str, Option<Value>); 3] = [
                ("run", self.run.map(|run| run.to_string().into())),
                ("turn", self.turn.map(|turn| turn.0.into())),
                ("call", self.call.map(|call| call.to_string().into())),
            ];
            for (key, id) in belongs {
                // A line that says it itself says it in its place.
                object.extend(
                    id.filter(|_| !body.contains_key(key))
                        .map(|id| (key.to_owned(), id)),
                );
            }
            object.extend(body);
        }
        self.seq += 1;
        format!("{}\n", escape_json(&Value::Object(object).to_string()))
    }
}

/// Returns the call that an event of the main conversation is about.
const fn call_of(event: &Event) -> Option<CallId> {
    match event {
        Event::CallJudged { call, .. }
        | Event::LinkMet { call, .. }
        | Event::CallEnded { call, .. }
        | Event::QuestionAsked { call, .. }
        | Event::QuestionAnswered { call, .. }
        | Event::QuestionPutOff { call, .. }
        | Event::ApprovalAnswered { call, .. }
        | Event::FeatureAmended { call, .. }
        | Event::JobStarted { call, .. }
        | Event::JobEnded { call, .. }
        | Event::FeaturesProposed { call, .. }
        | Event::ProposalKept { call, .. } => Some(*call),
        Event::FinishRequested { call, .. } => *call,
        _ => None,
    }
}
