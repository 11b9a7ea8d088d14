//! A running program: what it tells so far, a signal, and how it ended.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness_testkit::Run;

use super::{Desk, Story, alive};

/// The program, running.
pub(crate) struct Live {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    told: String,
}

impl Live {
    /// Starts the program; it tells what it does as JSON lines.
    pub(crate) fn start(desk: &Desk, arguments: &[&str]) -> Self {
        Self::start_with(desk, arguments, None)
    }

    /// The same, with a variable of the environment.
    pub(crate) fn start_with(
        desk: &Desk,
        arguments: &[&str],
        variable: Option<(&str, &OsStr)>,
    ) -> Self {
        let arguments = [arguments, &["--json", "--no-input"]].concat();
        let mut command = desk.home.command(&desk.project.root(), &arguments);
        let spawned = command
            .envs(variable)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Self {
            child,
            lines,
            told: String::new(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads on until an event was told so many times; `false` when the program ends before that.
    pub(crate) fn wait_for(&mut self, kind: &str, times: usize) -> bool {
        let wanted = format!("\"type\":\"{kind}\"");
        let mut seen = 0;
        while seen < times {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return false;
            }
            seen += usize::from(line.contains(&wanted));
            self.told.push_str(&line);
        }
        true
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Story {
        let mut rest = String::new();
        let _ = self.lines.read_to_string(&mut rest);
        self.told.push_str(&rest);
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            let _ = pipe.read_to_string(&mut stderr);
        }
        let status = self.child.wait().expect("a child that was started");
        let code = {
            use std::os::unix::process::ExitStatusExt as _;
            status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
        };
        // A line that the kill cut short is no line.
        let whole = self.told.rfind('\n').map_or(0, |end| end + 1);
        self.told.truncate(whole);
        Story::of(Run {
            code,
            stdout: self.told,
            stderr,
        })
    }

    /// Ends the program as a power failure of its process would.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that the test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    sent.expect("`kill` is there");
}

/// Waits up to two seconds for the last process that carries the word.
pub(crate) fn assert_gone(word: &str, when: &str) {
    let until = Instant::now() + Duration::from_secs(2);
    while alive(word) > 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(alive(word), 0, "processes are left: {when}");
}

/// A number of seconds that no other process sleeps for: `sleep` itself carries it.
pub(crate) fn unique_word() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("9{}.{count}7", std::process::id())
}
