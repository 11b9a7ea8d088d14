//! JavaScript and TypeScript: the words that Jest, Vitest, Mocha, Jasmine and `node:test` share.

use super::{
    CALL_BYTES_MAX, Mark, Marks, Skipped, Source, always_holds, arguments, assertion, body_end,
    closing, happens, is_same, is_word_byte, may_assert, next_code, next_is, next_word, words,
};

/// What may stand between the word of a block and its name.
const MODIFIERS: [&str; 14] = [
    "skip",
    "todo",
    "fails",
    "failing",
    "skipIf",
    "runIf",
    "only",
    "each",
    "for",
    "concurrent",
    "sequential",
    "serial",
    "parallel",
    "describe",
];

/// Finds the marks of a test file.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let code = &source.code;
    let mut marks = Marks::new();
    let mut test_end = 0;
    for (at, word) in words(code) {
        match word {
            "function" | "const" | "let" | "var" if at >= test_end => {
                marks.extend(helper(code, at, word).map(|name| (at, Mark::Helper(name))));
            }
            "it" | "test" | "specify" | "xit" | "xtest" | "xspecify" | "fit" | "describe"
            | "xdescribe" | "fdescribe" | "suite" => {
                let block = block(source, at, word);
                if block
                    .iter()
                    .any(|(_, mark)| matches!(mark, Mark::Test { .. }))
                {
                    test_end = body_end(code, at);
                }
                marks.extend(block);
            }
            "expect" => marks.extend(expectation(source, at)),
            "assert" => marks.extend(assert_call(source, at)),
            _ => marks.extend(other(source, at, word)),
        }
    }
    marks
}

/// Returns the name of the function that is declared at `at`.
fn helper(code: &str, at: usize, word: &str) -> Option<String> {
    let name = next_word(code, at + word.len());
    if name.is_empty() {
        return None;
    }
    let after = next_code(code, at + word.len())? + name.len();
    let is_function = word == "function" || {
        let value = next_is(code, after, b'=')? + 1;
        matches!(next_word(code, value), "function" | "async")
            || next_is(code, value, b'(')
                .and_then(|open| closing(code, open))
                .and_then(|close| next_is(code, close + 1, b'='))
                .is_some()
    };
    is_function.then(|| name.to_owned())
}

/// Reads a block such as `it("name", ...)`, `it.skip("name", ...)` or `it.each(table)("name", ...)`.
fn block(source: &Source<'_>, at: usize, word: &str) -> Marks {
    read_block(source, at, word).unwrap_or_default()
}

fn read_block(source: &Source<'_>, at: usize, word: &str) -> Option<Marks> {
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
        // Another word makes it a member of something else that has this name.
        if !MODIFIERS.contains(&modifier) {
            return None;
        }
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
    let only = alone.then(|| Mark::SkipNamed(format!("only {name}"), Skipped::Always));
    let mark = match (is_group, skipped) {
        (true, Skipped::No) => None,
        (true, skipped) => Some(Mark::SkipNamed(name, skipped)),
        (false, skipped) => Some(Mark::Test { name, skipped }),
    };
    let marks = only.into_iter().chain(mark);
    Some(marks.map(|mark| (at, mark)).collect())
}

/// Returns the first argument as a name, without its quotes.
fn name(source: &Source<'_>, open: usize) -> Option<String> {
    // The call goes far beyond its name: only the way to the first comma is looked at.
    let rest = source.code.as_bytes()[open + 1..].iter();
    let mut depth = 0_usize;
    let mut ends = rest.take(CALL_BYTES_MAX);
    let end = ends.position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth > 0 => depth -= 1,
            b')' => return true,
            _ => {}
        }
        *byte == b',' && depth == 0
    })?;
    let name = source.text[open + 1..open + 1 + end].trim();
    let quote = name
        .chars()
        .next()
        .filter(|char| matches!(char, '"' | '\'' | '`'));
    let bare = quote.and_then(|quote| name.strip_prefix(quote)?.strip_suffix(quote));
    // What is put together of several strings is shown as it is written.
    let is_one = bare.is_some_and(|bare| !quote.is_some_and(|quote| bare.contains(quote)));
    let name = bare.filter(|_| is_one).unwrap_or(name);
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
            (is_call && may_assert(code, at, word)).then(|| (at, Mark::Delegate(word.to_owned())))
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
