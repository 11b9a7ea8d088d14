//! One entry of the feature list, whatever shape its file has.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{FeatureId, Money, RepoPath};

/// What is wanted, where it may write, how it is proven, and how far it is.
///
/// All fields but `status` and `priority` are *intent*: a person's, changed by
/// command only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub id: FeatureId,
    /// A word for grouping, such as `functional`.
    #[serde(default)]
    pub category: String,
    /// One line.
    pub title: String,
    /// The whole wish.
    #[serde(default)]
    pub description: String,
    /// Proposed steps.
    #[serde(default)]
    pub steps: Vec<String>,
    /// When it counts as done, in words.
    #[serde(default)]
    pub acceptance: Vec<String>,
    /// Higher is earlier; equal priorities keep the order of the list.
    #[serde(default)]
    pub priority: i64,
    /// Features that must pass first.
    #[serde(default)]
    pub depends_on: Vec<FeatureId>,
    /// Where it may write, inside the repository's scope.
    #[serde(default)]
    pub scope: FeatureScope,
    /// Paths it may change although they are protected or outside the scope: exactly these.
    #[serde(default)]
    pub may_change: Vec<RepoPath>,
    /// Names of the gates it must pass; all gates when empty.
    #[serde(default)]
    pub gates: Vec<String>,
    /// Commands that prove it, beside the gates; each an argv.
    #[serde(default)]
    pub verify: Vec<Vec<String>>,
    /// Its own limits.
    #[serde(default)]
    pub budget: FeatureBudget,
    /// How far it is; only the harness changes it.
    #[serde(default)]
    pub status: FeatureStatus,
}

impl Feature {
    /// Makes a pending feature of a title alone.
    pub fn titled(id: FeatureId, title: impl Into<String>) -> Self {
        Self {
            id,
            category: String::new(),
            title: title.into(),
            description: String::new(),
            steps: Vec::new(),
            acceptance: Vec::new(),
            priority: 0,
            depends_on: Vec::new(),
            scope: FeatureScope::default(),
            may_change: Vec::new(),
            gates: Vec::new(),
            verify: Vec::new(),
            budget: FeatureBudget::default(),
            status: FeatureStatus::Pending,
        }
    }
}

/// A feature's own narrowing of the repository's scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FeatureScope {
    /// Patterns; the repository's scope when empty.
    #[serde(default)]
    pub write: Vec<String>,
    /// Patterns that stay forbidden.
    #[serde(default)]
    pub deny: Vec<String>,
}

/// A feature's own limits; absent ones are the run's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureBudget {
    /// Red finishes before a person is needed.
    #[serde(default)]
    pub attempts: Option<u32>,
    /// What its sessions may cost.
    #[serde(default)]
    pub usd: Option<Money>,
    /// How long it may be worked on. Unit: minutes.
    #[serde(default)]
    pub minutes: Option<u32>,
}

impl FeatureBudget {
    /// Returns the time limit, if there is one.
    pub fn time(&self) -> Option<Duration> {
        self.minutes
            .map(|minutes| Duration::from_secs(u64::from(minutes) * 60))
    }
}

/// How far a feature is. `passes` in the file is `status == passing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureStatus {
    /// Nobody has begun.
    #[default]
    Pending,
    /// A session works on it.
    InProgress,
    /// Its gates are running.
    Verifying,
    /// A person must decide something.
    NeedsHuman,
    /// It waits for something else.
    Blocked,
    /// Proven.
    Passing,
    /// Was passing; a gate is red now.
    Failing,
    /// A person took it without proof.
    Accepted,
    /// Not wanted any more.
    Cancelled,
}

impl FeatureStatus {
    /// Returns the word that stands in files and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Verifying => "verifying",
            Self::NeedsHuman => "needs_human",
            Self::Blocked => "blocked",
            Self::Passing => "passing",
            Self::Failing => "failing",
            Self::Accepted => "accepted",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a run may start working on it.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::InProgress | Self::Verifying | Self::Failing
        )
    }

    /// Whether features that depend on it may start.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Passing | Self::Accepted)
    }
}

impl fmt::Display for FeatureStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
