//! Go: the `testing` package and the assertions of testify.

use super::{
    Mark, Marks, Skipped, Source, arguments, assertion, happens, is_declared, may_assert, next_is,
    next_word, words,
};

/// Finds the marks of a test file.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let found = words(&source.code);
    found
        .filter_map(|(at, word)| mark(source, at, word))
        .collect()
}

fn mark(source: &Source<'_>, at: usize, word: &str) -> Option<(usize, Mark)> {
    let code = &source.code;
    let before = &code[..at];
    if word == "func" {
        let name = next_word(code, at + word.len()).to_owned();
        let is_test = ["Test", "Fuzz", "Example"]
            .iter()
            .any(|beginning| name.starts_with(beginning));
        let skipped = Skipped::No;
        return match (is_test, name.is_empty()) {
            (true, _) => Some((at, Mark::Test { name, skipped })),
            (false, false) => Some((at, Mark::Helper(name))),
            // A function literal belongs to the test around it.
            (false, true) => None,
        };
    }
    let open = next_is(code, at + word.len(), b'(')?;
    let is_testing = ["t.", "tb.", "b.", "f."]
        .iter()
        .any(|receiver| before.ends_with(receiver));
    match word {
        "Skip" | "Skipf" | "SkipNow" if is_testing => {
            Some((at, Mark::Skip(word.to_owned(), happens(code, at))))
        }
        "Error" | "Errorf" | "Fatal" | "Fatalf" | "Fail" | "FailNow" if is_testing => {
            Some(assertion(source, at, open, false))
        }
        "Exit" if before.ends_with("os.") => Some((at, Mark::Exit("os.Exit".to_owned()))),
        _ if before.ends_with("assert.") || before.ends_with("require.") => {
            Some(assertion(source, at, open, false))
        }
        // Who is given the test may fail it.
        _ if arguments(source, open)
            .iter()
            .any(|argument| matches!(*argument, "t" | "tb"))
            && !is_declared(code, at) =>
        {
            Some((at, Mark::Delegate(word.to_owned())))
        }
        _ => may_assert(code, at, word).then(|| (at, Mark::Delegate(word.to_owned()))),
    }
}
