//! The line ending of a file, and texts brought to it.

use std::borrow::Cow;

/// How a file ends its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// There is no line end to go by.
    Unknown,
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    Crlf,
}

impl Ending {
    /// Returns the ending that most lines have.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut lf = 0_usize;
        let mut crlf = 0_usize;
        for end in memchr::memchr_iter(b'\n', text) {
            if text[..end].ends_with(b"\r") {
                crlf += 1;
            } else {
                lf += 1;
            }
        }
        match (lf, crlf) {
            (0, 0) => Self::Unknown,
            _ if crlf > lf => Self::Crlf,
            _ => Self::Lf,
        }
    }

    /// Returns the bytes that end a line.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown | Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }

    /// Gives all lines of `text` this ending.
    pub(super) fn given_to(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Lf if text.contains("\r\n") => Cow::Owned(text.replace("\r\n", "\n")),
            Self::Crlf if text.contains('\n') => {
                Cow::Owned(text.replace("\r\n", "\n").replace('\n', "\r\n"))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// Returns the line without its ending.
pub(super) fn without_ending(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Iterates over the lines with their endings.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}
