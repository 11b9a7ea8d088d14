//! The last line: the keys that matter here and now, from the key table.

use super::Canvas;
use crate::{
    app::App,
    command::{Command, Place},
    key::Short,
    overlay::Overlay,
    text::{Role, Row},
};

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.footer;
    let mut row = Row::default();
    let unseen = app.transcript.unseen();
    // The transcript's own keys name the way to the end anyway.
    let is_named = app.place() == Place::Transcript && unseen == 0;
    if !app.transcript.is_following() && app.overlay.is_none() && !is_named {
        let key = if app.place() == Place::Transcript {
            "G"
        } else {
            "End"
        };
        let new = match unseen {
            0 => String::new(),
            unseen => format!("{unseen} new  "),
        };
        row.push(Role::Needed, format!("{new}{key} follow"));
        row.push(Role::Plain, "   ");
    }
    for (command, label) in commands(app) {
        let Some((entry, key)) = app.setup.keys.row(app.place(), command) else {
            continue;
        };
        let role = match app.obstacle(command) {
            Some(_) => (Role::Quiet, Role::Quiet),
            None => (Role::Strong, Role::Plain),
        };
        let label = label.unwrap_or(entry.label);
        let mut item = Row::of(role.0, Short(key).to_string());
        item.push(role.1, format!(" {label}"));
        if row.width() + item.width() + 4 > usize::from(area.width) {
            break;
        }
        row.pieces.extend(item.pieces);
        row.push(Role::Plain, "   ");
    }
    canvas.put_at(area, 0, 1, &row);
}

/// The commands of the footer, most wanted first, with the word that fits better than the table's.
fn commands(app: &App) -> Vec<(Command, Option<&'static str>)> {
    let named = |command, label| (command, Some(label));
    let plain = |command| (command, None);
    match app.place() {
        Place::Overlay if app.overlay.as_ref().is_some_and(Overlay::is_help) => {
            vec![named(Command::ListPageDown, "more"), plain(Command::Close)]
        }
        Place::Overlay => vec![
            plain(Command::Choose),
            plain(Command::ListDown),
            plain(Command::Close),
        ],
        Place::Offer => vec![
            plain(Command::OfferTake),
            plain(Command::OfferDown),
            plain(Command::OfferClose),
        ],
        Place::Line => vec![plain(Command::Accept), named(Command::Back, "back")],
        Place::Question if proposes(app) => vec![
            named(Command::Yes, "take all"),
            plain(Command::LeaveOut),
            named(Command::No, "otherwise"),
            plain(Command::QuestionPageDown),
            named(Command::FocusNext, "transcript"),
        ],
        Place::Question => vec![
            plain(Command::Yes),
            plain(Command::No),
            plain(Command::QuestionPageDown),
            named(Command::FocusNext, "transcript"),
        ],
        Place::Transcript => vec![
            plain(Command::EntryDown),
            plain(Command::EntryUp),
            plain(Command::Unfold),
            plain(Command::Seek),
            plain(Command::Copy),
            plain(Command::Leave),
            plain(Command::Help),
            plain(Command::TurnNext),
            plain(Command::Follow),
        ],
        _ if app.asked.is_some() => vec![
            named(Command::Send, "answer"),
            plain(Command::Back),
            plain(Command::FocusNext),
            plain(Command::Palette),
            plain(Command::Help),
        ],
        _ if app.is_awaited() => vec![
            plain(Command::Send),
            plain(Command::LetGatesDecide),
            plain(Command::Back),
            plain(Command::FocusNext),
            plain(Command::Palette),
            plain(Command::Help),
        ],
        _ if app.is_busy() => vec![
            plain(Command::Back),
            named(Command::Send, "for the next turn"),
            plain(Command::TakeBack),
            plain(Command::FocusNext),
            plain(Command::Palette),
            plain(Command::Help),
        ],
        _ => vec![
            plain(Command::Send),
            plain(Command::FocusNext),
            plain(Command::Palette),
            plain(Command::Help),
            named(Command::DeleteForward, "quit"),
        ],
    }
}

/// Whether the question in front is about proposed features: yes and no mean more there.
fn proposes(app: &App) -> bool {
    let approval = app.panels.front().and_then(|panel| panel.approval.as_ref());
    approval.is_some_and(|approval| approval.proposal().is_some())
}
