//! The last line: the keys that matter here and now, from the key table.

use super::Canvas;
use crate::{
    app::App,
    command::{Command, Place},
    found::Errand,
    key::{Code, Key, Short},
    overlay::Overlay,
    page::{self, Page},
    text::{Role, Row},
    theme::Sign,
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
    let items: Vec<(Command, Row)> = commands(app)
        .into_iter()
        .filter_map(|named| Some((named.0, item(app, canvas, named)?)))
        .collect();
    let room = usize::from(area.width).saturating_sub(row.width() + 2);
    // Closer together where that keeps them all.
    let wide = if is_page { 2 } else { 3 };
    let gap = if length(&items, wide) <= room {
        wide
    } else {
        2
    };
    for (at, item) in fitting(items, room, gap).into_iter().enumerate() {
        if at > 0 {
            row.push(Role::Plain, " ".repeat(gap));
        }
        row.pieces.extend(item.pieces);
    }
    canvas.put_at(area, 0, 1, &row);
}

/// Unit: columns.
fn length(items: &[(Command, Row)], gap: usize) -> usize {
    let widths = items.iter().map(|(_, row)| row.width() + gap);
    widths.sum::<usize>().saturating_sub(gap)
}

/// Leaves out from the end what has no room; the ways to everything else and back stay longest.
fn fitting(mut items: Vec<(Command, Row)>, room: usize, gap: usize) -> Vec<Row> {
    let stays = |command: Command| {
        matches!(
            command,
            Command::Palette | Command::LeavePage | Command::Close
        )
    };
    while length(&items, gap) > room && items.len() > 1 {
        let last = items.iter().rposition(|(command, _)| !stays(*command));
        items.remove(last.unwrap_or(items.len() - 1));
    }
    items.into_iter().map(|(_, row)| row).collect()
}

/// Returns a key with what it does; quiet where it cannot be used now.
fn item(
    app: &App,
    canvas: &Canvas<'_>,
    (command, label): (Command, Option<&'static str>),
) -> Option<Row> {
    let (entry, key) = app.setup.keys.row(app.place(), command)?;
    // In an empty composer a question mark does the same.
    let asks = command == Command::Help
        && app.place() == Place::Composer
        && app.composer.is_empty()
        && app.asked.is_none();
    let key = if asks {
        Key::plain(Code::Char('?'))
    } else {
        key
    };
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
    match command {
        Command::ReviewSend if drafts > 0 => item.push(role.1, format!(" {drafts}")),
        Command::ShowReview if app.work.judged.worth_a_look() > 0 => {
            item.push(Role::Needed, format!(" {}", app.work.judged.worth_a_look()));
        }
        Command::ShowGates if app.pages.gates.red() > 0 => {
            let sign = canvas.theme.sign(Sign::Bad);
            // Where the sign is a word, it stands apart.
            let gap = if sign.is_ascii() { " " } else { "" };
            item.push(Role::Bad, format!(" {}{gap}{sign}", app.pages.gates.red()));
        }
        _ => {}
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
        | Place::Sessions
        | Place::First => on_page(app),
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
            plain(Command::FocusNext),
            plain(Command::ShowReview),
            plain(Command::ShowFeatures),
            plain(Command::ShowGates),
            plain(Command::Palette),
            plain(Command::Help),
        ],
        _ => vec![
            plain(Command::Send),
            plain(Command::ShowReview),
            plain(Command::ShowFeatures),
            plain(Command::Palette),
            plain(Command::Help),
            match app.composer.is_empty() {
                true => named(Command::DeleteForward, "quit"),
                // With a text the same key deletes in it.
                false => named(Command::Interrupt, "clear"),
            },
            plain(Command::FocusNext),
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
        Page::First => {
            return vec![
                named(Command::Open, "choose"),
                plain(Command::FirstScopes),
                plain(Command::FirstGates),
                plain(Command::FirstWrite),
                plain(Command::Help),
                named(Command::LeavePage, "leave"),
            ];
        }
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
        Page::Gates if matches!(app.pages.errand, Some(Errand::RunGates { .. })) => vec![
            named(Command::Back, "stop"),
            named(Command::Open, "output"),
            plain(Command::FailureNext),
            plain(Command::GateOpen),
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
