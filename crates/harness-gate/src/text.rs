//! Cutting text to a bound without breaking lines or characters.

use std::borrow::Cow;

/// Returns the longest end of `text` that has at most `max` bytes and begins with a line.
///
/// A last line longer than `max` is cut at a character.
pub(crate) fn tail_lines(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let start = char_ceiling(text, text.len() - max);
    if text.as_bytes()[start - 1] == b'\n' {
        return &text[start..];
    }
    match text[start..].find('\n') {
        Some(end) if start + end + 1 < text.len() => &text[start + end + 1..],
        _ => &text[start..],
    }
}

/// Returns the longest beginning of `text` that has at most `max` bytes and ends with a line.
///
/// A first line longer than `max` is cut at a character.
pub(crate) fn head_lines(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = char_floor(text, max);
    match text[..end].rfind('\n') {
        Some(newline) => &text[..=newline],
        None => &text[..end],
    }
}

/// Returns `text` in one line of at most `max` bytes: white space and controls become one space.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > max {
            let end = char_floor(&line, max.saturating_sub('…'.len_utf8()));
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    line
}

/// Returns the last place up to `at` where a character begins, or the end of the text.
pub(crate) fn char_floor(text: &str, at: usize) -> usize {
    let mut places = (0..=at.min(text.len())).rev();
    places.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn char_ceiling(text: &str, at: usize) -> usize {
    let mut places = at..text.len();
    let place = places.find(|at| text.is_char_boundary(*at));
    place.unwrap_or(text.len())
}

/// Returns `text` without terminal escape sequences and without other controls than newline and tab.
///
/// Tools that believe they write to a terminal colour the very words that are read here.
pub(crate) fn without_escapes(text: &str) -> Cow<'_, str> {
    let is_plain = |char: char| !char.is_control() || char == '\n' || char == '\t';
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\x1b' => skip_escape(&mut chars),
            char if is_plain(char) => plain.push(char),
            _ => {}
        }
    }
    Cow::Owned(plain)
}

/// Skips what follows an escape character, but never a newline: a cut sequence must not join lines.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next_if(|&char| char != '\n') {
        Some('[') => {
            while let Some(char) = chars.next_if(|&char| char != '\n') {
                if ('\x40'..='\x7e').contains(&char) {
                    break;
                }
            }
        }
        Some('(' | ')') => {
            chars.next_if(|&char| char != '\n');
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_on_line_ends_where_there_are_any() {
        assert_eq!(tail_lines("one\ntwo\nthree\n", 10), "two\nthree\n");
        assert_eq!(tail_lines("one\ntwo\nthree\n", 11), "two\nthree\n");
        assert_eq!(tail_lines("ééé", 3), "é");
        assert_eq!(tail_lines("a long line\n", 5), "line\n");
        assert_eq!(head_lines("one\ntwo\n", 6), "one\n");
        assert_eq!(head_lines("ééé", 3), "é");
        assert_eq!(tail_lines("abc", 0), "");
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line(" a\n\tb\x1b[31m ", 80), "a b [31m");
        assert_eq!(one_line("abcdefgh", 6), "abc…");
    }

    #[test]
    fn escapes_are_dropped_and_lines_stay_apart() {
        assert_eq!(without_escapes("\x1b[32mok\x1b(B\x1b[m\r\n"), "ok\n");
        assert_eq!(without_escapes("a\x1b[\nb"), "a\nb");
        assert_eq!(without_escapes("a\x1b\nb\x1b"), "a\nb");
    }
}
