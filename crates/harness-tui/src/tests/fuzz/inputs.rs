//! Inputs of every kind: keys, pastes, sizes, time, and events as they were recorded, with texts in
//! them that are hard to show.

use std::{collections::VecDeque, sync::OnceLock, time::Duration};

use harness_core::{CallId, Event, ModelDelta, Timestamp, TurnNumber};
use harness_report::Who;
use serde_json::Value;

use super::{answers, dice::Dice};
use crate::{
    COMMANDS, Code, Failed, Input, Key, Over, Query, Request, Wanted,
    question::Question,
    tests::{desk::NOW, hard::hard},
};

/// Logs of sessions, and one event of every kind.
const LOGS: [&str; 5] = [
    include_str!("../../../../../fixtures/sessions/demo.jsonl"),
    include_str!("../../../../../fixtures/sessions/v1-answer.jsonl"),
    include_str!("../../../../../fixtures/sessions/v1-till.jsonl"),
    include_str!("../../../../../fixtures/sessions/v1-till-next.jsonl"),
    include_str!("../../../../harness-store/tests/format_v1.jsonl"),
];
/// The most questions that are open at once: nobody asks more.
const QUESTIONS_MAX: usize = 4;
const WORDS: [&str; 12] = [
    "fix the paging bug",
    "/run",
    "/plan all of it",
    "/now stop that",
    "/rewind 2 both",
    "/no such thing",
    "@src",
    "--acceptance \"x\"",
    "main..",
    "a",
    "2,5",
    "",
];

fn logs() -> &'static [Value] {
    static EVENTS: OnceLock<Vec<Value>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        let lines = LOGS.iter().flat_map(|log| log.lines());
        lines
            .filter_map(|line| {
                let mut record: Value = serde_json::from_str(line).ok()?;
                match record.get_mut("event") {
                    Some(event) => Some(event.take()),
                    None => Some(record),
                }
            })
            .filter(|event| serde_json::from_value::<Event>(event.clone()).is_ok())
            .collect()
    })
}

fn keys() -> &'static [Key] {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let keys = COMMANDS.iter().flat_map(|entry| entry.keys);
        keys.map(|key| key.parse().expect("a key")).collect()
    })
}

/// Returns a text: words, or something that is hard to show, now and then very long.
pub(super) fn text(dice: &mut Dice) -> String {
    static HARD: OnceLock<Vec<(&str, String)>> = OnceLock::new();
    let hard = HARD.get_or_init(hard);
    match dice.below(48) {
        0..28 => (*dice.pick(&WORDS)).to_owned(),
        28..44 => dice.pick(hard).1.clone(),
        44 => format!("{}\n{}\n", dice.pick(hard).1, dice.pick(hard).1),
        45 => dice.pick(hard).1.repeat(20),
        46 => "word ".repeat(dice.below(200)),
        _ => "x".repeat(dice.below(3_000)),
    }
}

/// What comes in, and what the screen asked for and waits for.
pub(super) struct Inputs {
    now: Timestamp,
    /// Where in a log we are, while it is played in order.
    at: usize,
    waiting: VecDeque<Query>,
    kept: Vec<crate::ReviewKept>,
    questions: usize,
    /// What comes next, whatever the dice say: some places are reached by several steps alone.
    planned: VecDeque<Input>,
}

impl Inputs {
    pub(super) fn new() -> Self {
        Self {
            now: NOW,
            at: 0,
            waiting: VecDeque::new(),
            kept: Vec::new(),
            questions: 0,
            planned: VecDeque::new(),
        }
    }

    /// Takes in what is asked for.
    pub(super) fn hear(&mut self, asked: Vec<Request>) {
        for request in asked {
            match request {
                Request::Look(query) => self.waiting.push_back(query),
                Request::Review(kept) => self.kept.push(*kept),
                Request::Decide { .. } => self.questions = self.questions.saturating_sub(1),
                _ => {}
            }
        }
    }

    pub(super) fn next(&mut self, dice: &mut Dice) -> Input {
        if let Some(planned) = self.planned.pop_front() {
            return planned;
        }
        match dice.below(100) {
            0..2 => self.plan(dice),
            2..46 => self.key(dice),
            46..60 => self.event(dice),
            60..66 => self.streamed(dice),
            66..76 => self.answered(dice),
            76..80 => answers::any(dice),
            80..83 => Input::Pasted(text(dice)),
            83..87 => size(dice),
            87..92 => self.time(dice),
            92 => Input::Turned(i16::try_from(dice.below(9)).unwrap_or(0) - 4),
            93 => Input::Focused(dice.one_in(2)),
            94 => Input::Said {
                who: *dice.pick(&[Who::You, Who::Agent, Who::Tool, Who::Guard, Who::Note]),
                text: text(dice),
            },
            95 if self.questions < QUESTIONS_MAX => self.question(dice),
            96 => {
                self.questions = 0;
                over(dice)
            }
            97 if dice.one_in(4) => Input::Signalled { name: "SIGTERM" },
            98 => Input::Started,
            _ => self.key(dice),
        }
    }

    fn key(&mut self, dice: &mut Dice) -> Input {
        if dice.one_in(8) {
            self.now = self.now.plus(Duration::from_millis(dice.next() % 600));
        }
        let key = match dice.below(10) {
            0..7 => *dice.pick(keys()),
            7 => {
                let text = text(dice);
                let char = text.chars().nth(dice.below(text.chars().count().max(1)));
                Key::plain(Code::Char(
                    char.filter(|char| !char.is_control()).unwrap_or('a'),
                ))
            }
            8 => Key::plain(Code::Char(
                *dice.pick(&['a', 'x', '1', ' ', '.', '@', '/', '漢']),
            )),
            _ => any_key(dice),
        };
        Input::Key { key, at: self.now }
    }

    /// Plans steps that belong together, and takes the first.
    fn plan(&mut self, dice: &mut Dice) -> Input {
        let at = self.now;
        self.now = self.now.plus(Duration::from_secs(1));
        let awake = self.now;
        let key = |name: &str| {
            let key = name.parse().expect("a key");
            Input::Key { key, at: awake }
        };
        match dice.below(3) {
            0 => {
                let page = dice.pick::<&str>(&["sessions.show", "first.show", "features.show"]);
                self.planned.push_back(Input::Pasted((*page).to_owned()));
                self.planned.push_back(key("enter"));
                return key("ctrl+p");
            }
            1 => {
                let is_asked = |event: &&Value| event["type"] == "approval_asked";
                let asked = logs().iter().find(is_asked).expect("every kind is there");
                let event = serde_json::from_value(asked.clone()).expect("it was read before");
                // Whatever was asked before is over, so that this one is in front.
                self.questions = 0;
                self.planned.push_back(over(dice));
                self.planned.push_back(Input::Logged { event, at });
                self.planned.push_back(Input::Passed(awake));
                self.planned
                    .push_back(key(dice.pick::<&str>(&["n", "e", "y", "a"])));
            }
            _ => {
                self.planned.push_back(Input::Pasted(text(dice)));
                self.planned.push_back(key("enter"));
            }
        }
        key("f2")
    }

    fn time(&mut self, dice: &mut Dice) -> Input {
        let far = Duration::from_millis(dice.next() % 100_000);
        // A clock can be set back.
        self.now = match dice.one_in(10) {
            true => self.now.minus(far),
            false => self.now.plus(far),
        };
        Input::Passed(self.now)
    }

    fn event(&mut self, dice: &mut Dice) -> Input {
        let logs = logs();
        // Sessions mean something in their order; jumping about means nothing and must hold too.
        self.at = match dice.below(4) {
            0 => dice.below(logs.len()),
            _ => (self.at + 1) % logs.len(),
        };
        let mut value = logs[self.at].clone();
        if dice.one_in(2) {
            make_wild(&mut value, dice);
        }
        let event = serde_json::from_value(value)
            .or_else(|_| serde_json::from_value::<Event>(logs[self.at].clone()));
        Input::Logged {
            event: Box::new(event.expect("it was read before")),
            at: self.now,
        }
    }

    fn streamed(&mut self, dice: &mut Dice) -> Input {
        let call = CallId {
            turn: TurnNumber(u32::try_from(dice.below(4)).unwrap_or(0)),
            index: u32::try_from(dice.below(3)).unwrap_or(0),
        };
        let delta = match dice.below(8) {
            0..4 => ModelDelta::Text(text(dice)),
            4 => ModelDelta::Thinking(text(dice)),
            5 => ModelDelta::CallStarted { name: text(dice) },
            6 => ModelDelta::Said(dice.next()),
            _ => ModelDelta::Printed {
                call,
                text: text(dice),
            },
        };
        Input::Streamed {
            delta,
            at: self.now,
        }
    }

    /// Answers what was asked for: rightly, wrongly, late or never.
    fn answered(&mut self, dice: &mut Dice) -> Input {
        if let Some(kept) = self.kept.pop() {
            return answers::kept(dice, &kept);
        }
        if self.waiting.is_empty() || dice.one_in(12) {
            return answers::any(dice);
        }
        let at = dice.below(self.waiting.len());
        match self.waiting.remove(at) {
            Some(query) => answers::to(dice, query),
            None => Input::Focused(true),
        }
    }

    fn question(&mut self, dice: &mut Dice) -> Input {
        self.questions += 1;
        Input::Asked {
            question: Question {
                id: dice.next(),
                title: text(dice),
                body: (0..dice.below(40)).map(|_| text(dice)).collect(),
                yes: text(dice),
                no: text(dice),
            },
            at: self.now,
        }
    }
}

fn any_key(dice: &mut Dice) -> Key {
    const CODES: [Code; 19] = [
        Code::F(1),
        Code::F(2),
        Code::F(9),
        Code::F(12),
        Code::Enter,
        Code::Esc,
        Code::Tab,
        Code::Backspace,
        Code::Delete,
        Code::Up,
        Code::Down,
        Code::Left,
        Code::Right,
        Code::Home,
        Code::End,
        Code::PageUp,
        Code::PageDown,
        Code::Char('a'),
        Code::Char('\u{301}'),
    ];
    Key {
        code: *dice.pick(&CODES),
        ctrl: dice.one_in(3),
        alt: dice.one_in(3),
        shift: dice.one_in(3),
    }
}

fn size(dice: &mut Dice) -> Input {
    const SIZES: [(u16, u16); 7] = [
        (80, 24),
        (120, 40),
        (60, 16),
        (59, 15),
        (90, 16),
        (0, 0),
        (61, 17),
    ];
    let up_to = |dice: &mut Dice, most: usize| u16::try_from(dice.below(most + 1)).unwrap_or(0);
    let (columns, rows) = match dice.below(12) {
        0 => (300, 100),
        1 => (up_to(dice, 300), up_to(dice, 100)),
        2..6 => (60 + up_to(dice, 70), 16 + up_to(dice, 30)),
        _ => *dice.pick(&SIZES),
    };
    Input::Resized { columns, rows }
}

fn over(dice: &mut Dice) -> Input {
    let failed = Failed {
        message: text(dice),
        hint: dice.one_in(2).then(|| text(dice)),
    };
    Input::Over(Over {
        code: 3,
        failure: dice.one_in(3).then_some(failed),
        resumable: dice.one_in(2).then(|| harness_core::SessionId::new(1)),
    })
}

/// Puts hard texts and odd numbers where texts and numbers stand.
fn make_wild(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                // Kinds say what the rest is.
                if !matches!(
                    name.as_str(),
                    "type" | "kind" | "how" | "decision" | "status"
                ) {
                    make_wild(value, dice);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| make_wild(value, dice)),
        Value::String(old) if dice.one_in(3) => *old = text(dice),
        Value::Number(_) if dice.one_in(12) => {
            *value = Value::from(*dice.pick(&[0, 1, 7, u64::from(u32::MAX)]));
        }
        _ => {}
    }
}

/// Says which page an answer is about, to have it in the reports.
pub(super) fn wanted(dice: &mut Dice) -> Wanted {
    let session = harness_core::SessionId::new(7);
    match dice.below(8) {
        0 => Wanted::Features,
        1 => Wanted::Gates,
        2 => Wanted::Checkpoints(dice.one_in(2).then_some(session)),
        3 => Wanted::Sessions(*dice.pick(&[crate::Reach::Here, crate::Reach::Everywhere])),
        4 => Wanted::Difference {
            session,
            from: None,
            to: harness_core::CheckpointNumber(4),
        },
        5 => Wanted::File {
            path: text(dice),
            line: 7,
        },
        6 => Wanted::First,
        _ => Wanted::Review(crate::ReviewAsked::Usual),
    }
}
