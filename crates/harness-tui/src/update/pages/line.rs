//! The line that is typed on a page: a filter, a title, flags, a reason, the words of an undo.

use harness_core::{CheckpointNumber, RewindWhat, SessionId, TurnNumber};

use super::{errand::begin, moves, show};
use crate::{
    app::App,
    command::Command,
    found::{Errand, Mine},
    input::{Request, Start},
    page::{Page, Typing},
    text::Role,
    update::{review, words},
};

/// Carries a command out in the line that is typed.
pub(super) fn typing(app: &mut App, command: Command) -> Option<Vec<Request>> {
    match command {
        Command::TakeLine | Command::Send | Command::SendNow => return Some(take_line(app)),
        Command::Back | Command::Interrupt => {
            let prompt = app.pages.prompt.take();
            if prompt.is_some_and(|prompt| prompt.what == Typing::Filter)
                && let Some(list) = app.pages.list_mut()
            {
                list.filter("");
            }
        }
        // A list is looked through while its filter is typed.
        Command::LineUp | Command::EntryUp => moves(app, Command::RowUp),
        Command::LineDown | Command::EntryDown => moves(app, Command::RowDown),
        Command::FocusNext | Command::FocusPrevious => {
            let back = harness_review::CommentKind::ALL.len() - 1;
            let by = if command == Command::FocusNext {
                1
            } else {
                back
            };
            review::turn_kind(app, by);
        }
        Command::Newline
        | Command::HistoryPrevious
        | Command::HistoryNext
        | Command::HistorySearch => {}
        Command::Suspend | Command::Redraw => return None,
        other => {
            if let Some(prompt) = &mut app.pages.prompt {
                prompt.line.edit(other);
            }
            follow(app);
        }
    }
    Some(Vec::new())
}

/// Puts a text into the line that is typed.
pub(in crate::update) fn write(app: &mut App, text: &str) {
    let Some(prompt) = &mut app.pages.prompt else {
        return;
    };
    let line: String = text
        .chars()
        .map(|char| if char.is_whitespace() { ' ' } else { char })
        .collect();
    prompt.line.insert(&line);
    follow(app);
}

/// Keeps the rows with what is typed so far.
fn follow(app: &mut App) {
    let Some(prompt) = &app.pages.prompt else {
        return;
    };
    if prompt.what == Typing::Filter {
        let needle = prompt.line.text();
        if let Some(list) = app.pages.list_mut() {
            list.filter(&needle);
        }
    }
}

/// Takes the line that was typed.
fn take_line(app: &mut App) -> Vec<Request> {
    let Some(prompt) = app.pages.prompt.take() else {
        return Vec::new();
    };
    let text = prompt.line.text().trim().to_owned();
    match prompt.what {
        Typing::Seek
        | Typing::Base
        | Typing::Reason { .. }
        | Typing::Comment { .. }
        | Typing::Reply(_) => review::take_line(app, prompt.what, &text).unwrap_or_default(),
        Typing::Filter => Vec::new(),
        Typing::Search => {
            if let Some(reader) = &mut app.pages.reader
                && !text.is_empty()
                && !reader.find(&text)
            {
                app.tell(Role::Needed, "it is not in this text");
            }
            Vec::new()
        }
        // Who says nothing wants nothing.
        Typing::New | Typing::Amend(_) | Typing::Block(_) | Typing::Fork(_) if text.is_empty() => {
            Vec::new()
        }
        Typing::New => begin(app, Errand::Add { said: text }),
        Typing::Amend(feature) => begin(
            app,
            Errand::Amend {
                feature,
                said: text,
            },
        ),
        Typing::Block(feature) => begin(
            app,
            Errand::Block {
                feature,
                reason: text,
            },
        ),
        Typing::Reopen(feature) => begin(
            app,
            Errand::Reopen {
                feature,
                reason: text,
            },
        ),
        Typing::Rename(session, repository) => begin(
            app,
            Errand::Rename {
                session,
                repository,
                name: text,
            },
        ),
        Typing::Fork(session) => match text.parse() {
            Ok(number) => {
                show(app, Page::Session);
                let number = CheckpointNumber(number);
                vec![Request::Start(Start::Fork(session, number))]
            }
            Err(_) => words::refuse(app, "a checkpoint is a number, as F6 lists them"),
        },
        Typing::Undo(session, number) => match read_undo(&text) {
            Some((RewindWhat::Files, mine)) => begin(
                app,
                Errand::Undo {
                    session,
                    number,
                    mine,
                },
            ),
            Some((what, _)) => rewind(app, session, what),
            None => words::refuse(app, "say files, talk or both; files keep-mine, files save"),
        },
    }
}

/// Takes talk, or both, back to the turn behind the chosen checkpoint.
fn rewind(app: &mut App, session: SessionId, what: RewindWhat) -> Vec<Request> {
    let Some(chosen) = app.pages.checkpoints.chosen() else {
        return Vec::new();
    };
    let turn = match (chosen.number.0, chosen.turn) {
        (0, _) => TurnNumber(1),
        (_, Some(turn)) => TurnNumber(turn.0.saturating_add(1)),
        (_, None) => {
            return words::refuse(
                app,
                "no turn of the agent led to it: only its files can be restored",
            );
        }
    };
    show(app, Page::Session);
    vec![Request::Start(Start::Rewind {
        session,
        turn,
        what,
    })]
}

fn read_undo(text: &str) -> Option<(RewindWhat, Mine)> {
    let mut words = text.split_whitespace();
    let what: RewindWhat = words.next()?.parse().ok()?;
    let mine = match words.next() {
        None => Mine::Refuse,
        Some("keep-mine" | "--keep-mine") => Mine::Keep,
        Some("save" | "--save") => Mine::Save,
        Some(_) => return None,
    };
    let is_whole = words.next().is_none() && (mine == Mine::Refuse || what == RewindWhat::Files);
    is_whole.then_some((what, mine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_is_said_in_words() {
        let files = |mine| Some((RewindWhat::Files, mine));
        assert_eq!(read_undo("files"), files(Mine::Refuse));
        assert_eq!(read_undo("files keep-mine"), files(Mine::Keep));
        assert_eq!(read_undo(" files  --save "), files(Mine::Save));
        assert_eq!(read_undo("talk"), Some((RewindWhat::Talk, Mine::Refuse)));
        for wrong in ["", "all", "talk save", "files keep-mine now", "files mine"] {
            assert_eq!(read_undo(wrong), None, "{wrong}");
        }
    }
}
