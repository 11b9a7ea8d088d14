//! Formatters: commands that the harness runs on the files that an agent's tools have changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{CallId, RepoPath};

/// A formatter as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The argv; there is no shell, and the changed files are put behind it.
    pub run: Vec<String>,
    /// Patterns of the files that it is for.
    pub paths: Vec<String>,
    /// How long it may run.
    pub timeout: Duration,
}

impl Format {
    /// How long a formatter may run that does not say.
    pub const TIMEOUT: Duration = Duration::from_secs(20);
}

/// A formatter that has run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formatted {
    /// The call whose change it ran on.
    pub call: CallId,
    /// Its argv, without the files.
    pub run: Vec<String>,
    /// The files that it was given.
    pub paths: Vec<RepoPath>,
    /// Those of them that it has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<RepoPath>,
    /// What went wrong, with the end of its output; empty when all went well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// How long it took. Unit: milliseconds.
    pub ms: u64,
}
