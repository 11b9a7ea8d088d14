//! Calling a person who looks elsewhere, for four reasons and no other.

use harness_core::{Event, Timestamp};

use crate::{app::App, attention::Reason, input::Request, passage::Notify};

/// Returns what is to be told of an event.
pub(super) fn of_event(app: &App, event: &Event, at: Timestamp) -> Option<Request> {
    call(app, Reason::of(event)?, at)
}

/// Returns what is to be told of a question of the program's own.
pub(super) fn of_question(app: &App, at: Timestamp) -> Option<Request> {
    call(app, Reason::Needed, at)
}

fn call(app: &App, reason: Reason, at: Timestamp) -> Option<Request> {
    let is_wanted = app.setup.notify != Notify::Off || app.setup.has_notify_command;
    if !is_wanted || !app.attention.is_elsewhere(at) {
        return None;
    }
    let mut words = app.work.repository.clone();
    if let Some(feature) = &app.work.current {
        words = format!("{words} {feature}");
    }
    let words = words.trim();
    let named = match words {
        "" => "harness",
        words => words,
    };
    Some(Request::Notify(format!("{named}: {}", reason.words())))
}
