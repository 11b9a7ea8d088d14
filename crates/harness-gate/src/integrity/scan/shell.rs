//! Shell scripts among tests, and bats: tests, skips, and failures that are let pass.

use super::{Mark, Marks, Skipped, Source, next_word};
use crate::text::one_line;

/// Finds the marks of a test script.
pub(super) fn marks(source: &Source<'_>) -> Marks {
    let mut marks = Marks::new();
    let mut begin = 0;
    for line in source.code.split_inclusive('\n') {
        marks.extend(mark(line).map(|mark| (begin, mark)));
        marks.extend(swallowed(line).map(|mark| (begin, mark)));
        begin += line.len();
    }
    marks
}

/// Finds a failure that is let pass.
fn swallowed(line: &str) -> Option<Mark> {
    let code = line.trim();
    let is_passed = ["|| true", "|| :", "||true"]
        .iter()
        .any(|end| code.ends_with(end));
    let is_off = code == "set +e" || code.starts_with("set +e ");
    (is_passed || is_off).then(|| Mark::Swallowed(one_line(code, 120)))
}

fn mark(line: &str) -> Option<Mark> {
    let code = line.trim();
    if let Some(test) = code.strip_prefix("@test ") {
        let name = test.trim_end_matches(['{', ' ']).trim_matches(['"', '\'']);
        let name = name.to_owned();
        let skipped = Skipped::No;
        return Some(Mark::Test { name, skipped });
    }
    match next_word(code, 0) {
        "skip" => Some(Mark::Skip("skip".to_owned(), Skipped::Always)),
        "exit" if code == "exit 0" => Some(Mark::Exit("exit 0".to_owned())),
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
