//! JavaScript and TypeScript: the words that Jest, Vitest, Mocha, Jasmine and `node:test` share.

use super::{
    CALL_BYTES_MAX, Mark, Marks, Skipped, Source, always_holds, arguments, assertion, closing,
    happens, is_same, is_word_byte, may_assert, next_is, next_word, words,
};

/// Finds the marks of a test file.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let mut marks = Marks::new();
    for (at, word) in words(&source.code) {
        match word {
            "it" | "test" | "specify" | "xit" | "xtest" | "xspecify" | "fit" | "describe"
            | "xdescribe" | "fdescribe" | "suite" => marks.extend(block(source, at, word)),
            "expect" => marks.extend(expectation(source, at)),
            "assert" => marks.extend(assert_call(source, at)),
            _ => marks.extend(other(source, at, word)),
        }
    }
    marks
}

/// Reads a block such as `it("name", ...)`, `it.skip("name", ...)` or `it.each(table)("name", ...)`.
fn block(source: &Source<'_>, at: usize, word: &str) -> Option<(usize, Mark)> {
    let code = &source.code;
    if is_member(code, at) || code[..at].trim_end().ends_with("function") {
        return None;
    }
    let (mut after, mut skipped, mut alone) = (
        at + word.len(),
        match word.starts_with('x') {
            true => Skipped::Always,
            false => Skipped::No,
        },
        word.starts_with('f'),
    );
    let mut is_table = false;
    while code.as_bytes().get(after) == Some(&b'.') {
        let modifier = next_word(code, after + 1);
        if modifier.is_empty() {
            return None;
        }
        skipped = skipped.max(match modifier {
            "skip" | "todo" | "fails" | "failing" => Skipped::Always,
            "skipIf" | "runIf" => Skipped::Sometimes,
            _ => Skipped::No,
        });
        alone |= modifier == "only";
        is_table |= matches!(modifier, "each" | "for" | "skipIf" | "runIf");
        after += 1 + modifier.len();
    }
    if is_table {
        after = next_is(code, after, b'(').and_then(|open| closing(code, open))? + 1;
    }
    let open = next_is(code, after, b'(')?;
    let name = name(source, open)?;
    let is_group = matches!(word, "describe" | "xdescribe" | "fdescribe" | "suite");
    let mark = match (is_group, alone, skipped) {
        (_, true, _) => Mark::SkipNamed(format!("only {name}"), Skipped::Always),
        (true, false, Skipped::No) => return None,
        (true, false, skipped) => Mark::SkipNamed(name, skipped),
        (false, false, skipped) => Mark::Test { name, skipped },
    };
    Some((at, mark))
}

/// Returns the first argument as a name, without its quotes.
fn name(source: &Source<'_>, open: usize) -> Option<String> {
    // The call goes far beyond its name: only the way to the first comma is looked at.
    let rest = source.code.as_bytes()[open + 1..].iter();
    let mut ends = rest.take(CALL_BYTES_MAX);
    let end = open + 1 + ends.position(|byte| matches!(byte, b',' | b')'))?;
    let name = source.text[open + 1..end].trim();
    let name = name.trim_matches(['"', '\'', '`']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// Reads `expect(value).matcher(...)`.
fn expectation(source: &Source<'_>, at: usize) -> Option<(usize, Mark)> {
    let code = &source.code;
    if is_member(code, at) {
        return None;
    }
    let open = next_is(code, at + "expect".len(), b'(')?;
    let holds = closing(code, open).and_then(|close| {
        let dot = next_is(code, close + 1, b'.')?;
        let matcher = next_word(code, dot + 1);
        let matched = next_is(code, dot + 1 + matcher.len(), b'(')?;
        let end = closing(code, matched)? + 1;
        let value = *arguments(source, open).first()?;
        let expected = arguments(source, matched);
        let holds = match matcher {
            "toBe" | "toEqual" | "toStrictEqual" => is_same(value, expected.first()?),
            "toBeTruthy" => always_holds(value),
            "toBeDefined" => matches!(value, "true" | "1"),
            _ => false,
        };
        holds.then_some(end)
    });
    Some(match holds {
        Some(end) => assertion(source, at, end, true),
        None => assertion(source, at, open, false),
    })
}

/// Reads `assert(...)`, `assert.method(...)` and `t.assert.method(...)`.
fn assert_call(source: &Source<'_>, at: usize) -> Option<(usize, Mark)> {
    let code = &source.code;
    if is_member(code, at) && !is_context(code, at) {
        return None;
    }
    let after = at + "assert".len();
    let (method, after) = match code.as_bytes().get(after) {
        Some(b'.') => {
            let method = next_word(code, after + 1);
            (method, after + 1 + method.len())
        }
        _ => ("ok", after),
    };
    let open = next_is(code, after, b'(')?;
    let end = closing(code, open).unwrap_or(open) + 1;
    let holds = match arguments(source, open).as_slice() {
        [condition, ..] if method == "ok" => always_holds(condition),
        [left, right, ..] if method.to_ascii_lowercase().contains("equal") => {
            !method.starts_with("not") && is_same(left, right)
        }
        _ => false,
    };
    Some(assertion(source, at, end, holds))
}

fn other(source: &Source<'_>, at: usize, word: &str) -> Option<(usize, Mark)> {
    let code = &source.code;
    let after = at + word.len();
    match word {
        "skip" | "todo" if is_context(code, at) && next_is(code, after, b'(').is_some() => {
            Some((at, Mark::Skip(word.to_owned(), happens(code, at))))
        }
        "skip" | "todo" if is_set(code, after) => {
            Some((at, Mark::Skip(word.to_owned(), Skipped::Always)))
        }
        "only" if is_set(code, after) => {
            Some((at, Mark::SkipNamed("only".to_owned(), Skipped::Always)))
        }
        "catch" if swallows(code, at, after) => Some((at, Mark::Swallowed("catch".to_owned()))),
        "should" if is_member(code, at) => Some(assertion(source, at, after, false)),
        "exit" if code[..at].ends_with("process.") => {
            Some((at, Mark::Exit("process.exit".to_owned())))
        }
        _ => {
            let is_call = next_is(code, after, b'(').is_some();
            (is_call && may_assert(word)).then_some((at, Mark::Delegate))
        }
    }
}

/// Whether a `catch` of a `try` does nothing with what it caught.
fn swallows(code: &str, at: usize, after: usize) -> bool {
    if is_member(code, at) {
        return false;
    }
    let after = match next_is(code, after, b'(') {
        Some(open) => closing(code, open).map_or(after, |close| close + 1),
        None => after,
    };
    super::block(code, after).is_some_and(|block| block.trim().is_empty())
}

/// Whether an option is set by what follows its name: `true` or a reason.
fn is_set(code: &str, after: usize) -> bool {
    let Some(colon) = next_is(code, after, b':') else {
        return false;
    };
    let is_text = |quote| next_is(code, colon + 1, quote).is_some();
    next_word(code, colon + 1) == "true" || [b'"', b'\'', b'`'].into_iter().any(is_text)
}

/// Whether the word at `at` is a member of something.
fn is_member(code: &str, at: usize) -> bool {
    code[..at].ends_with('.') && !code[..at].ends_with("...")
}

/// Whether the word at `at` is a member of a test's context.
fn is_context(code: &str, at: usize) -> bool {
    let Some(before) = code[..at].strip_suffix('.') else {
        return false;
    };
    let start = before.bytes().rposition(|byte| !is_word_byte(byte));
    let receiver = &before[start.map_or(0, |at| at + 1)..];
    matches!(receiver, "t" | "this" | "ctx" | "context")
}
