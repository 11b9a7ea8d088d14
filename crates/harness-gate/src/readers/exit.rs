//! The exit code alone.

use harness_core::Stop;

use super::{Report, tail_excerpt};

/// Makes a report without counts, with the end of the output when the command failed.
pub(super) fn read(output: &str, stop: Stop) -> Report {
    Report {
        excerpt: match stop {
            Stop::Exited(0) => String::new(),
            _ => tail_excerpt(output),
        },
        ..Report::default()
    }
}
