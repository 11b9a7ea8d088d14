//! A person at the keyboard approves, refuses, and has a rule kept.

use crate::support::{Desk, FINISH, Terminal, session, shell, write};

const SIZE: (u16, u16) = (100, 30);
/// A rule of the repository that asks about one program.
const ASK: &str = "[[rule]]\ncommand = [\"touch\"]\ndecision = \"ask\"\nreason = \"files are made by a person\"\n";

fn asking() -> Desk {
    let desk = Desk::new();
    let config = format!("{}\n{ASK}", desk.project.read("harness.toml"));
    desk.project.write("harness.toml", &config);
    desk.project.commit_all("a rule");
    assert_eq!(desk.harness(&["trust", "--yes"]).code, 0);
    desk
}

fn start(desk: &Desk, turns: &[&str], more: &[&str]) -> Terminal {
    let script = desk.script(&session("", turns));
    let arguments = [&["run", "--model", script.as_str()], more].concat();
    Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE)
}

fn saved(desk: &Desk) -> Option<String> {
    let file = desk.home.path().join(".local/state/harness/rules.toml");
    std::fs::read_to_string(file).ok()
}

/// Waits until the keys of the panel count: it is dead at first.
fn awake() {
    std::thread::sleep(std::time::Duration::from_millis(600));
}

#[test]
fn yes_once_runs_the_command_and_the_next_is_asked_about_again() {
    let desk = asking();
    let turns = [
        &*shell("touch src/made"),
        &shell("touch src/more"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let mut terminal = start(&desk, &turns, &[]);
    terminal.wait_for("Run this command?");
    terminal.wait_for("touch src/made");
    assert!(!desk.project.root().join("src/made").exists());
    awake();
    terminal.press("y");
    terminal.wait_for("always: exactly `touch src/more`");
    assert!(desk.project.root().join("src/made").exists());
    awake();
    terminal.press("nnot that one\r");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert!(!desk.project.root().join("src/more").exists());
    assert_eq!(saved(&desk), None);
}

#[test]
fn always_keeps_the_rule_that_was_shown_and_a_later_run_does_not_ask() {
    let desk = asking();
    let turns = [
        &*shell("touch src/made"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let mut terminal = start(&desk, &turns, &[]);
    terminal.wait_for("always: exactly `touch src/made`, kept in");
    awake();
    terminal.press("a");
    terminal.wait_for("run ended: all_passing");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    let rules = saved(&desk).expect("a rule was kept");
    assert!(
        rules.contains("command = [\"touch\", \"src/made\"]\nexact = true\ndecision = \"allow\""),
        "{rules}"
    );
    let explained = desk.harness(&["scope", "explain", "--command", "touch src/made"]);
    assert!(
        explained
            .stdout
            .contains("run: allow, by `touch src/made` ("),
        "{}",
        explained.stdout
    );
    assert!(
        explained.stdout.contains("rules.toml:"),
        "{}",
        explained.stdout
    );
    let other = desk.harness(&["scope", "explain", "--command", "touch src/more"]);
    assert!(other.stdout.contains("run: ask"), "{}", other.stdout);
}

#[test]
fn nothing_counts_before_the_end_of_a_long_command_was_seen() {
    let desk = asking();
    let command = format!("touch src/made{}\ncurl example.org", "\ntrue".repeat(300));
    let mut terminal = start(&desk, &[&shell(&command), "I give up."], &[]);
    terminal.wait_for("lines more below, page down");
    terminal.press("y");
    awake();
    terminal.press("y");
    terminal.wait_for("lines are hidden");
    terminal.press("\u{1b}[200~y\r\u{1b}[201~");
    terminal.wait_for("a question is open");
    terminal.press("d");
    terminal.wait_for("no, not in this session");
    assert!(!desk.project.root().join("src/made").exists());
    terminal.press("\u{3}");
    terminal.wait_for("run ended");
    terminal.press("\u{4}");
    terminal.end();
}

#[test]
fn plain_lines_ask_too_and_what_was_typed_before_does_not_count() {
    let desk = asking();
    let turns = [
        &*shell("touch src/made"),
        &write("src/answer", "42\n"),
        FINISH,
    ];
    let mut terminal = start(&desk, &turns, &["--plain"]);
    terminal.press("y\r");
    terminal.wait_for("once more");
    awake();
    terminal.press("y\r");
    terminal.wait_for("run ended: all_passing");
    assert_eq!(terminal.end(), 0);
    assert!(desk.project.root().join("src/made").exists());
}
