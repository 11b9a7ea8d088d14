//! Cutting text to a size: at line ends where one is near, never inside a character.

use crate::name::breaks_a_line;

/// The longest name or key that is repeated back to a model.
const SHORT_CHARS_MAX: usize = 80;

/// Returns a text a model wrote, on one line and short enough to be repeated back.
pub(crate) fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let clean = |char| if breaks_a_line(char) { ' ' } else { char };
    let mut short: String = chars.by_ref().take(SHORT_CHARS_MAX).map(clean).collect();
    if chars.next().is_some() {
        short.push_str("...");
    }
    short
}

/// Returns the beginning of a text: at most `bytes_max` bytes, whole lines if there is one.
pub(crate) fn whole_lines(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let fits = &text[..boundary_before(text, bytes_max)];
    fits.rfind('\n').map_or(fits, |end| &fits[..=end])
}

/// Returns the beginning of a text: at most `bytes_max` bytes, up to a line end in the second half of them.
pub(crate) fn head(text: &str, bytes_max: usize) -> &str {
    let lines = whole_lines(text, bytes_max);
    if lines.len() >= bytes_max / 2 {
        return lines;
    }
    &text[..boundary_before(text, bytes_max)]
}

/// Returns the end of a text: at most `bytes_max` bytes, from a line start in the first half of them.
pub(crate) fn tail(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let start = text.len() - bytes_max;
    let start = (start..=text.len()).find(|&index| text.is_char_boundary(index));
    let start = start.unwrap_or(text.len());
    if text[..start].ends_with('\n') {
        return &text[start..];
    }
    let fits = &text[start..];
    match fits.find('\n') {
        Some(end) if end < bytes_max / 2 => &fits[end + 1..],
        _ => fits,
    }
}

/// Returns the last place at or before `index` where the text may be cut.
pub(crate) fn boundary_before(text: &str, index: usize) -> usize {
    let last = index.min(text.len());
    let boundary = (0..=last).rev().find(|&index| text.is_char_boundary(index));
    boundary.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_fall_on_line_ends_and_between_characters() {
        assert_eq!(whole_lines("one\ntwo\nthree", 9), "one\ntwo\n");
        assert_eq!(whole_lines("one\ntwotwotwo", 12), "one\n");
        assert_eq!(head("one\ntwotwotwo", 12), "one\ntwotwotw");
        assert_eq!(head("one\ntwo\nthree", 9), "one\ntwo\n");
        assert_eq!(head("\u{fc}\u{fc}\u{fc}", 3), "\u{fc}");
        assert_eq!(head("abc", 0), "");
        assert_eq!(tail("one\ntwo\nthree", 7), "three");
        assert_eq!(tail("one\ntwo\n", 4), "two\n");
        assert_eq!(tail("oneoneone\ntwo", 12), "neoneone\ntwo");
        assert_eq!(tail("\u{fc}\u{fc}\u{fc}", 3), "\u{fc}");
        assert_eq!(tail("abc", 0), "");
    }

    #[test]
    fn what_is_repeated_back_is_one_short_line() {
        assert_eq!(shorten("a\nb"), "a b");
        assert_eq!(shorten(&"x".repeat(1000)).len(), SHORT_CHARS_MAX + 3);
    }
}
