//! Turns events into JSON lines: numbers, times and sums are kept here, words in `say`.

use harness_core::{Event, SessionId, Timestamp};
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
    pub(super) of_session: Tally,
    pub(super) of_run: Tally,
}

impl JsonLines {
    /// Returns what is written for one event: empty, or whole lines with their newline.
    pub fn write(&mut self, event: &Event, time: Timestamp) -> String {
        if let Event::SessionOpened(opened) = event {
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
}
