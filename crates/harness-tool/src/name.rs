//! File names in texts for a model: any bytes, one line, and readable back.
//!
//! Git's own convention, which models know: a name with control characters or
//! bytes that are no UTF-8 stands in double quotes with backslash escapes.

use std::fmt::Write as _;

use harness_core::RepoPath;

/// Returns a path on one line, quoted where it would not be read back as it is.
///
/// Shape: the path itself, `.` for the root, or `"..."` with `\n`, `\t`, `\"`,
/// `\\` and octal bytes such as `\377`. The path argument of every tool reads
/// this form back to the same bytes.
pub fn quote(path: &RepoPath) -> String {
    let bytes = path.as_bytes();
    let is_plain = std::str::from_utf8(bytes)
        .is_ok_and(|text| !text.starts_with(['"', '~']) && !text.chars().any(breaks_a_line));
    if is_plain {
        return path.to_string();
    }
    let mut quoted = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|char| push(&mut quoted, char));
        push_octal(&mut quoted, chunk.invalid());
    }
    quoted.push('"');
    quoted
}

/// Returns the bytes of a quoted name; `None` when the text is no such name.
pub(crate) fn unquote(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => return None,
            b'\\' => bytes.push(escaped(&mut rest)?),
            plain => bytes.push(plain),
        }
    }
    Some(bytes)
}

fn escaped(rest: &mut std::str::Bytes<'_>) -> Option<u8> {
    match rest.next()? {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        same @ (b'"' | b'\\') => Some(same),
        high @ b'0'..=b'3' => {
            let [middle, low] = [rest.next()?, rest.next()?];
            let digit = |byte: u8| (b'0'..=b'7').contains(&byte).then(|| byte - b'0');
            Some((high - b'0') * 64 + digit(middle)? * 8 + digit(low)?)
        }
        _ => None,
    }
}

/// Whether a character could end a line, or turn around what is shown of it.
pub(crate) fn breaks_a_line(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn push(quoted: &mut String, char: char) {
    match char {
        '\n' => quoted.push_str("\\n"),
        '\t' => quoted.push_str("\\t"),
        '"' => quoted.push_str("\\\""),
        '\\' => quoted.push_str("\\\\"),
        odd if breaks_a_line(odd) => push_octal(quoted, odd.encode_utf8(&mut [0; 4]).as_bytes()),
        plain => quoted.push(plain),
    }
}

fn push_octal(quoted: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(quoted, "\\{byte:03o}").expect("a string takes any text");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_odd_names_are_quoted() {
        let cases: [(&[u8], &str); 7] = [
            (b"src/a b.rs", "src/a b.rs"),
            (b"", "."),
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            (b"a\nb", r#""a\nb""#),
            (b"a\x1b[31m", r#""a\033[31m""#),
            (b"\xff", r#""\377""#),
            (b"\"a\"", r#""\"a\"""#),
        ];
        for (bytes, expected) in cases {
            assert_eq!(quote(&RepoPath::parse(bytes).unwrap()), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(bytes in proptest::collection::vec(1_u8..=255, 1..40)) {
            if let Ok(path) = RepoPath::parse(&bytes) {
                let shown = quote(&path);
                prop_assert!(!shown.contains('\n'));
                let read = unquote(&shown).unwrap_or_else(|| shown.into_bytes());
                prop_assert_eq!(RepoPath::parse(read).unwrap(), path);
            }
        }
    }
}
