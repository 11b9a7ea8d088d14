//! What was found in a change, and a person's word on it: a finding is red until they approve
//! exactly that change.
//!
//! Approved ids are known from the log, so that resuming keeps them; a change that is
//! another has another id and is asked about anew. Nothing that the agent says
//! comes here. Called by `proving` before any gate runs.

use harness_core::{
    ApprovalAnswer, ApprovalAsked, ApprovalSubject, ApprovedFinding, ApprovedHow, CallId, Event,
    FeatureId, Finding, FindingKind, FinishSubject, RunState, Timestamp,
};

use super::{Session, Step};
use crate::{Effect, words};

/// What a person has approved for the feature, and the question that is open.
#[derive(Debug)]
pub(super) struct Findings {
    approved: Vec<ApprovedFinding>,
    question: Question,
    /// Whether a person can be asked.
    attended: bool,
    /// Whether they do not want to be asked in this session.
    asks_no_more: bool,
}

/// Where the question about the findings of one finish stands.
#[derive(Clone, Debug, PartialEq)]
enum Question {
    /// Nothing was asked.
    None,
    /// It is recorded and not put yet.
    ToAsk(Box<ApprovalAsked>),
    /// It is put to the person.
    Asking(Box<ApprovalAsked>),
    /// The person does not want the change, for this reason.
    Refused(String),
}

/// What came of asking a person.
pub(super) enum Asked {
    /// This comes next; it ends in their word.
    Step(Box<Step>),
    /// They do not want the change, for this reason.
    Refused(String),
    /// There is nobody to ask.
    Nobody,
}

impl Findings {
    pub(super) fn new(run: &RunState, feature: &FeatureId) -> Self {
        let approved = run.approved.iter();
        let approved = approved.filter(|approved| approved.feature == *feature);
        Self {
            approved: approved.cloned().collect(),
            question: Question::None,
            attended: run.attended,
            asks_no_more: false,
        }
    }

    /// Takes up a session that another process left: who was asked may have heard nothing.
    pub(super) fn resume(&mut self, attended: bool) {
        self.attended = attended;
        self.asks_no_more = false;
        if let Question::Asking(asked) = &self.question {
            self.question = Question::ToAsk(asked.clone());
        }
    }

    /// Begins anew with the findings of another candidate.
    pub(super) fn forget_question(&mut self) {
        self.question = Question::None;
    }

    /// Takes a question in that is about findings; `false` where it is about something else.
    pub(super) fn on_asked(&mut self, asked: &ApprovalAsked) -> bool {
        let is_ours = matches!(asked.subject, ApprovalSubject::Findings { .. });
        if is_ours {
            self.question = Question::ToAsk(Box::new(asked.clone()));
        }
        is_ours
    }

    /// Takes an answer in; a yes counts with the record of what it approves. `false` where
    /// nothing was asked here.
    pub(super) fn on_answered(&mut self, id: CallId, answer: &ApprovalAnswer) -> bool {
        let Question::Asking(asked) = &self.question else {
            return false;
        };
        if asked.call != id {
            return false;
        }
        if !answer.is_yes() {
            self.asks_no_more |= *answer == ApprovalAnswer::Never;
            self.question = Question::Refused(said_no(answer));
        }
        true
    }

    pub(super) fn on_approved(&mut self, findings: &[Finding], approved: &[ApprovedFinding]) {
        self.approved.extend_from_slice(approved);
        let about = |asked: &ApprovalAsked| match &asked.subject {
            ApprovalSubject::Findings { findings: open, .. } => {
                open.iter().any(|finding| findings.contains(finding))
            }
            _ => false,
        };
        if let Question::Asking(asked) | Question::ToAsk(asked) = &self.question
            && about(asked)
        {
            self.question = Question::None;
        }
    }

    fn is_approved(&self, finding: &Finding) -> bool {
        self.word_on(finding).is_some()
    }

    /// Returns a person's approval of a finding.
    pub(super) fn word_on(&self, finding: &Finding) -> Option<&ApprovedFinding> {
        let mut approved = self.approved.iter();
        approved.find(|approved| approved.is_about(finding))
    }

    /// Whether a person has approved that tests of the subject are lost: then the base's numbers
    /// of tests are no demand any more, or a yes would lead nowhere.
    pub(super) fn approve_losses(&self, subject: &FinishSubject) -> bool {
        let is_loss = |finding: &&Finding| {
            matches!(
                finding.kind,
                FindingKind::TestsRemoved | FindingKind::TestsSkipped
            )
        };
        let mut losses = subject.findings.iter().filter(is_loss);
        losses.any(|finding| self.is_approved(finding))
    }

    /// Returns what stands behind a commit: each finding of the subject with its approval.
    pub(super) fn approvals_of(&self, subject: &FinishSubject) -> Vec<ApprovedFinding> {
        let found = |approved: &&ApprovedFinding| {
            let mut findings = subject.findings.iter();
            findings.any(|finding| approved.is_about(finding))
        };
        self.approved.iter().filter(found).cloned().collect()
    }
}

impl Session {
    pub(super) fn on_findings_approved(
        &mut self,
        feature: &FeatureId,
        findings: &[Finding],
        how: ApprovedHow,
        now: Timestamp,
    ) {
        if *feature == self.feature.id {
            let approved = approvals(feature, findings, how, now);
            self.findings.on_approved(findings, &approved);
        }
    }

    /// Says what follows from the findings of a finish; `None` when none is open.
    pub(super) fn findings_step(&mut self, subject: &FinishSubject) -> Option<Step> {
        let open: Vec<Finding> = subject
            .findings
            .iter()
            .filter(|finding| !self.findings.is_approved(finding))
            .cloned()
            .collect();
        if open.is_empty() {
            return None;
        }
        Some(match self.ask_about(open.clone()) {
            Asked::Step(step) => *step,
            Asked::Refused(answer) => refused(open, Some(&answer)),
            Asked::Nobody => refused(open, None),
        })
    }

    /// Asks a person about findings, once.
    pub(super) fn ask_about(&mut self, open: Vec<Finding>) -> Asked {
        let can_ask = self.findings.attended
            && !self.findings.asks_no_more
            && open.iter().all(|finding| !finding.id.is_empty());
        Asked::Step(Box::new(match &self.findings.question {
            Question::Refused(answer) => return Asked::Refused(answer.clone()),
            _ if !can_ask => return Asked::Nobody,
            Question::None => Step::Record(self.question_about(open)),
            Question::ToAsk(asked) => {
                let asked = asked.clone();
                self.findings.question = Question::Asking(asked.clone());
                Step::Do(Effect::AskApproval(asked))
            }
            Question::Asking(_) => Step::Wait,
        }))
    }

    fn question_about(&self, findings: Vec<Finding>) -> Event {
        // An agent that only stopped has made no call in its last answer: the first place is free.
        let call = self.check.as_ref().and_then(crate::check::Check::call);
        let call = call.unwrap_or(CallId {
            turn: self.talk.turn,
            index: 0,
        });
        let reason = words::refusal(&[], &findings);
        Event::ApprovalAsked(Box::new(ApprovalAsked {
            call,
            subject: ApprovalSubject::Findings {
                feature: self.feature.id.clone(),
                findings,
            },
            reason,
            rule: None,
            always: None,
        }))
    }
}

/// Makes what the log keeps of a person's yes.
pub(crate) fn approvals(
    feature: &FeatureId,
    findings: &[Finding],
    how: ApprovedHow,
    time: Timestamp,
) -> Vec<ApprovedFinding> {
    let with_id = findings.iter().filter(|finding| !finding.id.is_empty());
    with_id
        .map(|finding| ApprovedFinding {
            feature: feature.clone(),
            id: finding.id.clone(),
            time,
            how,
        })
        .collect()
}

fn said_no(answer: &ApprovalAnswer) -> String {
    match answer {
        ApprovalAnswer::No { reason } if !reason.trim().is_empty() => {
            format!("a person says no: {}", reason.trim())
        }
        _ => "a person says no".to_owned(),
    }
}

fn refused(findings: Vec<Finding>, answer: Option<&String>) -> Step {
    let mut reason = words::refusal(&[], &findings);
    if let Some(answer) = answer {
        reason = format!("{reason}; {answer}");
    }
    Step::Record(Event::FinishRefused { reason, findings })
}
