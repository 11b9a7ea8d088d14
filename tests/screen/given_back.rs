//! Byte for byte: whatever was switched on is switched off again, on every way out, also what an
//! emulator does not tell: the keyboard's protocol, the focus, the colours, the marks of a frame.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::{Reply, Server};
use portable_pty::CommandBuilder;

use super::ways_out::modes_before;
use crate::support::{Desk, FINISH, Terminal, session, shell, signal};

const SIZE: (u16, u16) = (100, 30);
/// A terminal that tells more keys apart, and answers at once.
const ANSWER: &str = "\u{1b}[?1u\u{1b}[?62;22c";
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was set and not reset, by the bytes alone.
#[derive(Debug, Default, PartialEq, Eq)]
struct LeftOver {
    /// Private modes that differ from what they are at the start.
    modes: BTreeMap<u32, bool>,
    /// How often the keyboard's protocol was pushed and not popped.
    keyboard: i32,
    /// Whether letters are still painted in some way.
    is_painted: bool,
}

/// Reads what a program sent as a terminal keeps it.
fn left_over(bytes: &[u8]) -> LeftOver {
    let mut left = LeftOver::default();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|part| part == b"\x1b[") {
        rest = &rest[at + 2..];
        let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
            break;
        };
        let words = String::from_utf8_lossy(&rest[..end]).into_owned();
        match (rest[end], words.strip_prefix('?')) {
            (set @ (b'h' | b'l'), Some(modes)) => {
                for mode in modes.split(';').filter_map(|mode| mode.parse().ok()) {
                    // The cursor is shown at the start; all else is off.
                    let is_set = set == b'h';
                    match is_set == (mode == 25) {
                        true => left.modes.remove(&mode),
                        false => left.modes.insert(mode, is_set),
                    };
                }
            }
            (b'u', None) if words.starts_with('>') => left.keyboard += 1,
            (b'u', None) if words.starts_with('<') => left.keyboard -= 1,
            (b'm', None) => left.is_painted = !matches!(words.as_str(), "" | "0" | "39;49"),
            _ => {}
        }
        rest = &rest[end + 1..];
    }
    left
}

/// What a session in a terminal with all modes sets while it goes on.
fn assert_taken(terminal: &Terminal) {
    let left = left_over(&terminal.bytes());
    for mode in [1049, 2004, 1004, 1000, 1006] {
        assert_eq!(left.modes.get(&mode), Some(&true), "{mode}: {left:?}");
    }
    assert_eq!(left.keyboard, 1);
}

fn assert_given_back(terminal: &Terminal, way: &str) {
    assert_eq!(left_over(&terminal.bytes()), LeftOver::default(), "{way}");
    assert_eq!(terminal.modes(), modes_before(), "{way}");
}

/// A person with a mouse and a keyboard of many keys.
fn start(desk: &Desk, arguments: &[&str], environment: &[(&str, &str)]) -> Terminal {
    desk.home.configure("[ui]\nmouse = true\n");
    let root = desk.project.root();
    let mut terminal = Terminal::start_with(&desk.home, &root, arguments, SIZE, environment);
    terminal.wait_until("question", |terminal| {
        terminal.bytes().windows(4).any(|part| part == b"\x1b[?u")
    });
    terminal.press(ANSWER);
    terminal
}

fn at_work(desk: &Desk) -> Terminal {
    let script = desk.script(&session("", &[&shell("sleep 20"), FINISH]));
    let terminal = start(desk, &["run", "--model", script.as_str()], &[]);
    terminal.wait_for("shell runs");
    terminal
}

fn program(desk: &Desk, name: &str, text: &str) -> String {
    let file = desk.project.outside().join(name);
    fs::write(&file, format!("#!/bin/sh\n{text}")).expect("a file in a temporary folder");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
    file.display().to_string()
}

#[test]
fn who_looks_around_and_leaves() {
    for keys in ["\u{4}", "\u{3}\u{3}", "/quit\r"] {
        let desk = Desk::new();
        let mut terminal = start(&desk, &[], &[]);
        terminal.wait_for("trusted");
        assert_taken(&terminal);
        terminal.press(keys);
        assert_eq!(terminal.end(), 0, "{keys:?}");
        assert_given_back(&terminal, keys);
    }
}

#[test]
fn a_page_is_left_by_q_and_the_program_from_there() {
    let desk = Desk::new();
    let mut terminal = start(&desk, &[], &[]);
    terminal.wait_for("trusted");
    terminal.press("\u{1b}OS");
    terminal.wait_for("F-1  Give the answer");
    terminal.press("q");
    terminal.wait_for("type a task");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_given_back(&terminal, "q");
}

#[test]
fn every_signal_that_ends_it() {
    for name in ["TERM", "HUP", "INT", "QUIT"] {
        let desk = Desk::new();
        let mut terminal = at_work(&desk);
        assert_taken(&terminal);
        signal(terminal.pid(), name);
        terminal.end();
        assert_given_back(&terminal, name);
    }
}

#[test]
fn who_presses_twice_does_not_wait() {
    let desk = Desk::new();
    let mut terminal = at_work(&desk);
    terminal.press("\u{3}");
    terminal.press("\u{3}");
    terminal.press("\u{3}");
    terminal.end();
    assert_given_back(&terminal, "Ctrl+C");
}

#[test]
fn a_stop_and_what_comes_after() {
    let desk = Desk::new();
    let mut terminal = at_work(&desk);
    terminal.press("\u{1a}");
    terminal.wait_until("stopped process", Terminal::is_stopped);
    terminal.wait_until("main screen", |terminal| terminal.modes() == modes_before());
    assert_given_back(&terminal, "stopped");
    signal(terminal.pid(), "CONT");
    terminal.wait_until("screen", |terminal| {
        left_over(&terminal.bytes()).modes.get(&1049) == Some(&true)
    });
    terminal.wait_for("shell runs");
    assert_taken(&terminal);
    signal(terminal.pid(), "TERM");
    terminal.end();
    assert_given_back(&terminal, "stopped, continued, ended");
}

#[test]
fn an_agent_that_fails() {
    let desk = Desk::new();
    let server = Server::bare();
    let refused = Reply::Status {
        status: 401,
        headers: Vec::new(),
        body: "{\"error\":\"no\"}".to_owned(),
    };
    server.reply_with(std::iter::repeat_n(refused, 8));
    desk.use_server(&server, "chat");
    let root = desk.project.root();
    let mut terminal = Terminal::start(&desk.home, &root, &["run", "F-1"], SIZE);
    terminal.wait_for("run ended");
    terminal.press("\u{4}");
    assert_ne!(terminal.end(), 0);
    assert_given_back(&terminal, "the agent fails");
}

/// An editor that took the terminal for itself and is killed in it.
const RUDE: &str = "stty raw -echo < /dev/tty\nprintf '\\033[?1049h\\033[?25l\\033[?1000h'\n\
    echo $$ > \"$RUDE\"\necho EDITOR HERE\nsleep 30\n";

#[test]
fn an_editor_that_is_killed_leaves_a_whole_screen_and_its_text() {
    let desk = Desk::new();
    let editor = program(&desk, "editor", RUDE);
    let told = desk.project.outside().join("pid");
    let told_text = told.display().to_string();
    let environment = [("VISUAL", editor.as_str()), ("RUDE", told_text.as_str())];
    let mut terminal = start(&desk, &[], &environment);
    terminal.wait_for("trusted");
    let entered = terminal.modes();
    terminal.press("half");
    terminal.wait_for("> half");
    terminal.press("\u{7}");
    terminal.wait_for("EDITOR HERE");
    let pid = fs::read_to_string(&told).expect("the editor told its number");
    signal(pid.trim().parse().expect("a number"), "KILL");
    terminal.wait_for("> half");
    terminal.wait_until("screen", |terminal| terminal.modes() == entered);
    assert_taken(&terminal);
    terminal.press("\u{3}");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_given_back(&terminal, "the editor is killed");
}

#[test]
fn a_signal_while_an_editor_has_the_terminal_ends_both() {
    let desk = Desk::new();
    let editor = program(&desk, "editor", RUDE);
    let told = desk.project.outside().join("pid");
    let told_text = told.display().to_string();
    let environment = [("VISUAL", editor.as_str()), ("RUDE", told_text.as_str())];
    let mut terminal = start(&desk, &[], &environment);
    terminal.wait_for("trusted");
    terminal.press("half");
    terminal.wait_for("> half");
    terminal.press("\u{7}");
    terminal.wait_for("EDITOR HERE");
    signal(terminal.pid(), "TERM");
    terminal.end();
    assert_given_back(&terminal, "ended while an editor ran");
}

/// The terminal is closed: nobody reads any more, and nobody will press a key.
#[test]
fn a_terminal_that_vanishes_ends_the_run_in_order() {
    let desk = Desk::new();
    let script = desk.script(&session("", &[&shell("sleep 60"), FINISH]));
    let told = desk.project.outside().join("told");
    let child = Command::new(std::env::current_exe().expect("a test binary"))
        .args([
            "--exact",
            "screen::given_back::child_with_a_terminal",
            "--nocapture",
        ])
        .env("HARNESS_TEST_VANISH", &told)
        .env("HARNESS_TEST_VANISH_HOME", desk.home.path())
        .env("HARNESS_TEST_VANISH_MODEL", &script)
        .env("HARNESS_TEST_VANISH_FOLDER", desk.project.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it starts");
    assert!(child.success());
    let pid = fs::read_to_string(&told).expect("it told the program's number");
    let process = Path::new("/proc").join(pid.trim());
    let until = Instant::now() + PATIENCE;
    let is_over = || {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    while !is_over() {
        assert!(Instant::now() < until, "it goes on without a terminal");
        thread::sleep(Duration::from_millis(20));
    }
    let log = desk.harness(&["log", "show", "--json"]).stdout;
    assert!(log.contains("\"run_ended\""), "{log}");
    let verified = desk.harness(&["log", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
}

/// Not a test of its own: a terminal that the test above has closed by ending at once.
#[test]
#[expect(clippy::exit, reason = "a terminal that vanishes says nothing before")]
fn child_with_a_terminal() {
    let Some(told) = std::env::var_os("HARNESS_TEST_VANISH") else {
        return;
    };
    let given = |name: &str| std::env::var(name).expect("the test above gives it");
    let mut command = CommandBuilder::new(crate::support::PROGRAM);
    command.args(["run", "--model", &given("HARNESS_TEST_VANISH_MODEL")]);
    command.cwd(given("HARNESS_TEST_VANISH_FOLDER"));
    command.env("HOME", given("HARNESS_TEST_VANISH_HOME"));
    command.env("TERM", "xterm-256color");
    let terminal = Terminal::spawn(command, SIZE);
    terminal.wait_for("shell runs");
    let mut file = fs::File::create(told).expect("a file in a temporary folder");
    write!(file, "{}", terminal.pid()).expect("it has room");
    drop(file);
    // Everything that is open is closed with the process; the terminal is gone.
    std::process::exit(0);
}
