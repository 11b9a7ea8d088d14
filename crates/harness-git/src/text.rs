//! The one conversion git makes without a program: line endings.
//!
//! Checkpoints keep raw bytes; a commit stores text as git would have. Decided
//! by the attributes `text`, `crlf` and `eol` and the settings `core.autocrlf`
//! and `core.eol`. Keyword expansion (`ident`) and other encodings are left alone.

use std::borrow::Cow;

use git2::{AttrCheckFlags, AttrValue, Tree};
use harness_core::RepoPath;

use crate::{
    repo::{GitError, Repo},
    tree::{Entry, Mode, entry_at},
};

/// What the configuration says about line endings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextSettings {
    pub(crate) autocrlf: AutoCrlf,
    /// Whether `core.eol` asks for CRLF in the work tree.
    pub(crate) crlf: bool,
}

/// The values of `core.autocrlf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AutoCrlf {
    Off,
    Input,
    On,
}

impl AutoCrlf {
    pub(crate) fn parse(value: Option<&str>) -> Self {
        match value.map(str::to_ascii_lowercase).as_deref() {
            Some("input") => Self::Input,
            Some("true" | "yes" | "on" | "1") => Self::On,
            _ => Self::Off,
        }
    }
}

/// Which files are text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// This one is not.
    Raw,
    /// This one is.
    Text,
    /// This one is when it looks so and is stored so.
    Auto,
}

#[derive(PartialEq, Eq)]
enum Attribute {
    Set,
    Unset,
    Unspecified,
    Value(String),
}

impl Repo {
    /// Returns the entry git would store for a raw entry, writing its blob if it differs.
    ///
    /// `base` is the tree the entry is stored on: a file that holds CRLF there
    /// is not normalised by chance.
    pub(crate) fn cleaned(
        &self,
        base: &Tree<'_>,
        path: &RepoPath,
        entry: Entry,
    ) -> Result<Entry, GitError> {
        if !matches!(entry.mode, Mode::File | Mode::Executable) {
            return Ok(entry);
        }
        if let Some(filter) = self.filter_program(path) {
            return Err(GitError::Filtered {
                path: path.clone(),
                filter,
            });
        }
        let entry = Entry {
            mode: self.stored_mode(entry.mode, entry_at(base, path)),
            ..entry
        };
        let raw = self.blob_bytes(entry.id)?;
        match self.to_stored(path, entry_at(base, path), &raw)? {
            Cow::Borrowed(_) => Ok(entry),
            Cow::Owned(bytes) => Ok(Entry {
                id: self.write_blob(&bytes, path)?,
                ..entry
            }),
        }
    }

    /// Returns the mode git would store for one of the work tree: what is stored already, where the
    /// executable bit means nothing.
    pub(crate) fn stored_mode(&self, mode: Mode, stored: Option<Entry>) -> Mode {
        let is_file = |mode: Mode| matches!(mode, Mode::File | Mode::Executable);
        match stored
            .map(|stored| stored.mode)
            .filter(|mode| is_file(*mode))
        {
            _ if self.watches_modes || !is_file(mode) => mode,
            Some(stored) => stored,
            None => Mode::File,
        }
    }

    /// Returns the bytes git would store for these of the work tree.
    pub(crate) fn to_stored<'bytes>(
        &self,
        path: &RepoPath,
        stored: Option<Entry>,
        bytes: &'bytes [u8],
    ) -> Result<Cow<'bytes, [u8]>, GitError> {
        if !has_crlf(bytes) {
            return Ok(Cow::Borrowed(bytes));
        }
        let converts = match self.kind_of(path) {
            Kind::Raw => false,
            Kind::Text => true,
            Kind::Auto => {
                let stored_so = match stored {
                    Some(entry) if entry.mode != Mode::Module => {
                        has_crlf(&self.blob_bytes(entry.id)?)
                    }
                    _ => false,
                };
                !stored_so && !looks_binary(bytes)
            }
        };
        Ok(if converts {
            Cow::Owned(without_cr(bytes))
        } else {
            Cow::Borrowed(bytes)
        })
    }

    /// Returns the bytes git would put into the work tree for these stored ones.
    pub(crate) fn to_work_tree(&self, path: &RepoPath, stored: Vec<u8>) -> Vec<u8> {
        let eol = match self.attribute(path, "eol") {
            Attribute::Value(eol) => Some(eol.eq_ignore_ascii_case("crlf")),
            _ => None,
        };
        let crlf = eol.unwrap_or(match self.text.autocrlf {
            AutoCrlf::On => true,
            AutoCrlf::Input => false,
            AutoCrlf::Off => self.text.crlf,
        });
        let converts = crlf
            && !stored.contains(&b'\r')
            && match self.kind_of(path) {
                Kind::Raw => false,
                Kind::Text => true,
                Kind::Auto => !looks_binary(&stored),
            };
        if converts { with_cr(&stored) } else { stored }
    }

    fn kind_of(&self, path: &RepoPath) -> Kind {
        match self.attribute(path, "text") {
            Attribute::Set => return Kind::Text,
            Attribute::Unset => return Kind::Raw,
            Attribute::Value(value) if value == "auto" => return Kind::Auto,
            Attribute::Value(_) | Attribute::Unspecified => {}
        }
        match self.attribute(path, "crlf") {
            Attribute::Set => return Kind::Text,
            Attribute::Unset => return Kind::Raw,
            Attribute::Value(value) if value == "input" => return Kind::Text,
            Attribute::Value(_) | Attribute::Unspecified => {}
        }
        match self.attribute(path, "eol") {
            Attribute::Value(_) => Kind::Text,
            _ if self.text.autocrlf == AutoCrlf::Off => Kind::Raw,
            _ => Kind::Auto,
        }
    }

    pub(crate) fn filter_program(&self, path: &RepoPath) -> Option<String> {
        match self.attribute(path, "filter") {
            Attribute::Value(name) => Some(name),
            _ => None,
        }
    }

    fn attribute(&self, path: &RepoPath, name: &str) -> Attribute {
        let value = self
            .git
            .get_attr_bytes(path.as_path(), name, AttrCheckFlags::FILE_THEN_INDEX);
        match AttrValue::always_bytes(value.unwrap_or(None)) {
            AttrValue::True => Attribute::Set,
            AttrValue::False => Attribute::Unset,
            AttrValue::Unspecified => Attribute::Unspecified,
            AttrValue::String(text) => Attribute::Value(text.to_owned()),
            AttrValue::Bytes(bytes) => {
                Attribute::Value(String::from_utf8_lossy(bytes).into_owned())
            }
        }
    }
}

fn has_crlf(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\r\n")
}

fn without_cr(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for (index, &byte) in bytes.iter().enumerate() {
        if byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            text.push(byte);
        }
    }
    text
}

fn with_cr(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for &byte in bytes {
        if byte == b'\n' {
            text.push(b'\r');
        }
        text.push(byte);
    }
    text
}

/// Git's own guess: a NUL, a lone CR, or more than one odd byte in 128.
fn looks_binary(bytes: &[u8]) -> bool {
    let lone_cr = bytes
        .iter()
        .enumerate()
        .any(|(index, &byte)| byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
    let is_odd = |byte: u8| {
        byte == 0x7f || (byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x08 | 0x0c | 0x1b))
    };
    let odd = bytes.iter().filter(|&&byte| is_odd(byte)).count();
    lone_cr || bytes.contains(&0) || (bytes.len() - odd) >> 7 < odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_binary_is_never_converted() {
        for (bytes, expected) in [
            (&b"plain\r\ntext\r\n"[..], false),
            (b"", false),
            (b"a\0b\r\n", true),
            (b"lone\rcr\r\n", true),
            (b"\x01\x02\x03", true),
        ] {
            assert_eq!(looks_binary(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn line_endings_there_and_back_are_the_same_bytes() {
        assert_eq!(without_cr(b"a\r\nb\rc\r\n"), b"a\nb\rc\n");
        assert_eq!(with_cr(&without_cr(b"a\r\nb\r\n")), b"a\r\nb\r\n");
    }
}
