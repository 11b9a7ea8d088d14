//! What is said of jobs that are over.

use harness_core::{CallId, JobEnd};
use harness_tool::JobLine;

/// Words for a job whose end the agent does not know yet, with the next step.
pub(crate) fn job_over(call: CallId, command: &str, end: &JobEnd) -> String {
    let line = harness_tool::jobs_text([JobLine {
        call,
        command,
        end: Some(end),
    }]);
    let next = match end {
        JobEnd::Ended { .. } => "`job` with its id reads what it printed last",
        JobEnd::Stopped => {
            "the harness stops jobs before it proves a finish; start it again if you need it"
        }
        JobEnd::Failed { .. } | JobEnd::Lost => "start it again if you need it",
    };
    format!("[job {line}\n{next}]")
}
