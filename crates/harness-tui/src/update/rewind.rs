//! Going back to an earlier turn: chosen in the transcript, said in the composer.
//!
//! The key writes the command into the composer and does nothing else, so that what goes back can be
//! changed before it is sent.

use harness_core::{RewindWhat, TurnNumber};

use super::words;
use crate::{
    app::{App, Focus},
    input::{Request, Start},
    text::Role,
};

/// Puts the command for the chosen turn into the composer.
pub(super) fn propose(app: &mut App) {
    let Some(turn) = app.transcript.chosen_turn() else {
        return;
    };
    if !app.composer.is_empty() {
        let text = format!("the composer has a text: send or clear it, or type /rewind {turn}");
        app.tell(Role::Needed, text);
        return;
    }
    app.composer.set(&format!("/rewind {turn} both"));
    app.focus = Focus::Composer;
    app.transcript.unselect();
    app.tell(
        Role::Needed,
        "Enter goes back to before that turn's answer; talk or files in place of both",
    );
}

/// Takes what was typed behind `/rewind`.
pub(super) fn typed(app: &mut App, rest: &str) -> Vec<Request> {
    let Some((turn, what)) = read(rest) else {
        app.tell(
            Role::Needed,
            "`/rewind TURN talk|files|both` goes back, as in `/rewind 3 files`",
        );
        return Vec::new();
    };
    if app.setup.origin.is_recorded() {
        return words::refuse(app, "a recorded model plays: there is no way back");
    }
    if app.is_busy() {
        if app.work.session.is_none() || app.work.end.is_some() {
            return words::refuse(app, "no session is open: there is no turn to go back to");
        }
        app.composer.take();
        let rewind = harness_core::Request::Rewind { turn, what };
        return vec![Request::Steer(rewind)];
    }
    let Some(session) = app.resumable else {
        return words::refuse(app, "there is no session to go back in");
    };
    app.composer.take();
    vec![Request::Start(Start::Rewind {
        session,
        turn,
        what,
    })]
}

fn read(rest: &str) -> Option<(TurnNumber, RewindWhat)> {
    let mut words = rest.split_whitespace();
    let turn = words.next()?.parse().ok().filter(|turn| *turn > 0)?;
    let what = words.next().map_or(Ok(RewindWhat::Both), str::parse).ok()?;
    words.next().is_none().then_some((TurnNumber(turn), what))
}
