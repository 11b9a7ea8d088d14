//! Rust: attributes, test functions, assertion macros.

use super::{
    Mark, Marks, Skipped, Source, always_holds, arguments, assertion, body_end, closing, is_same,
    may_assert, next_is, next_word, words,
};

/// Finds the marks of a file. Outside of test files, assertions and exits count from
/// the first attribute on that speaks of tests.
pub(super) fn marks(source: &Source<'_>, is_test: bool) -> Marks {
    let attributes = attributes(&source.code);
    let tests_begin = match is_test {
        true => Some(0),
        false => attributes
            .iter()
            .find(|attribute| attribute.is_test() || attribute.is_test_only())
            .map(|attribute| attribute.at),
    };
    let mut marks: Marks = attributes
        .iter()
        .flat_map(|attribute| {
            let lints = attribute.silenced();
            lints.map(|lint| (attribute.at, Mark::Silenced(lint)))
        })
        .collect();
    let mut pending = attributes.iter().peekable();
    let mut test_end = 0;
    for (at, word) in words(&source.code) {
        let in_tests = tests_begin.is_some_and(|begin| at >= begin);
        if word == "fn" {
            let (mut is_test, mut skipped) = (false, Skipped::No);
            while let Some(attribute) = pending.next_if(|attribute| attribute.at < at) {
                is_test |= attribute.is_test();
                skipped = skipped.max(attribute.skips());
            }
            // A function within a test belongs to the test.
            if !is_test && at < test_end {
                continue;
            }
            if is_test {
                test_end = body_end(&source.code, at);
            }
            marks.extend(function(&source.code, at, is_test, skipped));
        } else if word == "mod" {
            let mut never = false;
            while let Some(attribute) = pending.next_if(|attribute| attribute.at < at) {
                never |= attribute.is_never_tested();
            }
            let name = next_word(&source.code, at + word.len());
            let is_tests = in_tests || name.starts_with("test");
            if never && is_tests {
                marks.push((at, Mark::SkipNamed(format!("mod {name}"), Skipped::Always)));
            }
        } else if in_tests {
            marks.extend(in_test(source, at, word));
        }
    }
    marks
}

/// Makes the mark of the function whose `fn` stands at `at`; a function type has none.
fn function(code: &str, at: usize, is_test: bool, skipped: Skipped) -> Option<(usize, Mark)> {
    let after = at + "fn".len();
    let name = match next_is(code, after, b'$') {
        Some(dollar) => next_word(code, dollar + 1),
        None => next_word(code, after),
    };
    if name.is_empty() {
        return None;
    }
    let name = name.to_owned();
    let mark = match is_test {
        true => Mark::Test { name, skipped },
        false => Mark::Helper(name),
    };
    Some((at, mark))
}

fn in_test(source: &Source<'_>, at: usize, word: &str) -> Option<(usize, Mark)> {
    let code = &source.code;
    let after = at + word.len();
    let is_macro = code.as_bytes().get(after) == Some(&b'!');
    if is_macro && word.contains("assert") {
        let open = super::next_code(code, after + 1)?;
        let close = closing(code, open).unwrap_or(after);
        let arguments = arguments(source, open);
        let holds = match arguments.as_slice() {
            [left, right, ..] if word.contains("assert_eq") => is_same(left, right),
            [condition, ..] if word.ends_with("assert") => always_holds(condition),
            _ => false,
        };
        return Some(assertion(source, at, close + 1, holds));
    }
    if word == "exit" && code[..at].ends_with("process::") {
        return Some((at, Mark::Exit("process::exit".to_owned())));
    }
    if word == "catch_unwind" && next_is(code, after, b'(').is_some() && is_dropped(code, at) {
        return Some((at, Mark::Swallowed("catch_unwind".to_owned())));
    }
    let is_call = is_macro || next_is(code, after, b'(').is_some();
    (is_call && may_assert(code, at, word)).then(|| (at, Mark::Delegate(word.to_owned())))
}

/// Whether the result of the call at `at` goes nowhere.
fn is_dropped(code: &str, at: usize) -> bool {
    let statement = super::statement_before(code, at);
    let call = statement.trim_end_matches(|char: char| char.is_alphanumeric() || char == ':');
    let call = call.trim_end();
    call.is_empty() || call.starts_with("let _") || call.starts_with("_ =") || call == "drop("
}

/// An attribute: its place and its content without white space.
struct Attribute {
    at: usize,
    content: String,
}

fn attributes(code: &str) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    for (at, _) in code.match_indices('#') {
        let rest = &code[at + 1..];
        let inner = usize::from(rest.starts_with('!'));
        if !rest[inner..].starts_with('[') {
            continue;
        }
        let open = at + 1 + inner;
        if let Some(close) = closing(code, open) {
            let content = code[open + 1..close].split_whitespace().collect();
            attributes.push(Attribute { at, content });
        }
    }
    attributes
}

impl Attribute {
    fn path(&self) -> &str {
        let end = self.content.find(['(', '=', '[', '{']);
        &self.content[..end.unwrap_or(self.content.len())]
    }

    /// Whether it makes a function a test.
    fn is_test(&self) -> bool {
        let name = self.path().rsplit("::").next().unwrap_or_default();
        matches!(
            name,
            "test" | "rstest" | "test_case" | "wasm_bindgen_test" | "quickcheck"
        )
    }

    /// Whether what follows is compiled for tests alone.
    fn is_test_only(&self) -> bool {
        self.path() == "cfg" && words(&self.content).any(|(_, word)| word == "test")
    }

    /// Says whether it keeps a test from being run.
    fn skips(&self) -> Skipped {
        let is_ignored = || words(&self.content).any(|(_, word)| word == "ignore");
        match self.path() {
            "ignore" => Skipped::Always,
            "cfg_attr" if is_ignored() && self.content.contains("(all()") => Skipped::Always,
            "cfg_attr" if is_ignored() => Skipped::Sometimes,
            _ if self.is_never_tested() => Skipped::Always,
            _ => Skipped::No,
        }
    }

    /// Whether what follows is never compiled, or never for tests.
    fn is_never_tested(&self) -> bool {
        const NEVER: [&str; 4] = ["any()", "not(test)", "not(all())", "false"];
        let Some(condition) = self.content.strip_prefix("cfg(") else {
            return false;
        };
        let condition = condition.strip_suffix(')').unwrap_or(condition);
        let is_all = condition.starts_with("all(");
        NEVER
            .iter()
            .any(|never| condition == *never || (is_all && condition.contains(never)))
    }

    /// Returns the lints it silences, also under a condition.
    fn silenced(&self) -> impl Iterator<Item = String> {
        let content = match self.path() {
            "allow" | "expect" | "cfg_attr" => self.content.as_str(),
            _ => "",
        };
        let lists = ["allow(", "expect("].into_iter().flat_map(move |word| {
            content.match_indices(word).map(move |(at, _)| {
                let list = &content[at + word.len()..];
                &list[..list.find(')').unwrap_or(list.len())]
            })
        });
        lists
            .flat_map(|list| list.split(','))
            .filter(|lint| !lint.is_empty() && !lint.contains('='))
            .map(str::to_owned)
    }
}
