//! Programs of the person's that take the terminal for a while: an editor, a pager, a shell.
//!
//! Which ones they are is said by the environment of the person who started us,
//! never by the repository. They run as that person, outside of every cage.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use harness_core::RepoPath;
use harness_tui::{Answer, Failed, Loan};
use tempfile::NamedTempFile;

/// The largest text that is taken back from an editor. Unit: bytes.
const TEXT_MAX: u64 = 1 << 20;

/// A program that has the terminal.
#[derive(Debug)]
pub(super) struct Lent {
    name: String,
    file: Option<NamedTempFile>,
    before: String,
}

impl Lent {
    /// Prepares the program for an errand.
    pub(super) fn prepare(
        errand: &Loan,
        folder: Option<PathBuf>,
    ) -> Result<(Self, Command), Failed> {
        let (mut words, text) = match errand {
            Loan::Compose(text) | Loan::Edit(text) => (editor(), Some(text)),
            Loan::Read(text) => (
                named("PAGER").unwrap_or_else(|| vec!["less".to_owned()]),
                Some(text),
            ),
            Loan::Open { path, line } => (opening(editor(), folder.as_deref(), path, *line)?, None),
            Loan::Shell => (vec![shell()], None),
        };
        let name = words.remove(0);
        let mut command = Command::new(&name);
        command.args(words);
        let file = text
            .map(|text| written(text))
            .transpose()
            .map_err(|error| Failed {
                message: format!("cannot write the text into a file for `{name}`: {error}"),
                hint: Some("make room in the folder for temporary files, or set TMPDIR".to_owned()),
            })?;
        match (errand, &file) {
            (Loan::Read(_), Some(file)) => {
                let text = File::open(file.path()).map_err(|error| Failed {
                    message: format!("cannot open `{}`: {error}", file.path().display()),
                    hint: None,
                })?;
                command.stdin(text).env("LESS", less_options());
            }
            (_, Some(file)) => {
                command.arg(file.path());
            }
            (_, None) => {
                if let Some(folder) = folder {
                    command.current_dir(folder);
                }
            }
        }
        let before = text.cloned().unwrap_or_default();
        Ok((Self { name, file, before }, command))
    }

    /// Takes in how it ended; the file goes with it.
    pub(super) fn finish(
        mut self,
        errand: &Loan,
        ended: &io::Result<ExitStatus>,
    ) -> Option<Answer> {
        let failed = |message, hint: Option<&str>| Failed {
            message,
            hint: hint.map(str::to_owned),
        };
        let name = &self.name;
        let problem = match (ended, errand) {
            (Err(error), _) => Some(failed(
                format!("cannot start `{name}`: {error}"),
                Some(variable(errand)),
            )),
            (Ok(status), Loan::Compose(_)) if !status.success() => Some(failed(
                format!("`{name}` ended with {status}: the text is as it was"),
                None,
            )),
            (Ok(_), _) => None,
        };
        match (problem, errand) {
            (Some(failed), _) => Some(Answer::Returned(failed)),
            (None, Loan::Compose(_)) => Some(Answer::Composed(self.read())),
            (None, _) => None,
        }
    }

    /// Reads the file as it is now: editors may have put another one in its place.
    fn read(&mut self) -> Result<Option<String>, Failed> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read =
            File::open(file.path()).and_then(|file| file.take(TEXT_MAX).read_to_end(&mut bytes));
        if let Err(error) = read {
            return Err(Failed {
                message: format!("cannot read what `{}` wrote: {error}", self.name),
                hint: None,
            });
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok((text != self.before).then_some(text))
    }
}

/// Returns what a person sets to have another program.
const fn variable(errand: &Loan) -> &'static str {
    match errand {
        Loan::Compose(_) | Loan::Edit(_) | Loan::Open { .. } => {
            "set VISUAL or EDITOR to an editor that is there"
        }
        Loan::Read(_) => "set PAGER to a pager that is there",
        Loan::Shell => "set SHELL to a shell that is there",
    }
}

/// Returns the command that opens a file at a line, in the way the editor knows.
fn opening(
    mut words: Vec<String>,
    folder: Option<&Path>,
    path: &RepoPath,
    line: u32,
) -> Result<Vec<String>, Failed> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => std::env::current_dir().map_err(|error| Failed {
            message: format!("cannot open `{path}`: {error}"),
            hint: None,
        })?,
    };
    let folder = std::path::absolute(folder).unwrap_or_default();
    let file = folder.join(Path::new(OsStr::from_bytes(path.as_bytes())));
    let file = file.to_string_lossy().into_owned();
    let name = words
        .first()
        .and_then(|word| word.rsplit('/').next())
        .unwrap_or_default()
        .to_owned();
    match name.as_str() {
        "code" | "codium" | "code-insiders" | "cursor" => {
            words.extend([
                "--wait".to_owned(),
                "--goto".to_owned(),
                format!("{file}:{line}"),
            ]);
        }
        "hx" | "helix" | "zed" | "subl" => words.push(format!("{file}:{line}")),
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "emacsclient" | "micro" | "kak" | "joe"
        | "ed" => {
            words.extend([format!("+{line}"), file]);
        }
        _ => words.push(file),
    }
    Ok(words)
}

fn editor() -> Vec<String> {
    let named = named("VISUAL").or_else(|| named("EDITOR"));
    named.unwrap_or_else(|| vec!["vi".to_owned()])
}

fn shell() -> String {
    std::env::var("SHELL")
        .ok()
        .filter(|shell| !shell.is_empty())
        .unwrap_or_else(|| "/bin/sh".to_owned())
}

/// Reads a program and its arguments; no shell looks at them.
fn named(variable: &str) -> Option<Vec<String>> {
    let words = shlex::split(&std::env::var(variable).ok()?)?;
    (!words.is_empty()).then_some(words)
}

/// A pager that ends by itself on a short text would show nothing before the screen is back.
fn less_options() -> String {
    let own = std::env::var("LESS").unwrap_or_default();
    format!("{own} -+F").trim_start().to_owned()
}

/// Writes a text into a file of its own that nobody else can read.
fn written(text: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("harness-")
        .suffix(".md")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    Ok(file)
}
