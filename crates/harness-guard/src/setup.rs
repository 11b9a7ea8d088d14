//! Setup steps: what prepares a work tree or a checkout, and what that depends on.

use harness_core::{RepoPath, Sourced};

use crate::{
    network::Hosts,
    pattern::{Effect, PatternSet, ScopeError},
};

/// A setup step of the trusted configuration.
#[derive(Clone, Debug)]
pub struct SetupStep {
    run: Vec<String>,
    network: Hosts,
    files: PatternSet,
}

impl SetupStep {
    /// Makes a step of its argv, the patterns of the files it depends on, and the hosts it may reach.
    ///
    /// # Errors
    /// As [`Scope::compile`](crate::Scope::compile), about the patterns.
    pub fn new(run: Vec<String>, when: &[Sourced], network: Hosts) -> Result<Self, ScopeError> {
        Ok(Self {
            run,
            network,
            files: PatternSet::compile(when, Effect::Grant)?,
        })
    }

    /// Returns the argv; there is no shell.
    pub fn run(&self) -> &[String] {
        &self.run
    }

    /// Returns the hosts it may reach.
    pub const fn network(&self) -> &Hosts {
        &self.network
    }

    /// Whether it says which files it depends on; else it depends on everything.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Returns the files it names without a wildcard.
    pub fn fixed_files(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.plain()
    }

    /// Whether more than its fixed files have to be looked for.
    pub fn has_wildcards(&self) -> bool {
        self.files.plain().count() < self.files.written().len()
    }

    /// Whether it depends on the file at `path`.
    pub fn depends_on(&self, path: &RepoPath) -> bool {
        self.files.covers(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(when: &[&str]) -> SetupStep {
        let when: Vec<Sourced> = when
            .iter()
            .map(|value| Sourced {
                value: (*value).to_owned(),
                origin: "harness.toml:1".to_owned(),
            })
            .collect();
        SetupStep::new(vec!["npm".to_owned()], &when, Hosts::default()).unwrap()
    }

    #[test]
    fn files_with_and_without_wildcards_are_told_apart() {
        let step = step(&["package-lock.json", "packages/*/package.json"]);
        let path = |text: &str| RepoPath::parse(text).unwrap();
        let fixed: Vec<&RepoPath> = step.fixed_files().collect();
        assert_eq!(fixed, [&path("package-lock.json")]);
        assert!(step.has_wildcards() && step.has_files());
        assert!(step.depends_on(&path("packages/a/package.json")));
        assert!(!step.depends_on(&path("packages/a/b/package.json")));
        assert!(!self::step(&[]).has_files());
    }
}
