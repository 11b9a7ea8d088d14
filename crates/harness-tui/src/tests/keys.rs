//! What keys do where they are pressed.

use super::desk::Desk;
use crate::{Decision, Input, Over, Query, Request, Start};

#[test]
fn a_text_starts_a_task_where_nothing_runs() {
    let mut desk = Desk::new(80, 24);
    desk.write("fix the paging bug");
    let goal = "fix the paging bug".to_owned();
    assert_eq!(desk.press("enter"), [Request::Start(Start::Goal(goal))]);
    assert_eq!(desk.press("enter"), []);
}

#[test]
fn typed_commands_do_what_the_palette_does() {
    let typed = |text: &str| {
        let mut desk = Desk::new(80, 24);
        desk.write(text);
        desk.press("enter")
    };
    assert_eq!(typed("/run"), [Request::Start(Start::All)]);
    let goal = Start::Goal("F-001".to_owned());
    assert_eq!(typed("/run F-001"), [Request::Start(goal)]);
    assert_eq!(typed("/quit"), [Request::Quit]);
    assert_eq!(typed("/resume"), []);
    assert_eq!(typed("/no such"), []);
    let path = Start::Goal("/etc/x is wrong".to_owned());
    assert_eq!(typed("/etc/x is wrong"), [Request::Start(path)]);
}

#[test]
fn the_palette_reaches_every_command_by_letters() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(
        desk.press("ctrl+p r u n . l a n d enter"),
        [Request::Start(Start::Land)]
    );
    assert_eq!(
        desk.press("ctrl+p a p p . s u s p enter"),
        [Request::Suspend]
    );
}

#[test]
fn a_key_that_cannot_be_used_says_why() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("ctrl+t"), []);
    assert!(desk.picture().contains("no text waits for the next turn"));
    desk.press("ctrl+l");
    assert!(!desk.picture().contains("no text waits"));
}

#[test]
fn ctrl_c_clears_then_warns_then_quits() {
    let mut desk = Desk::new(80, 24);
    desk.write("half");
    assert_eq!(desk.press("ctrl+c"), []);
    assert!(!desk.picture().contains("half"));
    assert_eq!(desk.press("ctrl+c"), []);
    assert!(desk.picture().contains("again to quit"));
    desk.wait(3_000);
    assert_eq!(desk.press("ctrl+c"), []);
    assert_eq!(desk.press("ctrl+c"), [Request::Quit]);
}

#[test]
fn ctrl_d_deletes_in_a_text_and_quits_without_one() {
    let mut desk = Desk::new(80, 24);
    desk.write("ab");
    assert_eq!(desk.press("ctrl+a ctrl+d ctrl+d"), []);
    assert_eq!(desk.press("ctrl+d"), [Request::Quit]);
}

#[test]
fn a_question_is_deaf_at_first_and_return_decides_nothing() {
    let mut desk = Desk::new(80, 24);
    desk.take(Input::Started);
    desk.write("half a thought");
    desk.ask(3);
    assert_eq!(desk.press("y n enter"), []);
    desk.wait(399);
    assert_eq!(desk.press("y"), []);
    desk.wait(1);
    assert_eq!(desk.press("enter"), []);
    let yes = Request::Decide {
        id: 7,
        decision: Decision::Yes,
    };
    assert_eq!(desk.press("y"), [yes]);
    assert!(desk.picture().contains("half a thought"));
}

#[test]
fn yes_counts_only_when_all_of_it_was_seen_and_no_always() {
    let mut desk = Desk::new(80, 24);
    desk.take(Input::Started);
    desk.ask(40);
    desk.wait(400);
    assert!(desk.picture().contains("lines more below"));
    assert_eq!(desk.press("y"), []);
    assert!(desk.picture().contains("lines are hidden"));
    assert_eq!(desk.press("pgdn pgdn pgdn y"), []);
    let asked = desk.press("pgdn pgdn pgdn y");
    assert_eq!(asked.len(), 1, "{asked:?}");
    desk.ask(40);
    desk.wait(400);
    let no = Request::Decide {
        id: 7,
        decision: Decision::No,
    };
    assert_eq!(desk.press("n"), [no]);
}

#[test]
fn a_paste_is_one_text_and_decides_nothing() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.take(Input::Pasted("a\nb\ny".to_owned())), []);
    let goal = "a\nb\ny".to_owned();
    assert_eq!(desk.press("enter"), [Request::Start(Start::Goal(goal))]);
    desk.ask(1);
    desk.wait(400);
    assert_eq!(desk.take(Input::Pasted("y".to_owned())), []);
    assert!(desk.picture().contains("Trust exactly this?"));
}

#[test]
fn what_is_looked_at_stays_put_while_more_comes() {
    let mut desk = Desk::new(80, 24);
    desk.play_until("check_ended", 1);
    let top = |desk: &mut Desk| desk.picture().lines().nth(2).unwrap().to_owned();
    desk.press("pgup pgup");
    let before = top(&mut desk);
    desk.log_json(r#"{"type":"note_taken","text":"one"}"#);
    desk.stream("and a text\n\nof lines");
    assert_eq!(top(&mut desk), before);
    assert!(desk.picture().contains("1 new  End follow"));
    desk.press("end");
    assert!(desk.picture().contains("of lines"));
    desk.log_json(r#"{"type":"note_taken","text":"two"}"#);
    assert!(desk.picture().contains("note    two"));
}

#[test]
fn unfolding_keeps_the_place_and_asks_the_log_once() {
    let mut desk = Desk::new(80, 24);
    desk.play_until("checkpoint_saved", 1);
    let asked = desk.unfold_a_call();
    assert!(
        matches!(asked.as_slice(), [Request::Look(Query::Detail { .. })]),
        "{asked:?}"
    );
    assert!(desk.picture().contains("reading the log"));
    desk.press("enter");
    assert!(!desk.picture().contains("reading the log"));
}

#[test]
fn turns_and_ends_can_be_jumped_to() {
    let mut desk = Desk::new(80, 24);
    desk.play();
    let first = desk.picture();
    desk.press("tab g");
    assert!(desk.picture().contains("harness 0.1.0"));
    desk.press("] ]");
    assert!(desk.picture().contains("I add the command"));
    desk.press("[");
    desk.press("G q");
    assert_eq!(desk.picture(), first);
}

#[test]
fn a_failure_before_any_session_leaves_only_what_a_command_opened() {
    let failed = |origin| {
        let setup = crate::Setup {
            origin,
            ..crate::Setup::default()
        };
        let mut desk = Desk::with(setup, 80, 24);
        desk.take(Input::Started);
        let failure = crate::Failed {
            message: "there is no feature `F-9`".to_owned(),
            hint: Some("harness feature list".to_owned()),
        };
        let asked = desk.take(Input::Over(Over {
            code: 2,
            failure: Some(failure),
            resumable: None,
        }));
        (asked, desk.picture())
    };
    assert_eq!(failed(crate::Origin::Command).0, [Request::Quit]);
    let (asked, picture) = failed(crate::Origin::Bare);
    assert_eq!(asked, [Request::Look(Query::Overview)]);
    assert!(picture.contains("hint: harness feature list"), "{picture}");
}
