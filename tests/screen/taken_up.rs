//! A session that is taken up on the screen.

use crate::support::{Desk, FINISH, Terminal, session, shell, signal, write};

use super::ways_out::modes_before;

const SIZE: (u16, u16) = (100, 30);

/// A run that was killed in the middle of a command; returns the script it plays.
fn killed(desk: &Desk) -> String {
    let turns = [&write("src/answer", "42\n"), &shell("sleep 20"), FINISH];
    let script = desk.script(&session("", &turns));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell runs");
    signal(terminal.pid(), "KILL");
    terminal.end();
    script
}

#[test]
fn a_killed_run_is_seen_as_it_was_and_goes_on() {
    let desk = Desk::new();
    let script = killed(&desk);
    let arguments = ["resume", "--last", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("run ended: all_passing");
    let screen = terminal.screen();
    for text in ["write src/answer", "sleep 20", "resumed"] {
        assert!(screen.contains(text), "{text} in:\n{screen}");
    }
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_eq!(desk.project.read("src/answer"), "42\n");
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
}

#[test]
fn what_is_refused_says_so_where_it_was_asked_for_and_leaves_the_terminal_as_it_was() {
    let desk = Desk::new();
    let script = killed(&desk);
    desk.project
        .git(&["commit", "--allow-empty", "-m", "elsewhere"]);
    let arguments = ["resume", "--last", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    assert_eq!(terminal.end(), 5);
    assert_eq!(terminal.modes(), modes_before());
    let screen = terminal.screen();
    for text in ["error: run `R-0001` began from", "hint: start anew"] {
        assert!(screen.contains(text), "{text} in:\n{screen}");
    }
}
