//! The side of an attempt that tries: this program, started anew in the cage or without one.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    process::ExitCode,
};

use super::{Attempt, act};

/// The argument that makes this program try something.
pub(super) const ARGUMENT: &str = "__attempt";

/// Stands between one attempt with its arguments and the next.
pub(super) const NEXT: &str = "--";

/// The name of what stays where it is until its standard input ends, for others to be tried on.
pub(super) const STAND_IN: &str = "stand_in";

/// The name of a write that has to work.
pub(super) const WRITE_INSIDE: &str = "write_inside";

/// The name of a look at whether system calls are filtered.
pub(super) const IS_FILTERED: &str = "is_filtered";

/// Tries what the arguments name when they ask for it; `None` when they do not.
///
/// Called before anything else by a program that makes attempts. There must be no
/// other thread. Writes one line for each attempt: its name, then `worked`, or
/// `refused` and the system's answer.
pub fn serve_attempt(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let arguments: Vec<OsString> = arguments.collect();
    let mut output = io::stdout();
    for step in arguments.split(|argument| argument == NEXT) {
        let Some((name, arguments)) = step.split_first() else {
            continue;
        };
        let name = name.to_string_lossy();
        let line = match act_as(&name, arguments) {
            Ok(()) => format!("{name} worked\n"),
            Err(error) => format!("{name} refused {error}\n"),
        };
        // Whoever does not read any more needs no answer.
        let _ = output
            .write_all(line.as_bytes())
            .and_then(|()| output.flush());
    }
    Some(ExitCode::SUCCESS)
}

fn act_as(name: &str, arguments: &[OsString]) -> io::Result<()> {
    let first = arguments
        .first()
        .map_or(OsStr::new(""), OsString::as_os_str);
    match name {
        STAND_IN => io::stdin().read(&mut [0]).map(drop),
        WRITE_INSIDE => std::fs::write(first, "x"),
        IS_FILTERED => act::is_filtered(),
        name => {
            let attempt = Attempt::named(name);
            let attempt = attempt.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
            act::act(attempt, first)
        }
    }
}
