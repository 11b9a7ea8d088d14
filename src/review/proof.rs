//! What stands beside a change: the findings of the last judged finish, and its evidence.
//!
//! Read out of the session's log. What was proven about another tree than the one that is looked
//! at is `stale`.

use std::collections::BTreeSet;

use harness_core::{CheckReport, Event, Finding, FinishSubject};
use harness_review::export::{ShownCheck, ShownFinding};

use super::Source;
use crate::{compose::Site, failure::Failure};

/// What was found and proven.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    findings: Vec<Finding>,
    approved: BTreeSet<String>,
    pub(crate) checks: Vec<ShownCheck>,
}

impl Proof {
    /// Reads what the log of the change's session tells; nothing where there is none.
    pub(crate) fn of(site: &Site, source: &Source) -> Result<Self, Failure> {
        let store = site.existing_store()?;
        let (Some(store), Some(session)) = (store, source.session) else {
            return Ok(Self::default());
        };
        // A log that is damaged tells what it can.
        let log = harness_store::read(store.log_path(session));
        let mut found = Judged::default();
        for record in log.map(|log| log.records).unwrap_or_default() {
            found.hear(record.event);
        }
        let Some(subject) = found.subject else {
            return Ok(Self::default());
        };
        let is_stale = source.differs_from(site, &subject.work_tree)?;
        let checks = found.reports.iter();
        Ok(Self {
            checks: checks
                .map(|report| shown(report, &subject, is_stale))
                .collect(),
            findings: subject.findings,
            approved: found.approved,
        })
    }

    /// Returns the findings as they are shown.
    pub(crate) fn findings(&self) -> Vec<ShownFinding<'_>> {
        let findings = self.findings.iter();
        let shown = findings.map(|finding| ShownFinding {
            finding,
            is_approved: self.approved.contains(&finding.id),
        });
        shown.collect()
    }
}

/// What a log tells of the last tree that was judged.
#[derive(Default)]
struct Judged {
    subject: Option<FinishSubject>,
    approved: BTreeSet<String>,
    reports: Vec<CheckReport>,
}

impl Judged {
    fn hear(&mut self, event: Event) {
        match event {
            Event::CandidateFrozen(subject) => {
                self.subject = Some(subject);
                self.reports.clear();
            }
            Event::CheckEnded { report } => self.reports.push(*report),
            Event::FindingsApproved { findings, .. } => {
                self.approved
                    .extend(findings.into_iter().map(|finding| finding.id));
            }
            _ => {}
        }
    }
}

fn shown(report: &CheckReport, subject: &FinishSubject, is_stale: bool) -> ShownCheck {
    ShownCheck {
        gate: report.gate.clone(),
        status: if is_stale {
            "stale".to_owned()
        } else {
            report.status.to_string()
        },
        tests: report
            .tests
            .map(|tests| [tests.run, tests.failed, tests.skipped]),
        ms: report.ms,
        tree: subject.tree.short().to_owned(),
        failed: report.excerpt.clone(),
    }
}
