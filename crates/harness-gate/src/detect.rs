//! What a repository seems to be, for the first proposal of its scope and gates.
//!
//! It looks at file names and the few files that say how tests are run, and
//! guesses; a person sees the proposal before anything of it is run. Nothing is
//! guessed for projects below the root.

mod format;
mod gates;
mod scope;

use harness_core::{Gate, RepoPath};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// The languages, by the files that make a project of each.
    pub languages: Vec<&'static str>,
    /// Patterns of what an agent may write.
    pub write: Vec<String>,
    /// Folders of build outputs.
    pub build: Vec<String>,
    /// Gates that exist or that the language brings; names are unique.
    pub gates: Vec<Gate>,
    /// What a person should know about them, one line each.
    pub notes: Vec<String>,
}

/// The largest file that is looked into. Unit: bytes.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Proposes scope and gates for a repository.
///
/// `files` are the paths of its top two levels; `read` returns the text of one
/// of them, given from the root, or nothing when it cannot be read.
pub fn detect(files: &[RepoPath], read: &dyn Fn(&str) -> Option<String>) -> Detected {
    let project = Project {
        files: files.iter().map(RepoPath::to_text).collect(),
        read,
    };
    let languages = languages(&project);
    let gates = gates::propose(&project, &languages);
    let mut notes = gates::notes(&project, &languages, &gates);
    notes.extend(format::note(&project));
    Detected {
        write: scope::write(&project),
        build: scope::build(&languages),
        notes,
        gates,
        languages: languages.iter().map(|language| language.name()).collect(),
    }
}

/// The files of a repository, as far as they are looked at.
struct Project<'a> {
    files: Vec<String>,
    read: &'a dyn Fn(&str) -> Option<String>,
}

impl Project<'_> {
    fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file == path)
    }

    fn has_any(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.has(path))
    }

    /// Returns the text of a listed file; empty when it is absent, unreadable or too large.
    fn text(&self, path: &str) -> String {
        let text = self.has(path).then(|| (self.read)(path)).flatten();
        text.filter(|text| text.len() <= FILE_BYTES_MAX)
            .unwrap_or_default()
    }

    /// Returns the names of the files of the root.
    fn top(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().map(String::as_str);
        files.filter(|file| !file.contains('/'))
    }

    /// Returns folder and name of the files one level below the root.
    fn second(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.files.iter().filter_map(|file| file.split_once('/'));
        files.filter(|(_, name)| !name.contains('/'))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Rust,
    Python,
    Node,
    Go,
    Java,
    Shell,
    Make,
}

impl Language {
    const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Node => "node",
            Self::Go => "go",
            Self::Java => "java",
            Self::Shell => "shell",
            Self::Make => "make",
        }
    }
}

fn languages(project: &Project<'_>) -> Vec<Language> {
    let ends_with = |ending: &str| {
        let in_tests = |(folder, name): (&str, &str)| {
            matches!(folder, "tests" | "test") && name.ends_with(ending)
        };
        project.top().any(|name| name.ends_with(ending)) || project.second().any(in_tests)
    };
    let python = [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "requirements.txt",
    ];
    let found = [
        (Language::Rust, project.has("Cargo.toml")),
        (
            Language::Python,
            project.has_any(&python) || ends_with(".py"),
        ),
        (Language::Node, project.has("package.json")),
        (Language::Go, project.has("go.mod")),
        (Language::Java, gates::is_java(project)),
        (Language::Shell, ends_with(".sh")),
        (Language::Make, project.has_any(&gates::MAKEFILES)),
    ];
    let found = found.into_iter().filter(|(_, is_there)| *is_there);
    found.map(|(language, _)| language).collect()
}

#[cfg(test)]
mod tests;
