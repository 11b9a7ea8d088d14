//! The commands that a session has in the background, from its log.

use harness_core::{CallId, Event};
use harness_report::clean;
use harness_store::Record;
use serde_json::json;

use crate::{failure::Failure, output::Output};

/// The longest command that is shown. Unit: characters.
const COMMAND_CHARS: usize = 120;

/// Shows what runs, or ran when the session's process was cut short: the log cannot tell which.
pub(super) fn running(records: &[Record], output: &mut Output) -> Result<(), Failure> {
    let jobs = alive(records.iter().map(|record| &record.event));
    if jobs.is_empty() {
        return Ok(());
    }
    let listed: Vec<_> = jobs
        .iter()
        .map(|(call, command)| json!({ "id": call.handle(), "command": command }))
        .collect();
    let text = match jobs.len() {
        1 => "jobs: 1 in the background".to_owned(),
        count => format!("jobs: {count} in the background"),
    };
    output.entry("jobs", &text, json!({ "running": listed }))?;
    for (call, command) in jobs {
        output.text(&format!("job: {} {}", call.handle(), clean(&command)))?;
    }
    Ok(())
}

fn alive<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<(CallId, String)> {
    let mut jobs: Vec<(CallId, String)> = Vec::new();
    for event in events {
        match event {
            Event::JobStarted { call, command } => {
                let line = command.trim().lines().next().unwrap_or_default();
                let line = harness_guard::redact(line);
                jobs.push((*call, line.chars().take(COMMAND_CHARS).collect()));
            }
            Event::JobEnded { call, .. } => jobs.retain(|(known, _)| known != call),
            // None outlives its session.
            Event::SessionEnded { .. } | Event::RunEnded { .. } => jobs.clear(),
            _ => {}
        }
    }
    jobs
}
