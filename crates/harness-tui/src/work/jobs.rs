//! Commands that go on in the background, as the work column lists them.

use harness_core::{CallId, Event};
use harness_report::clean_line;

/// The longest command that is kept. Unit: characters.
const COMMAND_CHARS: usize = 80;

/// A command that runs in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobLine {
    call: CallId,
    /// Its command, cleaned.
    pub(crate) command: String,
}

/// Takes an event in; `jobs` are those that run, in the order of their starts.
pub(super) fn take(jobs: &mut Vec<JobLine>, event: &Event) {
    match event {
        Event::JobStarted { call, command } => {
            jobs.retain(|job| job.call != *call);
            jobs.push(JobLine {
                call: *call,
                command: clean_line(command.trim(), COMMAND_CHARS),
            });
        }
        Event::JobEnded { call, .. } => jobs.retain(|job| job.call != *call),
        // None outlives its session.
        Event::SessionOpened(_) | Event::SessionEnded { .. } | Event::RunEnded { .. } => {
            jobs.clear();
        }
        _ => {}
    }
}
