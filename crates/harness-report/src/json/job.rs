//! Jobs as JSON lines.

use harness_core::{Event, JobEnd, Stop};

use super::JsonLine;

pub(super) fn line(event: &Event) -> Option<JsonLine> {
    match event {
        Event::JobStarted { call, command } => Some(JsonLine::JobStarted {
            id: call.to_string(),
            command: command.clone(),
        }),
        Event::JobEnded { call, end, ms } => Some(JsonLine::JobEnded {
            id: call.to_string(),
            how: how(end).to_owned(),
            exit_code: match end {
                JobEnd::Ended {
                    stop: Stop::Exited(code),
                } => Some(*code),
                _ => None,
            },
            message: match end {
                JobEnd::Failed { message } => message.clone(),
                _ => String::new(),
            },
            ms: *ms,
        }),
        _ => None,
    }
}

const fn how(end: &JobEnd) -> &'static str {
    match end {
        JobEnd::Ended { .. } => "ended",
        JobEnd::Stopped => "stopped",
        JobEnd::Failed { .. } => "failed",
        JobEnd::Lost => "lost",
    }
}
