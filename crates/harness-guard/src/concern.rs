//! Which files something is about: the `paths` of a gate.
//!
//! It opens and closes nothing. Doubt counts as being concerned: a pattern
//! covers what lies below it and any ASCII case, and a list that cannot be
//! read covers everything. The engine asks, after turns that changed files.

use harness_core::{RepoPath, Sourced};

use crate::pattern::{Effect, PatternSet};

/// A list of patterns of files that something is about.
#[derive(Clone)]
pub struct Concern(Option<PatternSet>);

impl Concern {
    /// Compiles a list; an empty one is about every file.
    pub fn new(patterns: &[String]) -> Self {
        if patterns.is_empty() {
            return Self(None);
        }
        let list: Vec<Sourced> = patterns.iter().map(Sourced::built_in).collect();
        // The configuration has read them before; a list it could not read starts no run.
        Self(PatternSet::compile(&list, Effect::Restrict).ok())
    }

    /// Whether `path` is one of its files.
    pub fn is_about(&self, path: &RepoPath) -> bool {
        self.0.as_ref().is_none_or(|set| set.covers(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(patterns: &[&str], path: &str) -> bool {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        Concern::new(&patterns).is_about(&RepoPath::parse(path).unwrap())
    }

    #[test]
    fn no_pattern_is_about_every_file() {
        assert!(about(&[], "src/a.rs"));
    }

    #[test]
    fn a_pattern_is_about_what_it_matches_and_what_lies_below() {
        assert!(about(&["src/**"], "src/deep/a.rs"));
        assert!(about(&["src"], "src/deep/a.rs"));
        assert!(about(&["docs/**", "**/*.PY"], "tool/a.py"));
        assert!(!about(&["src/**"], "docs/a.md"));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_about_every_file() {
        assert!(about(&["../up/**"], "docs/a.md"));
    }
}
