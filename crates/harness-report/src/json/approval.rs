//! Approvals and what they give, as JSON lines.

use harness_core::{
    Action, Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallId, Finding,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::JsonLine;

/// Something found in a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonFinding {
    /// What approves it: `--approve ID`. Empty where nothing can.
    pub id: String,
    /// Its kind, such as `tests_skipped`.
    pub kind: String,
    /// The file.
    pub path: String,
    /// The line in the new text, or in the old one for what is gone; null where the file is meant.
    pub line: Option<u32>,
    /// What was found.
    pub message: String,
    /// The change it is about.
    pub hunk: String,
}

pub(super) fn asked(asked: &ApprovalAsked) -> JsonLine {
    let (subject, command, text) = match &asked.subject {
        ApprovalSubject::Action {
            action: Action::Run { command, .. },
        } => ("command", Some(command.clone()), command.clone()),
        ApprovalSubject::Action { action } => ("action", None, action.path().to_string()),
        ApprovalSubject::Amendment { amendment } => ("amendment", None, amendment.to_string()),
        ApprovalSubject::Findings { .. } => ("findings", None, asked.reason.clone()),
        ApprovalSubject::Features { proposal } => ("features", None, proposal.id.to_string()),
    };
    let findings = match &asked.subject {
        ApprovalSubject::Findings { findings: all, .. } => Some(findings(all)),
        _ => None,
    };
    JsonLine::ApprovalAsked {
        id: asked.call.to_string(),
        subject: subject.to_owned(),
        command,
        text,
        reason: asked.reason.clone(),
        rule: asked.rule.as_ref().map(ToString::to_string),
        always: asked.always.as_ref().map(|rule| rule.prefix.clone()),
        findings,
    }
}

pub(super) fn findings(findings: &[Finding]) -> Vec<JsonFinding> {
    findings.iter().map(JsonFinding::from).collect()
}

impl From<&Finding> for JsonFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            id: finding.id.clone(),
            kind: finding.kind.as_str().to_owned(),
            path: finding.path.to_string(),
            line: finding.line,
            message: finding.message.clone(),
            hunk: finding.hunk.clone(),
        }
    }
}

pub(super) fn amended(amendment: &Amendment) -> JsonLine {
    JsonLine::FeatureAmended {
        feature: amendment.feature.to_string(),
        write: amendment.write.clone(),
        may_change: amendment
            .may_change
            .iter()
            .map(ToString::to_string)
            .collect(),
        hosts: amendment.hosts.iter().map(ToString::to_string).collect(),
        reason: amendment.reason.clone(),
    }
}

pub(super) fn answered(call: CallId, answer: &ApprovalAnswer) -> JsonLine {
    JsonLine::ApprovalAnswered {
        id: call.to_string(),
        answer: answer.as_str().to_owned(),
        reason: match answer {
            ApprovalAnswer::No { reason } => Some(reason.clone()),
            _ => None,
        },
    }
}
