//! Small dealings with lines and with texts nobody may trust.

use std::fmt::Write as _;

/// Returns the lines of a text, each with its newline; a carriage return belongs to its line.
pub(crate) fn lines_of(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Returns a line without its newline.
pub(crate) fn bare(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

/// Returns the beginning of a text, at most `most` bytes and no half character.
pub(crate) fn head(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Returns a text with everything made visible that a terminal or a browser would obey.
///
/// Newlines and tabs stay; a carriage return at the end of a line goes.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\n' | '\t' => out.push(char),
            '\r' if matches!(rest.peek(), None | Some('\n')) => {}
            char if is_obeyed(char) => _ = write!(out, "‹U+{:04X}›", u32::from(char)),
            char => out.push(char),
        }
    }
    out
}

/// Returns a text on one line, with everything visible.
pub(crate) fn one_line(text: &str) -> String {
    visible(&text.replace(['\n', '\t'], " "))
}

/// Whether a character moves the cursor, turns the direction or is not seen at all.
fn is_obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Counts in words: `1 file`, `3 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// Returns a number as `u32`, the largest where it is larger.
pub(crate) fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_obeyed_is_shown() {
        assert_eq!(
            visible("a\u{202E}b\x1b[1m\tc\r\n"),
            "a‹U+202E›b‹U+001B›[1m\tc\n"
        );
        assert_eq!(one_line("a\nb\rc"), "a b‹U+000D›c");
        assert_eq!(head("aé", 2), "a");
    }
}
