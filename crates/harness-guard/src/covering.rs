//! One pattern from a folder, for files that a gate writes.
//!
//! It grants nothing and restricts nothing; it only finds. The runner removes
//! and reads what it matches.

use std::fmt;

use harness_core::{RepoPath, Sourced};

use crate::pattern::{Effect, PatternSet, ScopeError};

/// A compiled pattern that is read from a folder of the repository.
#[derive(Clone)]
pub struct Covering {
    folder: RepoPath,
    pattern: PatternSet,
}

impl Covering {
    /// Compiles a pattern as it is written at `origin`.
    ///
    /// # Errors
    /// When it leaves the folder or is not in the grammar of patterns.
    pub fn new(folder: &RepoPath, pattern: &str, origin: &str) -> Result<Self, ScopeError> {
        let written = Sourced {
            value: pattern.to_owned(),
            origin: origin.to_owned(),
        };
        Ok(Self {
            folder: folder.clone(),
            pattern: PatternSet::compile(&[written], Effect::Grant)?,
        })
    }

    /// Whether it matches a path of the repository.
    pub fn covers(&self, path: &RepoPath) -> bool {
        self.inside(path)
            .is_some_and(|inside| self.pattern.covers(&inside))
    }

    /// Returns the folder in which everything lies that it can match.
    pub fn begins_at(&self) -> RepoPath {
        let fixed = self.pattern.fixed().next().cloned().unwrap_or_default();
        let whole = self.folder.join(fixed.as_bytes()).unwrap_or_default();
        match self.pattern.covers(&fixed) {
            // All of it is fixed: it names a file or a folder itself.
            true => whole.parent().unwrap_or_default(),
            false => whole,
        }
    }

    fn inside(&self, path: &RepoPath) -> Option<RepoPath> {
        let folder = self.folder.components().count();
        if !path.starts_with(&self.folder) {
            return None;
        }
        let inside: Vec<&[u8]> = path.components().skip(folder).collect();
        RepoPath::parse(inside.join(&b'/')).ok()
    }
}

impl fmt::Debug for Covering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<&str> = self
            .pattern
            .written()
            .map(|written| written.value.as_str())
            .collect();
        write!(f, "Covering({} in {})", written.join(" "), self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn check(folder: &str, pattern: &str, begins_at: &str, yes: &[&str], no: &[&str]) {
        let covering = Covering::new(&path(folder), pattern, "here").unwrap();
        assert_eq!(covering.begins_at(), path(begins_at), "{covering:?}");
        for text in yes {
            assert!(covering.covers(&path(text)), "{covering:?} {text}");
        }
        for text in no {
            assert!(!covering.covers(&path(text)), "{covering:?} {text}");
        }
    }

    #[test]
    fn a_pattern_is_read_from_its_folder() {
        check(
            ".",
            "target/reports/*.xml",
            "target/reports",
            &["target/reports/a.xml"],
            &["target/reports/a.txt", "target/reports/b/a.xml", "a.xml"],
        );
        check(
            "web",
            "report.json",
            "web",
            &["web/report.json"],
            &["report.json", "web/a"],
        );
        check(
            "we[b",
            "**/*.xml",
            "we[b",
            &["we[b/a.xml", "we[b/c/a.xml"],
            &["web/a.xml"],
        );
        assert!(Covering::new(&path("web"), "../*.xml", "here").is_err());
    }
}
