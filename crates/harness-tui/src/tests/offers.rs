//! What is offered while a person writes: files, commands, earlier texts.

use super::desk::Desk;
use crate::{Input, Query, Request, Start, input::Answer};

const FILES: [&str; 5] = [
    "README.md",
    "src/page.rs",
    "src/page/list of pages.rs",
    "src/quote.rs",
    "tests/page.rs",
];

fn answer(names: &[&str]) -> Input {
    Input::Answered(Answer::Files {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_cut: false,
    })
}

/// A desk with a text in the composer and the names at hand.
fn offering(text: &str, columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::new(columns, rows);
    let asked = desk.type_text(text);
    assert_eq!(asked, [Request::Look(Query::Files)]);
    desk.take(answer(&FILES));
    desk
}

#[test]
fn a_file_is_found_by_a_few_letters_and_put_into_the_text() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 16)] {
        let mut desk = offering("mend @pag", columns, rows);
        insta::assert_snapshot!(format!("files_{columns}x{rows}"), desk.picture());
    }
    let mut desk = offering("mend @pag", 80, 24);
    assert_eq!(desk.press("down up enter"), []);
    assert!(desk.picture().contains("> mend src/page.rs ▉"));
    desk.type_text("and @list");
    desk.press("tab");
    assert!(desk.picture().contains("and `src/page/list of pages.rs` ▉"));
}

#[test]
fn names_are_looked_up_once_for_a_word_and_waited_for() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.type_text("@"), [Request::Look(Query::Files)]);
    assert!(desk.picture().contains("looking the names up"));
    assert_eq!(desk.type_text("pa"), []);
    desk.take(answer(&FILES));
    assert!(desk.picture().contains("3 files"));
    assert_eq!(desk.type_text(" x"), []);
    assert!(!desk.picture().contains("files"));
    // Next time they may be others.
    assert_eq!(desk.type_text(" @"), [Request::Look(Query::Files)]);
    assert!(desk.picture().contains("5 files"));
}

#[test]
fn a_name_that_nothing_has_is_written_as_it_stands() {
    let mut desk = offering("mail me@home and @nobody", 80, 24);
    assert!(!desk.picture().contains("files"));
    let goal = Start::Goal("mail me@home and @nobody".to_owned());
    assert_eq!(desk.press("enter"), [Request::Start(goal)]);
}

#[test]
fn esc_goes_on_without_what_is_offered_until_the_next_word() {
    let mut desk = offering("@pa", 80, 24);
    assert_eq!(desk.press("esc"), []);
    desk.type_text("g");
    assert!(!desk.picture().contains("files"));
    let goal = Start::Goal("@pag".to_owned());
    assert_eq!(desk.press("enter"), [Request::Start(goal)]);
}

#[test]
fn the_composers_keys_go_on_while_something_is_offered() {
    let mut desk = offering("mend @pagx", 80, 24);
    desk.press("backspace");
    assert!(desk.picture().contains("3 files"));
    desk.press("ctrl+w ctrl+w");
    assert!(!desk.picture().contains("files"));
    // What clears the text clears what was offered for it.
    let mut desk = offering("mend @pag", 80, 24);
    desk.press("ctrl+c");
    assert!(!desk.picture().contains("files"));
    assert!(!desk.picture().contains("mend"));
}

#[test]
fn a_question_puts_the_offer_aside_with_its_word() {
    let mut desk = Desk::new(80, 24);
    desk.play_until("turn_started", 2);
    desk.type_text("mend @pa");
    desk.take(answer(&FILES));
    desk.log_json(
        r#"{"type":"question_asked","call":{"turn":2,"index":0},"question":"Which port?"}"#,
    );
    assert_eq!(desk.press("enter"), []);
    assert!(!desk.picture().contains("page.rs"));
}

#[test]
fn a_name_is_shown_and_never_obeyed() {
    let mut desk = Desk::new(80, 24);
    desk.type_text("@");
    desk.take(answer(&["a\u{1b}]52;c;eA==\u{7}", "b\u{202e}c", "plain"]));
    let picture = desk.picture();
    assert!(!picture.contains('\u{1b}') && !picture.contains('\u{202e}'));
    assert!(
        picture.contains("2 files") && picture.contains("b‹U+202E›c"),
        "{picture}"
    );
}

#[test]
fn commands_are_offered_with_their_help() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 16)] {
        let mut desk = Desk::new(columns, rows);
        desk.write("/re");
        insta::assert_snapshot!(format!("commands_{columns}x{rows}"), desk.picture());
    }
    let mut desk = Desk::new(80, 24);
    desk.write("/pla");
    assert_eq!(desk.press("enter"), []);
    assert!(desk.picture().contains("> /plan ▉"));
    desk.write("quotes");
    let plan = Start::Plan("quotes".to_owned());
    assert_eq!(desk.press("enter"), [Request::Start(plan)]);
}

#[test]
fn an_earlier_text_is_found_in_place() {
    let mut desk = Desk::new(80, 24);
    for text in ["fix the paging", "fix the quotes", "write the docs"] {
        desk.write(text);
        desk.press("enter");
    }
    desk.write("half");
    desk.press("ctrl+r");
    desk.write("fix");
    insta::assert_snapshot!("earlier_80x24", desk.picture());
    desk.press("ctrl+r enter");
    assert!(desk.picture().contains("> fix the paging▉"));
    desk.press("ctrl+r");
    desk.write("docs");
    desk.press("ctrl+c");
    assert!(desk.picture().contains("> fix the paging▉"));
    desk.press("ctrl+r");
    desk.write("docs");
    desk.press("esc");
    assert!(desk.picture().contains("> fix the paging▉"));
    desk.press("ctrl+r backspace");
    assert!(desk.picture().contains("> fix the paging▉"));
}
