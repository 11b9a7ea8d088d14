//! What the guard says about an action.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Allow, ask a person, or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may happen.
    Allow,
    /// It may happen when a person says so.
    Ask,
    /// It may not happen.
    Deny,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        })
    }
}

/// Which rule decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule as written, such as `src/**`; for built-in rules its name.
    pub text: String,
    /// Where it stands, such as `harness.toml:3` or `built in`.
    pub origin: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.text, self.origin)
    }
}

/// A decision with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// Why, naming the resolved path and the scope that was missed; for the model and for people.
    pub reason: String,
    /// The rule behind it; absent where no rule matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

impl Verdict {
    /// Makes a denial that no rule of the configuration stands behind.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self {
            decision: Decision::Deny,
            reason: reason.into(),
            rule: None,
        }
    }

    /// Makes an allowance.
    pub fn allow(reason: impl Into<String>, rule: Option<Rule>) -> Self {
        Self {
            decision: Decision::Allow,
            reason: reason.into(),
            rule,
        }
    }

    /// Whether the action may happen.
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allow
    }
}
