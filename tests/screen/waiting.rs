//! What a person changes while the run waits for them shows on the screen.

use std::fs;

use crate::support::{Desk, FINISH, Terminal, session, write};

const SIZE: (u16, u16) = (100, 30);

#[test]
fn a_change_while_a_question_waits_shows_at_once_and_wakes_nobody_again() {
    let desk = Desk::new();
    let turns = [
        "{ tool = \"request\", paths = [\"docs/**\"], reason = \"the guide\" }",
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let script = desk.script(&session("", &turns));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("Widen F-1?");
    std::thread::sleep(std::time::Duration::from_millis(600));
    desk.project.write("src/mine.rs", "the person's\n");
    terminal.wait_for("changed outside the run: src/mine.rs");
    // A folder that comes is listened to as well.
    fs::create_dir_all(desk.project.root().join("src/new/deep")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(900));
    desk.project
        .write("src/new/deep/other.rs", "the person's\n");
    terminal.wait_for("src/new/deep/other.rs");
    let quiet = terminal.bytes().len();
    std::thread::sleep(std::time::Duration::from_millis(900));
    assert_eq!(
        terminal.bytes().len(),
        quiet,
        "nothing changed and something was drawn"
    );
    terminal.press("nnot the docs\r");
    terminal.wait_for("no: not the docs");
    terminal.press("\u{3}");
    terminal.press("\u{3}");
}
