//! What leaves the screen: copies, and programs that take the terminal for a while.

use crate::{
    app::{App, Notice},
    command::Command,
    input::{Failed, Loan, Request},
    passage::Passage,
    text::Role,
};

use super::keys;

/// Carries out a command that hands something over; `None` when it is none.
pub(super) fn perform(app: &mut App, command: Command) -> Option<Vec<Request>> {
    let lend = |errand| Some(vec![Request::Lend(errand)]);
    match command {
        Command::Copy => Some(copy(app, app.transcript.selected_text())),
        Command::CopyAnswer => Some(copy(app, app.transcript.last_answer())),
        Command::ReadAll => lend(Loan::Read(app.transcript.whole_text())),
        Command::EditAll => lend(Loan::Edit(app.transcript.whole_text())),
        Command::Editor => lend(Loan::Compose(app.composer.text())),
        Command::Shell => lend(Loan::Shell),
        Command::Mouse => Some(turn_mouse(app)),
        _ => None,
    }
}

pub(super) fn copy(app: &mut App, text: Option<String>) -> Vec<Request> {
    let Some(text) = text else { return Vec::new() };
    if !app.setup.passage.takes(text.len()) {
        return vec![Request::Keep(text)];
    }
    let lines = match text.lines().count() {
        1 => "1 line".to_owned(),
        many => format!("{many} lines"),
    };
    let way = match app.setup.passage {
        Passage::Tmux => "through tmux, where its `set-clipboard` is on",
        Passage::Screen => "through screen, where the terminal allows it",
        Passage::Direct | Passage::Bare => "where the terminal allows it",
    };
    app.tell(
        Role::Quiet,
        format!("{lines} sent to the clipboard (OSC 52), {way}"),
    );
    vec![Request::Copy(text)]
}

fn turn_mouse(app: &mut App) -> Vec<Request> {
    app.setup.has_mouse = !app.setup.has_mouse;
    let told = match app.setup.has_mouse {
        true => "the wheel scrolls here; to select, hold Shift",
        false => "the mouse belongs to the terminal again",
    };
    app.tell(Role::Quiet, told);
    vec![Request::Mouse(app.setup.has_mouse)]
}

/// Takes in where a text was kept that the clipboard did not take.
pub(super) fn kept(app: &mut App, kept: Result<String, Failed>) {
    match kept {
        Ok(path) => {
            app.notice = Some(Notice {
                lines: vec![
                    "the clipboard does not take it; it was written to".to_owned(),
                    harness_report::clean_line(&path, 400),
                ],
                role: Role::Needed,
            });
        }
        Err(failed) => tell_failed(app, &failed),
    }
}

/// Takes in what was written in the editor.
pub(super) fn composed(app: &mut App, composed: Result<Option<String>, Failed>) {
    match composed {
        Ok(Some(text)) => {
            app.composer.set("");
            let taken = app.composer.insert(text.trim_end_matches(['\n', '\r']));
            keys::say_if_cut(app, taken);
        }
        Ok(None) => {}
        Err(failed) => tell_failed(app, &failed),
    }
}

/// Says what could not be done, and how it could.
pub(super) fn tell_failed(app: &mut App, failed: &Failed) {
    let mut lines = vec![format!("error: {}", failed.message)];
    lines.extend(failed.hint.as_ref().map(|hint| format!("hint: {hint}")));
    let lines = lines
        .iter()
        .map(|line| harness_report::clean_line(line, 400));
    app.notice = Some(Notice {
        lines: lines.collect(),
        role: Role::Bad,
    });
}
