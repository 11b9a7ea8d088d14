//! The keys of proposed features: all of them, without some, otherwise, or none.
//!
//! Leaving the panel by a key decides nothing here: a proposal has cost time and money.

use harness_core::ApprovalAnswer;

use super::approve::{decide, no};
use crate::{
    app::App,
    approval::{Typing, Wanted},
    command::Command,
    input::Request,
    text::Role,
};

/// What the keys do, for who presses another one.
const KEYS: &str = "y takes all, o leaves some out, n says what else, d refuses";

/// Carries out a key; `None` where it means the same as in any other approval.
pub(super) fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    let panel = app.panels.front_mut()?;
    let (is_read, below) = (panel.is_read, panel.below);
    let approval = panel.approval.as_mut()?;
    match command {
        Command::Back if approval.line.is_some() => return None,
        Command::Yes | Command::LeaveOut if !is_read => {
            let text = format!("{below} lines are hidden: page down to the end first");
            app.tell(Role::Needed, text);
        }
        Command::Yes => {
            let without = Vec::new();
            return Some(decide(app, ApprovalAnswer::Part { without }));
        }
        Command::LeaveOut => approval.begin(Wanted::Numbers),
        Command::No => approval.begin(Wanted::Otherwise),
        Command::Back | Command::ForSession | Command::Always | Command::EditRule => {
            app.tell(Role::Needed, KEYS);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Takes the line that was typed; one that says nothing leaves the panel as it is.
pub(super) fn accept(app: &mut App, line: Typing) -> Vec<Request> {
    if line.text.trim().is_empty() {
        app.tell(Role::Needed, KEYS);
        return Vec::new();
    }
    if line.what == Wanted::Otherwise {
        return decide(app, no(line.text));
    }
    let panel = app.panels.front_mut();
    let Some(approval) = panel.and_then(|panel| panel.approval.as_mut()) else {
        return Vec::new();
    };
    let read = approval.proposal().map(|it| it.read_numbers(&line.text));
    match read {
        Some(Ok(without)) => decide(app, ApprovalAnswer::Part { without }),
        Some(Err(why)) => {
            approval.line = Some(line);
            app.tell(Role::Bad, format!("error: {why}"));
            Vec::new()
        }
        None => Vec::new(),
    }
}
