//! What can be wrong with a configuration, and where.
//!
//! A fault of a file knows its place; how it is shown (colour, indentation) is
//! the business of whoever prints it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Why a configuration cannot be used.
///
/// The text is one line; [`ConfigError::hint`] says what would help and
/// [`ConfigError::snippet`] shows the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Something stands in a file that cannot stand there.
    #[error(transparent)]
    Fault(Box<Fault>),
    /// The file is longer than any configuration.
    #[error("cannot read `{file}`: it is larger than {limit}")]
    TooLarge {
        /// The file as shown.
        file: String,
        /// The bound, with its unit.
        limit: String,
    },
    /// An environment variable holds what it cannot mean.
    #[error("cannot use the environment variable `{name}`: {problem}")]
    Environment {
        /// The variable.
        name: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// A model was asked for that nobody has defined.
    #[error("cannot use model `{name}` ({origin}): no such model is configured")]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// Who asked for it, such as `harness.toml:40`.
        origin: String,
        /// What would help.
        hint: String,
    },
    /// A gate asks for the environment variable that holds a model's key.
    #[error("cannot give `{variable}` to gate `{gate}`: it holds the key of a model")]
    KeyForGate {
        /// The gate.
        gate: String,
        /// The variable.
        variable: String,
    },
    /// Nobody said which model, and no key for one was found.
    #[error("cannot choose a model: none is configured and no key was found")]
    NoModel {
        /// Environment variables that would have been enough.
        variables: Vec<String>,
    },
}

impl ConfigError {
    /// Returns what would help, as one line; for instance ``did you mean `timeout`?``.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Fault(fault) => fault.hint.clone(),
            Self::UnknownModel { hint, .. } => Some(hint.clone()),
            Self::NoModel { variables } => Some(format!(
                "set {}, or name a model: `--model NAME`",
                list_names(variables.iter().map(String::as_str), " or ")
            )),
            Self::KeyForGate { variable, .. } => Some(format!(
                "take `{variable}` out of the gate's `environment`; a test that needs a key gets one of its own"
            )),
            Self::TooLarge { .. } | Self::Environment { .. } => None,
        }
    }

    /// Returns the line in question with a caret under the place, without colour.
    ///
    /// Several lines, no newline at the end. What may be a key or a password is left out.
    pub fn snippet(&self) -> Option<String> {
        match self {
            Self::Fault(fault) => Some(fault.render()),
            _ => None,
        }
    }

    /// Returns the line, counted from 1, where the error belongs to a place in a file.
    pub fn line(&self) -> Option<usize> {
        self.fault().map(|fault| fault.line)
    }

    /// Returns the column in characters, counted from 1.
    pub fn column(&self) -> Option<usize> {
        self.fault().map(|fault| fault.column)
    }

    /// Returns the key with its tables, such as `gate.timeout`; empty for an error of the syntax.
    pub fn key(&self) -> Option<&str> {
        self.fault().map(|fault| fault.key.as_str())
    }

    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}

/// One thing that is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {}`{file}`, line {line}: {problem}", .subject.as_ref().map(|subject| format!("{subject} in ")).unwrap_or_default())]
pub struct Fault {
    pub(crate) file: String,
    /// What was being read, such as ``gate `unit` ``.
    pub(crate) subject: Option<String>,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) key: String,
    pub(crate) problem: String,
    pub(crate) hint: Option<String>,
    /// The line's text, as much of it as may be shown.
    pub(crate) excerpt: String,
    /// Where in `excerpt` the caret goes. Unit: bytes.
    pub(crate) caret: Range<usize>,
}

impl Fault {
    /// Adds what would help.
    #[must_use]
    pub(crate) fn with_hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }

    fn render(&self) -> String {
        let snippet = Snippet::source(self.excerpt.as_str())
            .path(self.file.as_str())
            .line_start(self.line)
            .annotation(AnnotationKind::Primary.span(self.caret.clone()));
        Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)])
    }
}

impl From<Box<Fault>> for ConfigError {
    fn from(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
    }
}

/// Returns names as a list for a sentence: each in backticks.
pub(crate) fn list_names<'a>(names: impl IntoIterator<Item = &'a str>, between: &str) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(between)
}

/// Returns the name that was most likely meant, when one is near enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A distance over a third of the word suggests words that have nothing to do with it.
    let length = name.chars().count();
    if length > NAME_CHARS_MAX {
        return None;
    }
    let limit = (length / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A longer name is compared with nothing: the comparison is quadratic.
const NAME_CHARS_MAX: usize = 64;

/// Returns foreign text for a message: no control or invisible character, nothing of the
/// shape of a key, at most 60 characters.
pub(crate) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let text = harness_guard::redact(text);
    let mut shown: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|char| match char {
            '\'' | '"' | '\\' => char.to_string(),
            _ => char.escape_debug().to_string(),
        })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
