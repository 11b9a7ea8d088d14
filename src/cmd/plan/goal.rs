//! The goal as a person gives it: words, a file, or standard input.

use std::{
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use harness_core::ByteCount;

use crate::{cli::Plan, failure::Failure, files};

/// The longest goal.
const GOAL_MAX: ByteCount = ByteCount::kib(16);

/// Reads the goal that the command line names.
pub(super) fn read(flags: &Plan) -> Result<String, Failure> {
    let text = match (&flags.goal, &flags.prompt_file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) if path == Path::new("-") => from_input()?,
        (None, Some(path)) => from_file(path)?,
        (None, None) => {
            return Err(Failure::usage("plan for what?").hint(
                "`harness plan \"GOAL\"`, or `--prompt-file FILE`; `harness plan --show` shows what waits for you",
            ));
        }
    };
    checked(&text)
}

/// Returns a goal that says something and is not too long.
pub(super) fn checked(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::usage("the goal is empty")
            .hint("say what is wanted: `harness plan \"add CSV import with tests\"`"));
    }
    if text.len() as u64 > GOAL_MAX.0 {
        return Err(Failure::usage(format!(
            "the goal has {}, at most {GOAL_MAX} are taken",
            ByteCount(text.len() as u64)
        ))
        .hint("put the details into a file of the repository and name it in the goal"));
    }
    Ok(text.to_owned())
}

fn from_file(path: &Path) -> Result<String, Failure> {
    let bytes = files::read_own(path, ByteCount(GOAL_MAX.0 * 4))?;
    let bytes = bytes.ok_or_else(|| {
        Failure::usage(format!(
            "cannot read the goal: there is no `{}`",
            path.display()
        ))
    })?;
    text_of(bytes, &path.display().to_string())
}

fn from_input() -> Result<String, Failure> {
    let input = io::stdin();
    if input.is_terminal() {
        return Err(
            Failure::usage("cannot read the goal: standard input is a terminal")
                .hint("`harness plan \"GOAL\"`, or `harness plan --prompt-file - < FILE`"),
        );
    }
    let mut bytes = Vec::new();
    let read = input.lock().take(GOAL_MAX.0 * 4).read_to_end(&mut bytes);
    read.map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
    text_of(bytes, "standard input")
}

fn text_of(bytes: Vec<u8>, what: &str) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("cannot read the goal: {what} is no UTF-8")))
}
