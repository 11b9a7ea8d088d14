//! Java: JUnit 3 to 5, TestNG, and the assertions of AssertJ, Truth and Hamcrest.

use super::{
    Mark, Marks, Skipped, Source, always_holds, arguments, assertion, block, body_end, closing,
    happens, is_same, may_assert, next_is, next_word, words,
};

/// Finds the marks of a test file.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let code = &source.code;
    let mut marks = Marks::new();
    let mut pending = Pending::default();
    // Where the arguments of the last annotation end: what stands in them is no code.
    let mut inside = 0;
    let mut test_end = 0;
    for (at, word) in words(code) {
        if at < inside {
            continue;
        }
        if code[..at].ends_with('@') {
            let open = next_is(code, at + word.len(), b'(');
            let close = open.and_then(|open| closing(code, open));
            let end = close.unwrap_or(at + word.len());
            marks.extend(pending.take(source, at, word, &source.text[at..end]));
            inside = end;
        } else if matches!(word, "class" | "interface" | "enum" | "record") {
            let skipped = std::mem::take(&mut pending).skipped;
            if !code[..at].ends_with('.') {
                let name = next_word(code, at + word.len()).to_owned();
                marks.push((at, Mark::SkipNamed(name, skipped)));
            }
        } else if is_method(code, at, word) {
            // A method of a class within a test belongs to the test.
            if at < test_end {
                pending = Pending::default();
                continue;
            }
            test_end = body_end(code, at);
            marks.extend(method(&std::mem::take(&mut pending), at, word));
        } else {
            marks.extend(call(source, at, word));
        }
    }
    marks
}

/// Finds the silenced lints of a file that is no test's.
pub(super) fn suppressions(source: &Source<'_>) -> Marks {
    let annotations = words(&source.code).filter(|(_, word)| *word == "SuppressWarnings");
    annotations
        .flat_map(|(at, word)| silenced(source, at, word))
        .collect()
}

/// What the annotations before a method say about it.
#[derive(Default)]
struct Pending {
    is_test: bool,
    skipped: Skipped,
    /// Whether an exception is expected, which is an assertion.
    expects: bool,
}

impl Pending {
    /// Takes an annotation with its arguments in; one that silences a lint is a mark of its own.
    fn take(&mut self, source: &Source<'_>, at: usize, word: &str, text: &str) -> Marks {
        match word {
            "Test" | "ParameterizedTest" | "RepeatedTest" | "TestFactory" | "TestTemplate"
            | "Theory" => {
                self.is_test = true;
                let text: String = text.split_whitespace().collect();
                if text.contains("enabled=false") {
                    self.skipped = Skipped::Always;
                }
                self.expects |= text.contains("expected");
            }
            "Disabled" | "Ignore" => self.skipped = Skipped::Always,
            _ if [
                "DisabledIf",
                "DisabledOn",
                "DisabledFor",
                "EnabledIf",
                "EnabledOn",
            ]
            .iter()
            .any(|beginning| word.starts_with(beginning)) =>
            {
                self.skipped = self.skipped.max(Skipped::Sometimes);
            }
            "SuppressWarnings" => return silenced(source, at, word),
            _ => {}
        }
        Marks::new()
    }
}

/// Finds the lints that a `@SuppressWarnings` names.
fn silenced(source: &Source<'_>, at: usize, word: &str) -> Marks {
    let Some(open) = next_is(&source.code, at + word.len(), b'(') else {
        return Marks::new();
    };
    let named = arguments(source, open).join(",");
    let lints = named.split('"').skip(1).step_by(2);
    lints
        .map(|lint| (at, Mark::Silenced(lint.to_owned())))
        .collect()
}

/// Whether a method is declared here: a type, its name, its parameters and a body.
fn is_method(code: &str, at: usize, word: &str) -> bool {
    if matches!(
        word,
        "if" | "for" | "while" | "switch" | "catch" | "synchronized" | "return" | "new" | "throw"
    ) {
        return false;
    }
    let before = code[..at].trim_end();
    let is_typed = before.len() < at
        && before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '_' | '>' | ']'));
    let keyword = before
        .rsplit(|char: char| !char.is_alphanumeric())
        .next()
        .unwrap_or_default();
    if !is_typed || matches!(keyword, "new" | "return" | "throw" | "else" | "case") {
        return false;
    }
    let Some(open) = next_is(code, at + word.len(), b'(') else {
        return false;
    };
    let Some(close) = closing(code, open) else {
        return false;
    };
    next_is(code, close + 1, b'{').is_some() || next_word(code, close + 1) == "throws"
}

fn method(pending: &Pending, at: usize, name: &str) -> Marks {
    // JUnit 3 knows its tests by their names alone.
    if !pending.is_test && !name.starts_with("test") {
        return vec![(at, Mark::Helper(name.to_owned()))];
    }
    let test = Mark::Test {
        name: name.to_owned(),
        skipped: pending.skipped,
    };
    let expects = pending.expects.then_some(Mark::Assertion { trivial: None });
    let marks = std::iter::once(test).chain(expects);
    marks.map(|mark| (at, mark)).collect()
}

fn call(source: &Source<'_>, at: usize, word: &str) -> Option<(usize, Mark)> {
    let code = &source.code;
    let open = next_is(code, at + word.len(), b'(')?;
    match word {
        "assumeTrue" | "assumeFalse" | "assumeThat" | "assumeNotNull" | "assumeNoException"
        | "assumingThat" => Some((at, Mark::Skip(word.to_owned(), Skipped::Sometimes))),
        "SkipException" | "abort" => Some((at, Mark::Skip(word.to_owned(), happens(code, at)))),
        "exit" if code[..at].ends_with("System.") => {
            Some((at, Mark::Exit("System.exit".to_owned())))
        }
        "halt" if code[..at].trim_end().ends_with("getRuntime().") => {
            Some((at, Mark::Exit("Runtime.halt".to_owned())))
        }
        "catch" if swallows(code, open) => Some((at, Mark::Swallowed("catch".to_owned()))),
        "fail" | "expectThrows" => Some(assertion(source, at, open, false)),
        _ if word.starts_with("assert") || word == "expectThat" => {
            Some(asserted(source, at, word, open))
        }
        "AssertionError" if code[..at].trim_end().ends_with("new") => {
            Some(assertion(source, at, open, false))
        }
        _ => may_assert(code, at, word).then(|| (at, Mark::Delegate(word.to_owned()))),
    }
}

fn asserted(source: &Source<'_>, at: usize, word: &str, open: usize) -> (usize, Mark) {
    let code = &source.code;
    let close = closing(code, open).unwrap_or(open);
    let values = arguments(source, open);
    let holds = match (word, values.as_slice()) {
        ("assertTrue", [condition]) => always_holds(condition),
        ("assertTrue", [first, second]) => always_holds(first) || always_holds(second),
        ("assertFalse", [condition]) => *condition == "false",
        ("assertEquals" | "assertSame", [left, right, ..]) => is_same(left, right),
        ("assertThat" | "assertWithMessage", [value]) => says_nothing(source, value, close),
        _ => false,
    };
    assertion(source, at, close + 1, holds)
}

/// Whether what is chained to an `assertThat(value)` holds for any value, or nothing is.
fn says_nothing(source: &Source<'_>, value: &str, close: usize) -> bool {
    let code = &source.code;
    let Some(dot) = next_is(code, close + 1, b'.') else {
        return next_is(code, close + 1, b';').is_some();
    };
    let matcher = next_word(code, dot + 1);
    let expected = next_is(code, dot + 1 + matcher.len(), b'(');
    let expected = expected
        .map(|open| arguments(source, open))
        .unwrap_or_default();
    match (matcher, expected.first()) {
        ("isTrue", _) => always_holds(value),
        ("isEqualTo" | "isSameAs" | "isSameInstanceAs", Some(expected)) => is_same(value, expected),
        _ => false,
    }
}

/// Whether a `catch` can catch a failed assertion and does nothing with it.
fn swallows(code: &str, open: usize) -> bool {
    let Some(close) = closing(code, open) else {
        return false;
    };
    let catches = words(&code[open..close]).any(|(_, word)| {
        matches!(
            word,
            "Throwable" | "Error" | "AssertionError" | "AssertionFailedError"
        )
    });
    catches && block(code, close + 1).is_some_and(|block| block.trim().is_empty())
}
