//! The text of one file: bounded, parsed, and able to say where something stands.

use std::ops::Range;

use harness_core::ByteCount;
use toml::{Spanned, de::DeTable};

use crate::{
    ConfigError,
    error::{Fault, shown},
};

/// The longest file that is read as configuration.
pub const FILE_BYTES_MAX: ByteCount = ByteCount::mib(1);

/// The text of a configuration file and its name.
#[derive(Clone, Copy, Debug)]
pub struct ConfigFile<'a> {
    /// As shown to people, such as `harness.toml`.
    pub name: &'a str,
    /// The content, with or without byte order mark; line ends of either kind.
    pub text: &'a str,
}

impl<'a> ConfigFile<'a> {
    /// Takes the bytes of a file as text.
    ///
    /// # Errors
    /// When they are more than [`FILE_BYTES_MAX`] or no UTF-8; the first wrong byte is named.
    pub fn from_bytes(name: &'a str, bytes: &'a [u8]) -> Result<Self, ConfigError> {
        check_size(name, bytes.len())?;
        std::str::from_utf8(bytes)
            .map(|text| Self { name, text })
            .map_err(|error| not_utf8(name, bytes, error.valid_up_to()))
    }
}

/// What is being read, for messages: the tables above a key and the thing they describe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// Such as ``gate `unit` `` or `[scope]`; nothing at the top of the file.
    pub(crate) subject: Option<String>,
    /// The tables, outermost first.
    pub(crate) tables: Vec<String>,
}

impl Place {
    /// Makes the place of a table that is there once.
    pub(crate) fn table(name: &str) -> Self {
        Self::nested([name])
    }

    /// Makes the place of a table below others, named as its header is written.
    pub(crate) fn nested<'a>(tables: impl IntoIterator<Item = &'a str>) -> Self {
        let tables: Vec<String> = tables.into_iter().map(str::to_owned).collect();
        let parts: Vec<String> = tables.iter().map(|table| header_part(table)).collect();
        Self {
            subject: Some(format!("`[{}]`", parts.join("."))),
            tables,
        }
    }

    /// Makes a place with a subject in the reader's words.
    pub(crate) fn named<'a>(subject: String, tables: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            subject: Some(subject),
            tables: tables.into_iter().map(str::to_owned).collect(),
        }
    }

    fn key(&self, key: &str) -> String {
        let mut parts: Vec<String> = self.tables.iter().map(|table| shown(table)).collect();
        if !key.is_empty() {
            parts.push(shown(key));
        }
        parts.join(".")
    }
}

fn header_part(table: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if table.bytes().all(bare) {
        shown(table)
    } else {
        format!("\"{}\"", shown(table))
    }
}

/// A file's text with the index of its lines.
pub(crate) struct Document<'a> {
    name: &'a str,
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Document<'a> {
    /// Takes a file's text.
    ///
    /// # Errors
    /// When it is larger than [`FILE_BYTES_MAX`].
    pub(crate) fn new(file: ConfigFile<'a>) -> Result<Self, ConfigError> {
        check_size(file.name, file.text.len())?;
        let text = file.text.strip_prefix('\u{feff}').unwrap_or(file.text);
        Ok(Self::index(file.name, text))
    }

    fn index(name: &'a str, text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            name,
            text,
            line_starts: std::iter::once(0).chain(after_newlines).collect(),
        }
    }

    /// Parses the text as TOML.
    pub(crate) fn parse(&self) -> Result<Spanned<DeTable<'a>>, ConfigError> {
        DeTable::parse(self.text).map_err(|error| self.syntax_fault(&error).into())
    }

    /// Returns the line that holds the byte at `offset`, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset)
    }

    /// Returns how a value that starts at `offset` names its origin, such as `harness.toml:3`.
    pub(crate) fn origin(&self, offset: usize) -> String {
        format!("{}:{}", self.name, self.line(offset))
    }

    /// Makes the fault of a value or key at `span`.
    pub(crate) fn fault(
        &self,
        span: Range<usize>,
        place: &Place,
        key: &str,
        problem: impl Into<String>,
    ) -> Box<Fault> {
        let line = self.line(span.start);
        let start = self.line_starts[line - 1];
        let content = self.line_text(line);
        let from = floor(content, span.start - start);
        let to = floor(content, span.end.max(span.start) - start).max(from);
        let (excerpt, caret) = excerpt(content, from..to);
        Box::new(Fault {
            file: self.name.to_owned(),
            subject: place.subject.clone(),
            line,
            column: content[..from].chars().count() + 1,
            key: place.key(key),
            problem: problem.into(),
            hint: None,
            excerpt,
            caret,
        })
    }

    /// Makes the fault of a text that is no TOML.
    pub(crate) fn syntax_fault(&self, error: &toml::de::Error) -> Box<Fault> {
        let span = error.span().unwrap_or(0..0);
        self.fault(span, &Place::default(), "", shown_message(error.message()))
    }

    fn line_text(&self, line: usize) -> &'a str {
        let start = self.line_starts[line - 1];
        let end = self
            .line_starts
            .get(line)
            .map_or(self.text.len(), |next| next - 1);
        let content = &self.text[start..end];
        content.strip_suffix('\r').unwrap_or(content)
    }
}

fn check_size(name: &str, bytes: usize) -> Result<(), ConfigError> {
    if bytes <= FILE_BYTES_MAX.as_usize() {
        return Ok(());
    }
    Err(ConfigError::TooLarge {
        file: shown(name),
        limit: FILE_BYTES_MAX.to_string(),
    })
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> ConfigError {
    let text = String::from_utf8_lossy(bytes);
    // The replaced text begins with the valid bytes unchanged, so the offset holds in it.
    let document = Document::index(name, &text);
    let span = valid..valid + char::REPLACEMENT_CHARACTER.len_utf8();
    document
        .fault(span, &Place::default(), "", "it is not UTF-8")
        .with_hint("save the file as UTF-8")
        .into()
}

/// The messages of the TOML reader may quote the file's text.
fn shown_message(message: &str) -> String {
    let line = message.lines().next().unwrap_or("this is not TOML");
    let mut text: String = line
        .chars()
        .take(200)
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    if text.is_empty() {
        text.push_str("this is not TOML");
    }
    text
}

/// Returns the last character boundary that is not after `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Cuts out what may be shown of a line: not what looks like a key, and not all of a huge line.
fn excerpt(line: &str, caret: Range<usize>) -> (String, Range<usize>) {
    const BEFORE_BYTES: usize = 60;
    const BYTES_MAX: usize = 240;
    let begin = floor(line, caret.start.saturating_sub(BEFORE_BYTES));
    let begin = if line.len() <= BYTES_MAX { 0 } else { begin };
    let public = secret_start(line).unwrap_or(line.len());
    let end = floor(line, (begin + BYTES_MAX).min(public).max(begin));
    let mut text = line[begin..end].to_owned();
    let hidden = end < line.len();
    if hidden {
        text.push_str(" …");
    }
    let last = floor(&text, text.len().saturating_sub(1));
    let from = caret.start.saturating_sub(begin);
    let from = if from > end - begin { last } else { from };
    let to = caret.end.saturating_sub(begin).min(text.len()).max(from);
    let to = floor(&text, to).max(from);
    (text, from..to)
}

/// Returns where in a line the first thing begins that may be a secret.
fn secret_start(line: &str) -> Option<usize> {
    let redacted = harness_guard::redact(line);
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let known_shape = (redacted != line).then(|| {
        let bytes = line.as_bytes().iter().zip(redacted.as_bytes());
        floor(line, bytes.take_while(same).count())
    });
    known_shape.into_iter().chain(value_of_secret(line)).min()
}

/// Returns where the value begins of a key whose name speaks of secrets.
fn value_of_secret(line: &str) -> Option<usize> {
    const WORDS: [&str; 6] = ["key", "token", "secret", "passw", "credential", "base_url"];
    let lower = line.to_ascii_lowercase();
    let word = WORDS.iter().filter_map(|word| lower.find(word)).min()?;
    lower[word..].find('=').map(|at| word + at + 1)
}
