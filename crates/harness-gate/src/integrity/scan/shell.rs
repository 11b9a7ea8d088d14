//! Shell scripts among tests, and bats: tests, skips, and failures that are let pass.

use super::{Mark, Marks, Skipped, Source, next_word, words};
use crate::text::one_line;

/// Finds the marks of a test script.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let mut marks = Marks::new();
    let mut begin = 0;
    for line in source.code.split_inclusive('\n') {
        marks.extend(mark(line).map(|mark| (begin, mark)));
        begin += line.len();
    }
    marks
}

fn mark(line: &str) -> Option<Mark> {
    let code = line.trim();
    if let Some(test) = code.strip_prefix("@test ") {
        let name = test.trim_end_matches(['{', ' ']).trim_matches(['"', '\'']);
        let name = name.to_owned();
        let skipped = Skipped::No;
        return Some(Mark::Test { name, skipped });
    }
    if ["|| true", "|| :", "||true"]
        .iter()
        .any(|end| code.ends_with(end))
    {
        return Some(Mark::Swallowed(one_line(code, 120)));
    }
    match next_word(code, 0) {
        "skip" => Some(Mark::Skip("skip".to_owned(), Skipped::Always)),
        "exit" if code == "exit 0" => Some(Mark::Exit("exit 0".to_owned())),
        "set" if words(code).any(|(_, word)| word == "e") && code.contains("+e") => {
            Some(Mark::Swallowed("set +e".to_owned()))
        }
        word if word.starts_with("assert") || word == "refute" || word == "fail" => {
            Some(Mark::Assertion { trivial: None })
        }
        "test" => Some(Mark::Assertion { trivial: None }),
        _ if code.starts_with("[ ") || code.starts_with("[[ ") => {
            Some(Mark::Assertion { trivial: None })
        }
        _ => None,
    }
}
