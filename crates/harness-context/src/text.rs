//! Text of others inside text of ours: on one line, or behind a fence it cannot close.

/// The longest title or name shown in a heading or list. Unit: characters.
const LINE_CHARS_MAX: usize = 200;

/// Returns a text on one line, without control characters, blanks collapsed, bounded.
pub(crate) fn one_line(text: &str) -> String {
    let clean = |char: char| {
        let breaks = char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        if breaks { ' ' } else { char }
    };
    let clean: String = text.chars().map(clean).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ").chars().take(LINE_CHARS_MAX).collect()
}

/// Returns a text between fences that are longer than any run of backticks in it.
pub(crate) fn fenced(text: &str) -> String {
    let longest = text
        .split(|char| char != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!(
        "{fence}\n{}\n{fence}\n",
        text.trim_end_matches(['\n', '\r'])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a\n"), "```\na\n```\n");
        assert_eq!(fenced("```\na\n````"), "`````\n```\na\n````\n`````\n");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(one_line("a\n# b\u{2028}c\t d"), "a # b c d");
        assert_eq!(one_line(&"x".repeat(1000)).len(), LINE_CHARS_MAX);
    }
}
