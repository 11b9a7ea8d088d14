//! What the pages cost: nothing while nothing changes, little while one moves about.

use harness_core::SessionId;

use super::{desk::Desk, pages, review};
use crate::{Answer, CheckpointsFound, Found, Input, Reach, Wanted};

/// A row that is chosen and the one that was, both from end to end, with what they are painted with.
const ROWS: usize = 700;
/// A screen of 120x40 from the first cell to the last.
const SCREEN: usize = 120 * 40 * 2;

fn page(desk: &mut Desk, wanted: Wanted, found: Found) {
    desk.take(Input::Answered(Answer::Page(wanted, Ok(Box::new(found)))));
}

/// Every page with something on it, and the text over one.
fn opened(what: &str) -> Desk {
    let mut desk = Desk::new(120, 40);
    match what {
        "session" => desk.play(),
        "transcript" => {
            desk.play();
            desk.press("tab k k k");
        }
        "review" => {
            review::open(&mut desk, review::found());
            review::press(&mut desk, "n");
        }
        "features" => {
            desk.press("f4");
            page(
                &mut desk,
                Wanted::Features,
                Found::Features(pages::features()),
            );
        }
        "gates" => {
            desk.press("f5");
            page(&mut desk, Wanted::Gates, Found::Gates(pages::gates()));
        }
        "output" => {
            desk.press("f5");
            page(&mut desk, Wanted::Gates, Found::Gates(pages::gates()));
            desk.press("n enter");
        }
        "checkpoints" => {
            desk.press("f6");
            let all = (0..200).map(|number| pages::checkpoint(number, Some(number), "saved"));
            let found = CheckpointsFound {
                session: Some(SessionId::new(7)),
                checkpoints: all.collect(),
            };
            page(
                &mut desk,
                Wanted::Checkpoints(None),
                Found::Checkpoints(found),
            );
        }
        "sessions" => {
            desk.write("/sessions");
            desk.press("enter");
            page(
                &mut desk,
                Wanted::Sessions(Reach::Here),
                Found::Sessions(pages::sessions()),
            );
        }
        "palette" => drop(desk.press("ctrl+p")),
        "help" => drop(desk.press("f1")),
        "approval" => {
            desk.play_until("checkpoint_saved", 1);
            desk.ask(30);
            desk.wait(500);
        }
        other => panic!("there is no {other}"),
    }
    desk
}

const ALL: [&str; 11] = [
    "session",
    "transcript",
    "review",
    "features",
    "gates",
    "output",
    "checkpoints",
    "sessions",
    "palette",
    "help",
    "approval",
];

#[test]
fn nothing_is_drawn_while_nothing_changes_whatever_is_open() {
    for what in ALL {
        let mut desk = opened(what);
        assert!(!desk.bytes().is_empty(), "{what}");
        assert_eq!(desk.bytes(), b"", "{what}");
        for input in [Input::Focused(false), Input::Focused(true)] {
            desk.take(input);
            assert_eq!(desk.bytes(), b"", "{what}");
        }
        desk.wait(1);
        assert_eq!(desk.bytes(), b"", "{what}");
    }
}

#[test]
fn nobody_is_woken_while_nothing_runs_whatever_is_open() {
    for what in ALL {
        let mut desk = opened(what);
        desk.bytes();
        let is_busy = what == "approval";
        assert_eq!(desk.app.next_change().is_some(), is_busy, "{what}");
    }
}

#[test]
fn a_step_costs_the_rows_that_change() {
    for (what, keys) in [
        ("features", "j k"),
        ("gates", "j k"),
        ("checkpoints", "j k"),
        ("sessions", "j k"),
        ("palette", "down up"),
        ("review", "j k"),
        ("transcript", "j k"),
    ] {
        let mut desk = opened(what);
        desk.bytes();
        for key in keys.split(' ') {
            let asked = desk.press(key);
            review::serve(&mut desk, asked);
            let bytes = desk.bytes().len();
            // What is below the list belongs to the row, and changes with it.
            let below = match what {
                "features" | "sessions" => 1_600,
                _ => 0,
            };
            assert!((1..ROWS + below).contains(&bytes), "{what} {key}: {bytes}");
        }
    }
}

#[test]
fn no_key_costs_more_than_the_screen() {
    for what in ALL {
        let mut desk = opened(what);
        desk.bytes();
        for key in ["pgdn", "G", "g", "n", "tab", "f3", "f4", "f2", "f1", "esc"] {
            let asked = desk.press(key);
            review::serve(&mut desk, asked);
            let bytes = desk.bytes().len();
            assert!(bytes < SCREEN, "{what} {key}: {bytes}");
        }
    }
}

/// Somebody reviews while the agent writes: what is not seen costs nothing.
#[test]
fn a_streamed_word_costs_nothing_where_it_is_not_seen() {
    for page in ["f3", "f4", "f5", "f6"] {
        let mut desk = Desk::new(120, 40);
        desk.play_until("turn_started", 2);
        desk.press(page);
        desk.stream("I");
        desk.bytes();
        for word in ["look", "at", "the", "total"] {
            desk.stream(&format!(" {word}"));
            assert_eq!(desk.bytes(), b"", "{page}");
        }
    }
}

/// Long lines, marks and wide signs cost what is seen of them.
#[test]
fn a_streamed_word_costs_under_200_bytes_in_every_script() {
    for words in [
        "the writer drops quotes and I will fix it",
        "漢字 かな 交じり 文を 書く ことに する",
        "שלום עולם זה מבחן של שורה",
        "e\u{301}e\u{301} a\u{308} o\u{302}\u{323} n\u{303}",
        "`code` **bold** _slanted_ `more`",
    ] {
        let mut desk = Desk::new(120, 40);
        desk.play_until("turn_started", 2);
        desk.stream("I");
        desk.bytes();
        for word in words.split(' ') {
            desk.stream(&format!(" {word}"));
            let bytes = desk.bytes().len();
            assert!((1..200).contains(&bytes), "{word}: {bytes}");
        }
    }
}

/// What a person types costs the line it is typed in.
#[test]
fn a_typed_letter_costs_under_200_bytes() {
    let mut desk = Desk::new(120, 40);
    desk.play();
    // The first one takes the hint away.
    desk.write("f");
    desk.bytes();
    for letter in "ix the paging bug".chars() {
        desk.write(&letter.to_string());
        let bytes = desk.bytes().len();
        assert!((1..200).contains(&bytes), "{letter}: {bytes}");
    }
}
