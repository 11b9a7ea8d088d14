//! The main screens in plain ASCII, and the same without colour, at the sizes that are reviewed.

use super::desk::Desk;
use crate::Input;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (60, 16)];

/// The frame in ASCII is kept; the one without colour says the same words as the one with it.
fn check(name: &str, play: impl Fn(&mut Desk)) {
    for (columns, rows) in SIZES {
        let mut ascii = Desk::ascii(columns, rows);
        play(&mut ascii);
        let picture = ascii.picture();
        assert!(picture.replace('▉', "").is_ascii(), "{picture}");
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), picture);
        let (mut with, mut without) = (Desk::new(columns, rows), Desk::colourless(columns, rows));
        play(&mut with);
        play(&mut without);
        assert_eq!(with.picture(), without.picture());
        let (buffer, _) = without.buffer();
        let reset = ratatui::style::Color::Reset;
        assert!(
            buffer
                .content
                .iter()
                .all(|cell| cell.fg == reset && cell.bg == reset)
        );
    }
}

#[test]
fn a_run_at_work() {
    check("ascii_running", |desk| {
        desk.play_until("finish_refused", 1);
        desk.log_json(r#"{"type":"turn_started","turn":4}"#);
        desk.stream("The gate is right: `12.5` lacks a digit. **I mend** — “quotes” too");
        desk.wait(2_000);
    });
}

#[test]
fn a_run_that_has_ended() {
    check("ascii_finished", Desk::play);
}

#[test]
fn a_question() {
    check("ascii_trust", |desk| {
        desk.take(Input::Started);
        desk.ask(30);
        desk.wait(500);
    });
}

#[test]
fn help_and_palette() {
    check("ascii_help", |desk| {
        desk.play();
        desk.press("f1");
    });
    check("ascii_palette", |desk| {
        desk.play();
        desk.press("ctrl+p l a n");
    });
}

/// Wide signs take as many question marks as they have columns, so that nothing moves.
#[test]
fn what_has_no_ascii_keeps_its_room() {
    check("ascii_wide", |desk| {
        desk.play_until("turn_started", 2);
        desk.log_json(r#"{"type":"person_said","text":"漢字 ok e\u0301 ☁\ufe0f 🇩🇪 ทำ end"}"#);
        desk.stream("漢字 ok");
    });
}
