//! What the rules say about one path, and the sentence that says it.

use std::fmt::Write;

use harness_core::{Rule, Sourced};

use super::{Owner, Scope};
use crate::pattern::PatternSet;

/// How many patterns a sentence lists before it only counts them.
const PATTERNS_SHOWN_MAX: usize = 12;

/// The first thing that the rules say about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// It is the repository's root.
    Root,
    /// It is host-owned.
    Owned(Owner<'a>),
    /// It is hidden.
    Hidden(&'a Sourced),
    /// It is denied.
    Denied(&'a Sourced),
    /// It is protected, and the feature does not lift that.
    Protected(&'a Sourced),
    /// Its name holds a character nobody can see.
    Unreadable(char),
    /// The repository's write patterns miss it.
    OutsideRepository,
    /// The feature's own write patterns miss it.
    OutsideFeature,
    /// It may be written.
    Writable(&'a Sourced),
}

impl Standing<'_> {
    /// Returns why the path may not be changed, or that it may; one line without full stop.
    pub(crate) fn why(&self, scope: &Scope) -> String {
        match self {
            Self::Root => "it is the repository's root, not a file".to_owned(),
            Self::Owned(owner) => owned(owner),
            Self::Hidden(pattern) => {
                format!(
                    "hidden by {}, to be neither read nor written",
                    rule(pattern)
                )
            }
            Self::Denied(pattern) => format!("denied by {}", rule(pattern)),
            Self::Protected(pattern) => protected(pattern, scope),
            Self::Unreadable(found) => format!(
                "its name holds the control or invisible character `{}`",
                found.escape_unicode()
            ),
            Self::OutsideRepository => {
                format!(
                    "not in the write scope; allowed: {}",
                    scope.listed(&scope.write)
                )
            }
            Self::OutsideFeature => format!(
                "not in the write scope of feature `{}`; allowed: {}",
                scope.feature,
                scope.listed(&scope.feature_write)
            ),
            Self::Writable(pattern) => format!("in the write scope {}", rule(pattern)),
        }
    }

    /// Returns what the agent can do instead; one line without full stop.
    pub(crate) const fn way_on(&self) -> &'static str {
        match self {
            Self::Root => "name a file below it",
            Self::Owned(Owner::Git) => {
                "run a git command to read; the harness commits; use note, finish or undo"
            }
            Self::Owned(Owner::Configuration) => "ask a person with the tool `ask`",
            Self::Owned(_) => "propose text with the tool `note`",
            Self::Unreadable(_) => "use a name that a person can read",
            Self::Hidden(_) | Self::Denied(_) => {
                "go on without it, or tell a person with the tool `ask`"
            }
            Self::Protected(_) => "ask for it with the tool `request` if you need it",
            Self::OutsideRepository | Self::OutsideFeature | Self::Writable(_) => {
                "ask for more with the tool `request` if you need it"
            }
        }
    }

    /// Returns the rule behind it; `None` where no pattern matched.
    pub(crate) fn rule(&self) -> Option<Rule> {
        match self {
            Self::Owned(owner) => Some(owner.rule()),
            Self::Hidden(pattern)
            | Self::Denied(pattern)
            | Self::Protected(pattern)
            | Self::Writable(pattern) => Some(rule(pattern)),
            Self::Root | Self::Unreadable(_) | Self::OutsideRepository | Self::OutsideFeature => {
                None
            }
        }
    }
}

/// Returns a pattern as the rule it is.
pub(super) fn rule(pattern: &Sourced) -> Rule {
    Rule {
        text: pattern.value.clone(),
        origin: pattern.origin.clone(),
    }
}

fn owned(owner: &Owner<'_>) -> String {
    match owner {
        Owner::Git => "git's own files are closed to file tools".to_owned(),
        Owner::Configuration => "the configuration is changed by a person only".to_owned(),
        Owner::Map(name) => format!("the map `{name}` is changed by a person only"),
        Owner::Records | Owner::File(_) | Owner::Named(_) => {
            format!("{} is written by the harness only", owner.rule())
        }
    }
}

fn protected(pattern: &Sourced, scope: &Scope) -> String {
    format!(
        "protected by {}, read-only unless `may_change` of feature `{}` names it, which a person does",
        rule(pattern),
        scope.feature
    )
}

impl Scope {
    /// Lists patterns, and what a person named or gave beside them.
    fn listed(&self, patterns: &PatternSet) -> String {
        let given = self.may_change.iter().map(|(_, sourced)| sourced);
        let given = given.chain(self.granted.written());
        let all: Vec<&Sourced> = patterns.written().chain(given).collect();
        if all.is_empty() {
            return "nothing".to_owned();
        }
        let mut text = String::new();
        for pattern in all.iter().take(PATTERNS_SHOWN_MAX) {
            let comma = if text.is_empty() { "" } else { ", " };
            let _infallible = write!(text, "{comma}`{}`", pattern.value);
        }
        let more = all.len().saturating_sub(PATTERNS_SHOWN_MAX);
        if more > 0 {
            let _infallible = write!(text, " and {more} more");
        }
        text
    }
}
