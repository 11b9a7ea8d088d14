//! The judge of one feature in one run: actions before they happen, changes after.
//!
//! The same action and rules give the same verdict, whatever a model says about
//! itself: an action has no field that could carry a permission. The engine
//! judges a link's target as an action of its own.

use std::collections::BTreeSet;

use harness_core::{
    Action, ApprovalAnswer, CallId, Change, ChangeKind, CommandRule, Decision, Feature, Finding,
    FindingKind, Policy, RepoPath, RuleDecision, Verdict,
};
use serde::Serialize;

use crate::{
    approval::Awaited,
    command::{deciding, judge_command, narrowest},
    defaults::is_gate_affecting,
    network::Hosts,
    pattern::ScopeError,
    permit::{Bounds, Permit},
    scope::{Scope, Standing},
    shown::shown,
};

/// What the agent is told when a person does not want to be asked again.
const REFUSED_FOR_SESSION: &str = "a person refused this for the session";

/// Judges what an agent asks for and makes its permits.
#[derive(Clone, Debug)]
pub struct Guard {
    scope: Scope,
    commands: Vec<CommandRule>,
    /// Commands that a person allowed for the session, to the letter.
    approved: BTreeSet<String>,
    /// Why no further host can be opened; empty where a person can open one.
    pub(crate) network_closed: String,
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
            approved: BTreeSet::new(),
            network_closed: policy.network_closed.clone(),
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
            Action::Read { path, .. } | Action::List { path, .. } | Action::Search { path, .. } => {
                self.scope.read(path)
            }
            Action::Write { path, .. } | Action::Edit { path, .. } => self.scope.write(path),
            Action::Run { command, cwd, .. } => self.judge_run(command, cwd),
            Action::Move { path, to } => self.judge_move(path, to),
            Action::Delete { path } => self.scope.change("delete", path),
        }
    }

    /// Takes what a person says about commands as long as the session goes on.
    pub fn hear(&mut self, command: &str, answer: &ApprovalAnswer) {
        match answer {
            ApprovalAnswer::Session => {
                self.approved.insert(command.to_owned());
            }
            ApprovalAnswer::Always { rule, .. } => {
                let allows = rule.decision == RuleDecision::Allow;
                self.commands.extend(allows.then(|| rule.clone()));
            }
            ApprovalAnswer::Never => {
                // Whatever the same rule asks about is not asked about again.
                let asking = deciding(&self.commands, command).cloned();
                self.commands.extend(asking.map(|rule| CommandRule {
                    decision: RuleDecision::Deny,
                    reason: REFUSED_FOR_SESSION.to_owned(),
                    ..rule
                }));
            }
            ApprovalAnswer::Once | ApprovalAnswer::Part { .. } | ApprovalAnswer::No { .. } => {}
        }
    }

    /// Compiles the rules anew, as they were amended; what a person said about commands stays.
    ///
    /// # Errors
    /// As [`Guard::new`].
    pub fn renewed(&self, policy: &Policy, feature: &Feature) -> Result<Self, ScopeError> {
        Ok(Self {
            commands: self.commands.clone(),
            approved: self.approved.clone(),
            ..Self::new(policy, feature)?
        })
    }

    /// Returns the narrowest rule with which a command would not be asked about again.
    ///
    /// It spells the whole command out. `None` for a command of several lines,
    /// with invisible characters, or of more than 64 words or 1,000 bytes: nobody
    /// reads such a rule.
    pub fn narrowest_rule(&self, command: &str) -> Option<CommandRule> {
        narrowest(command)
    }

    /// Takes an action that a person has to approve; it becomes a permit with their yes alone.
    ///
    /// # Errors
    /// The verdict, when the action is denied: nobody's yes changes that.
    pub fn awaited(&self, call: CallId, action: Action) -> Result<Awaited, Verdict> {
        let verdict = self.judge(&action);
        if verdict.decision == Decision::Deny {
            return Err(verdict);
        }
        Ok(Awaited::new(call, action, self.bounds.clone()))
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

    /// A move takes the file away from one place and puts it at another: both have to be open.
    fn judge_move(&self, path: &RepoPath, to: &RepoPath) -> Verdict {
        let from = self.scope.change("move", path);
        if from.is_allowed() {
            self.scope.change("move to", to)
        } else {
            from
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
        if self.approved.contains(command) && self.asks_about(command) {
            return Verdict::allow("run: a person allowed it for this session", None);
        }
        judge_command(&self.commands, command).unwrap_or_else(|| {
            Verdict::allow(
                format!("run in `{}`: confined by the cage", shown(cwd)),
                None,
            )
        })
    }

    fn asks_about(&self, command: &str) -> bool {
        judge_command(&self.commands, command)
            .is_some_and(|verdict| verdict.decision == Decision::Ask)
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
        Some(Finding::of_path(kind, path.clone(), message))
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
pub(crate) mod tests;
