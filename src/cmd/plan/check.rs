//! How the base stands on which features will begin: what is red or missing is mended first.

use harness_core::{CheckStatus, Event, Policy, SetupEnd};

/// Says it from what a session has logged; nothing where nothing was tried.
pub(super) fn told(events: &[Event], policy: &Policy) -> Vec<String> {
    if policy.gates.is_empty() {
        return vec![no_gates()];
    }
    let mut lines = Vec::new();
    let mut red: Vec<(&str, CheckStatus)> = Vec::new();
    let mut green = 0;
    for event in events {
        match event {
            Event::BaselineEnded { report, .. } => {
                red.retain(|(gate, _)| *gate != report.gate);
                match report.status {
                    CheckStatus::Green => green += 1,
                    status => red.push((&report.gate, status)),
                }
            }
            Event::BaselineFailed { message } => {
                lines.push(format!("the gates could not be run on the base: {message}"));
            }
            Event::SetupEnded {
                run,
                end: SetupEnd::Failed,
                ..
            } => lines.push(format!("the setup step `{}` fails", run.join(" "))),
            _ => {}
        }
    }
    if !red.is_empty() {
        let red: Vec<String> = red
            .iter()
            .map(|(gate, status)| format!("{gate} is {status}"))
            .collect();
        lines.push(format!(
            "on the base {}: mend that first, features build on it; `harness gate run` shows it again",
            red.join(", ")
        ));
    } else if lines.is_empty() && green > 0 {
        lines.push("all gates are green on the base".to_owned());
    }
    lines.dedup();
    lines
}

/// Words for a repository in which nothing could be proven.
pub(super) fn no_gates() -> String {
    "there are no gates, so no feature could be proven: `harness gate detect` proposes some"
        .to_owned()
}
