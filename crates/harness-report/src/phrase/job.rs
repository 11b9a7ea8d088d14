//! Commands in words, and the jobs that some of them go on as.

use harness_core::{Event, JobEnd, RepoPath};

use super::{ARGUMENT_CHARS, Line, Who, hidden, one, seconds, stop_words};
use crate::clean::clean_line;

/// Names a command.
pub(super) fn command(is_job: bool, command: &str, cwd: &RepoPath) -> String {
    let how = if is_job { "background `" } else { "shell `" };
    let place = if cwd.is_root() {
        String::new()
    } else {
        format!(" in {}", clean_line(&cwd.to_string(), ARGUMENT_CHARS))
    };
    format!(
        "{how}{}`{}{place}",
        clean_line(command, ARGUMENT_CHARS),
        hidden(command)
    )
}

pub(super) fn lines(event: &Event) -> Vec<Line> {
    match event {
        Event::JobStarted { call, command } => one(
            Who::Harness,
            format!(
                "job {} runs `{}`",
                call.handle(),
                clean_line(command, ARGUMENT_CHARS)
            ),
        ),
        Event::JobEnded { call, end, ms } => one(
            Who::Harness,
            format!("job {}: {}, {}", call.handle(), ended(end), seconds(*ms)),
        ),
        _ => Vec::new(),
    }
}

fn ended(end: &JobEnd) -> String {
    match end {
        JobEnd::Ended { stop } => stop_words(*stop),
        JobEnd::Stopped => "stopped".to_owned(),
        JobEnd::Failed { message } => format!("FAILED: {}", clean_line(message, 300)),
        JobEnd::Lost => "gone with the process that ran it".to_owned(),
    }
}
