//! Where an agent may write: the folders where people keep code and tests.

use super::{Language, Project};

const FOLDERS: [&str; 15] = [
    "src", "lib", "crates", "packages", "app", "apps", "cmd", "internal", "pkg", "bin", "tests",
    "test", "spec", "benches", "examples",
];

/// What a folder one level down holds when it is a package of its own.
const PACKAGE_FILES: [&str; 3] = ["Cargo.toml", "__init__.py", "package.json"];

/// Endings of source files that may stand at the root.
const SOURCE_ENDINGS: [&str; 8] = ["rs", "py", "js", "mjs", "ts", "sh", "go", "java"];

/// Files at the root that steer builds and tests rather than being the program.
const STEERING: [&str; 5] = [
    "build.rs",
    "setup.py",
    "conftest.py",
    "noxfile.py",
    "test.sh",
];

/// Proposes patterns: known folders and packages, and sources at the root.
///
/// A repository without any of these gets `src/**` and `tests/**`.
pub(super) fn write(project: &Project<'_>) -> Vec<String> {
    let mut patterns: Vec<String> = FOLDERS
        .iter()
        .filter(|folder| project.files.iter().any(|file| is_below(file, folder)))
        .map(|folder| format!("{folder}/**"))
        .collect();
    let packages = project
        .second()
        .filter(|(folder, name)| PACKAGE_FILES.contains(name) && !folder.starts_with('.'))
        .map(|(folder, _)| format!("{folder}/**"));
    patterns.extend(packages);
    let sources = SOURCE_ENDINGS
        .iter()
        .filter(|ending| project.top().any(|name| is_source(name, ending)))
        .map(|ending| format!("*.{ending}"));
    patterns.extend(sources);
    let mut seen = std::collections::HashSet::new();
    patterns.retain(|pattern| seen.insert(pattern.clone()));
    if patterns.is_empty() {
        patterns.extend(["src/**".to_owned(), "tests/**".to_owned()]);
    }
    patterns
}

/// Proposes the folders that the languages' tools write to.
pub(super) fn build(languages: &[Language]) -> Vec<String> {
    let folders = languages.iter().flat_map(|language| match language {
        Language::Rust => &["target"][..],
        Language::Python => &[".pytest_cache", ".ruff_cache"],
        Language::Node => &["node_modules", "dist"],
        Language::Java => &["target", "build", ".gradle"],
        Language::Go | Language::Shell | Language::Make => &[],
    });
    folders.map(|&folder| folder.to_owned()).collect()
}

fn is_below(file: &str, folder: &str) -> bool {
    let rest = file.strip_prefix(folder);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

fn is_source(name: &str, ending: &str) -> bool {
    let stem = name
        .strip_suffix(ending)
        .and_then(|stem| stem.strip_suffix('.'));
    stem.is_some_and(|stem| !stem.is_empty() && !stem.ends_with(".config"))
        && !STEERING.contains(&name)
}
