//! A screen without a terminal: inputs go in, requests and frames come out.

use harness_core::{Event, ModelDelta, Timestamp};
use ratatui::{buffer::Buffer, layout::Rect};
use serde_json::Value;

use crate::{
    App, Colours, Input, Painter, Request, Setup, Signs, Theme, frame, question::Question, update,
    view,
};

/// The demo as it was recorded: events with their times, root and paths made neutral.
const DEMO: &str = include_str!("../../../../fixtures/sessions/demo.jsonl");

/// When every test begins.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_763_633_643_021);

pub(super) struct Desk {
    pub(super) app: App,
    pub(super) painter: Painter,
    now: Timestamp,
}

impl Desk {
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        Self::with(Setup::default(), columns, rows)
    }

    pub(super) fn with(setup: Setup, columns: u16, rows: u16) -> Self {
        Self {
            app: App::new(setup, columns, rows, NOW),
            painter: Painter::new(),
            now: NOW,
        }
    }

    pub(super) fn ascii(columns: u16, rows: u16) -> Self {
        let theme = Theme {
            signs: Signs::Ascii,
            ..Theme::default()
        };
        Self::themed(theme, columns, rows)
    }

    pub(super) fn colourless(columns: u16, rows: u16) -> Self {
        let theme = Theme {
            colours: Colours::None,
            ..Theme::default()
        };
        Self::themed(theme, columns, rows)
    }

    fn themed(theme: Theme, columns: u16, rows: u16) -> Self {
        let setup = Setup {
            theme,
            ..Setup::default()
        };
        Self::with(setup, columns, rows)
    }

    /// Takes an input in.
    pub(super) fn take(&mut self, input: Input) -> Vec<Request> {
        update(&mut self.app, input)
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(std::time::Duration::from_millis(millis));
        self.take(Input::Passed(self.now));
    }

    /// Presses keys, named and separated by blanks.
    pub(super) fn press(&mut self, keys: &str) -> Vec<Request> {
        let mut asked = Vec::new();
        for key in keys.split(' ') {
            // What is asked depends on how it was laid out, as for a person who looks first.
            self.arrange();
            let key = key.parse().unwrap();
            asked.extend(self.take(Input::Key { key, at: self.now }));
        }
        asked
    }

    /// Goes up to the nearest call and unfolds it.
    pub(super) fn unfold_a_call(&mut self) -> Vec<Request> {
        self.press("tab");
        for _ in 0..20 {
            let asked = self.press("enter");
            if !asked.is_empty() {
                return asked;
            }
            self.press("k");
        }
        panic!("there is no call:\n{}", self.picture());
    }

    /// Types a text; returns what is asked for meanwhile.
    pub(super) fn type_text(&mut self, text: &str) -> Vec<Request> {
        let mut asked = Vec::new();
        for char in text.chars() {
            let key = crate::Key::plain(crate::Code::Char(char));
            asked.extend(self.take(Input::Key { key, at: self.now }));
        }
        asked
    }

    /// Types a text.
    pub(super) fn write(&mut self, text: &str) {
        for char in text.chars() {
            let key = crate::Key::plain(crate::Code::Char(char));
            assert!(self.take(Input::Key { key, at: self.now }).is_empty());
        }
    }

    /// Logs an event now.
    pub(super) fn log(&mut self, event: Event) -> Vec<Request> {
        self.take(Input::Logged {
            event: Box::new(event),
            at: self.now,
        })
    }

    /// Logs an event that is given as the log has it.
    pub(super) fn log_json(&mut self, json: &str) -> Vec<Request> {
        self.log(serde_json::from_str(json).unwrap())
    }

    pub(super) fn stream(&mut self, text: &str) {
        self.take(Input::Streamed {
            delta: ModelDelta::Text(text.to_owned()),
            at: self.now,
        });
    }

    /// Has a command begin; returns its call.
    pub(super) fn run_command(&mut self, command: &str) -> harness_core::CallId {
        let call = harness_core::CallId {
            turn: harness_core::TurnNumber(2),
            index: 0,
        };
        self.log_json(&format!(
            r#"{{"type":"call_judged","call":{{"turn":2,"index":0}},"tool":"shell","action":{{"kind":"run","command":"{command}","cwd":""}},"verdict":{{"decision":"allow","reason":"x"}}}}"#
        ));
        call
    }

    /// Has a command print something.
    pub(super) fn print(&mut self, call: harness_core::CallId, text: &str) {
        self.take(Input::Streamed {
            delta: ModelDelta::Printed {
                call,
                text: text.to_owned(),
            },
            at: self.now,
        });
    }

    pub(super) fn ask(&mut self, lines: usize) {
        let body = (1..=lines).map(|line| format!("gate {line}: [\"sh\", \"tests/{line}.sh\"]"));
        self.take(Input::Asked {
            question: Question {
                id: 7,
                title: "Trust exactly this?".to_owned(),
                body: body.collect(),
                yes: "yes".to_owned(),
                no: "no".to_owned(),
            },
            at: self.now,
        });
    }

    /// Begins the demo and plays it until an event of a kind, the `nth` of them, was logged.
    pub(super) fn play_until(&mut self, kind: &str, nth: usize) {
        self.take(Input::Started);
        let mut seen = 0;
        for (event, at, is_kind) in demo(kind) {
            self.now = at;
            self.take(Input::Logged {
                event: Box::new(event),
                at,
            });
            seen += usize::from(is_kind);
            if seen == nth {
                return;
            }
        }
        assert_eq!(nth, usize::MAX, "there is no {kind} number {nth}");
    }

    /// Begins the demo with so many events of it at a time, as a session that is resumed.
    pub(super) fn recall(&mut self, at_a_time: usize) {
        self.take(Input::Started);
        let events: Vec<(Event, Timestamp)> =
            demo("nothing").map(|(event, at, _)| (event, at)).collect();
        for events in events.chunks(at_a_time) {
            let events = events.to_vec();
            self.take(Input::Past { events });
        }
    }

    /// Plays the whole demo, its end included.
    pub(super) fn play(&mut self) {
        self.play_until("nothing", usize::MAX);
        self.take(Input::Over(crate::Over {
            code: 0,
            failure: None,
            resumable: None,
        }));
    }

    fn arrange(&mut self) {
        crate::layout::arrange(&mut self.app);
    }

    /// Returns the bytes of the next frame.
    pub(super) fn bytes(&mut self) -> Vec<u8> {
        frame(&mut self.app, &mut self.painter).unwrap()
    }

    /// Returns the picture, without blanks at the ends of lines; `▉` is where the cursor stands.
    pub(super) fn picture(&mut self) -> String {
        let (buffer, cursor) = self.buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = crate::text::width(symbol).saturating_sub(1);
                match cursor {
                    Some(at) if (at.x, at.y) == (x, y) => line.push('▉'),
                    _ => line.push_str(symbol),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    pub(super) fn buffer(&mut self) -> (Buffer, Option<ratatui::layout::Position>) {
        self.arrange();
        let whole: Rect = self.app.layout.whole;
        let mut buffer = Buffer::empty(whole);
        let cursor = view(&self.app, &mut buffer);
        (buffer, cursor)
    }
}

fn demo(kind: &str) -> impl Iterator<Item = (Event, Timestamp, bool)> {
    let kind = kind.to_owned();
    DEMO.lines().map(move |line| {
        let record: Value = serde_json::from_str(line).unwrap();
        let event: Event = serde_json::from_value(record["event"].clone()).unwrap();
        let at: Timestamp = serde_json::from_value(record["time"].clone()).unwrap();
        (event, at, record["event"]["type"] == *kind)
    })
}
