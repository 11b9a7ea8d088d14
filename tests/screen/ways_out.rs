//! Whatever way the screen is left, the terminal is as it was.

use std::{path::Path, time::Duration};

use harness_testkit::Home;
use harness_tui::{App, Host, Input, Line, Request, Setup};
use portable_pty::CommandBuilder;

use crate::support::{Desk, FINISH, PROGRAM, Terminal, session, shell, signal};

const SIZE: (u16, u16) = (120, 40);

/// A run that works for a while, so that there is something to stop.
fn at_work(desk: &Desk) -> Terminal {
    let script = desk.script(&session("", &[&shell("sleep 20"), FINISH]));
    let arguments = ["run", "--model", script.as_str()];
    let terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("shell runs");
    terminal
}

pub(super) fn modes_before() -> crate::support::Modes {
    let home = Home::new(PROGRAM);
    let mut terminal = Terminal::start(&home, home.path(), &["--version"], SIZE);
    terminal.end();
    terminal.modes()
}

#[test]
fn a_person_who_quits_finds_the_terminal_and_a_summary() {
    let desk = Desk::new();
    let script = desk.script(&session(
        "",
        &[&crate::support::write("src/answer", "42\n"), FINISH],
    ));
    let arguments = ["run", "--model", script.as_str()];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, SIZE);
    terminal.wait_for("run ended: all_passing");
    assert_ne!(terminal.modes(), modes_before());
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    assert_eq!(terminal.modes(), modes_before());
    let screen = terminal.screen();
    for text in [
        "harness: run ended: all_passing, 1 of 1 features passing",
        "1 checkpoint, gates: test green",
        "`harness log show S-0001`",
        "`harness land`",
    ] {
        assert!(screen.contains(text), "{text} in:\n{screen}");
    }
}

#[test]
fn signals_end_the_run_in_order_and_give_the_terminal_back() {
    for (name, code) in [("TERM", 143), ("HUP", 129)] {
        let desk = Desk::new();
        let mut terminal = at_work(&desk);
        signal(terminal.pid(), name);
        assert_eq!(terminal.end(), code, "{name}");
        assert_eq!(terminal.modes(), modes_before(), "{name}");
        assert!(
            terminal.screen().contains("run ended: interrupted"),
            "{}",
            terminal.screen()
        );
        let verified = desk.harness(&["log", "verify"]);
        assert_eq!(verified.code, 0, "{}", verified.stderr);
    }
}

#[test]
fn a_signal_to_quit_leaves_at_once() {
    let desk = Desk::new();
    let mut terminal = at_work(&desk);
    signal(terminal.pid(), "QUIT");
    assert_eq!(terminal.end(), 131);
    assert_eq!(terminal.modes(), modes_before());
}

#[test]
fn an_interrupt_from_outside_stops_the_run_and_the_exit_code_is_its_own() {
    let desk = Desk::new();
    let mut terminal = at_work(&desk);
    signal(terminal.pid(), "INT");
    assert_eq!(terminal.end(), 3);
    assert_eq!(terminal.modes(), modes_before());
}

#[test]
fn who_leaves_without_waiting_leaves_at_once() {
    let desk = Desk::new();
    let mut terminal = at_work(&desk);
    terminal.press("\u{3}\u{3}\u{3}");
    let code = terminal.end();
    assert!([3, 130].contains(&code), "{code}");
    assert_eq!(terminal.modes(), modes_before());
}

#[test]
fn suspended_it_gives_the_terminal_back_and_continued_it_takes_it_again() {
    let desk = Desk::new();
    let mut terminal = at_work(&desk);
    let entered = terminal.modes();
    for suspend in ["key", "TSTP"] {
        match suspend {
            "key" => terminal.press("\u{1a}"),
            name => signal(terminal.pid(), name),
        }
        terminal.wait_until("stopped process", Terminal::is_stopped);
        terminal.wait_until("main screen", |terminal| terminal.modes() == modes_before());
        signal(terminal.pid(), "CONT");
        terminal.wait_until("screen", |terminal| terminal.modes() == entered);
        terminal.wait_for("shell runs");
        terminal.wait_for("Work");
    }
    terminal.press("\u{3}");
    terminal.wait_for("run ended: interrupted");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 3);
    assert_eq!(terminal.modes(), modes_before());
}

#[test]
fn after_a_stop_that_cannot_be_caught_everything_is_painted_anew() {
    let desk = Desk::new();
    let terminal = at_work(&desk);
    signal(terminal.pid(), "STOP");
    terminal.wait_until("stopped process", Terminal::is_stopped);
    let before = terminal.bytes().len();
    signal(terminal.pid(), "CONT");
    terminal.wait_until("new frame", |terminal| {
        terminal.bytes().len() > before + 2_000
    });
}

#[test]
fn a_resize_is_followed_down_to_a_notice_and_back() {
    let desk = Desk::new();
    let terminal = at_work(&desk);
    terminal.resize((80, 24));
    terminal.wait_until("narrow screen", |terminal| {
        let screen = terminal.screen();
        screen.contains("shell runs") && !screen.contains("Work")
    });
    terminal.resize((50, 12));
    terminal.wait_for("50x12 is too small");
    terminal.resize((100, 30));
    terminal.wait_for("Work");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_tells() {
    for place in ["screen", "run"] {
        let mut command = CommandBuilder::new(std::env::current_exe().expect("a test binary"));
        command.args([
            "--exact",
            "screen::ways_out::child_that_panics",
            "--nocapture",
        ]);
        command.env("HARNESS_TEST_PANIC", place);
        command.env("TERM", "xterm-256color");
        // A backtrace, where the caller's environment asks for one, scrolls the message away.
        command.env("RUST_BACKTRACE", "0");
        let mut terminal = Terminal::spawn(command, SIZE);
        assert_ne!(terminal.end(), 0);
        let modes = terminal.modes();
        assert_eq!(modes, modes_before(), "{place}");
        assert!(
            terminal.screen().contains("a panic on purpose"),
            "{}",
            terminal.screen()
        );
        let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        let left = bytes.rfind("\u{1b}[?1049l").expect("the screen was left");
        let told = bytes
            .find("a panic on purpose")
            .expect("the panic was told");
        assert!(left < told, "{place}");
    }
}

/// Not a test of its own: what the test above starts in a terminal.
#[test]
fn child_that_panics() {
    let Some(place) = std::env::var_os("HARNESS_TEST_PANIC") else {
        return;
    };
    struct Panicking(Option<tokio::sync::mpsc::Sender<Input>>, bool);
    impl Host for Panicking {
        fn now(&self) -> harness_core::Timestamp {
            harness_core::Timestamp::from_millis(0)
        }
        fn opened(&mut self) {
            assert!(!self.1, "a panic on purpose");
            let inputs = self.0.take();
            let thread = std::thread::spawn(move || {
                let _inputs = inputs;
                std::thread::sleep(Duration::from_millis(50));
                panic!("a panic on purpose");
            });
            drop(thread);
        }
        fn take(&mut self, _request: Request) {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (inputs_tx, inputs) = tokio::sync::mpsc::channel(1);
    let mut host = Panicking(Some(inputs_tx), place == "screen");
    let make = |columns, rows| {
        App::new(
            Setup::default(),
            columns,
            rows,
            harness_core::Timestamp::from_millis(0),
        )
    };
    let left = runtime.block_on(harness_tui::show(make, inputs, &mut host, Line::Near));
    assert!(left.is_err(), "the other thread has panicked");
}

#[test]
fn lines_are_used_where_a_screen_is_not_wanted_or_does_not_fit() {
    let desk = Desk::new();
    let script = desk.script(&session("", &[FINISH]));
    let run = ["run", "--model", script.as_str()];
    let plain = [&run[..], &["--plain"]].concat();
    type Case<'a> = (&'a [&'a str], (u16, u16), &'a [(&'a str, &'a str)]);
    let cases: [Case<'_>; 5] = [
        (&plain, SIZE, &[]),
        (&run, SIZE, &[("HARNESS_PLAIN", "1")]),
        (&run, SIZE, &[("TERM", "dumb")]),
        (&run, (59, 40), &[]),
        (&run, (120, 15), &[]),
    ];
    let root = desk.project.root();
    for (arguments, size, environment) in cases {
        let mut terminal =
            Terminal::start_with(&desk.home, Path::new(&root), arguments, size, environment);
        terminal.end();
        let bytes = terminal.bytes();
        assert!(!bytes.contains(&0x1b), "{arguments:?} {environment:?}");
        assert!(!bytes.is_empty());
    }
    desk.home.configure("[ui]\nscreen_reader = true\n");
    let mut terminal = Terminal::start(&desk.home, &root, &run, SIZE);
    terminal.end();
    assert!(!terminal.bytes().contains(&0x1b));
}
