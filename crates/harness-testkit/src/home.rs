//! A clean home for the program under test: nothing of this machine's configuration reaches it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// An empty home folder, removed at the end.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    program: PathBuf,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; 128 and the signal's number when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Home {
    /// Makes an empty home for the program at `program`.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    pub fn new(program: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("harness-home-")
            .tempdir()
            .expect("a temporary folder");
        Self {
            folder,
            program: PathBuf::from(program),
        }
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the person's configuration.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure(&self, text: &str) {
        let folder = self.path().join(".config/harness");
        std::fs::create_dir_all(&folder).expect("a folder in a new home");
        std::fs::write(folder.join("config.toml"), text).expect("a file in a new home");
    }

    /// Writes a file of the person's state, such as their saved rules.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_state(&self, name: &str, text: &str) {
        let folder = self.path().join(".local/state/harness");
        std::fs::create_dir_all(&folder).expect("a folder in a new home");
        std::fs::write(folder.join(name), text).expect("a file in a new home");
    }

    /// Prepares the program in a folder: empty home, a small environment, no terminal.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null());
        command
            .env("HOME", self.path())
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb");
        for name in [
            "PATH",
            "CARGO_HOME",
            "PYENV_ROOT",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "HARNESS_REQUIRE_LEVEL",
        ] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, folder) in [
            ("CARGO_HOME", ".cargo"),
            ("PYENV_ROOT", ".pyenv"),
            ("RUSTUP_HOME", ".rustup"),
        ] {
            let real = std::env::var_os("HOME").map(|home| Path::new(&home).join(folder));
            if let Some(real) =
                real.filter(|real| std::env::var_os(name).is_none() && real.is_dir())
            {
                command.env(name, real);
            }
        }
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> Run {
        finish(&mut self.command(folder, arguments))
    }

    /// Runs the program to its end with one more environment variable.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_with(
        &self,
        folder: &Path,
        arguments: &[&str],
        name: &str,
        value: impl AsRef<OsStr>,
    ) -> Run {
        finish(self.command(folder, arguments).env(name, value))
    }
}

fn finish(command: &mut Command) -> Run {
    Run::from(command.output().expect("the program under test starts"))
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let code = output
            .status
            .code()
            .unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0));
        Self {
            code,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Sends `SIGINT` to a process that a test started, without a program in between.
///
/// # Panics
/// When there is no such process.
pub fn interrupt(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let pid = pid.expect("a process has a number above nothing");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("the process runs");
}
