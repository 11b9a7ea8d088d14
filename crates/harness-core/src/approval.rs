//! What a person is asked to allow, what they may answer, and what a yes adds to a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Action, AllowedHost, CallId, CommandRule, FeatureId, Finding, Proposal, RepoPath, Rule,
};

/// A call that waits for a person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalAsked {
    /// The call that waits.
    pub call: CallId,
    /// What would happen.
    pub subject: ApprovalSubject,
    /// Why it is not done without asking, or what the agent gives as its reason.
    pub reason: String,
    /// The rule that asks; absent where none stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The narrowest rule with which it would not be asked again; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always: Option<CommandRule>,
}

/// What a person is asked to allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApprovalSubject {
    /// That this happens, with its paths resolved.
    Action {
        /// The whole of it.
        action: Action,
    },
    /// That the run is given more.
    Amendment {
        /// The whole of it.
        amendment: Amendment,
    },
    /// That a change stays as it is although this was found in it.
    Findings {
        /// The feature whose change it is.
        feature: FeatureId,
        /// What was found, with the hunks.
        findings: Vec<Finding>,
    },
    /// That features are added to the list.
    Features {
        /// The whole of it.
        proposal: Box<Proposal>,
    },
}

/// What a person answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum ApprovalAnswer {
    /// Yes, this once; more is given for as long as the feature is worked on.
    Once,
    /// Yes, and to exactly this for the rest of the session.
    Session,
    /// Yes, and to whatever this rule allows from now on.
    Always {
        /// The rule that is kept.
        rule: CommandRule,
        /// Why it could not be kept beyond the run; empty when it was.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        problem: String,
    },
    /// No.
    No {
        /// What the agent is told; may be empty.
        #[serde(default)]
        reason: String,
    },
    /// No, and do not ask again in this session.
    Never,
    /// Yes to proposed features, but for some.
    Part {
        /// Numbers of those that stay out, counted from 1.
        without: Vec<u16>,
    },
}

impl ApprovalAnswer {
    /// Whether it is a yes of any kind.
    pub const fn is_yes(&self) -> bool {
        matches!(
            self,
            Self::Once | Self::Session | Self::Always { .. } | Self::Part { .. }
        )
    }

    /// Returns the word of the log and of JSON lines.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Session => "session",
            Self::Always { .. } => "always",
            Self::No { .. } => "no",
            Self::Never => "never",
            Self::Part { .. } => "part",
        }
    }
}

/// What a person's yes adds to a run: more to write for one feature, more hosts for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// The feature it is for.
    pub feature: FeatureId,
    /// Patterns that may be written beside the scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Protected paths that may be changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_change: Vec<RepoPath>,
    /// Hosts that processes may reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<AllowedHost>,
    /// What the agent gave as its reason.
    pub reason: String,
}

impl fmt::Display for Amendment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: Vec<String>| items.join(", ");
        let write = list(self.write.iter().map(|item| format!("`{item}`")).collect());
        let paths = self.may_change.iter();
        let may_change = list(paths.map(|path| format!("`{path}`")).collect());
        let hosts = list(self.hosts.iter().map(|host| format!("`{host}`")).collect());
        let parts = [
            ("write ", write),
            ("change protected ", may_change),
            ("network ", hosts),
        ];
        let said = parts.iter().filter(|(_, items)| !items.is_empty());
        let said: Vec<String> = said.map(|(what, items)| format!("{what}{items}")).collect();
        f.write_str(&said.join("; "))
    }
}
