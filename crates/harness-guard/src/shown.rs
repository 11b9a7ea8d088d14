//! How a path is written into a sentence, and which names nobody can read.
//!
//! Names of files are foreign bytes. Sentences made here go to a model, a
//! terminal and a log, so nothing in them may move a cursor or hide.

use std::fmt::Write;

use harness_core::RepoPath;

/// Returns the path with everything unreadable spelled out: `src/a\u{200b}.rs`, `.` for the root.
pub(crate) fn shown(path: &RepoPath) -> String {
    if path.is_root() {
        return ".".to_owned();
    }
    let mut text = String::with_capacity(path.as_bytes().len());
    for chunk in path.as_bytes().utf8_chunks() {
        for char in chunk.valid().chars() {
            if is_unreadable(char) {
                text.extend(char.escape_default());
            } else {
                text.push(char);
            }
        }
        for byte in chunk.invalid() {
            let _infallible = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Returns foreign text as printable ASCII of at most `chars_max` characters, cut with a mark.
pub(crate) fn shown_text(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars().flat_map(|char| {
        match char {
            ' '..='~' => char.to_string(),
            _ => char.escape_default().to_string(),
        }
        .into_bytes()
    });
    let kept: Vec<u8> = chars.by_ref().take(chars_max).collect();
    let cut = if chars.next().is_some() { "..." } else { "" };
    format!("{}{cut}", String::from_utf8_lossy(&kept))
}

/// Returns the first character of a path that a person cannot see for what it is.
pub(crate) fn unreadable(path: &RepoPath) -> Option<char> {
    path.as_bytes()
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars())
        .find(|char| is_unreadable(*char))
}

/// Whether a character controls a terminal, turns the direction of text or has no shape.
///
/// Source: Unicode categories Cc, Zl, Zp and the property `Default_Ignorable_Code_Point`.
pub(crate) const fn is_unreadable(char: char) -> bool {
    matches!(
        char,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &[u8], sentence: &str, found: Option<char>) {
        let path = RepoPath::parse(path).unwrap();
        assert_eq!(shown(&path), sentence);
        assert_eq!(unreadable(&path), found, "{sentence}");
    }

    #[test]
    fn readable_names_stay_as_they_are() {
        check(b"", ".", None);
        check("src/größe-日本.rs".as_bytes(), "src/größe-日本.rs", None);
        check(b"-rf", "-rf", None);
    }

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        check(b"a\nb", "a\\nb", Some('\n'));
        check(b"a\x1b[31mb", "a\\u{1b}[31mb", Some('\u{1b}'));
        check("a\u{202e}b".as_bytes(), "a\\u{202e}b", Some('\u{202e}'));
        check("a\u{200b}b".as_bytes(), "a\\u{200b}b", Some('\u{200b}'));
        check("a\u{e0041}".as_bytes(), "a\\u{e0041}", Some('\u{e0041}'));
        check("a\u{85}".as_bytes(), "a\\u{85}", Some('\u{85}'));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_but_not_called_unreadable() {
        check(b"a\xff\x9b.rs", "a\\xff\\x9b.rs", None);
    }
}
