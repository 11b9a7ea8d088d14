//! What is said to the terminal itself: the clipboard and notices, also through a multiplexer.
//!
//! Only bytes are made here; `term` sends them. No text of a model, a tool or a
//! file comes into a sequence but the one that the person copies, and that is
//! base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The longest text that goes to the clipboard; its sequence stays below the 100,000 bytes that
/// terminals commonly take. Unit: bytes.
pub const CLIPBOARD_MAX: usize = 72_000;
/// What GNU screen takes of one sequence that it passes on. Unit: bytes.
const SCREEN_CHUNK: usize = 240;
/// The longest notice. Unit: characters.
const NOTICE_MAX: usize = 120;

/// What stands between the program and the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passage {
    /// Nothing.
    #[default]
    Direct,
    /// tmux, which takes the clipboard itself or passes sequences on, as it is set up.
    Tmux,
    /// GNU screen, which passes on what is wrapped.
    Screen,
    /// A terminal that has no clipboard, such as a console.
    Bare,
}

impl Passage {
    /// Finds out from the environment.
    pub fn of(env: impl Fn(&str) -> Option<String>) -> Self {
        let term = env("TERM").unwrap_or_default();
        if env("TMUX").is_some() {
            Self::Tmux
        } else if env("STY").is_some() || term.starts_with("screen") {
            Self::Screen
        } else if term == "linux" {
            Self::Bare
        } else {
            Self::Direct
        }
    }

    /// Whether a text of this length goes to the clipboard.
    pub(crate) fn takes(self, bytes: usize) -> bool {
        self != Self::Bare && bytes <= CLIPBOARD_MAX
    }

    /// Returns the sequence that puts a text into the clipboard (OSC 52).
    pub(crate) fn copy(self, text: &str) -> Vec<u8> {
        let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).into_bytes();
        match self {
            // One of the two arrives, whichever it is set up for.
            Self::Tmux => [sequence.clone(), self.wrap(&sequence)].concat(),
            _ => self.wrap(&sequence),
        }
    }

    /// Wraps a sequence for the terminal behind.
    fn wrap(self, sequence: &[u8]) -> Vec<u8> {
        match self {
            Self::Direct | Self::Bare => sequence.to_vec(),
            Self::Tmux => {
                let mut wrapped = b"\x1bPtmux;".to_vec();
                for byte in sequence {
                    if *byte == 0x1b {
                        wrapped.push(0x1b);
                    }
                    wrapped.push(*byte);
                }
                wrapped.extend_from_slice(b"\x1b\\");
                wrapped
            }
            Self::Screen => sequence
                .chunks(SCREEN_CHUNK)
                .flat_map(|chunk| [b"\x1bP", chunk, b"\x1b\\"].concat())
                .collect(),
        }
    }
}

/// How a person who looks elsewhere is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// By the bell.
    Bell,
    /// By a notice of the terminal, and the bell.
    Notice(Protocol),
}

/// How a terminal takes notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OSC 9.
    Osc9,
    /// OSC 99.
    Osc99,
    /// OSC 777.
    Osc777,
}

impl Notify {
    /// Reads the setting; `auto` goes by the terminal, and is the bell alone where that is not known.
    pub fn of(method: &str, env: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(match method {
            "auto" => Self::found(env),
            "off" => Self::Off,
            "bell" => Self::Bell,
            "osc9" => Self::Notice(Protocol::Osc9),
            "osc99" => Self::Notice(Protocol::Osc99),
            "osc777" => Self::Notice(Protocol::Osc777),
            _ => return None,
        })
    }

    fn found(env: impl Fn(&str) -> Option<String>) -> Self {
        let term = env("TERM").unwrap_or_default();
        let program = env("TERM_PROGRAM").or_else(|| env("LC_TERMINAL"));
        let by_program = match program.as_deref() {
            Some("iTerm.app" | "iTerm2" | "WezTerm" | "ghostty") => Some(Protocol::Osc9),
            _ => None,
        };
        let by_term = || match () {
            () if term.contains("kitty") || env("KITTY_WINDOW_ID").is_some() => {
                Some(Protocol::Osc99)
            }
            () if term.contains("ghostty") || env("WEZTERM_PANE").is_some() => Some(Protocol::Osc9),
            () if term.starts_with("foot") || term.starts_with("rxvt") => Some(Protocol::Osc777),
            () => None,
        };
        by_program.or_else(by_term).map_or(Self::Bell, Self::Notice)
    }

    /// Returns the bytes that tell a person something; none when that is turned off.
    pub(crate) fn bytes(self, passage: Passage, text: &str) -> Vec<u8> {
        // A separator inside the words would be read as one.
        let plain = |char: &char| !char.is_control() && *char != ';';
        let text: String = text.chars().filter(plain).take(NOTICE_MAX).collect();
        let sequence = match self {
            Self::Off => return Vec::new(),
            Self::Bell => String::new(),
            Self::Notice(Protocol::Osc9) => format!("\x1b]9;{text}\x07"),
            Self::Notice(Protocol::Osc99) => format!("\x1b]99;;{text}\x1b\\"),
            Self::Notice(Protocol::Osc777) => format!("\x1b]777;notify;harness;{text}\x07"),
        };
        let mut bytes = match sequence.is_empty() {
            true => Vec::new(),
            false => passage.wrap(sequence.as_bytes()),
        };
        bytes.push(0x07);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn a_copy_is_base64_and_is_wrapped_for_what_stands_between() {
        assert_eq!(Passage::Direct.copy("hi\x1b"), b"\x1b]52;c;aGkb\x07");
        assert_eq!(
            Passage::Tmux.copy("hi"),
            b"\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"
        );
        let long = Passage::Screen.copy(&"x".repeat(400));
        let pieces = long.windows(2).filter(|pair| pair == b"\x1bP").count();
        assert_eq!(pieces, 3);
        assert!(long.ends_with(b"\x07\x1b\\"));
    }

    #[test]
    fn what_is_too_long_or_has_no_clipboard_does_not_go_there() {
        assert!(Passage::Direct.takes(CLIPBOARD_MAX));
        assert!(!Passage::Direct.takes(CLIPBOARD_MAX + 1));
        assert!(!Passage::of(env(&[("TERM", "linux")])).takes(1));
        assert!(Passage::Direct.copy(&"x".repeat(CLIPBOARD_MAX)).len() < 100_000);
        assert_eq!(Passage::of(env(&[("TMUX", "x")])), Passage::Tmux);
        assert_eq!(
            Passage::of(env(&[("TERM", "screen-256color")])),
            Passage::Screen
        );
    }

    #[test]
    fn a_notice_goes_by_terminal_and_carries_no_control_character() {
        let found = |set| Notify::of("auto", env(set)).unwrap();
        assert_eq!(
            found(&[("TERM", "xterm-kitty")]),
            Notify::Notice(Protocol::Osc99)
        );
        assert_eq!(
            found(&[("TERM_PROGRAM", "WezTerm")]),
            Notify::Notice(Protocol::Osc9)
        );
        assert_eq!(found(&[("TERM", "foot")]), Notify::Notice(Protocol::Osc777));
        assert_eq!(found(&[("TERM", "xterm-256color")]), Notify::Bell);
        assert_eq!(Notify::of("loud", env(&[])), None);
        let bytes = Notify::Notice(Protocol::Osc9).bytes(Passage::Direct, "a;b\x07\x1b]52;x");
        assert_eq!(bytes, b"\x1b]9;ab]52x\x07\x07");
        assert_eq!(Notify::Bell.bytes(Passage::Tmux, "x"), b"\x07");
        assert_eq!(Notify::Off.bytes(Passage::Direct, "x"), b"");
    }
}
