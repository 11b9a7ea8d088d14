//! `harness checkpoint show`: one checkpoint, with what led to it.

use harness_core::{Action, CheckpointNumber, Decision, Event, TurnNumber};
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
        (_, None) => clean_line(&entry.message, COMMAND_CHARS_MAX),
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
        "message": entry.message.trim_end(), "added": added, "removed": removed,
        "calls": calls.iter().map(Call::to_json).collect::<Vec<_>>(),
        "files": files.iter().map(|file| file.to_json(false)).collect::<Vec<_>>() });
    Output::new(common).entry("checkpoint_shown", &text, body)?;
    Ok(0)
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
    tool: String,
    what: String,
    is_refused: bool,
}

impl Made {
    fn find(events: &[Event], number: CheckpointNumber) -> Self {
        let mut made = Self::default();
        let mut now = None;
        for event in events {
            match event {
                // The next request goes out while the tree is saved.
                Event::TurnStarted { turn } => now = Some(*turn),
                Event::CheckpointSaved(saved) if saved.number == number => {
                    made.turn = made.turn.or(now);
                    return made;
                }
                Event::CheckpointSaved(_) | Event::CheckpointUnchanged => made = Self::default(),
                Event::CallJudged {
                    tool,
                    action: Some(action),
                    verdict,
                    ..
                } => {
                    made.turn = now;
                    made.calls.push(Call {
                        tool: clean_line(tool, COMMAND_CHARS_MAX),
                        what: words(action),
                        is_refused: verdict.decision == Decision::Deny,
                    });
                }
                _ => {}
            }
        }
        Self::default()
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
