//! The demo on the screen: in a pty, and driven by keyboard in tmux where it is installed.

use std::{
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::Home;

use crate::support::{PROGRAM, Terminal};

#[test]
fn the_demo_plays_on_the_screen_and_says_where_it_is() {
    let home = Home::new(PROGRAM);
    let folder = home.path().join("tmp");
    std::fs::create_dir(&folder).expect("a new folder");
    let environment = [("TMPDIR", folder.to_str().expect("a path that is text"))];
    let arguments = ["demo", "--fast"];
    let mut terminal =
        Terminal::start_with(&home, home.path(), &arguments, (120, 40), &environment);
    // It ends in the review; the story is one key away.
    terminal.wait_for("0 of 2 hunks");
    terminal.press("\u{1b}OQ");
    terminal.wait_for("landed F-001, F-002 on main");
    let screen = terminal.screen();
    for text in ["recorded", "Features  2 / 2 passing", "✓ F-001", "Sandbox"] {
        assert!(screen.contains(text), "{text} in:\n{screen}");
    }
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
    let screen = terminal.screen();
    assert!(screen.contains("The repository is at"), "{screen}");
    assert!(screen.contains("harness verify"), "{screen}");
}

/// A tmux server of its own.
pub(super) struct Tmux {
    socket: String,
}

impl Tmux {
    /// Starts one; `None` where tmux is not installed.
    pub(super) fn start(name: &str) -> Option<Self> {
        Command::new("tmux").arg("-V").output().ok()?;
        let socket = format!("harness-test-{name}-{}", std::process::id());
        Some(Self { socket })
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket, "-f", "/dev/null"]);
        command.args(arguments).env("TERM", "xterm-256color");
        command.output().expect("tmux starts")
    }

    /// Plays the demo in a window of its own.
    pub(super) fn play_demo(&self, home: &Home, columns: &str, rows: &str) {
        self.open(home, home.path(), &["demo", "--fast"], (columns, rows));
    }

    /// Opens the program in a window of its own.
    pub(super) fn open(
        &self,
        home: &Home,
        place: &Path,
        arguments: &[&str],
        (columns, rows): (&str, &str),
    ) {
        let folder = home.path().display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let (place, arguments) = (place.display(), arguments.join(" "));
        let command = format!(
            "cd '{place}'; env -i HOME='{folder}' TMPDIR='{folder}' PATH='{path}' LANG=C.UTF-8 TERM=screen-256color \
             sh -c '\"{PROGRAM}\" {arguments}; echo exit $?; sleep 60'"
        );
        let window = ["new-session", "-d", "-s", "demo", "-x", columns, "-y", rows];
        self.run(&[&window[..], &[&command]].concat());
    }

    pub(super) fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys", "-t", "demo"], keys].concat());
    }

    pub(super) fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("no `{text}`"), |screen| screen.contains(text))
    }

    fn wait_until_gone(&self, text: &str) {
        self.wait_until(&format!("still `{text}`"), |screen| !screen.contains(text));
    }

    fn wait_until(&self, complaint: &str, holds: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let output = self.run(&["capture-pane", "-p", "-t", "demo"]);
            let screen = String::from_utf8_lossy(&output.stdout).into_owned();
            if holds(&screen) {
                return screen;
            }
            assert!(Instant::now() < until, "{complaint}:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_demo_is_driven_by_keyboard_in_tmux() {
    let Some(tmux) = Tmux::start("demo") else {
        eprintln!("skipped: tmux is not installed");
        return;
    };
    let home = Home::new(PROGRAM);
    tmux.play_demo(&home, "120", "40");
    tmux.wait_for("0 of 2 hunks");
    tmux.press(&["F2"]);
    tmux.wait_for("landed F-001, F-002 on main");
    tmux.press(&["F1"]);
    tmux.wait_for("Show the keys as they are bound now");
    tmux.press(&["Escape"]);
    // An escape and a key right behind it would be one key with Alt.
    tmux.wait_until_gone("Show the keys as they are bound now");
    tmux.press(&["Tab", "g"]);
    tmux.wait_for("A recorded model works on a small project");
    tmux.press(&["]", "j", "j", "Enter"]);
    tmux.press(&["q"]);
    tmux.press(&["C-p"]);
    tmux.wait_for("find:");
    tmux.press(&["app.quit", "Enter"]);
    let screen = tmux.wait_for("exit 0");
    assert!(screen.contains("The repository is at"), "{screen}");
}
