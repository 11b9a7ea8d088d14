//! Plain lines: append-only, one event one line, more lines indented by two.

use harness_core::{Event, Timestamp};

use crate::phrase::{Line, Phrases};

/// Turns events into plain lines.
///
/// The output holds no escape code and no carriage return, so that it is the
/// same on a terminal, in a file and for a screen reader.
#[derive(Debug, Default)]
pub struct Lines {
    phrases: Phrases,
}

impl Lines {
    /// Makes lines that also say what each model request has used.
    pub fn detailed() -> Self {
        Self {
            phrases: Phrases::detailed(),
        }
    }

    /// Says when the events that follow happened; without it nothing is said about time.
    pub const fn at(&mut self, time: Timestamp) {
        self.phrases.at(time);
    }

    /// Returns what is written for one event: empty, or whole lines with their newline.
    pub fn write(&mut self, event: &Event) -> String {
        self.phrases.say(event).iter().map(Self::format).collect()
    }

    /// Formats one line.
    pub fn format(line: &Line) -> String {
        let mut text = format!("{}: {}\n", line.who.as_str(), line.text);
        for more in &line.more {
            text.push_str("  ");
            text.push_str(more);
            text.push('\n');
        }
        text
    }
}
