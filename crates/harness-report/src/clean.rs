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

/// Returns the same JSON with every character that acts on a terminal written as `\uXXXX`.
///
/// JSON itself demands this only below U+0020. `json` is one serialised value;
/// a reader gets the very same strings back.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if is_harmful(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(char);
        }
    }
    Cow::Owned(escaped)
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
        // What nobody sees can hide what is meant: fillers, breaks, marks of musical and older
        // scripts. Only the variations that emoji are written with stay.
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2028}'..='\u{2029}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0080}'..='\u{e0fff}' => true,
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
    fn what_nobody_sees_is_shown() {
        assert_eq!(
            clean("y\u{ad}\u{e0100}\u{3164}"),
            "y‹U+00AD›‹U+E0100›‹U+3164›"
        );
        assert_eq!(clean("a\u{2028}b"), "a‹U+2028›b");
        assert!(matches!(
            clean("\u{2601}\u{fe0f} e\u{301}"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(clean("héllo\n\tworld ✓"), Cow::Borrowed(_)));
        assert_eq!(clean("a\r\nb\rc"), "a\nb‹U+000D›c");
    }

    #[test]
    fn json_keeps_its_value_and_loses_what_acts() {
        let wild = "\u{9b}6n \u{7f} \u{202e}x\u{e0041} \u{1b}[2J\n\té";
        let json = serde_json::to_string(wild).unwrap();
        let escaped = escape_json(&json);
        assert!(!escaped.chars().any(is_harmful), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), wild);
        assert!(matches!(escape_json("\"é ✓\""), Cow::Borrowed(_)));
    }

    #[test]
    fn one_line_is_cut_at_characters() {
        assert_eq!(clean_line("  grüße\nmore", 3), "grü…");
        assert_eq!(clean_line("", 3), "");
    }
}
