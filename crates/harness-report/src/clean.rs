//! Foreign text made harmless: shown, never obeyed.
//!
//! Everything that comes from a model, a tool, a file, git, a provider or a
//! configuration passes here before it reaches a terminal or a log for people.

use std::{borrow::Cow, fmt::Write as _};

/// Returns `text` with control codes, escape sequences and direction overrides made visible.
///
/// Newline and tab stay. A carriage return before a newline is dropped, any
/// other control becomes `‹U+001B›`. The result is never longer than eight
/// times the input.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        if is_harmful(char) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "‹U+{:04X}›", u32::from(char));
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// Returns the first line of `text`, cleaned, cut at `chars_max` characters with a mark.
pub fn clean_line(text: &str, chars_max: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let cleaned = clean(line).replace('\t', " ");
    match cleaned.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &cleaned[..end]),
        None => cleaned,
    }
}

/// Whether a character acts on a terminal instead of standing on it.
fn is_harmful(char: char) -> bool {
    match char {
        '\n' | '\t' => false,
        // Marks, embeddings, overrides and isolates of direction; invisible joiners and tags.
        '\u{061c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_sent() {
        assert_eq!(
            clean("a\u{1b}]52;c;aGk=\u{7}b"),
            "a‹U+001B›]52;c;aGk=‹U+0007›b"
        );
        assert_eq!(clean("\u{9b}6n"), "‹U+009B›6n");
        assert_eq!(clean("x\u{202e}y"), "x‹U+202E›y");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(clean("héllo\n\tworld ✓"), Cow::Borrowed(_)));
        assert_eq!(clean("a\r\nb\rc"), "a\nb‹U+000D›c");
    }

    #[test]
    fn one_line_is_cut_at_characters() {
        assert_eq!(clean_line("  grüße\nmore", 3), "grü…");
        assert_eq!(clean_line("", 3), "");
    }
}
