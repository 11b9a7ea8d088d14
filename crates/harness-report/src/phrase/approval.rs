//! What is said about approvals: the question whole, and the person's answer.

use harness_core::{Amendment, ApprovalAnswer, ApprovalAsked};

use super::{Line, Who, paragraph};
use crate::{
    approval::{approval_text, rule_text},
    clean::clean_line,
};

pub(super) fn asked(asked: &ApprovalAsked) -> Line {
    let text = approval_text(asked);
    Line::new(Who::Ask, text.title).with(text.body)
}

pub(super) fn answered(answer: &ApprovalAnswer) -> Line {
    match answer {
        ApprovalAnswer::Once => Line::new(Who::You, "yes, this once"),
        ApprovalAnswer::Session => Line::new(Who::You, "yes, for this session"),
        ApprovalAnswer::Always { rule, problem } => {
            let line = Line::new(Who::You, format!("yes, always: {}", rule_text(rule)));
            let problem = (!problem.is_empty())
                .then(|| format!("for this run only: {}", clean_line(problem, 300)));
            line.with(problem)
        }
        ApprovalAnswer::No { reason } if reason.trim().is_empty() => Line::new(Who::You, "no"),
        ApprovalAnswer::No { reason } => paragraph(Who::You, &format!("no: {reason}")),
        ApprovalAnswer::Never => Line::new(Who::You, "no, not in this session"),
    }
}

pub(super) fn amended(amendment: &Amendment) -> Line {
    let text = clean_line(&amendment.to_string(), 400);
    Line::new(
        Who::Feature,
        format!("{} may now: {text}", amendment.feature),
    )
}
