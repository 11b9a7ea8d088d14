//! What a terminal answers when it is asked once, before anybody types: its background and its keyboard.
//!
//! Bytes in, meaning out; `term` asks and reads. What is no answer was typed by a
//! person, and is given back.

use crate::theme::Ground;

/// The questions of every start: the protocol of the keyboard, and last the terminal's class, which
/// every terminal answers, so that nobody waits for what does not come.
pub(crate) const KEYBOARD: &[u8] = b"\x1b[?u";
/// Which colour the background has.
pub(crate) const BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\";
/// The question that ends them.
pub(crate) const CLASS: &[u8] = b"\x1b[c";
/// The longest answer that is looked at. Unit: bytes.
pub(crate) const ANSWER_MAX: usize = 4_096;

/// What is known of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Whether it is light or dark.
    pub(crate) ground: Option<Ground>,
    /// Whether it tells keys apart that look alike to others, such as `Ctrl+Enter`.
    pub(crate) has_keyboard: bool,
    /// Whether the last question was answered.
    pub(crate) is_whole: bool,
    /// What a person typed meanwhile.
    pub(crate) typed: Vec<u8>,
}

/// Reads what came so far.
pub(crate) fn read(bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let taken = match (first, after.first()) {
            (0x1b, Some(b'[')) => control(&after[1..], &mut answers),
            (0x1b, Some(b']')) => command(&after[1..], &mut answers),
            _ => None,
        };
        match taken {
            Some(length) => rest = &after[1 + length..],
            None if first == 0x1b && after.first().is_some_and(|next| b"[]".contains(next)) => {
                // A key of several bytes, or an answer that was cut: neither is a text.
                break;
            }
            None => {
                answers.typed.push(first);
                rest = after;
            }
        }
    }
    answers
}

/// Reads a sequence behind `CSI`; returns its length.
fn control(bytes: &[u8], answers: &mut Answers) -> Option<usize> {
    let end = bytes.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
    match (bytes.first(), bytes[end]) {
        (Some(b'?'), b'u') => answers.has_keyboard = true,
        (Some(b'?'), b'c') => answers.is_whole = true,
        _ => {}
    }
    Some(end + 1)
}

/// Reads a sequence behind `OSC`; returns its length.
fn command(bytes: &[u8], answers: &mut Answers) -> Option<usize> {
    let end = bytes.iter().position(|byte| [0x07, 0x1b].contains(byte))?;
    let length = match bytes[end] {
        0x1b => (bytes.get(end + 1) == Some(&b'\\')).then_some(end + 2)?,
        _ => end + 1,
    };
    if let Some(colour) = bytes[..end].strip_prefix(b"11;") {
        answers.ground = answers.ground.or(ground(colour));
    }
    Some(length)
}

/// Reads `rgb:RRRR/GGGG/BBBB`, with one to four digits for each.
fn ground(colour: &[u8]) -> Option<Ground> {
    let text = std::str::from_utf8(colour).ok()?;
    let parts = text
        .strip_prefix("rgb:")
        .or_else(|| text.strip_prefix("rgba:"))?;
    let part = |text: &str| {
        let most = 16_u32.checked_pow(u32::try_from(text.len()).ok()?)? - 1;
        let value = u32::from_str_radix(text, 16).ok()?;
        Some(f64::from(value) / f64::from(most.max(1)))
    };
    let mut parts = parts.split('/').map(part);
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    // How bright a colour looks (ITU-R BT.709).
    let brightness = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    Some(match brightness {
        bright if bright > 0.5 => Ground::Light,
        _ => Ground::Dark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_what_is_typed() {
        let answers = read(b"a\x1b[?1u\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\b\x1b[?62;22cc");
        assert_eq!(
            answers,
            Answers {
                ground: Some(Ground::Dark),
                has_keyboard: true,
                is_whole: true,
                typed: b"abc".to_vec(),
            }
        );
    }

    #[test]
    fn light_is_told_from_dark_whatever_the_digits() {
        let of = |text: &str| read(format!("\x1b]11;{text}\x07").as_bytes()).ground;
        assert_eq!(of("rgb:ff/ff/ff"), Some(Ground::Light));
        assert_eq!(of("rgb:fdfd/f6f6/e3e3"), Some(Ground::Light));
        assert_eq!(of("rgba:0000/2b2b/3636/ffff"), Some(Ground::Dark));
        assert_eq!(of("rgb:g/1/1"), None);
        assert_eq!(of("red"), None);
    }

    #[test]
    fn what_is_cut_anywhere_is_no_text_and_no_answer() {
        let whole = b"\x1b[?1u\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[?62;22c";
        for end in 0..whole.len() {
            let answers = read(&whole[..end]);
            assert!(!answers.is_whole, "{end}");
            assert!(
                answers.typed.iter().all(|byte| *byte == 0x1b),
                "{end}: {answers:?}"
            );
        }
        assert_eq!(read(b"\x1b[A").typed, b"");
    }
}
