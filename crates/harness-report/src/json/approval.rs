//! Approvals and what they give, as JSON lines.

use harness_core::{Action, Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject, CallId};

use super::JsonLine;

pub(super) fn asked(asked: &ApprovalAsked) -> JsonLine {
    let (subject, command, text) = match &asked.subject {
        ApprovalSubject::Action {
            action: Action::Run { command, .. },
        } => ("command", Some(command.clone()), command.clone()),
        ApprovalSubject::Action { action } => ("action", None, action.path().to_string()),
        ApprovalSubject::Amendment { amendment } => ("amendment", None, amendment.to_string()),
    };
    JsonLine::ApprovalAsked {
        id: asked.call.to_string(),
        subject: subject.to_owned(),
        command,
        text,
        reason: asked.reason.clone(),
        rule: asked.rule.as_ref().map(ToString::to_string),
        always: asked.always.as_ref().map(|rule| rule.prefix.clone()),
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
