//! The checkpoints of a session, newest first.

use std::collections::BTreeMap;

use harness_core::{
    CheckStatus, CheckpointNumber, Event, FeatureId, SessionId, Timestamp, TurnNumber,
};
use harness_report::clean_line;

use super::State;
use crate::{
    found::{CheckpointFound, CheckpointsFound, Kept},
    list::{Line, List},
    text::Role,
    theme::Sign,
};

/// The longest message that is shown. Unit: characters.
const MESSAGE_CHARS: usize = 160;

/// The checkpoints page.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    pub(crate) state: State,
    pub(crate) list: List,
    /// The session to look up; the latest one when absent.
    pub(crate) wanted: Option<SessionId>,
    /// The session whose checkpoints are listed.
    pub(crate) session: Option<SessionId>,
    /// The one that another is to be compared with.
    pub(crate) marked: Option<CheckpointNumber>,
    /// Whether the last undo was refused for what the person changed.
    pub(crate) is_refused: bool,
    found: BTreeMap<CheckpointNumber, CheckpointFound>,
    /// The session whose events come in.
    live: Option<SessionId>,
    feature: Option<FeatureId>,
    turn: Option<TurnNumber>,
    /// How gates came out since the last checkpoint: green ones, of how many.
    gates: (usize, usize),
    is_changed: bool,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self {
            state: State::default(),
            list: List::with_flexible(5),
            wanted: None,
            session: None,
            marked: None,
            is_refused: false,
            found: BTreeMap::new(),
            live: None,
            feature: None,
            turn: None,
            gates: (0, 0),
            is_changed: true,
        }
    }
}

impl CheckpointFound {
    pub(crate) fn is_whole(&self) -> bool {
        self.state == Kept::Whole
    }
}

impl Checkpoints {
    /// Takes in what was looked up.
    pub(crate) fn fill(&mut self, found: CheckpointsFound) {
        if self.session != found.session {
            self.marked = None;
        }
        let is_same = self.session == found.session;
        self.session = found.session;
        let rows = found.checkpoints.into_iter();
        let mut rows: BTreeMap<_, _> = rows.map(|found| (found.number, found)).collect();
        // What was saved while it was looked up comes on top.
        if is_same
            && self.live == self.session
            && let Some(last) = rows.keys().next_back().copied()
        {
            rows.extend(self.found.split_off(&last.next()));
        }
        self.found = rows;
        self.state = State::There;
        self.is_changed = true;
    }

    /// Takes an event of a run in.
    pub(crate) fn take(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::SessionOpened(opened) => {
                self.found.clear();
                self.session = Some(opened.session);
                self.live = self.session;
                (self.wanted, self.marked) = (None, None);
                self.feature = Some(opened.feature.clone());
                (self.turn, self.gates) = (None, (0, 0));
            }
            Event::TurnStarted { turn } => {
                self.turn = Some(*turn);
                return;
            }
            Event::CheckEnded { report } => {
                self.gates.0 += usize::from(report.status == CheckStatus::Green);
                self.gates.1 += 1;
                if self.live != self.session {
                    return;
                }
                let words = format!("{}/{} green", self.gates.0, self.gates.1);
                let Some((_, last)) = self.found.iter_mut().next_back() else {
                    return;
                };
                last.gates = words;
            }
            Event::CheckpointSaved(saved) => {
                self.gates = (0, 0);
                if self.live != self.session {
                    return;
                }
                let found = CheckpointFound {
                    number: saved.number,
                    state: Kept::Whole,
                    time: Some(at),
                    feature: self.feature.clone(),
                    turn: self.turn,
                    gates: String::new(),
                    files: saved.changes.len(),
                    message: String::new(),
                };
                self.found.insert(saved.number, found);
            }
            _ => return,
        }
        self.is_changed = true;
    }

    /// Returns the checkpoint that is chosen.
    pub(crate) fn chosen(&self) -> Option<&CheckpointFound> {
        let number = self.list.chosen()?.id.parse().ok()?;
        self.found.get(&CheckpointNumber(number))
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Makes the rows anew where something has changed; says whether it has.
    pub(crate) fn renew(&mut self) -> bool {
        if !std::mem::take(&mut self.is_changed) {
            return false;
        }
        let mut days: Vec<String> = self
            .found
            .values()
            .filter_map(|found| Some(day(found.time?)))
            .collect();
        days.dedup();
        let dated = days.len() > 1;
        let newest_first = self.found.values().rev();
        let lines = newest_first.map(|found| self.line(found, dated)).collect();
        self.list.replace(lines);
        true
    }

    /// Marks the chosen one for a comparison, or takes the mark away.
    pub(crate) fn mark(&mut self, number: Option<CheckpointNumber>) {
        self.marked = number;
        self.is_changed = true;
    }

    /// Makes a row; the day is told where there is more than one.
    fn line(&self, found: &CheckpointFound, dated: bool) -> Line {
        let (sign, state) = match found.state {
            Kept::Whole if self.marked == Some(found.number) => {
                (Some(Sign::Working), "compare with")
            }
            Kept::Whole => (None, ""),
            Kept::Damaged => (Some(Sign::Bad), "damaged"),
            Kept::Pruned => (Some(Sign::Cancelled), "removed to save space"),
        };
        let time = found.time.map_or(String::new(), |time| match dated {
            true => format!("{} {}", day(time), clock(time)),
            false => clock(time),
        });
        let feature = found
            .feature
            .as_ref()
            .map_or(String::new(), ToString::to_string);
        let files = match found.files {
            _ if found.number.0 == 0 => String::new(),
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        let mut message = vec![state.to_owned()];
        message.push(match (found.number.0, found.turn) {
            (0, _) => "before the session".to_owned(),
            (_, Some(turn)) if found.message.is_empty() => format!("turn {turn}"),
            _ => clean_line(&found.message, MESSAGE_CHARS),
        });
        message.retain(|text| !text.is_empty());
        let line = Line {
            sign,
            ..Line::new(found.number.to_string())
        };
        line.cell(Role::Strong, found.number.to_string())
            .cell(Role::Plain, time)
            .cell(Role::Plain, feature)
            .cell(Role::Quiet, clean_line(&found.gates, 40))
            .cell(Role::Plain, files)
            .cell(Role::Quiet, message.join(", "))
    }
}

/// Returns the time of day: `10:14:03`.
fn clock(time: Timestamp) -> String {
    time.to_seconds_text().chars().skip(11).take(8).collect()
}

/// Returns the day: `11-20`.
fn day(time: Timestamp) -> String {
    time.to_seconds_text().chars().skip(5).take(5).collect()
}
