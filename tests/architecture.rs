//! Which crate may know which, and what pure code may not touch.
//!
//! The tables are the design: a change of one is a change of the other. An edge
//! that nobody uses any more fails as well, so that the tables stay true.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A crate by its short name, ours that it may depend on, and what others wrote.
type Edges = (&'static str, &'static str, &'static str);

const PROGRAM: &[Edges] = &[
    ("core", "", "humantime serde thiserror"),
    ("failpoint", "", "rustix"),
    ("guard", "core", "globset serde thiserror"),
    (
        "review",
        "core",
        "serde serde_json sha2 similar thiserror unicode-segmentation",
    ),
    (
        "gate",
        "core review",
        "pulldown-cmark roxmltree serde serde_json sha2 thiserror",
    ),
    ("context", "core", "strsim thiserror"),
    (
        "provider",
        "core",
        "httpdate serde serde_json thiserror toml",
    ),
    (
        "tool",
        "core",
        "base64 imagesize memchr serde serde_json similar thiserror",
    ),
    ("engine", "core context gate guard tool", "thiserror"),
    (
        "config",
        "core guard",
        "annotate-snippets humantime serde strsim thiserror toml",
    ),
    (
        "host",
        "core failpoint guard",
        "bytes futures-util grep-matcher grep-regex grep-searcher ignore landlock libc notify \
         regex-syntax reqwest rustix rustls seccompiler sha2 thiserror tokio",
    ),
    (
        "git",
        "core failpoint",
        "git2 ignore memchr rustix thiserror",
    ),
    (
        "store",
        "core failpoint",
        "rustix serde serde_json sha2 tempfile thiserror",
    ),
    (
        "runner",
        "core context engine failpoint gate git guard host provider review store tool",
        "futures-util serde serde_json sha2 thiserror tokio",
    ),
    ("report", "core", "schemars serde serde_json"),
    (
        "tui",
        "core report review",
        "base64 crossterm futures-util nucleo-matcher pulldown-cmark ratatui ratatui-textarea rustix \
         tokio unicode-segmentation unicode-width",
    ),
    (
        "testkit",
        "core provider",
        "bytes h2 http rcgen rustix rustls serde_json tempfile tokio tokio-rustls",
    ),
    (
        "harness",
        "config context core engine gate git guard host provider report review runner store tui",
        "clap etcetera futures-util humantime serde serde_json sha2 \
         shlex tempfile thiserror tokio toml",
    ),
];

/// What the tests of a crate may depend on beside that.
const TESTS: &[Edges] = &[
    ("core", "", "proptest serde_json"),
    ("guard", "", "proptest serde_json"),
    ("review", "", "proptest"),
    ("gate", "", "insta proptest"),
    ("context", "", "insta proptest"),
    ("provider", "", "proptest"),
    ("tool", "", "proptest"),
    ("engine", "", "fastrand proptest serde_json"),
    ("config", "", "insta"),
    ("host", "", "tempfile"),
    ("git", "", "tempfile"),
    ("store", "", "proptest"),
    ("runner", "", "tempfile"),
    ("report", "", "insta"),
    ("tui", "", "insta proptest serde_json vt100"),
    (
        "harness",
        "testkit tool",
        "flate2 httpdate insta portable-pty schemars vt100",
    ),
];

/// Crates that read no disk, clock, environment or network and spawn nothing.
const PURE: [&str; 9] = [
    "core", "guard", "review", "gate", "context", "provider", "tool", "engine", "config",
];

/// What pure code may not name. `std::{...}` groups are looked into separately.
const IMPURE: [&str; 10] = [
    "std::fs",
    "std::process",
    "std::net",
    "std::env",
    "std::thread",
    "tokio",
    "SystemTime::now",
    "Instant::now",
    "async fn",
    "async move",
];

/// An address is data; what opens one is not.
const PURE_ALL_THE_SAME: [&str; 1] = ["std::net::IpAddr"];

/// Where `unsafe` may stand: the calls between fork and exec, and libgit2's global options.
const UNSAFE: [&str; 2] = [
    "crates/harness-host/src/process",
    "crates/harness-git/src/libgit2",
];

/// The longest source file, tests left out. Unit: lines.
const LINES_MAX: usize = 700;

#[test]
fn every_dependency_is_in_the_table_and_every_edge_of_the_table_is_used() {
    let mut problems = Vec::new();
    for (table, section) in [(PROGRAM, "dependencies"), (TESTS, "dev-dependencies")] {
        let allowed = edges_of_table(table);
        let used = edges_of_manifests(section);
        problems.extend(
            used.difference(&allowed)
                .map(|edge| format!("{section}: {edge} is not in the table")),
        );
        problems.extend(
            allowed
                .difference(&used)
                .map(|edge| format!("{section}: {edge} is in the table and nobody uses it")),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_crate_is_in_the_table_once() {
    let folders: BTreeSet<String> = manifests().into_iter().map(|(name, _)| name).collect();
    let names: BTreeSet<String> = PROGRAM
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(names, folders);
    assert_eq!(
        names.len(),
        PROGRAM.len(),
        "a crate stands twice in the table"
    );
}

#[test]
fn pure_crates_touch_nothing_outside() {
    let mut problems = Vec::new();
    for name in PURE {
        for file in rust_files(&root().join(format!("crates/harness-{name}/src"))) {
            let code = code_of(&file);
            for word in IMPURE.iter().filter(|word| code.contains(*word)) {
                problems.push(format!("{} mentions {word}", shown(&file)));
            }
            for word in grouped_imports(&code) {
                if IMPURE.contains(&format!("std::{word}").as_str()) {
                    problems.push(format!("{} imports std::{word}", shown(&file)));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn unsafe_code_stands_in_two_modules() {
    let is_unsafe = |line: &str| {
        ["{", "fn", "impl", "extern", "trait"]
            .iter()
            .any(|next| line.contains(&format!("unsafe {next}")))
    };
    let found: BTreeSet<String> = sources()
        .into_iter()
        .filter(|file| code_of(file).lines().any(is_unsafe))
        .map(|file| shown(&file))
        .collect();
    let outside: Vec<&String> = found
        .iter()
        .filter(|file| !UNSAFE.iter().any(|allowed| file.starts_with(allowed)))
        .collect();
    assert!(
        outside.is_empty(),
        "unsafe outside its two modules: {outside:?}"
    );
    for allowed in UNSAFE {
        let used = found.iter().any(|file| file.starts_with(allowed));
        assert!(used, "{allowed} needs no unsafe any more");
    }
}

/// A person's yes is made where their request is taken, and nowhere else.
#[test]
fn approvals_are_made_in_one_module() {
    let makers: Vec<String> = sources()
        .iter()
        .filter(|file| code_of(file).contains("Approval::by_person("))
        .map(|file| shown(file))
        .collect();
    assert_eq!(makers, ["crates/harness-runner/src/dispatch.rs"]);
}

/// What a person approves of findings is recorded where their request or their flag is taken.
#[test]
fn findings_are_approved_in_one_module() {
    let makers: Vec<String> = sources()
        .iter()
        .filter(|file| {
            let code = code_of(file);
            code.contains("ApprovedHow::Asked,") || code.contains("ApprovedHow::Flag,")
        })
        .map(|file| shown(file))
        .filter(|file| !file.starts_with("crates/harness-core/"))
        .collect();
    assert_eq!(makers, ["crates/harness-runner/src/dispatch/findings.rs"]);
}

#[test]
fn modules_have_names_of_their_own() {
    let mut files = sources();
    files.extend(rust_files(&root().join("tests")));
    let nameless: Vec<String> = files
        .iter()
        .filter(|file| file.ends_with("mod.rs"))
        .map(|file| shown(file))
        .collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}

#[test]
fn a_file_holds_one_idea() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|file| !is_test(file))
        .map(|file| {
            (
                without_tests(&fs::read_to_string(&file).unwrap())
                    .lines()
                    .count(),
                file,
            )
        })
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, file)| format!("{} has {lines} lines, at most {LINES_MAX}", shown(&file)))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|file| !is_test(file))
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//!"))
        .map(|file| shown(&file))
        .collect();
    assert!(silent.is_empty(), "no module documentation: {silent:?}");
}

#[test]
fn code_is_told_from_tests_and_comments() {
    let text = "use std::{fs, io::Read};\n// std::env\nlet a = 1; // tokio\n\
        #[cfg(test)]\nmod tests {\n    use std::process;\n}\n";
    let code = strip(text);
    assert_eq!(code, "use std::{fs, io::Read};\nlet a = 1; \n");
    assert_eq!(grouped_imports(&code), ["fs", "io"]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string()
}

/// Every package: its short name and its manifest.
fn manifests() -> Vec<(String, toml::Table)> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a file can be read");
        text.parse::<toml::Table>()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut found = vec![("harness".to_owned(), read(root().join("Cargo.toml")))];
    for entry in fs::read_dir(root().join("crates")).expect("a folder can be listed") {
        let entry = entry.expect("a folder has entries");
        let name = entry.file_name().into_string().expect("a name is text");
        let name = name
            .strip_prefix("harness-")
            .expect("our crates begin with `harness-`");
        found.push((name.to_owned(), read(entry.path().join("Cargo.toml"))));
    }
    found
}

fn edges_of_manifests(section: &str) -> BTreeSet<String> {
    let mut edges = BTreeSet::new();
    for (name, manifest) in manifests() {
        assert!(
            !manifest.contains_key("target"),
            "{name}: dependencies by target are in no table"
        );
        let table = manifest.get(section).and_then(toml::Value::as_table);
        for (dependency, how) in table.into_iter().flatten() {
            let shared = how.get("workspace").and_then(toml::Value::as_bool);
            assert_eq!(
                shared,
                Some(true),
                "{name}: {dependency} has a version of its own"
            );
            edges.insert(format!("{name} -> {dependency}"));
        }
    }
    edges
}

fn edges_of_table(table: &[Edges]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (name, ours, theirs) in table {
        let ours = ours
            .split_whitespace()
            .map(|other| format!("harness-{other}"));
        let theirs = theirs.split_whitespace().map(str::to_owned);
        all.extend(ours.chain(theirs).map(|other| format!("{name} -> {other}")));
    }
    all
}

/// Every Rust file of the program and of the crates' `src`.
fn sources() -> Vec<PathBuf> {
    let mut files = rust_files(&root().join("src"));
    for entry in fs::read_dir(root().join("crates")).expect("a folder can be listed") {
        files.extend(rust_files(
            &entry.expect("a folder has entries").path().join("src"),
        ));
    }
    assert!(files.len() > 100, "the sources are not where they were");
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder has entries").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Whether a file holds tests alone: `tests.rs`, or below a folder `tests`.
fn is_test(file: &Path) -> bool {
    let below = file.strip_prefix(root()).unwrap_or(file);
    below
        .components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// Returns a file's code without comments and tests; nothing for a file of tests.
fn code_of(file: &Path) -> String {
    if is_test(file) {
        return String::new();
    }
    let mut code = strip(&fs::read_to_string(file).expect("a file can be read"));
    for allowed in PURE_ALL_THE_SAME {
        code = code.replace(allowed, "");
    }
    code
}

fn strip(text: &str) -> String {
    let code = without_tests(text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    // A `//` inside a string cuts the rest of its line: no rule looks for anything there.
    let lines = lines.map(|line| line.split("// ").next().unwrap_or_default());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Tests stand last in a file.
fn without_tests(text: &str) -> &str {
    let start = text.find("\n#[cfg(test)]\nmod tests {").map(|at| at + 1);
    &text[..start.unwrap_or(text.len())]
}

/// Returns the first names inside `use std::{...}`.
fn grouped_imports(code: &str) -> Vec<&str> {
    let groups = code.split("use std::{").skip(1);
    let items = groups.flat_map(items_of_group);
    let names = items
        .filter_map(|item| item.split("::").next())
        .map(str::trim);
    names.filter(|name| !name.is_empty()).collect()
}

/// Splits what follows an opening brace at its own commas, up to the closing one.
fn items_of_group(group: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
                if char == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items
}
