//! Finds tests, skips, assertions and suppressions in the code of one file.

mod go;
mod java;
mod python;
mod rust;
mod script;
mod shell;

use super::{
    facts::{self, Facts, Mark, Skipped},
    language::Language,
    lexer::{Source, is_word_byte},
};
use crate::text::one_line;

/// How far the end of an argument list or of a statement is looked for. Unit: bytes.
///
/// Nested calls are looked at again and again, so this bounds the work per byte.
const CALL_BYTES_MAX: usize = 1_024;

/// How far the end of a test's body is looked for. Unit: bytes.
///
/// Braces that never close would else make every test read the rest of the text.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Marks with the places where they stand.
type Marks = Vec<(usize, Mark)>;

/// Returns what a text says about tests; `is_test` says that its path is a test's.
pub(super) fn facts(language: Language, text: &str, is_test: bool) -> Facts {
    let source = Source::read(language, text);
    let mut marks = match language {
        Language::Rust => rust::marks(&source, is_test),
        Language::Python if is_test => python::marks(&source),
        Language::Script if is_test => script::marks(&source),
        Language::Go if is_test => go::marks(&source),
        Language::Java if is_test => java::marks(&source),
        Language::Java => java::suppressions(&source),
        Language::Shell if is_test => shell::marks(&source),
        _ => Marks::new(),
    };
    marks.extend(silenced(language, &source));
    marks.sort_by_key(|(at, _)| *at);
    let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let line = |at: usize| {
        let before = starts.partition_point(|start| *start <= at);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    };
    let marks = marks.into_iter().map(|(at, mark)| (line(at), mark));
    facts::fold(marks, line(text.len()))
}

/// Finds the comments that silence a linter or a type checker.
fn silenced(language: Language, source: &Source<'_>) -> Marks {
    let directives: &[&str] = match language {
        Language::Rust => &[],
        Language::Python => &[
            "noqa",
            "type: ignore",
            "pylint: disable",
            "pyright: ignore",
            "mypy: ignore-errors",
            "mypy: disable-error-code",
            "flake8: noqa",
            "ruff: noqa",
        ],
        Language::Script => &[
            "eslint-disable",
            "@ts-ignore",
            "@ts-nocheck",
            "@ts-expect-error",
            "biome-ignore",
        ],
        Language::Go => &["nolint", "lint:ignore"],
        // Its suppressions are annotations, and no comments.
        Language::Java => &["NOSONAR", "CHECKSTYLE:OFF"],
        Language::Shell => &["shellcheck disable"],
    };
    let found = source.comments.iter().flat_map(|(at, comment)| {
        // A sentence may speak of a directive; one that works begins the comment.
        let content = comment.trim_start_matches(['#', '/', '*', ' ', '\t']);
        let matching = directives
            .iter()
            .filter(move |word| content.starts_with(**word));
        matching.map(|word| (*at, Mark::Silenced((*word).to_owned())))
    });
    found.collect()
}

/// Iterates over the words of code with their places; numbers count as words.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = code.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().position(|&byte| is_word_byte(byte))?;
        let start = at;
        let rest = &bytes[start..];
        let length = rest.iter().position(|&byte| !is_word_byte(byte));
        at = length.map_or(bytes.len(), |length| start + length);
        Some((start, &code[start..at]))
    })
}

/// Returns the place of the next byte of code that is no white space, from `at` on.
fn next_code(code: &str, at: usize) -> Option<usize> {
    let rest = &code.as_bytes()[at..];
    let skipped = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
    Some(at + skipped)
}

/// Returns the place of `byte` when it is the next code from `at` on.
fn next_is(code: &str, at: usize, byte: u8) -> Option<usize> {
    next_code(code, at).filter(|next| code.as_bytes()[*next] == byte)
}

/// Returns the word that begins with the next code from `at` on; empty when none does.
fn next_word(code: &str, at: usize) -> &str {
    let rest = next_code(code, at).map_or("", |next| &code[next..]);
    let end = rest.bytes().position(|byte| !is_word_byte(byte));
    &rest[..end.unwrap_or(rest.len())]
}

/// Returns the place of the bracket that closes the one at `open`, where it is not too far;
/// `None` when there is no bracket.
fn closing(code: &str, open: usize) -> Option<usize> {
    let rest = &code.as_bytes()[open..];
    rest.first().filter(|byte| b"([{".contains(byte))?;
    let mut depth = 0_usize;
    for (length, byte) in rest.iter().take(CALL_BYTES_MAX).enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + length);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns the arguments between the bracket at `open` and its end, as they are written, trimmed.
fn arguments<'a>(source: &Source<'a>, open: usize) -> Vec<&'a str> {
    let Some(close) = closing(&source.code, open) else {
        return Vec::new();
    };
    split_arguments(source, open + 1, close)
}

fn split_arguments<'a>(source: &Source<'a>, start: usize, end: usize) -> Vec<&'a str> {
    let mut arguments = Vec::new();
    let (mut depth, mut begin) = (0_i32, start);
    for (length, byte) in source.code.as_bytes()[start..end].iter().enumerate() {
        let at = start + length;
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                arguments.push(source.text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    arguments.push(source.text[begin..end].trim());
    arguments
}

/// Whether a condition holds whatever the program does.
fn always_holds(condition: &str) -> bool {
    let condition = condition.trim();
    if matches!(condition, "true" | "True" | "1" | "!false" | "not False") {
        return true;
    }
    let ends = ["|| true", "||true", "or True", "or 1"];
    let begins = ["true ||", "true||", "True or ", "1 or "];
    if ends.iter().any(|word| condition.ends_with(word))
        || begins.iter().any(|word| condition.starts_with(word))
    {
        return true;
    }
    let sides = condition.split_once("==");
    sides.is_some_and(|(left, right)| is_same(left, right.trim_start_matches('=')))
}

/// Whether two expressions are the same and call nothing, so that comparing them shows nothing.
fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.trim(), right.trim());
    !left.is_empty() && left == right && !left.contains('(')
}

/// Makes the mark of an assertion that stands from `start` to `end`.
fn assertion(source: &Source<'_>, start: usize, end: usize, holds: bool) -> (usize, Mark) {
    let trivial = holds.then(|| one_line(&source.text[start..end], 120));
    (start, Mark::Assertion { trivial })
}

/// Returns the block that opens at or behind `at`, as code without its braces; `None` where none does.
fn block(code: &str, at: usize) -> Option<&str> {
    let open = next_is(code, at, b'{')?;
    let close = closing(code, open)?;
    Some(&code[open + 1..close])
}

/// Returns where the body ends that opens at or behind `at`, where it is not too far; `at` where none does.
fn body_end(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    let nearby = code.as_bytes()[at..].iter().take(BODY_BYTES_MAX);
    for (length, byte) in nearby.enumerate() {
        match byte {
            b';' if depth == 0 => return at,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + length;
                }
            }
            _ => {}
        }
    }
    code.len().min(at + BODY_BYTES_MAX)
}

/// Says whether what stands at `at` always happens in its function, or under a condition, in
/// a language of braces.
fn happens(code: &str, at: usize) -> Skipped {
    const CONDITIONS: [&str; 6] = ["if", "else", "switch", "case", "match", "catch"];
    let is_condition = |text: &str| words(text).any(|(_, word)| CONDITIONS.contains(&word));
    if is_condition(statement_before(code, at)) {
        return Skipped::Sometimes;
    }
    let nearby = crate::text::char_floor(code, at.saturating_sub(CALL_BYTES_MAX));
    let mut depth = 0_usize;
    for (length, byte) in code.as_bytes()[nearby..at].iter().enumerate().rev() {
        match byte {
            b'}' => depth += 1,
            b'{' if depth > 0 => depth -= 1,
            b'{' => {
                let opener = statement_before(code, nearby + length);
                return if is_condition(opener) {
                    Skipped::Sometimes
                } else {
                    Skipped::Always
                };
            }
            _ => {}
        }
    }
    Skipped::Always
}

/// Returns the statement before `at`, from the last end of another one.
fn statement_before(code: &str, at: usize) -> &str {
    let start = code[..at].rfind([';', '{', '}', '\n']);
    code[start.map_or(0, |start| start + 1)..at].trim()
}

/// Whether the name at `at` is declared there, and no call.
fn is_declared(code: &str, at: usize) -> bool {
    let before = code[..at].trim_end();
    before.len() < at
        && ["fn", "func", "def", "function"]
            .iter()
            .any(|word| before.ends_with(word))
}

/// Whether a function of this name, called at `at`, may assert for its caller.
fn may_assert(code: &str, at: usize, name: &str) -> bool {
    const BEGINNINGS: [&str; 7] = [
        "assert", "check", "expect", "verify", "ensure", "require", "panic",
    ];
    let lower = name.to_ascii_lowercase();
    BEGINNINGS.iter().any(|beginning| {
        // `checkQuotes`, `check_quotes`, `check`; but not `checkout`, and no module is an assertion.
        let rest = lower
            .strip_prefix(beginning)
            .map(|rest| &name[name.len() - rest.len()..]);
        rest.is_some_and(|rest| !rest.starts_with(|char: char| char.is_ascii_lowercase()))
            && name != "require"
            && !is_declared(code, at)
    })
}
