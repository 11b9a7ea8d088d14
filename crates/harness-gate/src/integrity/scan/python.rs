//! Python: pytest and unittest.

use super::{
    CALL_BYTES_MAX, Mark, Marks, Source, always_holds, arguments, assertion, closing, is_same,
    may_assert, next_is, next_word, split_arguments, words,
};
use crate::text::char_floor;

/// Finds the marks of a test file.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let code = &source.code;
    let mut marks = Marks::new();
    let mut skip_next = false;
    for (at, word) in words(code) {
        match word {
            "def" => {
                marks.extend(function(code, at, skip_next));
                skip_next = false;
            }
            "class" => {
                if skip_next {
                    let name = next_word(code, at + word.len()).to_owned();
                    marks.push((at, Mark::SkipNamed(name)));
                }
                skip_next = false;
            }
            "except" if swallows(code, at) => {
                marks.push((at, Mark::Swallowed("except".to_owned())));
            }
            _ if is_skip(code, at, word) => match is_decorator(code, at) {
                true => skip_next = true,
                false => marks.push((at, Mark::Skip(word.to_owned()))),
            },
            _ => marks.extend(call(source, at, word)),
        }
    }
    marks
}

fn function(code: &str, at: usize, skipped: bool) -> Option<(usize, Mark)> {
    let name = next_word(code, at + "def".len()).to_owned();
    let mark = match name.starts_with("test") {
        true => Mark::Test { name, skipped },
        false => Mark::Helper,
    };
    Some((at, mark))
}

/// Whether a word skips a test, as a mark or as a call.
fn is_skip(code: &str, at: usize, word: &str) -> bool {
    let before = &code[..at];
    match word {
        "skip" | "xfail" => {
            before.ends_with("pytest.") || before.ends_with("mark.") || is_decorator(code, at)
        }
        "skipif" | "importorskip" => before.ends_with('.'),
        "skipTest" => before.ends_with('.'),
        "skipIf" | "skipUnless" | "expectedFailure" => is_decorator(code, at),
        _ => false,
    }
}

/// Whether an `except` lets a failed assertion pass: it can catch one and does nothing with it.
fn swallows(code: &str, at: usize) -> bool {
    let limit = char_floor(code, at + CALL_BYTES_MAX);
    let mut lines = code[at..limit].lines();
    let clause = lines.next().unwrap_or_default();
    let Some((caught, rest)) = clause["except".len()..].split_once(':') else {
        return false;
    };
    let catches = caught.trim().is_empty()
        || words(caught)
            .any(|(_, word)| matches!(word, "AssertionError" | "Exception" | "BaseException"));
    let body = match rest.trim() {
        "" => lines
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default(),
        body => body,
    };
    let does_nothing = matches!(body, "pass" | "..." | "continue" | "return" | "return True");
    catches && does_nothing
}

fn is_decorator(code: &str, at: usize) -> bool {
    let nearby = char_floor(code, at.saturating_sub(CALL_BYTES_MAX));
    let line = code[nearby..at].rsplit('\n').next().unwrap_or_default();
    line.trim_start().starts_with('@')
}

fn call(source: &Source<'_>, at: usize, word: &str) -> Option<(usize, Mark)> {
    let code = &source.code;
    let (before, after) = (&code[..at], at + word.len());
    if word == "assert" {
        return Some(statement(source, at));
    }
    let open = next_is(code, after, b'(')?;
    match word {
        "_exit" | "abort" if before.ends_with("os.") => {
            Some((at, Mark::Exit(format!("os.{word}"))))
        }
        "exit" if before.ends_with("sys.") => Some((at, Mark::Exit("sys.exit".to_owned()))),
        "suppress" => {
            let catches = arguments(source, open)
                .iter()
                .any(|caught| matches!(*caught, "AssertionError" | "Exception" | "BaseException"));
            catches.then(|| (at, Mark::Swallowed("suppress".to_owned())))
        }
        "raises" | "warns" if before.ends_with("pytest.") => {
            Some(assertion(source, at, open, false))
        }
        _ if word.starts_with("assert") && before.ends_with('.') => {
            let end = closing(code, open).unwrap_or(open) + 1;
            let holds = match arguments(source, open).as_slice() {
                [left, right, ..] if word.starts_with("assertEqual") => is_same(left, right),
                [condition, ..] if word == "assertTrue" => always_holds(condition),
                _ => false,
            };
            Some(assertion(source, at, end, holds))
        }
        _ => may_assert(word).then_some((at, Mark::Delegate)),
    }
}

/// Makes the mark of an `assert` statement, whose condition goes to a comma or the line's end.
fn statement(source: &Source<'_>, at: usize) -> (usize, Mark) {
    let start = at + "assert".len();
    let limit = char_floor(&source.code, start + CALL_BYTES_MAX);
    let line = source.code[start..limit].find('\n');
    let end = line.map_or(limit, |line| start + line);
    // The comment behind the condition is blank in the code but not in the text.
    let end = start + source.code[start..end].trim_end().len();
    let condition = split_arguments(source, start, end)[0];
    let condition = condition.strip_prefix('(').map_or(condition, |inner| {
        inner.strip_suffix(')').unwrap_or(condition)
    });
    assertion(source, at, end, always_holds(condition))
}
