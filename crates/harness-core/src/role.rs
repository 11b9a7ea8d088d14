//! Roles of models in a run, and how hard one is asked to think.
//!
//! Says who serves which role; what a role asks for is decided by who asks.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ModelProfile, RunState};

/// What a model is asked for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The work itself.
    #[default]
    Main,
    /// Summaries and hand-overs.
    Cheap,
    /// Judging a finished change, with a fresh context.
    Reviewer,
}

/// Who serves the roles beside the main one; the main model serves a role that names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// [`Role::Cheap`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheap: Option<ModelProfile>,
    /// [`Role::Reviewer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<ModelProfile>,
}

/// How hard a model is asked to think; where nobody says, nothing is sent and the vendor's default holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as it can.
    Minimal,
    /// Little.
    Low,
    /// As much as most work wants.
    Medium,
    /// Much.
    High,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Main, Self::Cheap, Self::Reviewer];

    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Cheap => "cheap",
            Self::Reviewer => "reviewer",
        }
    }
}

impl Roles {
    /// Whether the main model serves all roles.
    pub const fn is_empty(&self) -> bool {
        self.cheap.is_none() && self.reviewer.is_none()
    }

    /// Names the model for a role; the main one is named by the run itself.
    pub fn set(&mut self, role: Role, model: ModelProfile) {
        match role {
            Role::Main => {}
            Role::Cheap => self.cheap = Some(model),
            Role::Reviewer => self.reviewer = Some(model),
        }
    }

    /// Returns the model that was named for a role; never one for the main role.
    pub const fn named(&self, role: Role) -> Option<&ModelProfile> {
        match role {
            Role::Main => None,
            Role::Cheap => self.cheap.as_ref(),
            Role::Reviewer => self.reviewer.as_ref(),
        }
    }
}

impl RunState {
    /// Returns the model that serves a role now: the one named for it, else the present main one.
    pub fn model_for(&self, role: Role) -> &ModelProfile {
        self.roles.named(role).unwrap_or(&self.model)
    }
}

impl Effort {
    /// All efforts, the smallest first.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Minimal,
        Self::Low,
        Self::Medium,
        Self::High,
    ];

    /// Returns the word of the configuration, which most wires share.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
