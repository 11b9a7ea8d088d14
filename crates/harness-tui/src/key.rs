//! A key as a person names it: `ctrl+p`, `f1`, `alt+enter`, `J`.

use std::{fmt, str::FromStr};

/// Which key was pressed, without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A character, as it is typed: `J` is its own key.
    Char(char),
    /// A key of the top row.
    F(u8),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator.
    Tab,
    /// Delete to the left.
    Backspace,
    /// Delete to the right.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Beginning.
    Home,
    /// End.
    End,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Control is held.
    pub ctrl: bool,
    /// Alt is held.
    pub alt: bool,
    /// Shift is held; never with a character, which is another one then.
    pub shift: bool,
}

impl Key {
    /// Makes a key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// Returns the character that this key types; `None` when it types none.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(char) if !self.ctrl && !self.alt => Some(char),
            _ => None,
        }
    }
}

const NAMES: [(&str, Code); 13] = [
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pgup", Code::PageUp),
    ("pgdn", Code::PageDown),
];

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoKey {
    /// The text.
    pub text: String,
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no key; keys are written as `ctrl+p`, `alt+enter`, `f1`, `pgdn`, `J`",
            self.text
        )
    }
}

impl std::error::Error for NoKey {}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let no_key = || NoKey {
            text: text.chars().take(40).collect(),
        };
        let (mut rest, mut key) = (text, Self::plain(Code::Enter));
        loop {
            let (modifier, after) = match rest.split_once('+') {
                Some((modifier, after)) if !after.is_empty() => (modifier, after),
                _ => break,
            };
            match modifier {
                "ctrl" => key.ctrl = true,
                "alt" => key.alt = true,
                "shift" => key.shift = true,
                _ => return Err(no_key()),
            }
            rest = after;
        }
        key.code = code(rest).ok_or_else(no_key)?;
        match key.code {
            Code::Char(_) if key.shift => Err(no_key()),
            _ => Ok(key),
        }
    }
}

fn code(text: &str) -> Option<Code> {
    let mut chars = text.chars();
    if let (Some(char), None) = (chars.next(), chars.next()) {
        return (!char.is_control()).then_some(Code::Char(char));
    }
    if text == "space" {
        return Some(Code::Char(' '));
    }
    let function = text
        .strip_prefix('f')
        .and_then(|number| number.parse().ok())
        .filter(|number| (1..=12).contains(number))
        .map(Code::F);
    let named = || NAMES.iter().find(|(name, _)| *name == text);
    function.or_else(|| named().map(|(_, code)| *code))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [
            (self.ctrl, "ctrl+"),
            (self.alt, "alt+"),
            (self.shift, "shift+"),
        ] {
            if held {
                f.write_str(name)?;
            }
        }
        match self.code {
            Code::Char(' ') => f.write_str("space"),
            Code::Char(char) => write!(f, "{char}"),
            Code::F(number) => write!(f, "f{number}"),
            code => {
                let named = NAMES.iter().find(|(_, named)| *named == code);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

/// A key as a footer writes it: short.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short(pub(crate) Key);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Key {
                code: Code::Char(char),
                ctrl: true,
                alt: false,
                ..
            } => write!(f, "^{}", char.to_ascii_uppercase()),
            Key {
                code: Code::F(number),
                ctrl: false,
                alt: false,
                shift: false,
            } => write!(f, "F{number}"),
            key => write!(f, "{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for text in [
            "a",
            "J",
            "?",
            "+",
            "ctrl+p",
            "ctrl++",
            "alt+enter",
            "ctrl+alt+x",
            "shift+tab",
            "f1",
            "f12",
            "pgdn",
            "space",
            "ctrl+enter",
        ] {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_key_says_so() {
        for text in [
            "", "ctrl+", "hyper+x", "f0", "f13", "shift+a", "ab", "\u{7}",
        ] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn footers_write_keys_short() {
        let short = |text: &str| Short(text.parse().unwrap()).to_string();
        assert_eq!(short("ctrl+p"), "^P");
        assert_eq!(short("f1"), "F1");
        assert_eq!(short("enter"), "enter");
    }
}
