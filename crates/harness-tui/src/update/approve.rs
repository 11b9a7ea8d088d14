//! The keys of an approval: nothing counts before the panel is awake, and no yes before its end was seen.

use harness_core::{ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallId};

use crate::{
    app::App,
    approval::{Approval, Wanted},
    command::Command,
    input::Request,
    key::{Code, Key},
    question::Panel,
    text::Role,
};

use super::propose;

/// Opens the panel of an approval, or opens it anew when it is asked for again.
pub(super) fn ask(app: &mut App, asked: &ApprovalAsked) {
    withdraw(app, |call| call == asked.call);
    let approval = Approval::new(asked, &app.setup.rules_file);
    app.panels.push_back(Panel::of_approval(approval, app.now));
}

/// Closes the panels of calls that wait no longer.
pub(super) fn withdraw(app: &mut App, is_over: impl Fn(CallId) -> bool) {
    let asked = |panel: &Panel| panel.approval.as_ref().map(|approval| approval.asked.call);
    let first = app.panels.front().and_then(asked);
    app.panels
        .retain(|panel| !asked(panel).is_some_and(&is_over));
    if first.is_some_and(&is_over) {
        wake_next(app);
    }
}

/// The next panel has not been looked at yet.
pub(super) fn wake_next(app: &mut App) {
    if let Some(next) = app.panels.front_mut() {
        next.since = app.now;
    }
}

/// Carries out a command that is about the approval in front; `None` where it is about something else.
pub(super) fn perform_if_meant(app: &mut App, command: Command) -> Option<Vec<Request>> {
    let is_meant = matches!(
        command,
        Command::Yes
            | Command::No
            | Command::ForSession
            | Command::Always
            | Command::EditRule
            | Command::Never
            | Command::LeaveOut
            | Command::Accept
            | Command::Erase
            | Command::Back
    );
    is_meant.then(|| perform(app, command)).flatten()
}

fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    let now = app.now;
    let panel = app.panels.front_mut()?;
    let (is_awake, is_read, below) = (panel.is_awake(now), panel.is_read, panel.below);
    let approval = panel.approval.as_mut()?;
    if !is_awake {
        return Some(Vec::new());
    }
    if approval.proposal().is_some()
        && let Some(asked) = propose::perform(app, command)
    {
        return Some(asked);
    }
    let approval = app.panels.front_mut()?.approval.as_mut()?;
    let answer = match command {
        Command::LeaveOut => {
            app.tell(
                Role::Needed,
                "only of proposed features some can stay out: y or n",
            );
            return Some(Vec::new());
        }
        Command::Accept => return Some(accept(app)),
        Command::Erase => {
            approval.erase();
            return Some(Vec::new());
        }
        // Out of the line, or out of the panel: that is a no.
        Command::Back if approval.line.take().is_some() => return Some(Vec::new()),
        Command::Back => no(String::new()),
        Command::No => {
            approval.begin(Wanted::Reason);
            return Some(Vec::new());
        }
        Command::Never => ApprovalAnswer::Never,
        Command::ForSession | Command::Always | Command::EditRule if !approval.is_action() => {
            let why = match approval.asked.subject {
                ApprovalSubject::Findings { .. } => {
                    "findings are approved for exactly these changes: y or n"
                }
                _ => "more for a feature is given for the feature alone: y or n",
            };
            app.tell(Role::Needed, why);
            return Some(Vec::new());
        }
        Command::Always | Command::EditRule if approval.rule.is_none() => {
            let why =
                "there is no rule that anybody could read for this: y once, s for this session";
            app.tell(Role::Needed, why);
            return Some(Vec::new());
        }
        _ if !is_read => {
            let text = format!("{below} lines are hidden: page down to the end first");
            app.tell(Role::Needed, text);
            return Some(Vec::new());
        }
        Command::EditRule => {
            approval.begin(Wanted::Words);
            return Some(Vec::new());
        }
        Command::Yes => ApprovalAnswer::Once,
        Command::ForSession => ApprovalAnswer::Session,
        Command::Always => ApprovalAnswer::Always {
            rule: approval.rule.clone()?,
            problem: String::new(),
        },
        _ => return None,
    };
    Some(decide(app, answer))
}

/// Types into the line that is open; `false` when none is.
pub(super) fn typed(app: &mut App, key: Key) -> bool {
    let approval = app
        .panels
        .front_mut()
        .and_then(|panel| panel.approval.as_mut());
    let Some(approval) = approval.filter(|approval| approval.line.is_some()) else {
        return false;
    };
    match key.typed() {
        Some(char) => approval.type_char(char),
        None if key.code == Code::Backspace => approval.erase(),
        None => {}
    }
    true
}

/// Takes the line that was typed.
fn accept(app: &mut App) -> Vec<Request> {
    let panel = app.panels.front_mut();
    let Some(approval) = panel.and_then(|panel| panel.approval.as_mut()) else {
        return Vec::new();
    };
    let Some(line) = approval.line.take() else {
        return Vec::new();
    };
    match line.what {
        Wanted::Reason => decide(app, no(line.text)),
        Wanted::Otherwise | Wanted::Numbers => propose::accept(app, line),
        Wanted::Words => {
            if let Err(why) = approval.edit_rule(&line.text) {
                approval.line = Some(line);
                app.tell(Role::Bad, format!("error: {why}"));
            } else if let Some(panel) = app.panels.front_mut() {
                panel.ask_anew();
            }
            Vec::new()
        }
    }
}

pub(super) fn no(reason: String) -> ApprovalAnswer {
    ApprovalAnswer::No { reason }
}

pub(super) fn decide(app: &mut App, answer: ApprovalAnswer) -> Vec<Request> {
    let panel = app.panels.pop_front();
    wake_next(app);
    let call = panel
        .and_then(|panel| panel.approval)
        .map(|approval| approval.asked.call);
    let decide = |call| Request::Steer(harness_core::Request::Decide { call, answer });
    call.map(decide).into_iter().collect()
}
