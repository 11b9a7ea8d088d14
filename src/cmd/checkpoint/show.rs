//! `harness checkpoint show`: one checkpoint, with what led to it.

use std::collections::BTreeMap;

use harness_core::{Action, CallId, CheckpointNumber, Decision, Event, TurnNumber};
use harness_report::clean_line;
use serde_json::{Value, json};

use super::known::Known;
use crate::{
    cli::Common,
    cmd::difference::{FileDifference, count, quoted},
    compose::Site,
    failure::Failure,
    output::Output,
};

/// The most calls and files that are named; a JSON line has all files.
const LINES_MAX: usize = 200;
/// The longest command that is shown. Unit: characters.
const COMMAND_CHARS_MAX: usize = 160;

pub(super) fn run(
    site: &Site,
    common: &Common,
    known: &Known,
    number: CheckpointNumber,
) -> Result<u8, Failure> {
    let entry = known.get(number)?;
    let mut files = Vec::new();
    if let Some(before) = known.before(number) {
        for change in site.repo.file_changes(&before.tree, &entry.tree)? {
            files.push(FileDifference::read(&site.repo, &change)?);
        }
    }
    let Made { turn, calls } = Made::find(&known.events, number);
    let counted = files.iter().filter_map(FileDifference::counts);
    let (added, removed) = counted.fold((0_u64, 0_u64), |(added, removed), file| {
        (added + u64::from(file.0), removed + u64::from(file.1))
    });
    let what = match (number.0, turn) {
        (0, _) => "before the session".to_owned(),
        (_, Some(turn)) => format!("turn {turn}"),
        // Made by a command: an undo, or an abort.
        (_, None) => clean_line(entry.subject(), COMMAND_CHARS_MAX),
    };
    let mut text = format!(
        "checkpoint: {number} of {}, {what}, {}, {}, {}, +{added} -{removed}",
        known.session,
        entry.time,
        entry.commit.short(),
        count(files.len())
    );
    let shown = calls.iter().map(Call::to_text);
    let shown = shown.chain(files.iter().map(FileDifference::stat));
    let all = calls.len() + files.len();
    for line in shown.take(LINES_MAX) {
        text.push_str(&format!("\n  {line}"));
    }
    if all > LINES_MAX {
        text.push_str(&format!("\n  and {} more", all - LINES_MAX));
    }
    let body = json!({ "session": known.session.to_string(), "n": number.0, "turn": turn.map(|turn| turn.0),
        "time": entry.time.to_string(), "commit": entry.commit.to_string(), "tree": entry.tree.to_string(),
        "message": entry.subject(), "added": added, "removed": removed,
        "calls": calls.iter().map(Call::to_json).collect::<Vec<_>>(),
        "files": files.iter().map(|file| file.to_json(false)).collect::<Vec<_>>() });
    Output::new(common).entry("checkpoint_shown", &text, body)?;
    Ok(0)
}

/// Returns the turn that led to each checkpoint; none for those no turn of an agent made.
pub(super) fn turns(events: &[Event]) -> BTreeMap<CheckpointNumber, TurnNumber> {
    let mut turns = BTreeMap::new();
    Made::each(events, |number, made| {
        turns.extend(made.turn.map(|turn| (number, turn)));
        true
    });
    turns
}

/// What led to a checkpoint.
#[derive(Default)]
struct Made {
    /// `None` where no turn of an agent did.
    turn: Option<TurnNumber>,
    calls: Vec<Call>,
}

/// A tool call of the turn.
struct Call {
    id: CallId,
    tool: String,
    what: String,
    is_refused: bool,
    /// Whether it can have changed no file.
    is_idle: bool,
    has_ended: bool,
}

impl Made {
    fn find(events: &[Event], number: CheckpointNumber) -> Self {
        let mut found = Self::default();
        Self::each(events, |saved, made| {
            let is_wanted = saved == number;
            if is_wanted {
                found = made;
            }
            !is_wanted
        });
        found
    }

    /// Goes through the checkpoints with what led to each, as long as `wants_more` says so.
    fn each(events: &[Event], mut wants_more: impl FnMut(CheckpointNumber, Self) -> bool) {
        let mut calls: Vec<Call> = Vec::new();
        let mut now = None;
        for event in events {
            match event {
                Event::TurnStarted { turn } => now = Some(*turn),
                Event::CallJudged {
                    call,
                    tool,
                    action: Some(action),
                    verdict,
                } => {
                    // A link that was met is judged again under the same call.
                    calls.retain(|known| known.id != *call);
                    let is_refused = verdict.decision == Decision::Deny;
                    calls.push(Call {
                        id: *call,
                        tool: clean_line(tool, COMMAND_CHARS_MAX),
                        what: words(action),
                        is_refused,
                        is_idle: is_refused || action.is_read_only(),
                        has_ended: false,
                    });
                }
                Event::CallEnded { call, .. } => {
                    let mut known = calls.iter_mut();
                    if let Some(ended) = known.find(|known| known.id == *call) {
                        ended.has_ended = true;
                    }
                }
                Event::CheckpointSaved(saved) => {
                    let made = Self::take(&mut calls, now);
                    if !wants_more(saved.number, made) {
                        return;
                    }
                }
                Event::CheckpointUnchanged => _ = Self::take(&mut calls, now),
                _ => {}
            }
        }
    }

    /// Takes the calls that a tree holds which was saved just now.
    ///
    /// The next turn begins while it is saved, and its calls that change files wait for that.
    fn take(calls: &mut Vec<Call>, now: Option<TurnNumber>) -> Self {
        let done = calls.iter().filter(|call| call.has_ended && !call.is_idle);
        let turn = done.map(|call| call.id.turn).max();
        let (taken, left) = std::mem::take(calls)
            .into_iter()
            .partition(|call| turn.map_or(call.has_ended, |turn| call.id.turn <= turn));
        *calls = left;
        Self {
            turn: turn.or(now),
            calls: taken,
        }
    }
}

impl Call {
    fn to_text(&self) -> String {
        let end = if self.is_refused { " (refused)" } else { "" };
        format!("{} {}{end}", self.tool, self.what)
    }

    fn to_json(&self) -> Value {
        json!({ "tool": self.tool, "what": self.what, "refused": self.is_refused })
    }
}

/// Says what a call was about.
fn words(action: &Action) -> String {
    match action {
        Action::Run { command, .. } => format!("`{}`", clean_line(command, COMMAND_CHARS_MAX)),
        Action::Move { path, to } => format!("{} => {}", quoted("", path), quoted("", to)),
        action => quoted("", action.path()),
    }
}
