//! What is said about approvals: the question whole, and the person's answer.

use harness_core::{
    Amendment, ApprovalAnswer, ApprovalAsked, ApprovalSubject, ApprovedHow, FeatureId, Finding,
    SessionOpened,
};

use super::{Line, Who, paragraph, plan};
use crate::{
    approval::{approval_text, finding_line, rule_text},
    clean::clean_line,
};

pub(super) fn asked(asked: &ApprovalAsked) -> Line {
    if let ApprovalSubject::Features { proposal } = &asked.subject {
        return plan::asked(proposal);
    }
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
        ApprovalAnswer::Part { without } if without.is_empty() => {
            Line::new(Who::You, "yes, all of it")
        }
        ApprovalAnswer::Part { without } => {
            let numbers: Vec<String> = without.iter().map(ToString::to_string).collect();
            Line::new(Who::You, format!("yes, without {}", numbers.join(", ")))
        }
    }
}

/// Whose work is judged: an agent's, or what a person did by hand for this feature.
#[derive(Clone, Debug, Default)]
pub(super) struct Worker(Option<FeatureId>);

impl Worker {
    pub(super) fn of(opened: &SessionOpened) -> Self {
        let by_hand = opened.run.by_hand.as_ref();
        Self(by_hand.map(|_| opened.feature.clone()))
    }

    pub(super) fn claims(&self) -> Line {
        match self.0 {
            Some(_) => Line::new(Who::You, "the work is done; the gates decide"),
            None => Line::new(Who::Agent, "says it is done; the gates decide"),
        }
    }

    /// Returns the command that takes up a refused finish with a person's yes.
    fn again(&self) -> String {
        match &self.0 {
            Some(feature) => format!("harness feature finish {feature}"),
            None => "harness resume --last".to_owned(),
        }
    }
}

/// Says what was found, and how a person approves it.
pub(super) fn refused(findings: &[Finding], worker: &Worker) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().map(finding_line).collect();
    let flags: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.id.is_empty())
        .map(|finding| format!(" --approve {}", clean_line(&finding.id, 20)))
        .collect();
    if !flags.is_empty() {
        lines.push(format!(
            "to approve exactly this change: {}{}",
            worker.again(),
            flags.concat()
        ));
    }
    lines
}

pub(super) fn findings_approved(
    feature: &FeatureId,
    findings: &[Finding],
    how: ApprovedHow,
) -> Line {
    let count = match findings.len() {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    let how = match how {
        ApprovedHow::Asked => "",
        ApprovedHow::Flag => ", by a flag",
    };
    let text = format!("approved for {feature}: {count}{how}");
    Line::new(Who::You, text).with(findings.iter().map(finding_line))
}

pub(super) fn amended(amendment: &Amendment) -> Line {
    let text = clean_line(&amendment.to_string(), 400);
    Line::new(
        Who::Feature,
        format!("{} may now: {text}", amendment.feature),
    )
}
