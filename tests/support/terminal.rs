//! A real terminal for the program: a pty with an emulator behind it that records what it shows.

use std::{
    io::{Read as _, Write as _},
    num::NonZero,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::Home;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything on the screen is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// A program in a terminal.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// What a program can leave a terminal with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modes {
    alternate_screen: bool,
    hidden_cursor: bool,
    bracketed_paste: bool,
    mouse: String,
    /// Flags and control characters of the line discipline.
    line: String,
}

impl Terminal {
    /// Starts the program under test, with the home's clean environment.
    pub(crate) fn start(home: &Home, folder: &Path, arguments: &[&str], size: (u16, u16)) -> Self {
        Self::start_with(home, folder, arguments, size, &[])
    }

    /// The same with more environment.
    pub(crate) fn start_with(
        home: &Home,
        folder: &Path,
        arguments: &[&str],
        size: (u16, u16),
        environment: &[(&str, &str)],
    ) -> Self {
        let prepared = home.command(folder, arguments);
        let mut command = CommandBuilder::new(prepared.get_program());
        command.args(prepared.get_args());
        command.cwd(folder);
        command.env_clear();
        for (name, value) in prepared.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        Self::spawn(command, size)
    }

    /// Starts any program in a terminal.
    pub(crate) fn spawn(command: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a pty");
        let child = pair.slave.spawn_command(command).expect("it starts");
        let mut output = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let seen = Arc::new(Mutex::new(Seen {
            parser: vt100::Parser::new(length(rows), length(columns), 0),
            bytes: Vec::new(),
        }));
        let shown = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                let mut shown = shown.lock().expect("nobody panics with it");
                shown.parser.process(&buffer[..read]);
                shown.bytes.extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            master: pair.master,
            keys,
            child,
            seen,
        }
    }

    /// Types bytes as a keyboard sends them.
    pub(crate) fn press(&mut self, bytes: &str) {
        self.keys
            .write_all(bytes.as_bytes())
            .and_then(|()| self.keys.flush())
            .expect("the terminal takes keys");
    }

    pub(crate) fn resize(&self, (columns, rows): (u16, u16)) {
        let mut seen = self.seen.lock().expect("nobody panics with it");
        seen.parser
            .screen_mut()
            .set_size(length(rows), length(columns));
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).expect("a size");
    }

    /// Returns what is on the screen.
    pub(crate) fn screen(&self) -> String {
        let seen = self.seen.lock().expect("nobody panics with it");
        seen.parser.screen().contents()
    }

    /// Returns every byte that came.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen
            .lock()
            .expect("nobody panics with it")
            .bytes
            .clone()
    }

    /// Waits until a text is on the screen.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("`{text}` on the screen"), |terminal| {
            terminal.screen().contains(text)
        });
    }

    /// Waits until something holds.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < until, "no {what}:\n{}", self.screen());
            thread::sleep(PAUSE);
        }
    }

    pub(crate) fn modes(&self) -> Modes {
        let seen = self.seen.lock().expect("nobody panics with it");
        let screen = seen.parser.screen();
        Modes {
            alternate_screen: screen.alternate_screen(),
            hidden_cursor: screen.hide_cursor(),
            bracketed_paste: screen.bracketed_paste(),
            mouse: format!("{:?}", screen.mouse_protocol_mode()),
            line: format!("{:?}", self.master.get_termios()),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }

    /// Whether the process is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.unwrap_or_default();
        let state = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.starts_with('T'));
        state.unwrap_or(false)
    }

    /// Waits for the end; returns the exit code.
    pub(crate) fn end(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child that was started") {
                // What it wrote last may still be on its way.
                thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            assert!(
                Instant::now() < until,
                "it does not end:\n{}",
                self.screen()
            );
            thread::sleep(PAUSE);
        }
    }
}

fn length(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has room")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
