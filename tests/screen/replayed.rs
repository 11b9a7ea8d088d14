//! A session shown again on the screen: what it was, without a model, and nothing is touched.

use crate::support::{Desk, FINISH, Terminal, session, write};

/// So many rows that nothing of the session scrolls away.
const SIZE: (u16, u16) = (100, 90);

fn desk() -> Desk {
    let desk = Desk::new();
    let (wrong, right) = (write("src/answer", "41\n"), write("src/answer", "42\n"));
    let turns = ["Looking for the answer.", &wrong, FINISH, &right, FINISH];
    let model = desk.script(&session("F-1", &turns));
    let run = desk.harness(&["run", "--no-input", "--model", &model]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    desk
}

#[test]
fn a_session_is_shown_again_at_another_speed_and_changes_nothing() {
    let desk = desk();
    let log = desk
        .project
        .root()
        .join(".git/harness/sessions/S-0001/log.jsonl");
    let before = (desk.person_side(), std::fs::read(&log).unwrap());
    let arguments = ["replay", "S-0001", "--screen", "--speed", "20"];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("S-0001 is shown as it was");
    terminal.wait_for("Looking for the answer.");
    terminal.wait_for("src/answer");
    terminal.wait_for("F-1 passing");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_eq!((desk.person_side(), std::fs::read(&log).unwrap()), before);
}

#[test]
fn a_replay_that_is_stopped_ends_in_order() {
    let desk = desk();
    let arguments = ["replay", "R-0001", "--screen", "--speed", "0.01"];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("S-0001 is shown as it was");
    // Nobody hears what is said.
    terminal.press("hello\r");
    terminal.wait_for("it cannot hear you");
    terminal.press("\u{3}");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}
