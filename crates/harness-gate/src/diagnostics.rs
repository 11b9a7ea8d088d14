//! What compilers and linters say of one place in a file, found in their output.
//!
//! Read are the shapes that most of them share (`path:line:column: message`), the one of tsc,
//! the arrows of rustc and ruff, and eslint's list below a path. What is no such line is left
//! out: this is for telling an agent at once what its last edit has broken, and decides nothing.
//! Called by the engine for gates that ran by themselves.

use std::collections::BTreeSet;

use harness_core::RepoPath;

/// The most lines that are told.
const LINES_MAX: usize = 20;
/// The most bytes that are told.
const BYTES_MAX: usize = 2 * 1024;
/// The longest line. Unit: bytes.
const LINE_MAX: usize = 300;
/// The longest path. Unit: bytes.
const PATH_MAX: usize = 512;
/// How much of an output is looked at. Unit: bytes.
const OUTPUT_MAX: usize = 256 * 1024;

/// One thing that is said of one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file as it was written, without a leading `./`.
    pub path: String,
    /// The line, and the column where there is one.
    pub place: String,
    /// What is said; one line.
    pub message: String,
}

/// Returns what the output says of files, in its order, each once.
pub fn of_output(output: &str) -> Vec<Diagnostic> {
    let output = &output[..output.floor_char_boundary(OUTPUT_MAX)];
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    // What stands above an arrow, and the file that a list belongs to.
    let (mut above, mut listed) = ("", "");
    for line in output.lines() {
        let text = line.trim();
        let diagnostic = if let Some(place) = text.strip_prefix("--> ") {
            arrow(above, place)
        } else {
            located(text).or_else(|| entry(listed, line))
        };
        if let Some(diagnostic) = diagnostic.filter(|found| seen.insert(found.clone())) {
            found.push(diagnostic);
        }
        if text.is_empty() {
            listed = "";
        } else if is_path(text) && !line.starts_with(char::is_whitespace) {
            listed = text;
        }
        above = text;
    }
    found
}

/// Returns what the output says of changed files, and how much more there is; `None` without any.
///
/// At most 20 lines and 2 KiB. A path of another folder is that of a changed file where it ends in one.
pub fn of_changed(output: &str, changed: &BTreeSet<RepoPath>) -> Option<String> {
    let names: Vec<String> = changed.iter().map(RepoPath::to_text).collect();
    let changed_one = |diagnostic: &Diagnostic| {
        let is_it = |name: &&String| {
            let rest = diagnostic.path.strip_suffix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') && rest.ends_with('/'))
        };
        names.iter().find(is_it)
    };
    let all = of_output(output);
    let mine: Vec<(&String, &Diagnostic)> = all
        .iter()
        .filter_map(|diagnostic| Some((changed_one(diagnostic)?, diagnostic)))
        .collect();
    if mine.is_empty() {
        return None;
    }
    let mut text = String::new();
    let mut told = 0;
    for (path, Diagnostic { place, message, .. }) in mine.iter().take(LINES_MAX) {
        let line = cut(&format!("{path}:{place}: {message}"));
        if text.len() + line.len() + 1 > BYTES_MAX {
            break;
        }
        text.push_str(&line);
        text.push('\n');
        told += 1;
    }
    let left = mine.len() - told;
    if left > 0 {
        text.push_str(&format!("and {left} more in files you changed\n"));
    }
    let others = all.len() - mine.len();
    if others > 0 {
        text.push_str(&format!("and {others} in files you did not change\n"));
    }
    Some(text)
}

/// Reads `path:line: message`, `path:line:column: message`, `path:line:column - message` and `path(line,column): message`.
fn located(text: &str) -> Option<Diagnostic> {
    let text = text.strip_prefix("vet: ").unwrap_or(text);
    if let Some(found) = in_brackets(text) {
        return Some(found);
    }
    let mut from = 0;
    while let Some(at) = text[from..].find(':') {
        let colon = from + at;
        from = colon + 1;
        let Some((line, rest)) = digits(&text[from..]) else {
            continue;
        };
        let (place, rest) = match rest.strip_prefix(':').and_then(digits) {
            Some((column, rest)) => (format!("{line}:{column}"), rest),
            None => (line.to_owned(), rest),
        };
        let message = rest
            .strip_prefix(": ")
            .or_else(|| rest.strip_prefix(" - "))?;
        return made(&text[..colon], place, message);
    }
    None
}

/// Reads `path(line,column): message`.
fn in_brackets(text: &str) -> Option<Diagnostic> {
    let (path, rest) = text.split_once('(')?;
    let (place, message) = rest.split_once("): ")?;
    let (line, column) = place.split_once(',')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(line) || !is_number(column) {
        return None;
    }
    made(path, format!("{line}:{column}"), message)
}

/// Reads the place behind an arrow; what is said stands above it.
fn arrow(above: &str, place: &str) -> Option<Diagnostic> {
    let (path, place) = place.trim().split_once(':')?;
    let (line, rest) = digits(place)?;
    let place = match rest.strip_prefix(':').and_then(digits) {
        Some((column, _)) => format!("{line}:{column}"),
        None => line.to_owned(),
    };
    made(path, place, above)
}

/// Reads `  line:column  error  message  rule` below a path.
fn entry(path: &str, line: &str) -> Option<Diagnostic> {
    if path.is_empty() || !line.starts_with(char::is_whitespace) {
        return None;
    }
    let (number, rest) = digits(line.trim_start())?;
    let (column, rest) = digits(rest.strip_prefix(':')?)?;
    let message = rest.trim_start();
    let is_entry = message.starts_with("error") || message.starts_with("warning");
    let words: Vec<&str> = message.split_whitespace().collect();
    is_entry
        .then(|| made(path, format!("{number}:{column}"), &words.join(" ")))
        .flatten()
}

fn made(path: &str, place: String, message: &str) -> Option<Diagnostic> {
    let path = path.trim().trim_start_matches("./");
    let message = message.trim();
    (is_path(path) && !message.is_empty()).then(|| Diagnostic {
        path: path.to_owned(),
        place,
        message: message.to_owned(),
    })
}

/// Whether this looks like the path of a file and not like a sentence, a host or a time.
fn is_path(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or_default();
    let has_name = name.contains('.') || text.contains('/');
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    !text.is_empty()
        && text.len() <= PATH_MAX
        && has_name
        && !is_number
        && !text.contains("://")
        && !text.contains([' ', '\t', '"', '\'', '`', '(', ')', '<', '>', '|', ','])
}

/// Splits a number off the beginning.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.len()
        - text
            .trim_start_matches(|char: char| char.is_ascii_digit())
            .len();
    (end > 0).then(|| text.split_at(end))
}

fn cut(line: &str) -> String {
    if line.len() <= LINE_MAX {
        return line.to_owned();
    }
    format!("{}...", &line[..line.floor_char_boundary(LINE_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: &[&str]) {
        let found = of_output(output);
        let found: Vec<String> = found
            .iter()
            .map(|found| format!("{}|{}|{}", found.path, found.place, found.message))
            .collect();
        assert_eq!(found, expected, "{output}");
    }

    #[test]
    fn the_shapes_of_compilers_and_linters_are_read() {
        let rustc_short = "src/a.rs:3:5: error[E0308]: mismatched types: expected `i32`\nerror: aborting due to 1 previous error";
        check(
            rustc_short,
            &["src/a.rs|3:5|error[E0308]: mismatched types: expected `i32`"],
        );
        let rustc = "error[E0308]: mismatched types\n  --> src/a.rs:3:5\n   |\n3  |     1\n   |     ^ expected `()`\n\nwarning: unused variable: `x`\n --> crates/b/src/lib.rs:12:9\n  |\n";
        check(
            rustc,
            &[
                "src/a.rs|3:5|error[E0308]: mismatched types",
                "crates/b/src/lib.rs|12:9|warning: unused variable: `x`",
            ],
        );
        let gcc = "In file included from main.c:1:\nmain.c: In function 'main':\nmain.c:4:12: error: 'x' undeclared (first use in this function)\n    4 |     return x;";
        check(
            gcc,
            &["main.c|4:12|error: 'x' undeclared (first use in this function)"],
        );
        check(
            "src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.",
            &["src/a.ts|3:5|error TS2322: Type 'string' is not assignable to type 'number'."],
        );
        check(
            "src/a.ts:3:5 - error TS2322: Type 'string' is no number.",
            &["src/a.ts|3:5|error TS2322: Type 'string' is no number."],
        );
        check(
            "app/a.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.",
            &["app/a.py|1:8|F401 [*] `os` imported but unused"],
        );
        check(
            "F401 [*] `os` imported but unused\n --> app/a.py:1:8\n  |\n1 | import os",
            &["app/a.py|1:8|F401 [*] `os` imported but unused"],
        );
        check(
            "/repo/src/a.js:3:5: 'x' is not defined. [Error/no-undef]\n\n1 problem",
            &["/repo/src/a.js|3:5|'x' is not defined. [Error/no-undef]"],
        );
        check(
            "/repo/src/a.js\n  3:5  error  'x' is not defined  no-undef\n  9:1  warning  Unexpected console statement  no-console\n\n✖ 2 problems",
            &[
                "/repo/src/a.js|3:5|error 'x' is not defined no-undef",
                "/repo/src/a.js|9:1|warning Unexpected console statement no-console",
            ],
        );
        check(
            "# example.com/m\nvet: ./a.go:5:2: undefined: fmt.Prntln\n./b.go:7: unreachable code",
            &["a.go|5:2|undefined: fmt.Prntln", "b.go|7|unreachable code"],
        );
        check(
            "app/a.py:3: error: Incompatible return value type  [return-value]",
            &["app/a.py|3|error: Incompatible return value type  [return-value]"],
        );
    }

    #[test]
    fn sentences_hosts_and_times_are_no_places() {
        check("at 10:14:03: started", &[]);
        check("10:14:03: started", &[]);
        check("http://localhost:8080: refused", &[]);
        check("127.0.0.1:8080: refused", &[]);
        check("thread 'a' panicked at src/a.rs:14:5:", &[]);
        check("Compiling harness v0.1.0 (/work)", &[]);
        check("note: 3: x", &[]);
        check("", &[]);
    }

    #[test]
    fn only_changed_files_are_told_and_the_others_counted() {
        let changed: BTreeSet<RepoPath> = ["src/a.rs", "b.rs"]
            .map(|path| RepoPath::parse(path).unwrap())
            .into();
        let output = "src/a.rs:1:1: error: one\n/cache/candidate/src/a.rs:2:1: error: two\nsrc/ab.rs:1:1: error: three\nother/b.rs:1:1: error: four\nsrc/a.rs:1:1: error: one\n";
        assert_eq!(
            of_changed(output, &changed).unwrap(),
            "src/a.rs:1:1: error: one\nsrc/a.rs:2:1: error: two\nand 2 in files you did not change\n"
        );
        assert_eq!(of_changed("src/c.rs:1:1: error: x", &changed), None);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let changed = BTreeSet::from([RepoPath::parse("a.rs").unwrap()]);
        let many: String = (1..=500)
            .map(|line| format!("a.rs:{line}:1: error: no\n"))
            .collect();
        let told = of_changed(&many, &changed).unwrap();
        assert_eq!(told.lines().count(), LINES_MAX + 1);
        assert!(
            told.ends_with("and 480 more in files you changed\n"),
            "{told}"
        );
        let long: String = (1..=50)
            .map(|line| format!("a.rs:{line}:1: {}ü\n", "é".repeat(4_000)))
            .collect();
        let told = of_changed(&long, &changed).unwrap();
        assert!(told.len() < BYTES_MAX + 100, "{}", told.len());
    }
}
