//! Takes comments and strings out of source text.
//!
//! Not a lexer of any language: it knows where comments and strings begin and
//! end, so that a word in them is not taken for code. Text that is malformed
//! gives some result, never an error.

use super::language::Language;

/// A source text with its comments and strings blanked, byte for byte in place.
pub(super) struct Source<'a> {
    /// The text as it is.
    pub(super) text: &'a str,
    /// The same length: code, with blanks for comments and the content of strings.
    pub(super) code: String,
    /// The comments, without what is around them, with their places in the text.
    pub(super) comments: Vec<(usize, &'a str)>,
}

impl<'a> Source<'a> {
    /// Splits a text into code and comments.
    pub(super) fn read(language: Language, text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut code = bytes.to_vec();
        let mut comments = Vec::new();
        let mut at = 0;
        // The last byte of code before `at`, blanks left out.
        let mut before = b'\n';
        while at < bytes.len() {
            let rest = &bytes[at..];
            match piece(
                language,
                rest,
                before,
                at.checked_sub(1).map(|at| bytes[at]),
            ) {
                Piece::Code => {
                    if !rest[0].is_ascii_whitespace() {
                        before = rest[0];
                    }
                    at += 1;
                }
                Piece::Comment(length) => {
                    blank(&mut code[at..at + length]);
                    comments.push((at, length));
                    at += length;
                }
                Piece::Quoted {
                    open,
                    length,
                    close,
                } => {
                    blank(&mut code[at + open..at + length - close]);
                    before = b'"';
                    at += length;
                }
            }
        }
        // Blanks replace whole pieces, which begin and end with ASCII; where
        // malformed text ends inside of one, it ends with the text.
        Self {
            text,
            code: String::from_utf8_lossy(&code).into_owned(),
            comments: comments
                .into_iter()
                .map(|(at, length)| (at, text.get(at..at + length).unwrap_or("")))
                .collect(),
        }
    }
}

/// What begins at a place.
enum Piece {
    Code,
    /// A comment of this many bytes.
    Comment(usize),
    /// A string or a pattern: its whole length, and those of its two ends.
    Quoted {
        open: usize,
        length: usize,
        close: usize,
    },
}

fn piece(language: Language, rest: &[u8], before: u8, previous: Option<u8>) -> Piece {
    match language {
        Language::Rust => rust(rest, previous),
        Language::Python => python(rest),
        Language::Script => script(rest, before),
        Language::Go => go(rest),
        Language::Java => java(rest),
        Language::Shell => shell(rest, previous),
    }
}

fn rust(rest: &[u8], previous: Option<u8>) -> Piece {
    match rest {
        [b'/', b'/', ..] => Piece::Comment(line_length(rest)),
        [b'/', b'*', ..] => Piece::Comment(nested_comment(rest)),
        [b'"', ..] => quoted(rest, 1, b"\"", true),
        [b'r', b'"' | b'#', ..] if !previous.is_some_and(is_word_byte) => raw_string(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !previous.is_some_and(is_word_byte) => {
            raw_string(rest, 2)
        }
        // A character, not a lifetime: `'x'` or an escape.
        [b'\'', b'\\', ..] => quoted_in_line(rest, b'\''),
        [b'\'', first, ..] => {
            let close = 1 + char_length(*first);
            match rest.get(close) {
                Some(b'\'') => Piece::Quoted {
                    open: 1,
                    length: close + 1,
                    close: 1,
                },
                _ => Piece::Code,
            }
        }
        _ => Piece::Code,
    }
}

fn python(rest: &[u8]) -> Piece {
    match rest {
        [b'#', ..] => Piece::Comment(line_length(rest)),
        [b'"', b'"', b'"', ..] => quoted(rest, 3, b"\"\"\"", true),
        [b'\'', b'\'', b'\'', ..] => quoted(rest, 3, b"'''", true),
        [quote @ (b'"' | b'\''), ..] => quoted_in_line(rest, *quote),
        _ => Piece::Code,
    }
}

fn script(rest: &[u8], before: u8) -> Piece {
    match rest {
        [b'/', b'/', ..] => Piece::Comment(line_length(rest)),
        [b'/', b'*', ..] => Piece::Comment(comment_until(rest, b"*/")),
        [b'`', ..] => quoted(rest, 1, b"`", true),
        [quote @ (b'"' | b'\''), ..] => quoted_in_line(rest, *quote),
        // A slash where a value is expected begins a pattern.
        [b'/', ..] if b"(,=:[!&|?{};+\n".contains(&before) => pattern(rest),
        _ => Piece::Code,
    }
}

fn go(rest: &[u8]) -> Piece {
    match rest {
        [b'/', b'/', ..] => Piece::Comment(line_length(rest)),
        [b'/', b'*', ..] => Piece::Comment(comment_until(rest, b"*/")),
        [b'`', ..] => quoted(rest, 1, b"`", false),
        [quote @ (b'"' | b'\''), ..] => quoted_in_line(rest, *quote),
        _ => Piece::Code,
    }
}

fn java(rest: &[u8]) -> Piece {
    match rest {
        [b'/', b'/', ..] => Piece::Comment(line_length(rest)),
        [b'/', b'*', ..] => Piece::Comment(comment_until(rest, b"*/")),
        [b'"', b'"', b'"', ..] => quoted(rest, 3, b"\"\"\"", true),
        [quote @ (b'"' | b'\''), ..] => quoted_in_line(rest, *quote),
        _ => Piece::Code,
    }
}

/// Quotes are left as they are: what stands in them may well be a command.
fn shell(rest: &[u8], previous: Option<u8>) -> Piece {
    let begins = previous.is_none_or(|byte| byte.is_ascii_whitespace());
    match rest {
        [b'#', ..] if begins => Piece::Comment(line_length(rest)),
        _ => Piece::Code,
    }
}

fn line_length(rest: &[u8]) -> usize {
    let newline = rest.iter().position(|&byte| byte == b'\n');
    newline.unwrap_or(rest.len())
}

fn comment_until(rest: &[u8], close: &[u8]) -> usize {
    find(&rest[2..], close).map_or(rest.len(), |at| 2 + at + close.len())
}

fn nested_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// A string that begins with `open` bytes and goes on to `close`, over lines.
fn quoted(rest: &[u8], open: usize, close: &[u8], escapes: bool) -> Piece {
    let mut at = open;
    while at < rest.len() {
        if escapes && rest[at] == b'\\' {
            at += 2;
        } else if rest[at..].starts_with(close) {
            return Piece::Quoted {
                open,
                length: at + close.len(),
                close: close.len(),
            };
        } else {
            at += 1;
        }
    }
    unclosed(rest, open)
}

/// A string of one line; where it is not closed, it ends with the line.
fn quoted_in_line(rest: &[u8], quote: u8) -> Piece {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'\n' {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => {
                return Piece::Quoted {
                    open: 1,
                    length: at + 1,
                    close: 1,
                };
            }
            _ => at += 1,
        }
    }
    unclosed(&rest[..at.min(rest.len())], 1)
}

/// A regular expression; a slash in brackets does not end it, and what has no end is a division.
fn pattern(rest: &[u8]) -> Piece {
    const LENGTH_MAX: usize = 1_000;
    let rest = &rest[..rest.len().min(LENGTH_MAX)];
    let (mut at, mut in_class) = (1, false);
    while at < rest.len() && rest[at] != b'\n' {
        match rest[at] {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => {
                return Piece::Quoted {
                    open: 1,
                    length: at + 1,
                    close: 1,
                };
            }
            _ => {}
        }
        at += 1;
    }
    Piece::Code
}

/// A raw string whose prefix has `prefix` letters; a raw identifier is code.
fn raw_string(rest: &[u8], prefix: usize) -> Piece {
    let hashes = rest[prefix..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let open = prefix + hashes + 1;
    if rest.get(open - 1) != Some(&b'"') {
        return Piece::Code;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    match find(&rest[open..], &close) {
        Some(at) => Piece::Quoted {
            open,
            length: open + at + close.len(),
            close: close.len(),
        },
        None => unclosed(rest, open),
    }
}

fn unclosed(rest: &[u8], open: usize) -> Piece {
    Piece::Quoted {
        open: open.min(rest.len()),
        length: rest.len(),
        close: 0,
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// Returns the bytes of the character that begins with `first`.
fn char_length(first: u8) -> usize {
    match first {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}

/// Whether a byte is part of a word; every byte beyond ASCII is.
pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Language; 6] = [
        Language::Rust,
        Language::Python,
        Language::Script,
        Language::Go,
        Language::Java,
        Language::Shell,
    ];

    fn check(language: Language, text: &str, expected: &str) {
        assert_eq!(Source::read(language, text).code, expected, "{text}");
    }

    #[test]
    fn strings_and_comments_are_blank() {
        use Language::{Go, Python, Rust, Script};
        check(Rust, r#"a("x\"y") // z"#, r#"a("    ")     "#);
        check(Rust, "a /* /* b */ */ c", "a               c");
        check(Rust, r##"r#"a"b"# r#fn"##, r##"r#"   "# r#fn"##);
        check(Rust, "'a' 'é' '\\'' &'a b", "' ' '  ' '  ' &'a b");
        check(Rust, "attr\"x\" b\"y\"", "attr\" \" b\" \"");
        check(Python, "x = 'a # b' # c", "x = '     '    ");
        check(Python, "'''a\n'b' # c\n''' d", "''' \n       \n''' d");
        check(Script, "x(`a ${b} '`) // c", "x(`        `)     ");
        check(
            Script,
            "x = /[/'\"]`/g; y = a / b / c",
            "x = /      /g; y = a / b / c",
        );
        check(Script, "let a = 'it''s\nok", "let a = '  '' \nok");
        check(Go, "`a\\` \"b\" // c", "`  ` \" \"     ");
    }

    #[test]
    fn comments_are_kept_with_their_places() {
        let source = Source::read(Language::Python, "x  # noqa\n# type: ignore");
        assert_eq!(source.comments, [(3, "# noqa"), (10, "# type: ignore")]);
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_length_and_lines(text in "[a-zé'\"`/*#\\\\\\[\\]r\n]{0,60}") {
            for language in ALL {
                let source = Source::read(language, &text);
                prop_assert_eq!(source.code.len(), text.len());
                let newlines = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
                prop_assert_eq!(newlines(&source.code), newlines(&text));
            }
        }
    }
}
