//! Settings as a person is shown them: key, value, and whose word it is.

use std::time::Duration;

use harness_core::{ByteCount, Money, RepoPath, Sourced, TokenCount};

use harness_core::ReviewBy;

use crate::value::Written;

/// How the program names itself as an origin.
pub(crate) const BUILT_IN: &str = "built in";

/// One setting as `config show --origin` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key with its table, such as `limits.turns`; a list has one setting per entry.
    pub key: String,
    /// The value as it would be written in a file; `none` where nothing is set.
    pub value: String,
    /// Where it comes from: `harness.toml:3`, `flag`, `environment` or `built in`.
    pub origin: String,
}

/// Settings in the order in which they were decided.
#[derive(Default)]
pub(crate) struct Settings(Vec<Setting>);

impl Settings {
    /// Notes a value and returns it.
    pub(crate) fn keep<T: Literal>(&mut self, key: &str, written: Written<T>) -> T {
        self.note(key, written.value.literal(), &written.origin);
        written.value
    }

    /// Notes what the repository says, or what is built in, and returns it.
    pub(crate) fn keep_or<T: Literal + Clone>(
        &mut self,
        key: &str,
        written: Option<&Written<T>>,
        built_in: T,
    ) -> T {
        let written = written.cloned().unwrap_or_else(|| Written {
            value: built_in,
            origin: BUILT_IN.to_owned(),
        });
        self.keep(key, written)
    }

    /// Notes a value that need not be there, and returns it.
    pub(crate) fn keep_optional<T: Literal>(
        &mut self,
        key: &str,
        written: Option<Written<T>>,
    ) -> Option<T> {
        if written.is_none() {
            self.note(key, "none".to_owned(), BUILT_IN);
        }
        written.map(|written| self.keep(key, written))
    }

    /// Notes every entry of a list.
    pub(crate) fn list(&mut self, key: &str, entries: &[Sourced]) {
        for entry in entries {
            self.note(key, quoted(&entry.value), &entry.origin);
        }
    }

    pub(crate) fn note(&mut self, key: &str, value: String, origin: &str) {
        self.0.push(Setting {
            key: key.to_owned(),
            value,
            origin: origin.to_owned(),
        });
    }

    pub(crate) fn into_inner(self) -> Vec<Setting> {
        self.0
    }
}

/// Returns a text as a one-line TOML string: control and invisible characters are escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            // `escape_debug` leaves exactly those alone that can be seen.
            _ if char == '\'' || char.escape_debug().count() == 1 => quoted.push(char),
            _ => quoted.push_str(&format!("\\U{:08X}", u32::from(char))),
        }
    }
    quoted.push('"');
    quoted
}

/// A value as it would be written in a file.
pub(crate) trait Literal {
    fn literal(&self) -> String;
}

impl Literal for u32 {
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for bool {
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for String {
    fn literal(&self) -> String {
        quoted(self)
    }
}

impl Literal for Vec<String> {
    fn literal(&self) -> String {
        let words: Vec<String> = self.iter().map(|word| quoted(word)).collect();
        format!("[{}]", words.join(", "))
    }
}

impl Literal for RepoPath {
    fn literal(&self) -> String {
        quoted(&self.to_text())
    }
}

impl Literal for ReviewBy {
    fn literal(&self) -> String {
        quoted(self.as_str())
    }
}

impl Literal for Money {
    fn literal(&self) -> String {
        format!("{:?}", self.as_usd())
    }
}

/// Shown sizes are rounded; a size that is not round is written in full.
impl Literal for ByteCount {
    fn literal(&self) -> String {
        let shown = self.to_string();
        if shown.contains('.') {
            return quoted(&format!("{} bytes", self.0));
        }
        quoted(&shown)
    }
}

impl Literal for TokenCount {
    fn literal(&self) -> String {
        if self.0.is_multiple_of(1000) {
            return quoted(&format!("{}k tokens", self.0 / 1000));
        }
        quoted(&format!("{} tokens", self.0))
    }
}

impl Literal for Duration {
    fn literal(&self) -> String {
        quoted(&humantime::format_duration(*self).to_string())
    }
}
