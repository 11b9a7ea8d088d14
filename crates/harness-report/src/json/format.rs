//! Formatters as JSON lines.

use harness_core::{Formatted, RepoPath};

use super::JsonLine;

impl JsonLine {
    pub(super) fn of_format(formatted: &Formatted) -> Self {
        let texts = |paths: &[RepoPath]| paths.iter().map(ToString::to_string).collect();
        Self::Formatted {
            run: formatted.run.clone(),
            files: texts(&formatted.paths),
            changed: texts(&formatted.changed),
            message: formatted.problem.clone(),
            ms: formatted.ms,
        }
    }
}
