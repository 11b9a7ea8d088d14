//! What the sessions of one feature leave to each other within a run: the plan, and what must
//! not be lost when a full window is exchanged for a fresh one.
//!
//! Nothing is decided here; the engine fills it from events. Everything has a bound, because it
//! stands in the first record of every session that follows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalAnswer, ByteCount, CallId, Change, ChangeKind, Decided, FeatureId, TokenCount,
};

/// Steps of one plan.
pub const PLAN_ITEMS_MAX: usize = 40;
/// The longest step of a plan. Unit: characters.
pub const PLAN_ITEM_CHARS_MAX: usize = 200;
/// Words of a person that are kept for the sessions that follow; older ones go first.
const SAID_MAX: usize = 40;
/// All of these words together; older ones go first. Unit: bytes.
const SAID_BYTES_MAX: usize = 16 * 1024;
/// Changed paths that are remembered.
const CHANGED_MAX: usize = 1_000;
/// Lines that are remembered for the progress log, of each kind; older ones go first.
const LINES_MAX: usize = 200;
/// Answers about commands that are remembered.
const ANSWERS_MAX: usize = 100;

/// Where a step of a plan stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It is to be done.
    #[default]
    Open,
    /// It is being done.
    Doing,
    /// It is done.
    Done,
}

impl StepState {
    /// Returns the mark that stands before the step.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Open => "[ ]",
            Self::Doing => "[>]",
            Self::Done => "[x]",
        }
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    /// What is to be done: one line of at most [`PLAN_ITEM_CHARS_MAX`] characters.
    pub text: String,
    /// Where it stands.
    #[serde(default)]
    pub state: StepState,
}

impl PlanItem {
    /// Whether it is not done.
    pub fn is_open(&self) -> bool {
        self.state != StepState::Done
    }
}

impl fmt::Display for PlanItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.state.mark(), self.text)
    }
}

/// What a person answered about a command, as far as it holds longer than for one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredCommand {
    /// The command.
    pub command: String,
    /// The answer.
    pub answer: ApprovalAnswer,
}

/// The work on one feature, as far as the next session has to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureWork {
    /// The feature.
    pub feature: FeatureId,
    /// The plan of the agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<PlanItem>,
    /// What a person has said and answered, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// Lines the agent proposed for the progress log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Reasons of refused finishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<String>,
    /// What a person decided of what a session that plans has asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<Decided>,
    /// What checkpoints have seen change since the work began, sorted by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Change>,
    /// What a person answered about commands for the whole session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnsweredCommand>,
    /// Whether a person does not want to be asked for more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_no_more: bool,
    /// Whether the feature had been passing and is mended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mends: bool,
    /// How often a session was exchanged for a fresh one because its window was full.
    #[serde(default)]
    pub hand_overs: u32,
    /// How many of these in a row have brought nothing.
    #[serde(default)]
    pub fruitless: u32,
    /// How long earlier sessions have worked on it. Unit: milliseconds.
    #[serde(default)]
    pub worked_ms: u64,
}

impl FeatureWork {
    /// Begins with nothing known.
    pub const fn new(feature: FeatureId) -> Self {
        Self {
            feature,
            plan: Vec::new(),
            said: Vec::new(),
            notes: Vec::new(),
            refusals: Vec::new(),
            decided: Vec::new(),
            changed: Vec::new(),
            answers: Vec::new(),
            asks_no_more: false,
            mends: false,
            hand_overs: 0,
            fruitless: 0,
            worked_ms: 0,
        }
    }

    /// Whether nothing is known that a session would not know anyway.
    pub fn is_empty(&self) -> bool {
        *self == Self::new(self.feature.clone())
    }

    /// Remembers what a person said.
    pub fn hear(&mut self, text: &str) {
        self.said.push(text.to_owned());
        let mut bytes: usize = self.said.iter().map(String::len).sum();
        let mut gone = self.said.len().saturating_sub(SAID_MAX);
        bytes -= self.said[..gone].iter().map(String::len).sum::<usize>();
        while bytes > SAID_BYTES_MAX && gone + 1 < self.said.len() {
            bytes -= self.said[gone].len();
            gone += 1;
        }
        self.said.drain(..gone);
    }

    /// Forgets the last of these words.
    pub fn take_back(&mut self, text: &str) {
        if let Some(last) = self.said.iter().rposition(|said| said == text) {
            self.said.remove(last);
        }
    }

    /// Remembers lines for the progress log and the reasons of refused finishes, the newest of each.
    pub fn keep_lines(&mut self, notes: &[String], refusals: &[String]) {
        let newest = |lines: &[String]| lines[lines.len().saturating_sub(LINES_MAX)..].to_vec();
        self.notes = newest(notes);
        self.refusals = newest(refusals);
    }

    /// Remembers an answer that holds longer than for one call.
    pub fn answer(&mut self, command: &str, answer: &ApprovalAnswer) {
        if matches!(answer, ApprovalAnswer::Session | ApprovalAnswer::Never) {
            let answered = AnsweredCommand {
                command: command.to_owned(),
                answer: answer.clone(),
            };
            push_bounded(&mut self.answers, answered, ANSWERS_MAX);
        }
    }

    /// Takes in what a checkpoint has seen change; what was added and is gone again has not changed.
    pub fn add_changes(&mut self, changes: &[Change]) {
        for change in changes {
            match self
                .changed
                .binary_search_by(|known| known.path.cmp(&change.path))
            {
                Ok(place) => match (self.changed[place].kind, change.kind) {
                    (ChangeKind::Added, ChangeKind::Deleted) => {
                        self.changed.remove(place);
                    }
                    (ChangeKind::Added, _) => {}
                    (ChangeKind::Deleted, ChangeKind::Added) => {
                        self.changed[place].kind = ChangeKind::Modified;
                    }
                    (_, kind) => self.changed[place].kind = kind,
                },
                Err(place) if self.changed.len() < CHANGED_MAX => {
                    self.changed.insert(place, change.clone());
                }
                Err(_) => {}
            }
        }
    }
}

fn push_bounded<T>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() >= most {
        list.remove(0);
    }
    list.push(item);
}

/// Old results that were taken out of a conversation, so that the window has room again.
///
/// What is dropped and what stands there instead is in the record: folding it gives the same
/// bytes in every version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowCut {
    /// What was dropped, oldest first.
    pub dropped: Vec<DroppedResult>,
    /// What the next request would have taken, estimated.
    pub before: TokenCount,
    /// What it takes without them, estimated.
    pub after: TokenCount,
    /// The window this is held against.
    pub window: TokenCount,
    /// What is said to the agent again: the feature, its scope, gates and plan.
    pub restored: String,
}

/// A result whose content was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedResult {
    /// The message it stands in, counted from 0.
    pub message: u32,
    /// The part of that message, counted from 0.
    pub part: u32,
    /// The tool it came from.
    pub tool: String,
    /// What it had.
    pub bytes: ByteCount,
    /// What stands there instead.
    pub stub: String,
}

/// A window that is full and has nothing left to drop: a fresh session goes on with the feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowFull {
    /// What the next request would have taken, estimated.
    pub need: TokenCount,
    /// The window this is held against.
    pub window: TokenCount,
    /// Which hand-over of the feature this is in the run, from 1.
    pub number: u32,
    /// The same for people, in one line.
    pub reason: String,
}

/// A plan that an agent has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSet {
    /// The call that set it.
    pub call: CallId,
    /// All of its steps, in order.
    pub items: Vec<PlanItem>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RepoPath;

    fn change(path: &str, kind: ChangeKind) -> Change {
        Change {
            path: RepoPath::parse(path).unwrap(),
            kind,
        }
    }

    #[test]
    fn what_changed_is_what_differs_since_the_work_began() {
        use ChangeKind::{Added, Deleted, Modified};
        let mut work = FeatureWork::new(FeatureId::task(1));
        for (first, second, expected) in [
            (Added, Modified, Some(Added)),
            (Added, Deleted, None),
            (Modified, Deleted, Some(Deleted)),
            (Deleted, Added, Some(Modified)),
        ] {
            work.changed.clear();
            work.add_changes(&[change("b", first), change("a", Modified)]);
            work.add_changes(&[change("b", second)]);
            assert_eq!(work.changed[0], change("a", Modified));
            assert_eq!(work.changed.get(1).map(|change| change.kind), expected);
        }
    }

    #[test]
    fn of_notes_and_refusals_the_newest_are_kept() {
        let mut work = FeatureWork::new(FeatureId::task(1));
        let lines: Vec<String> = (0..LINES_MAX + 5).map(|line| line.to_string()).collect();
        work.keep_lines(&lines, &lines[..3]);
        assert_eq!(work.notes, lines[5..]);
        assert_eq!(work.refusals, lines[..3]);
    }

    #[test]
    fn of_what_a_person_said_the_newest_is_kept() {
        let mut work = FeatureWork::new(FeatureId::task(1));
        for number in 0..50 {
            work.hear(&number.to_string());
        }
        assert_eq!((work.said.len(), work.said[0].as_str()), (SAID_MAX, "10"));
        work.take_back("49");
        assert_eq!(work.said.last().map(String::as_str), Some("48"));
        work.hear(&"x".repeat(SAID_BYTES_MAX + 1));
        assert_eq!(work.said.len(), 1);
    }
}
