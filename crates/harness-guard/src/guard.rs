//! The judge of one feature in one run: actions before they happen, changes after.
//!
//! The same action and rules give the same verdict, whatever a model says about
//! itself: an action has no field that could carry a permission. The engine
//! judges a link's target as an action of its own.

use harness_core::{
    Action, Change, ChangeKind, CommandRule, Feature, Finding, FindingKind, Policy, RepoPath,
    Verdict,
};
use serde::Serialize;

use crate::{
    command::judge_command,
    defaults::is_gate_affecting,
    network::Hosts,
    pattern::ScopeError,
    permit::{Bounds, Permit},
    scope::{Scope, Standing},
    shown::shown,
};

/// Judges what an agent asks for and makes its permits.
#[derive(Clone, Debug)]
pub struct Guard {
    scope: Scope,
    commands: Vec<CommandRule>,
    bounds: Bounds,
}

/// What is said about a path, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether the file tools open it.
    pub read: Verdict,
    /// Whether the file tools write it.
    pub write: Verdict,
}

impl Guard {
    /// Compiles a run's policy for one feature.
    ///
    /// The policy's feature list, progress log and map are host-owned even where
    /// the rules do not say so.
    ///
    /// # Errors
    /// As [`Scope::compile`].
    pub fn new(policy: &Policy, feature: &Feature) -> Result<Self, ScopeError> {
        let scope = Scope::of_policy(policy, feature)?;
        let bounds = Bounds {
            writable: scope.writable_reach(),
            build: scope.build_reach(),
            read_only: scope.fixed_read_only(),
            limits: policy.limits.clone(),
            network: Hosts::new(&policy.network),
        };
        Ok(Self {
            scope,
            commands: policy.commands.clone(),
            bounds,
        })
    }

    /// Returns the rules about paths.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns how far any process of the feature may go.
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Says whether an action may happen.
    ///
    /// A denial names the resolved path, the scope that was missed and how to ask.
    pub fn judge(&self, action: &Action) -> Verdict {
        match action {
            Action::Read { path, .. } | Action::List { path } | Action::Search { path, .. } => {
                self.scope.read(path)
            }
            Action::Write { path, .. } | Action::Edit { path, .. } => self.scope.write(path),
            Action::Run { command, cwd } => self.judge_run(command, cwd),
        }
    }

    /// Judges an action and turns it into a permit.
    ///
    /// # Errors
    /// The verdict, when it is not an allow.
    pub fn permit(&self, action: Action) -> Result<Permit, Verdict> {
        let verdict = self.judge(&action);
        if verdict.is_allowed() {
            Ok(Permit::new(action, self.bounds.clone()))
        } else {
            Err(verdict)
        }
    }

    /// Returns what may not be in a change, at most one finding per path, in the order given.
    ///
    /// `OutsideScope`: missed by the write scope, denied, hidden, or a new name that
    /// nobody can read. `Protected`: host-owned, or protected and not in
    /// `may_change`. `GateAffecting`: decides how gates run and is not in
    /// `may_change`, whatever the scope says.
    pub fn judge_changes(&self, changes: &[Change]) -> Vec<Finding> {
        changes
            .iter()
            .filter_map(|change| self.judge_change(change))
            .collect()
    }

    /// Says what holds for a path.
    pub fn explain(&self, path: &RepoPath) -> Explanation {
        Explanation {
            read: self.scope.read(path),
            write: self.scope.write(path),
        }
    }

    fn judge_run(&self, command: &str, cwd: &RepoPath) -> Verdict {
        if let Some(denial) = self.scope.visit("run in", cwd) {
            return denial;
        }
        if command.contains('\0') {
            return Verdict::deny(
                "run: the command contains a NUL byte, which no command line can",
            );
        }
        judge_command(&self.commands, command).unwrap_or_else(|| {
            Verdict::allow(
                format!("run in `{}`: confined by the cage", shown(cwd)),
                None,
            )
        })
    }

    fn judge_change(&self, change: &Change) -> Option<Finding> {
        let path = &change.path;
        let standing = self.scope.standing(path);
        let affects_gates = is_gate_affecting(path) && !self.scope.is_lifted(path);
        let kind = match &standing {
            Standing::Owned(_) => FindingKind::Protected,
            Standing::Hidden(_) | Standing::Denied(_) => FindingKind::OutsideScope,
            _ if affects_gates => FindingKind::GateAffecting,
            Standing::Protected(_) => FindingKind::Protected,
            Standing::Unreadable(_) if change.kind != ChangeKind::Added => return None,
            Standing::Writable(_) => return None,
            Standing::Root
            | Standing::Unreadable(_)
            | Standing::OutsideRepository
            | Standing::OutsideFeature => FindingKind::OutsideScope,
        };
        let why = if kind == FindingKind::GateAffecting {
            "it decides how gates run and `may_change` does not name it".to_owned()
        } else {
            standing.why(&self.scope)
        };
        let message = format!("{} `{}`: {why}", changed(change.kind), shown(path));
        Some(Finding {
            kind,
            path: path.clone(),
            message,
        })
    }
}

const fn changed(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "changed",
        ChangeKind::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests;
