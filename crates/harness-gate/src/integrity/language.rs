//! Which language a file is in, and whether it stands among the tests: by its path.

use harness_core::RepoPath;

/// Languages whose test words are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    Rust,
    Python,
    Script,
    Go,
    Java,
    Shell,
}

impl Language {
    /// Returns the language of a file's ending; `Script` is JavaScript and TypeScript.
    pub(super) fn of(path: &RepoPath) -> Option<Self> {
        let name = String::from_utf8_lossy(path.file_name()?);
        match name.rsplit_once('.')?.1 {
            "rs" => Some(Self::Rust),
            "py" => Some(Self::Python),
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" => Some(Self::Script),
            "go" => Some(Self::Go),
            "java" => Some(Self::Java),
            "sh" | "bash" | "bats" => Some(Self::Shell),
            _ => None,
        }
    }
}

/// Whether a path is a test's by the customs of the common test runners.
pub(super) fn is_test_file(path: &RepoPath) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let folders = path.components().rev().skip(1);
    folders.into_iter().any(is_test_folder) || is_test_name(&String::from_utf8_lossy(name))
}

fn is_test_folder(name: &[u8]) -> bool {
    matches!(
        name,
        b"tests" | b"test" | b"__tests__" | b"spec" | b"specs" | b"testdata" | b"__snapshots__"
    )
}

fn is_test_name(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    name == "conftest.py"
        || (name.ends_with(".py") && stem.starts_with("test_"))
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem.ends_with(".test")
        || stem.ends_with(".spec")
        || name.ends_with(".bats")
        || (name.ends_with(".java")
            && ["Test", "Tests", "TestCase", "IT"]
                .iter()
                .any(|ending| stem.ends_with(ending)))
}
