//! What leaves the screen: a text for an editor, a pager, the clipboard, a call; and what comes back.

use std::{fs, os::unix::fs::PermissionsExt as _, thread, time::Duration};

use super::ways_out::modes_before;
use crate::support::{Desk, FINISH, Terminal, session, shell};

const SIZE: (u16, u16) = (100, 30);
/// Longer than the terminal has to answer.
const LATE: Duration = Duration::from_millis(500);

/// Makes a program of the person's beside the project.
fn program(desk: &Desk, name: &str, text: &str) -> String {
    let file = desk.project.outside().join(name);
    fs::write(&file, format!("#!/bin/sh\n{text}")).expect("a file in a temporary folder");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
    file.display().to_string()
}

fn has(terminal: &Terminal, bytes: &[u8]) -> bool {
    let seen = terminal.bytes();
    seen.windows(bytes.len()).any(|part| part == bytes)
}

#[test]
fn an_editor_has_the_terminal_whole_and_its_text_comes_back() {
    let desk = Desk::new();
    let text = "cat \"$1\"; echo EDITOR HERE; read line; echo \"$line\" >> \"$1\"\n";
    let editor = program(&desk, "editor", text);
    let environment = [("VISUAL", editor.as_str()), ("EDITOR", "/nowhere")];
    let root = desk.project.root();
    let mut terminal = Terminal::start_with(&desk.home, &root, &[], SIZE, &environment);
    terminal.wait_for("trusted");
    let entered = terminal.modes();
    terminal.press("mend ");
    terminal.wait_for("> mend");
    terminal.press("\u{7}");
    terminal.wait_for("EDITOR HERE");
    assert_eq!(terminal.modes(), modes_before());
    terminal.press("the quotes\r");
    terminal.wait_for("the quotes");
    terminal.wait_until("screen", |terminal| terminal.modes() == entered);
    terminal.wait_for("> mend the quotes");
    terminal.press("\u{3}");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_eq!(terminal.modes(), modes_before());
}

#[test]
fn an_editor_that_is_not_there_or_fails_leaves_the_text() {
    let desk = Desk::new();
    let fails = program(&desk, "fails", "exit 3\n");
    for (editor, told) in [
        ("/nowhere/editor -w", "cannot start `/nowhere/editor`"),
        (fails.as_str(), "the text is as it was"),
    ] {
        let root = desk.project.root();
        let environment = [("VISUAL", editor)];
        let mut terminal = Terminal::start_with(&desk.home, &root, &[], SIZE, &environment);
        terminal.wait_for("trusted");
        terminal.press("half");
        terminal.press("\u{7}");
        terminal.wait_for(told);
        terminal.wait_for("> half");
        terminal.press("\u{3}");
        terminal.press("\u{4}");
        assert_eq!(terminal.end(), 0);
    }
}

#[test]
fn a_pager_reads_everything_while_the_run_goes_on() {
    let desk = Desk::new();
    let text = "cat; echo PAGER HERE; read line < /dev/tty\n";
    let pager = program(&desk, "pager", text);
    let script = desk.script(&session("", &[&shell("sleep 1"), FINISH]));
    let arguments = ["run", "--model", script.as_str()];
    let environment = [("PAGER", pager.as_str())];
    let root = desk.project.root();
    let mut terminal = Terminal::start_with(&desk.home, &root, &arguments, SIZE, &environment);
    terminal.wait_for("shell runs");
    terminal.press("\tv");
    terminal.wait_for("PAGER HERE");
    terminal.wait_for("note: ");
    thread::sleep(Duration::from_secs(2));
    // A key of the terminal that stops programs is for the pager; this one has no use for it.
    terminal.press("\r");
    terminal.wait_for("run ended");
    terminal.press("q\u{4}");
    terminal.end();
    assert_eq!(terminal.modes(), modes_before());
}

#[test]
fn a_copy_goes_to_the_clipboard_and_a_console_gets_a_file() {
    let desk = Desk::new();
    let root = desk.project.root();
    let mut terminal = Terminal::start(&desk.home, &root, &[], SIZE);
    terminal.wait_for("trusted");
    terminal.press("\ty");
    terminal.wait_for("sent to the clipboard");
    assert!(has(&terminal, b"\x1b]52;c;"));
    terminal.press("q\u{4}");
    terminal.end();
    let console = [("TERM", "linux")];
    let mut terminal = Terminal::start_with(&desk.home, &root, &[], SIZE, &console);
    terminal.wait_for("trusted");
    terminal.press("\ty");
    terminal.wait_for("copied.txt");
    assert!(!has(&terminal, b"\x1b]52;"));
    terminal.press("q\u{4}");
    terminal.end();
}

#[test]
fn files_are_offered_and_what_is_hidden_or_ignored_is_not() {
    let desk = Desk::new();
    desk.project.write(".gitignore", "*.answers\n");
    desk.project.write("src/old.answers", "x\n");
    desk.project.write(".env", "KEY=1\n");
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &[], SIZE);
    terminal.wait_for("trusted");
    terminal.press("look at @answer");
    terminal.wait_for("src/answer");
    terminal.wait_for("docs/answer.md");
    assert!(!terminal.screen().contains("old.answers"));
    terminal.press("\u{15}@env");
    thread::sleep(LATE);
    assert!(
        !terminal.screen().contains("> .env"),
        "{}",
        terminal.screen()
    );
    terminal.press("\u{15}@srcans\t");
    terminal.wait_for("> src/answer");
    terminal.press("\u{3}");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_command_shows_what_it_prints_while_it_runs() {
    let desk = Desk::new();
    let command = shell("echo first; sleep 1; echo second; sleep 30");
    let script = desk.script(&session("", &[&command, FINISH]));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell echo first; sleep 1");
    terminal.wait_until("line of output", |terminal| {
        let screen = terminal.screen();
        screen
            .lines()
            .any(|line| line.trim_start().starts_with("second"))
    });
    terminal.press("\u{3}\u{3}\u{3}");
    terminal.end();
}

#[test]
fn a_person_who_looks_elsewhere_is_called_by_terminal_and_program() {
    let desk = Desk::new();
    let told = desk.project.outside().join("told");
    let teller = program(
        &desk,
        "teller",
        &format!("echo \"$2\" > {}\n", told.display()),
    );
    desk.home.configure(&format!(
        "[notify]\nmethod = \"osc9\"\ncommand = [\"{teller}\", \"harness\"]\n"
    ));
    let script = desk.script(&session(
        "",
        &[&shell("sleep 2"), "I only talk.", "And talk."],
    ));
    let arguments = ["run", "F-1", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell runs");
    // The terminal goes behind.
    terminal.press("\u{1b}[O");
    terminal.wait_for("say how to go on");
    terminal.wait_until("notice", |terminal| {
        has(terminal, b"F-1: needs you\x07\x07")
    });
    terminal.wait_until("call", |_| {
        fs::read_to_string(&told).is_ok_and(|text| text.contains("needs you"))
    });
    terminal.press("\u{3}\u{3}\u{3}");
    terminal.end();
}

#[test]
fn the_background_picks_the_palette_and_an_answer_that_is_late_types_nothing() {
    let desk = Desk::new();
    desk.home.configure("[ui]\ntheme = \"auto\"\n");
    let light = "\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\\u{1b}[?62;22c";
    let root = desk.project.root();
    let deep = [("COLORTERM", "truecolor")];
    let mut terminal = Terminal::start_with(&desk.home, &root, &[], SIZE, &deep);
    terminal.wait_until("question", |terminal| has(terminal, b"\x1b]11;?"));
    terminal.press(light);
    terminal.wait_for("trusted");
    // What works is blue on white.
    terminal.press("\t");
    terminal.wait_until("colour", |terminal| has(terminal, b"38;2;0;90;120"));
    terminal.press("q\u{4}");
    terminal.end();
    let mut terminal = Terminal::start_with(&desk.home, &root, &[], SIZE, &deep);
    terminal.wait_for("trusted");
    thread::sleep(LATE);
    terminal.press(light);
    terminal.press("x");
    terminal.wait_for("> x");
    assert!(!terminal.screen().contains("rgb"), "{}", terminal.screen());
    terminal.press("\u{3}");
    terminal.press("\u{4}");
    terminal.end();
}

#[test]
fn nothing_is_sent_while_nothing_happens() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &[], SIZE);
    terminal.wait_for("trusted");
    thread::sleep(LATE);
    let before = terminal.bytes().len();
    thread::sleep(LATE * 2);
    assert_eq!(terminal.bytes().len(), before);
    terminal.press("\u{4}");
    terminal.end();
}
