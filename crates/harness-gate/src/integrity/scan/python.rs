//! Python: pytest and unittest.

use std::collections::BTreeMap;

use super::{
    BODY_BYTES_MAX, CALL_BYTES_MAX, Mark, Marks, Skipped, Source, always_holds, arguments,
    assertion, closing, is_same, is_word_byte, may_assert, next_is, next_word, split_arguments,
    words,
};
use crate::text::char_floor;

/// Finds the marks of a test file.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let code = &source.code;
    let mut marks = Marks::new();
    let mut pending = Skipped::No;
    // How far the function that is open is indented: what is further in belongs to it.
    let mut inside: Option<usize> = None;
    let mut decorated = 0;
    // Marks that have a name of their own: `slow = pytest.mark.skipif(...)`.
    let mut named: BTreeMap<&str, Skipped> = BTreeMap::new();
    for (at, word) in words(code) {
        if at >= decorated && is_decorator(code, at) {
            decorated = decorator_end(code, at);
        }
        match word {
            "def" | "class" => {
                let skipped = std::mem::take(&mut pending);
                let depth = indent(code, at);
                if inside.is_some_and(|inside| depth > inside) {
                    continue;
                }
                let name = next_word(code, at + word.len()).to_owned();
                inside = (word == "def").then_some(depth);
                marks.push((at, beginning(word, name, skipped)));
            }
            "except" if swallows(code, at) => {
                marks.push((at, Mark::Swallowed("except".to_owned())));
            }
            _ if named.contains_key(word) && is_decorator(code, at) => {
                pending = pending.max(named[word]);
            }
            _ if is_skip(code, at, word) => {
                let skipped = skips(code, at, word);
                if let Some(name) = assigned(code, at).filter(|name| *name != "pytestmark") {
                    named.insert(name, skipped);
                    continue;
                }
                match (is_decorator(code, at), at < decorated) {
                    (true, _) => pending = pending.max(skipped),
                    // Of one set of parameters.
                    (false, true) => pending = pending.max(Skipped::Sometimes),
                    (false, false) => marks.push((at, Mark::Skip(word.to_owned(), skipped))),
                }
            }
            _ => marks.extend(call(source, at, word)),
        }
    }
    marks
}

fn beginning(word: &str, name: String, skipped: Skipped) -> Mark {
    match word {
        "class" => Mark::SkipNamed(name, skipped),
        _ if name.starts_with("test") => Mark::Test { name, skipped },
        _ => Mark::Helper(name),
    }
}

/// Returns how far the line of a place is indented.
fn indent(code: &str, at: usize) -> usize {
    let line = line_before(code, at);
    line.len() - line.trim_start().len()
}

/// Returns the line of a place up to it, as far as it is looked at.
fn line_before(code: &str, at: usize) -> &str {
    let nearby = char_floor(code, at.saturating_sub(CALL_BYTES_MAX));
    code[nearby..at].rsplit('\n').next().unwrap_or_default()
}

/// Returns where the decorator on the line of `at` ends: with its brackets, or with the line.
fn decorator_end(code: &str, at: usize) -> usize {
    let line = code[at..].find('\n').map_or(code.len(), |end| at + end);
    let Some(open) = code[at..line].find('(').map(|open| at + open) else {
        return line;
    };
    let mut depth = 0_usize;
    let nearby = code.as_bytes()[open..].iter().take(BODY_BYTES_MAX);
    for (length, byte) in nearby.enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return open + length;
        }
    }
    line
}

/// Returns the name that a line gives to the mark at `at`.
fn assigned(code: &str, at: usize) -> Option<&str> {
    let (name, mark) = line_before(code, at).split_once('=')?;
    let is_mark = mark.trim_start().starts_with("pytest.mark.");
    let name = name.trim();
    (is_mark && name.bytes().all(is_word_byte)).then_some(name)
}

/// Says whether a skip holds always or under a condition, given or around it.
fn skips(code: &str, at: usize, word: &str) -> Skipped {
    if matches!(word, "skipif" | "skipIf" | "skipUnless" | "importorskip") {
        return Skipped::Sometimes;
    }
    let depth = indent(code, at);
    let nearby = char_floor(code, at.saturating_sub(CALL_BYTES_MAX));
    let around = code[nearby..at].lines().rev().skip(1).find(|line| {
        let text = line.trim_start();
        !text.is_empty() && line.len() - text.len() < depth
    });
    let is_condition = around.is_some_and(|line| {
        let word = next_word(line, 0);
        matches!(word, "if" | "elif" | "else" | "except" | "case")
    });
    let is_inline = next_word(line_before(code, at), 0) == "if";
    if is_condition || is_inline {
        Skipped::Sometimes
    } else {
        Skipped::Always
    }
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
    line_before(code, at).trim_start().starts_with('@')
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
        _ => may_assert(code, at, word).then(|| (at, Mark::Delegate(word.to_owned()))),
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
