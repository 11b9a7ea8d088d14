//! A review in the evidence of a feature.

use harness_core::{ApprovedFinding, Mark, Remark, Review, ReviewBy, ReviewVerdict};
use serde::{Deserialize, Serialize};

use crate::evidence::ApprovalRecord;

/// Who reviewed a change before it was committed, and what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRecord {
    /// Whose word let it pass.
    pub by: ReviewBy,
    /// What a model made of it; absent where none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedRecord>,
    /// The person's word; absent where none was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<ApprovalRecord>,
    /// The id they approved, which stands for exactly this tree.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

/// What a model made of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRecord {
    /// What followed from it.
    pub verdict: ReviewVerdict,
    /// The person's name of the model.
    pub model: String,
    /// SHA-256 of everything it was told first, in hexadecimal.
    pub seen_sha256: String,
    /// Why it gave no judgement; empty where it did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// Its scores.
    pub marks: Vec<Mark>,
    /// Its remarks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Tokens it read.
    pub input_tokens: u64,
    /// Tokens it wrote.
    pub output_tokens: u64,
    /// What it cost, in millionths of a US dollar; null where the price is unknown.
    pub micro_usd: Option<u64>,
}

impl ReviewRecord {
    /// Makes the record of what let a change pass; nothing where nobody was asked.
    ///
    /// A person's word is the one that counts where there is one.
    pub fn new(judged: Option<&Review>, approved: Option<&ApprovedFinding>) -> Option<Self> {
        let by = match (approved, judged) {
            (Some(_), _) => ReviewBy::Person,
            (None, Some(_)) => ReviewBy::Agent,
            (None, None) => return None,
        };
        Some(Self {
            by,
            judged: judged.map(JudgedRecord::from),
            approved: approved.map(|approved| ApprovalRecord {
                time: approved.time.to_seconds_text(),
                how: approved.how,
            }),
            id: approved
                .map(|approved| approved.id.clone())
                .unwrap_or_default(),
        })
    }

    /// Whether this is what a configuration demands: a person's word is worth as much as a model's.
    pub(crate) fn satisfies(&self, demanded: ReviewBy) -> bool {
        let judged = self.judged.as_ref();
        let is_judged = judged.is_some_and(|it| it.verdict == ReviewVerdict::Approved);
        match demanded {
            ReviewBy::None => true,
            ReviewBy::Agent => is_judged || self.approved.is_some(),
            ReviewBy::Person => self.approved.is_some(),
        }
    }

    /// Words it in one line.
    pub fn to_text(&self) -> String {
        let judged = self.judged.as_ref().map(JudgedRecord::to_text);
        match (&self.approved, judged) {
            (Some(approved), judged) => {
                let judged = judged.map(|judged| format!("; {judged}"));
                format!(
                    "approved by a person ({}, {}) as {}{}",
                    approved.how.as_str(),
                    approved.time,
                    self.id,
                    judged.unwrap_or_default()
                )
            }
            (None, Some(judged)) => judged,
            (None, None) => "nothing is known of it".to_owned(),
        }
    }
}

impl JudgedRecord {
    fn to_text(&self) -> String {
        let marks = self.marks.iter();
        let marks: Vec<String> = marks
            .map(|mark| format!("{} {}", mark.criterion, mark.score))
            .collect();
        let remarks = match self.remarks.len() {
            0 => String::new(),
            1 => ", 1 remark".to_owned(),
            many => format!(", {many} remarks"),
        };
        let marks = match marks.as_slice() {
            [] => String::new(),
            marks => format!(": {}", marks.join(", ")),
        };
        let verdict = self.verdict.as_str();
        format!("{verdict} by {}{marks}{remarks}", self.model)
    }
}

impl From<&Review> for JudgedRecord {
    fn from(review: &Review) -> Self {
        let used = &review.used;
        Self {
            verdict: review.verdict,
            model: review.model.clone(),
            seen_sha256: review.seen_sha256.clone(),
            problem: review.problem.clone(),
            marks: review.marks.clone(),
            remarks: review.remarks.clone(),
            input_tokens: used.usage.input_total(),
            output_tokens: used.usage.output,
            micro_usd: (!used.unpriced).then_some(used.cost.0),
        }
    }
}
