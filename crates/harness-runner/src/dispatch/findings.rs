//! A person's yes to findings: by their answer, or by a flag that named the ids beforehand.
//!
//! The records are made here alone, of a person's request or of what they wrote on the
//! command line; an agent's words never come by.

use std::collections::BTreeSet;

use harness_core::{ApprovalSubject, ApprovedHow, Event, Finding};
use harness_gate::review;

use super::Dispatcher;

/// Ids that a person approved before the findings were there.
#[derive(Debug, Default)]
pub(super) struct ByFlag {
    ids: BTreeSet<String>,
    found: BTreeSet<String>,
}

impl ByFlag {
    pub(super) fn new(ids: Vec<String>) -> Self {
        Self {
            ids: ids.into_iter().collect(),
            found: BTreeSet::new(),
        }
    }

    /// Returns the findings that are named.
    fn of(&mut self, findings: &[Finding]) -> Vec<Finding> {
        let named = |finding: &&Finding| !finding.id.is_empty() && self.ids.contains(&finding.id);
        let named: Vec<Finding> = findings.iter().filter(named).cloned().collect();
        self.found
            .extend(named.iter().map(|finding| finding.id.clone()));
        named
    }

    /// Returns the ids that no finding had.
    pub(super) fn not_found(&self) -> Vec<String> {
        self.ids.difference(&self.found).cloned().collect()
    }
}

impl Dispatcher<'_> {
    /// Puts what a person approved by a flag before the candidate that has it.
    pub(super) fn approve_by_flag(&mut self, event: &Event) {
        let Event::CandidateFrozen(subject) = event else {
            return;
        };
        let Some(opened) = self.engine.opened() else {
            return;
        };
        let feature = opened.feature.clone();
        let known = self.engine.run().approved;
        let is_new = |finding: &Finding| {
            !known
                .iter()
                .any(|approved| approved.feature == feature && approved.is_about(finding))
        };
        let mut all = subject.findings.clone();
        // Who reviews a change by its id reviews exactly this tree.
        if !self.engine.run().policy.review.is_none() {
            let about = "the change was reviewed by a person".to_owned();
            all.push(review::not_reviewed(&subject.tree, about, String::new()));
        }
        let mut findings = self.by_flag.of(&all);
        findings.retain(is_new);
        if !findings.is_empty() {
            self.queue.push_back(Event::FindingsApproved {
                feature,
                findings,
                how: ApprovedHow::Flag,
            });
        }
    }

    /// Puts what a person's yes approves behind their answer.
    pub(super) fn approve_findings(&mut self, subject: &ApprovalSubject) {
        if let ApprovalSubject::Findings { feature, findings } = subject {
            self.queue.push_back(Event::FindingsApproved {
                feature: feature.clone(),
                findings: findings.clone(),
                how: ApprovedHow::Asked,
            });
        }
    }
}
