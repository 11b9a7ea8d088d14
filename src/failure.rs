//! How a command fails: what was attempted, the fix, and the exit code.

pub(crate) mod remedy;

use std::{fmt::Display, io::Write as _};

use harness_core::EndReason;
use harness_report::clean;

/// Exit code for our bug or an I/O failure.
const FAILED: u8 = 1;
/// Exit code for usage and configuration.
pub(crate) const USAGE: u8 = 2;
/// Exit code for gates that are red, and for proofs and logs that do not hold.
pub(crate) const RED: u8 = 4;
/// Exit code where a person is needed.
pub(crate) const NEEDS_HUMAN: u8 = 5;

/// A command that could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    snippet: Option<String>,
    hint: Option<String>,
}

impl Failure {
    /// Returns what the process exits with.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    fn new(code: u8, message: impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            snippet: None,
            hint: None,
        }
    }

    /// Our bug, or the system said no; what helps against that is said with it.
    pub(crate) fn failed(message: impl Display) -> Self {
        let failure = Self::new(FAILED, message);
        let remedy = remedy::remedy(&failure.message);
        failure.maybe_hint(remedy.map(str::to_owned))
    }

    /// The person or the configuration asked for something that makes no sense.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(USAGE, message)
    }

    /// A gate is red or a proof does not hold.
    pub(crate) fn red(message: impl Display) -> Self {
        Self::new(RED, message)
    }

    /// A person has to decide.
    pub(crate) fn needs_human(message: impl Display) -> Self {
        Self::new(NEEDS_HUMAN, message)
    }

    /// A run ended so.
    pub(crate) fn ended(reason: EndReason, message: impl Display) -> Self {
        Self::new(reason.exit_code(), message)
    }

    /// Returns it as the screen shows it.
    pub(crate) fn to_told(&self) -> harness_tui::Failed {
        let mut message = self.message.clone();
        if let Some(snippet) = &self.snippet {
            message.push_str(&format!("\n{}", snippet.trim_end()));
        }
        harness_tui::Failed {
            message,
            hint: self.hint.clone(),
        }
    }

    /// Adds the command or key that fixes it.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Adds the place in a file, with its caret.
    pub(crate) fn snippet(mut self, snippet: Option<String>) -> Self {
        self.snippet = snippet;
        self
    }

    /// Adds a hint where there is one.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Writes the failure to standard error; a closed pipe is not worth another error.
    pub(crate) fn print(&self) {
        let _ = std::io::stderr().write_all(self.to_text().as_bytes());
    }

    /// Returns it as lines, cleaned.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        if !self.message.is_empty() {
            text.push_str(&format!("error: {}\n", clean(&self.message)));
        }
        if let Some(snippet) = &self.snippet {
            text.push_str(&format!("{}\n", clean(snippet.trim_end())));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("hint: {}\n", clean(hint)));
        }
        text
    }
}

/// What git could not do says on what, so nothing has to be added.
impl From<harness_git::GitError> for Failure {
    fn from(error: harness_git::GitError) -> Self {
        Self::failed(chain(&error))
    }
}

/// Returns an error's message with the causes behind it, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
