//! Searching, copying, handing over, calling: what the screen does beside showing.

use harness_core::Event;

use super::desk::Desk;
use crate::{
    Failed, Input, Loan, Motion, Notify, Passage, Request, Setup, Signs, Theme, input::Answer,
};

/// A desk with a run behind it and the focus on the transcript.
fn reading(columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::new(columns, rows);
    desk.play();
    desk.press("tab");
    desk
}

#[test]
fn words_are_found_and_marked_and_gone_through() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 16)] {
        let mut desk = reading(columns, rows);
        desk.press("/");
        desk.write("digit");
        insta::assert_snapshot!(format!("finding_{columns}x{rows}"), desk.picture());
    }
    let mut desk = reading(80, 24);
    desk.press("/");
    desk.write("digit");
    let (buffer, _) = desk.buffer();
    let marked = buffer.content.iter().filter(|cell| {
        let mark = ratatui::style::Modifier::REVERSED;
        cell.modifier.contains(mark)
    });
    let marked: String = marked.map(|cell| cell.symbol()).collect();
    assert!(marked.starts_with("digitdigit"), "{marked}");
    let mut desk = reading(80, 24);
    desk.press("g /");
    desk.write("digit");
    desk.press("enter");
    let first = desk.picture();
    // The second place stands in the same entry.
    desk.press("n n");
    assert_ne!(desk.picture(), first);
    desk.press("N N");
    assert_eq!(desk.picture(), first);
    desk.press("N");
    assert!(desk.picture().contains("from the end again"));
}

#[test]
fn a_search_that_is_given_up_goes_back() {
    let mut desk = reading(80, 24);
    desk.press("g j");
    let before = desk.picture();
    desk.press("/");
    desk.write("digit");
    assert_ne!(desk.picture(), before);
    desk.press("esc");
    assert_eq!(desk.picture(), before);
    assert_eq!(desk.press("n"), []);
    assert!(desk.picture().contains("nothing was looked for yet"));
}

#[test]
fn words_that_stand_nowhere_are_told_and_nothing_moves() {
    let mut desk = reading(80, 24);
    desk.press("g");
    desk.press("/");
    desk.write("xyzzy");
    assert!(desk.picture().contains("stands nowhere"));
    desk.press("enter");
    assert!(desk.picture().contains("`xyzzy` stands nowhere"));
}

#[test]
fn an_entry_and_the_last_answer_are_copied() {
    let mut desk = reading(80, 24);
    let asked = desk.press("Y");
    let [Request::Copy(answer)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(!answer.is_empty());
    assert!(desk.picture().contains("sent to the clipboard"));
    desk.press("g");
    let asked = desk.press("y");
    assert!(
        matches!(&asked[..], [Request::Copy(text)] if text != answer),
        "{asked:?}"
    );
}

#[test]
fn what_the_clipboard_does_not_take_goes_into_a_file() {
    let setup = Setup {
        passage: Passage::Bare,
        ..Setup::default()
    };
    let mut desk = Desk::with(setup, 80, 24);
    desk.play();
    desk.press("tab");
    let asked = desk.press("y");
    assert!(matches!(&asked[..], [Request::Keep(_)]), "{asked:?}");
    let kept = Ok("/home/me/.local/state/harness/copied.txt".to_owned());
    desk.take(Input::Answered(Answer::Kept(kept)));
    assert!(
        desk.picture()
            .contains("\n /home/me/.local/state/harness/copied.txt\n")
    );
}

#[test]
fn everything_goes_to_the_pager_and_the_text_to_the_editor() {
    let mut desk = reading(80, 24);
    let asked = desk.press("v");
    let [Request::Lend(Loan::Read(text))] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(
        text.lines().count() > 10 && text.contains("\ngate: "),
        "{text}"
    );
    assert_eq!(desk.press("e"), [Request::Lend(Loan::Edit(text.clone()))]);
    desk.press("q");
    desk.write("half a");
    assert_eq!(
        desk.press("ctrl+g"),
        [Request::Lend(Loan::Compose("half a".to_owned()))]
    );
    let written = Ok(Some("a whole\nthought\u{1b}[2J\n\n".to_owned()));
    desk.take(Input::Answered(Answer::Composed(written)));
    assert!(desk.picture().contains("> a whole"));
    assert!(desk.picture().contains("thought[2J▉"));
    desk.take(Input::Answered(Answer::Returned(Failed {
        message: "cannot start `vi`".to_owned(),
        hint: Some("set VISUAL".to_owned()),
    })));
    assert!(desk.picture().contains("error: cannot start `vi`"));
}

fn calling() -> Desk {
    let setup = Setup {
        notify: Notify::Bell,
        ..Setup::default()
    };
    Desk::with(setup, 80, 24)
}

#[test]
fn a_person_who_looks_elsewhere_is_called_and_one_who_looks_is_not() {
    let mut desk = calling();
    desk.play_until("turn_started", 2);
    desk.press("x");
    assert_eq!(desk.log(Event::PersonAwaited), []);
    desk.take(Input::Focused(false));
    let asked = desk.log(Event::PersonAwaited);
    assert!(
        matches!(&asked[..], [Request::Notify(words)] if words.ends_with(": needs you")),
        "{asked:?}"
    );
    desk.take(Input::Focused(true));
    assert_eq!(desk.log(Event::PersonAwaited), []);
    desk.wait(21_000);
    assert_eq!(desk.log(Event::PersonAwaited).len(), 1);
    desk.press("x");
    assert_eq!(desk.log(Event::PersonAwaited), []);
}

#[test]
fn nobody_is_called_who_does_not_want_it() {
    let mut desk = Desk::new(80, 24);
    desk.play_until("turn_started", 2);
    desk.take(Input::Focused(false));
    assert_eq!(desk.log(Event::PersonAwaited), []);
}

#[test]
fn the_wheel_scrolls_once_it_is_wanted() {
    let mut desk = Desk::new(80, 24);
    desk.play();
    let end = desk.picture();
    desk.take(Input::Turned(-3));
    assert_ne!(desk.picture(), end);
    desk.take(Input::Turned(3));
    assert_eq!(desk.picture(), end);
    let asked = desk.press("ctrl+p a p p . m o u s e enter");
    assert_eq!(asked, [Request::Mouse(true)]);
}

#[test]
fn waiting_texts_are_taken_back_one_by_one() {
    let said =
        |text: &str| format!(r#"{{"type":"person_said","text":"{text}","urgency":"next_turn"}}"#);
    let back = |text: &str| {
        Request::Steer(harness_core::Request::TakeBack {
            text: text.to_owned(),
        })
    };
    let mut desk = Desk::new(80, 24);
    desk.play_until("turn_started", 2);
    for text in ["one", "two", "three"] {
        desk.log_json(&said(text));
    }
    desk.write("/back 2");
    assert_eq!(desk.press("enter"), [back("two")]);
    // The log has not said it yet: the next one is another one.
    assert_eq!(desk.press("ctrl+t ctrl+t"), [back("three"), back("one")]);
    assert!(desk.picture().contains("> one"));
    assert_eq!(desk.press("ctrl+t"), []);
    desk.press("ctrl+c");
    desk.write("/back 9");
    assert_eq!(desk.press("enter"), []);
    assert!(desk.picture().contains("takes back one of the 3 texts"));
}

#[test]
fn a_command_that_runs_shows_its_last_lines_until_it_is_over() {
    let mut desk = Desk::new(80, 24);
    desk.play_until("turn_started", 2);
    let call = desk.run_command("make all");
    assert!(!desk.picture().contains("make all"));
    desk.print(call, "gone\nnext\nthird\n\u{1b}]52;c;eA==\u{7}four");
    let picture = desk.picture();
    assert!(
        picture.contains("shell make all") && picture.contains("‹U+001B›]52"),
        "{picture}"
    );
    assert!(!picture.contains("gone"));
    desk.log_json(
        r#"{"type":"call_ended","call":{"turn":2,"index":0},"end":{"how":"cancelled"},"ms":1}"#,
    );
    assert!(!desk.picture().contains("four"));
}

#[test]
fn plain_and_calm_screens_have_the_same_words() {
    let theme = Theme {
        signs: Signs::Ascii,
        ..Theme::default()
    };
    let setup = Setup {
        theme,
        motion: Motion::Reduced,
        ..Setup::default()
    };
    let mut desk = Desk::with(setup, 80, 24);
    desk.play();
    desk.press("tab /");
    desk.write("digit");
    assert!(desk.picture().is_ascii() || desk.picture().replace('▉', "").is_ascii());
    assert!(desk.picture().contains("enter find"));
}
