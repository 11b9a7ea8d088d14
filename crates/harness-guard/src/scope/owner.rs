//! Paths that no agent ever writes, whatever the scope says.
//!
//! Names are compared without regard to ASCII case: on some file systems
//! `.GIT/config` is git's configuration.

use harness_core::{RepoPath, Rule, Sourced};

use super::Scope;

/// The harness's configuration, at the root.
const CONFIGURATION: &str = "harness.toml";
/// The harness's folder in the repository, at the root.
const RECORDS: &str = ".harness";
/// File names of the map, at any depth.
const MAPS: [&str; 2] = ["AGENTS.md", "AGENTS.override.md"];

/// Who else changes a host-owned path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// Git; the harness commits.
    Git,
    /// The harness's own records, such as evidence.
    Records,
    /// A person: the harness's configuration.
    Configuration,
    /// A person: the map for agents, by this name.
    Map(&'a str),
    /// The harness: a file of the policy, such as the feature list.
    File(&'a RepoPath),
    /// The harness: a file named by a rule.
    Named(&'a Sourced),
}

impl Owner<'_> {
    /// Returns the rule behind it.
    pub(crate) fn rule(&self) -> Rule {
        let (text, origin) = match self {
            Self::Git => (".git".to_owned(), "built in"),
            Self::Records => (format!("{RECORDS}/**"), "built in"),
            Self::Configuration => (CONFIGURATION.to_owned(), "built in"),
            Self::Map(name) => (format!("**/{name}"), "built in"),
            Self::File(path) => (path.to_text(), "built in"),
            Self::Named(pattern) => (pattern.value.clone(), pattern.origin.as_str()),
        };
        Rule {
            text,
            origin: origin.to_owned(),
        }
    }
}

impl Scope {
    /// Returns who owns `path`, when it is not for agents to write.
    pub(super) fn owner(&self, path: &RepoPath) -> Option<Owner<'_>> {
        if has(path, ".git") {
            return Some(Owner::Git);
        }
        let first = path.components().next()?;
        if first.eq_ignore_ascii_case(RECORDS.as_bytes()) {
            return Some(Owner::Records);
        }
        if first.eq_ignore_ascii_case(CONFIGURATION.as_bytes()) {
            return Some(Owner::Configuration);
        }
        let mut maps = MAPS
            .into_iter()
            .chain(self.map_names.iter().map(String::as_str));
        if let Some(name) = maps.find(|name| has(path, name)) {
            return Some(Owner::Map(name));
        }
        if let Some(file) = self.owned_files.iter().find(|file| is_at(path, file)) {
            return Some(Owner::File(file));
        }
        self.host_owned.find(path).map(Owner::Named)
    }

    /// Returns the host-owned paths that can be named without looking at a disk.
    pub(super) fn fixed_host_owned(&self) -> impl Iterator<Item = RepoPath> {
        [".git", RECORDS, CONFIGURATION]
            .into_iter()
            .chain(MAPS)
            .chain(self.map_names.iter().map(String::as_str))
            .filter_map(|name| RepoPath::parse(name).ok())
            .filter(|path| !path.is_root())
            .chain(self.owned_files.iter().cloned())
            .chain(self.host_owned.plain().cloned())
    }
}

/// Whether a component of `path` is `name`, in any ASCII case.
fn has(path: &RepoPath, name: &str) -> bool {
    path.components()
        .any(|component| component.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether `path` is `file` or lies below it, in any ASCII case.
fn is_at(path: &RepoPath, file: &RepoPath) -> bool {
    let mut components = path.components();
    file.components().all(|name| {
        components
            .next()
            .is_some_and(|component| component.eq_ignore_ascii_case(name))
    })
}
