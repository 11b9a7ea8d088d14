//! The last line: the keys that matter here and now, from the key table.

use super::Canvas;
use crate::{
    app::App,
    command::{Command, Place},
    key::Short,
    overlay::Overlay,
    page::{self, Page},
    text::{Role, Row},
};

pub(super) fn paint(app: &App, canvas: &mut Canvas<'_>) {
    let area = app.layout.footer;
    let mut row = Row::default();
    let unseen = app.transcript.unseen();
    // The transcript's own keys name the way to the end anyway.
    let is_named = app.place() == Place::Transcript && unseen == 0;
    let is_session = app.pages.open == Page::Session;
    if is_session && !app.transcript.is_following() && app.overlay.is_none() && !is_named {
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
    let is_page = app.pages.open != Page::Session && app.overlay.is_none();
    let gap = if is_page { "  " } else { "   " };
    let mut items: Vec<Row> = commands(app)
        .into_iter()
        .filter_map(|(command, label)| item(app, command, label))
        .collect();
    // The way back is never what has no room.
    let last = items.pop_if(|_| is_page);
    let kept = last.as_ref().map_or(0, |last| last.width() + gap.len());
    for item in items {
        if row.width() + item.width() + kept + gap.len() + 1 > usize::from(area.width) {
            break;
        }
        row.pieces.extend(item.pieces);
        row.push(Role::Plain, gap);
    }
    row.pieces
        .extend(last.into_iter().flat_map(|last| last.pieces));
    canvas.put_at(area, 0, 1, &row);
}

/// Returns a key with what it does; quiet where it cannot be used now.
fn item(app: &App, command: Command, label: Option<&'static str>) -> Option<Row> {
    let (entry, key) = app.setup.keys.row(app.place(), command)?;
    let role = match app.obstacle(command) {
        Some(_) => (Role::Quiet, Role::Quiet),
        None => (Role::Strong, Role::Plain),
    };
    let mut item = Row::of(role.0, Short(key).to_string());
    // Two ways of the same are one item.
    let other = match command {
        Command::FeatureLater => Some(Command::FeatureEarlier),
        Command::FailureNext => Some(Command::FailurePrevious),
        Command::ReviewFileNext => Some(Command::ReviewFilePrevious),
        Command::ReviewHunkNext => Some(Command::ReviewHunkPrevious),
        _ => None,
    };
    let other = other.and_then(|other| app.setup.keys.row(app.place(), other));
    item.push(
        role.0,
        other.map_or(String::new(), |(_, key)| format!("/{}", Short(key))),
    );
    item.push(role.1, format!(" {}", label.unwrap_or(entry.label)));
    let drafts = app.pages.review.standing().progress.drafts;
    if command == Command::ReviewSend && drafts > 0 {
        item.push(role.1, format!(" {drafts}"));
    }
    Some(item)
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
        Place::Prompt => vec![plain(Command::TakeLine), named(Command::Back, "leave")],
        Place::Question if app.pages.open != Page::Session => vec![
            plain(Command::Yes),
            plain(Command::No),
            plain(Command::QuestionPageDown),
            named(Command::FocusNext, "page"),
        ],
        Place::Page
        | Place::Review
        | Place::Features
        | Place::Gates
        | Place::Checkpoints
        | Place::Sessions => on_page(app),
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
        _ if app.asked.is_some() && app.pages.open != Page::Session => vec![
            named(Command::Send, "answer"),
            plain(Command::PutOff),
            plain(Command::Palette),
            named(Command::FocusNext, "page"),
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
            plain(Command::ShowFeatures),
            plain(Command::ShowGates),
        ],
        _ => vec![
            plain(Command::Send),
            plain(Command::FocusNext),
            plain(Command::Palette),
            plain(Command::Help),
            named(Command::DeleteForward, "quit"),
            plain(Command::ShowFeatures),
            plain(Command::ShowGates),
            plain(Command::ShowCheckpoints),
        ],
    }
}

/// The same on a page: what it is for, then how to look and how to leave.
fn on_page(app: &App) -> Vec<(Command, Option<&'static str>)> {
    let named = |command, label| (command, Some(label));
    let plain = |command| (command, None);
    let mut commands = Vec::new();
    if page::is_asked(app) && app.pages.open != Page::Sessions {
        commands.push(named(Command::FocusNext, "answer"));
    }
    if app.pages.reader.is_some() {
        commands.extend([
            named(Command::RowPageDown, "page"),
            named(Command::Find, "find"),
            plain(Command::FindNext),
            named(Command::RowLast, "end"),
            plain(Command::Help),
            plain(Command::LeavePage),
        ]);
        return commands;
    }
    commands.extend(match app.pages.open {
        Page::Session => Vec::new(),
        Page::Review => vec![
            plain(Command::ReviewFileNext),
            plain(Command::ReviewHunkNext),
            plain(Command::ReviewAccept),
            plain(Command::ReviewReject),
            plain(Command::ReviewLines),
            plain(Command::ReviewComment),
            plain(Command::ReviewSend),
            plain(Command::ReviewUndo),
        ],
        Page::Features => vec![
            plain(Command::Open),
            plain(Command::FeatureRun),
            plain(Command::FeatureNew),
            plain(Command::FeatureEdit),
            plain(Command::FeatureBlock),
            plain(Command::FeatureFinish),
            named(Command::FeatureLater, "move"),
            plain(Command::Find),
        ],
        Page::Gates => vec![
            named(Command::Open, "output"),
            plain(Command::GateRun),
            plain(Command::GateRunAll),
            plain(Command::FailureNext),
            plain(Command::GateOpen),
            named(Command::GateTell, "tell the agent"),
        ],
        Page::Checkpoints => vec![
            plain(Command::Open),
            plain(Command::CheckpointCompare),
            plain(Command::CheckpointUndo),
            plain(Command::Find),
        ],
        Page::Sessions => vec![
            named(Command::Open, "resume"),
            plain(Command::SessionFork),
            plain(Command::SessionRename),
            plain(Command::SessionArchive),
            plain(Command::SessionsEverywhere),
            named(Command::Find, "search"),
        ],
    });
    commands.extend([plain(Command::Help), plain(Command::LeavePage)]);
    commands
}

/// Whether the question in front is about proposed features: yes and no mean more there.
fn proposes(app: &App) -> bool {
    let approval = app.panels.front().and_then(|panel| panel.approval.as_ref());
    approval.is_some_and(|approval| approval.proposal().is_some())
}
