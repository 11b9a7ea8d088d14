//! What a person has approved although it was found in a change.

use serde::{Deserialize, Serialize};

use crate::{FeatureId, Finding, Timestamp};

/// A finding that a person has approved for one feature of a run.
///
/// Its id stands for exactly one change: another change has another id and
/// is not approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedFinding {
    /// The feature it is approved for.
    pub feature: FeatureId,
    /// The finding's id.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// How the person said so.
    pub how: ApprovedHow,
}

impl ApprovedFinding {
    /// Whether it is about this finding. What has no id cannot be approved.
    pub fn is_about(&self, finding: &Finding) -> bool {
        !finding.id.is_empty() && self.id == finding.id
    }
}

/// How a person approved a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovedHow {
    /// By an answer to the question, with the change in sight.
    Asked,
    /// By a flag that names the finding's id.
    Flag,
}

impl ApprovedHow {
    /// Returns the word of the log, of the evidence and of JSON lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Flag => "flag",
        }
    }
}
