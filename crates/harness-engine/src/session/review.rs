//! The review of a proven change, before it is committed: by a second model, or by a person.
//!
//! It stands behind green gates and clear findings and takes the place of none: its approval is
//! one more thing a commit needs, and everything else (no model, no judgement, no room in its window)
//! is no approval. A person's word about exactly this tree counts instead. Called by `steps`
//! and by `apply`.

use harness_core::{
    ApprovedFinding, Beside, BesideEnd, BesideUse, ChangeShown, CheckReport, ControlOutcome,
    ConversationId, ConversationKind, EndReason, Event, Finding, FinishSubject, Happened, Mark,
    NegativeControl, Review, ReviewBy, ReviewVerdict, Role, RunState,
};
use harness_gate::review::{self, Criterion};

use super::{
    Session,
    findings::Asked,
    steps::{Step, Surroundings},
};
use crate::{
    Effect,
    check::{Check, Errand},
    conversation::Conversation,
    words,
};

/// The most of the agent's summary that a reviewer is shown. Unit: bytes.
const CLAIM_BYTES_MAX: usize = 4 * 1024;

/// Where the review of one finish stands.
#[derive(Debug, Default)]
pub(crate) struct Reviewing {
    showing: bool,
    /// The change in words.
    shown: Option<Box<ChangeShown>>,
    /// What the reviewer was told first, as a hash.
    seen: String,
    /// How its conversation ended.
    answered: Option<(BesideEnd, BesideUse)>,
    /// The conversation, once it has begun.
    conversation: Option<ConversationId>,
    /// What became of it.
    judged: Option<Box<Review>>,
}

impl Reviewing {
    /// Whether something is under way that will end in an event.
    pub(crate) const fn is_in_flight(&self) -> bool {
        self.showing
    }

    /// Takes back what was under way when a process died: it is simply done again.
    pub(crate) const fn forget_in_flight(&mut self) {
        self.showing = false;
    }

    /// Says what the agent is told of a finish that was refused; `None` where it was not reviewed.
    pub(crate) fn refusal(&self, reason: &str) -> Option<String> {
        self.shown.as_ref()?;
        Some(match &self.judged {
            Some(review) if review.verdict == ReviewVerdict::Refused => words::reviewed(review),
            _ => format!("Not done: {reason}"),
        })
    }

    /// Returns what a model made of the change.
    pub(crate) fn judged(&self) -> Option<&Review> {
        self.judged.as_deref()
    }
}

impl Session {
    /// Says what the review of a proven change wants; `None` where nothing stands in the way of it.
    pub(super) fn review_step(&mut self, around: Surroundings<'_>) -> Option<Step> {
        if self.review_by.is_none() {
            return None;
        }
        let is_proven = |check: &&mut Check| {
            check.is_finish() && check.control == Errand::Done && check.is_green()
        };
        let check = self.check.as_mut().filter(is_proven)?;
        let subject = check.subject.clone()?;
        if self.findings.word_on(&to_review(&subject)).is_some() {
            return None;
        }
        let review = &mut check.review;
        let Some(shown) = review.shown.clone() else {
            let is_asked = std::mem::replace(&mut review.showing, true);
            return Some(if is_asked {
                Step::Wait
            } else {
                Step::Do(Effect::ShowChange {
                    tree: subject.candidate,
                })
            });
        };
        if self.review_by == ReviewBy::Person {
            let why = "a person has to review it".to_owned();
            return Some(self.person_reviews(around.run, &why, &shown, &subject));
        }
        let Some(judged) = review.judged.clone() else {
            return Some(self.judge_step(around.run, &shown, &subject));
        };
        match judged.verdict {
            ReviewVerdict::Approved if judged.tree == subject.tree => None,
            ReviewVerdict::Refused => Some(Step::Record(Event::FinishRefused {
                reason: words::review_refusal(&judged),
                findings: Vec::new(),
            })),
            _ => {
                let why = format!("it could not be reviewed: {}", judged.problem);
                Some(self.person_reviews(around.run, &why, &shown, &subject))
            }
        }
    }

    /// Whether nothing is missing that a review has to give before a commit.
    pub(super) fn is_reviewed(&self, subject: &FinishSubject) -> bool {
        let check = self.check.as_ref();
        let judged = check.and_then(|check| check.review.judged());
        let is_approved = judged.is_some_and(|review| {
            review.verdict == ReviewVerdict::Approved && review.tree == subject.tree
        });
        match self.review_by {
            ReviewBy::None => true,
            ReviewBy::Agent if is_approved => true,
            ReviewBy::Agent | ReviewBy::Person => self.review_word(subject).is_some(),
        }
    }

    /// Returns a person's word on exactly this change, where one was needed.
    pub(super) fn review_word(&self, subject: &FinishSubject) -> Option<ApprovedFinding> {
        if self.review_by.is_none() {
            return None;
        }
        self.findings.word_on(&to_review(subject)).cloned()
    }

    /// Has a model judge: its conversation begins, or what came of it is recorded.
    fn judge_step(&self, run: &RunState, shown: &ChangeShown, subject: &FinishSubject) -> Step {
        let next = self.besides.next(ConversationKind::Reviewer);
        let model = run.model_for(Role::Reviewer).name.clone();
        let Some(check) = &self.check else {
            return Step::Wait;
        };
        let failed = |conversation, problem: String, used| Review {
            conversation,
            model: model.clone(),
            tree: subject.tree.clone(),
            id: to_review(subject).id,
            seen_sha256: check.review.seen.clone(),
            verdict: ReviewVerdict::Failed,
            problem,
            marks: Vec::new(),
            remarks: Vec::new(),
            left_out: 0,
            used,
        };
        let review = match (&check.review.answered, check.review.conversation) {
            _ if !shown.problem.is_empty() => {
                failed(next, shown.problem.clone(), BesideUse::default())
            }
            (Some((BesideEnd::Answered { text, .. }, used)), Some(id)) => {
                match review::read(text, &review::criteria(&self.feature)) {
                    Ok(judgement) => Review {
                        verdict: judgement.verdict,
                        marks: judgement.marks,
                        remarks: judgement.remarks,
                        left_out: judgement.left_out,
                        ..failed(id, String::new(), *used)
                    },
                    Err(error) => failed(
                        id,
                        format!("the answer of `{model}` is no judgement, twice: {error}"),
                        *used,
                    ),
                }
            }
            (Some((BesideEnd::Failed { reason }, used)), Some(id)) => {
                failed(id, reason.clone(), *used)
            }
            (Some((BesideEnd::Cancelled, used)), Some(id)) => {
                failed(id, "it was called off".to_owned(), *used)
            }
            _ => {
                return Step::Record(Event::Beside(Box::new(Beside {
                    conversation: next,
                    happened: Happened::Started {
                        call: None,
                        asked: String::new(),
                        model,
                    },
                })));
            }
        };
        Step::Record(Event::Reviewed(Box::new(review)))
    }

    /// Puts the change to the person; without one the run is theirs.
    fn person_reviews(
        &mut self,
        run: &RunState,
        why: &str,
        shown: &ChangeShown,
        subject: &FinishSubject,
    ) -> Step {
        let finding = Finding {
            message: format!("{why}; {}", words::extent(shown)),
            hunk: shown.diff.clone(),
            ..to_review(subject)
        };
        let id = finding.id.clone();
        match self.ask_about(vec![finding]) {
            Asked::Step(step) => *step,
            Asked::Refused(answer) => Step::Record(Event::FinishRefused {
                reason: format!("the change was reviewed; {answer}"),
                findings: Vec::new(),
            }),
            Asked::Nobody => Step::Record(Event::StopDecided {
                reason: EndReason::NeedsHuman,
                detail: words::review_needed(&self.feature.id, run, why, &id),
            }),
        }
    }

    /// Begins the reviewer's conversation with what it may know.
    pub(super) fn reviewer(&mut self, id: ConversationId) -> Option<Conversation> {
        let check = self.check.as_mut()?;
        let shown = check.review.shown.as_ref()?;
        let criteria = review::criteria(&self.feature);
        let named: Vec<(String, String)> = criteria
            .iter()
            .map(|Criterion { id, text, .. }| (id.clone(), text.clone()))
            .collect();
        let gates: Vec<String> = check
            .reports()
            .map(gate_line)
            .chain(control_lines(&check.negative_control))
            .collect();
        let claim = check.claim();
        let task = harness_context::review_task(harness_context::Reviewed {
            id: self.feature.id.as_str(),
            title: &self.feature.title,
            description: &self.feature.description,
            criteria: &named,
            gates: &gates,
            claim: &claim[..claim.floor_char_boundary(CLAIM_BYTES_MAX)],
            diff: &shown.diff,
        });
        let system = self.besides.reviewer.as_str();
        check.review.seen = review::digest([system, &task]);
        check.review.conversation = Some(id);
        let window = (system, task);
        Some(Conversation::new(
            id,
            None,
            Some(criteria),
            window,
            self.root.clone(),
        ))
    }

    pub(super) fn on_change_shown(&mut self, shown: &ChangeShown) {
        let Some(check) = &mut self.check else { return };
        let is_ours = |subject: &FinishSubject| subject.candidate == shown.tree;
        if check.review.showing && check.subject.as_ref().is_some_and(is_ours) {
            check.review.showing = false;
            check.review.shown = Some(Box::new(shown.clone()));
        }
    }

    pub(super) fn on_reviewer_ended(&mut self, end: &BesideEnd, used: BesideUse) {
        if let Some(check) = &mut self.check {
            check.review.answered = Some((end.clone(), used));
        }
    }

    pub(super) fn on_reviewed(&mut self, review: &Review) {
        let Some(check) = &mut self.check else { return };
        let is_ours = |subject: &FinishSubject| subject.tree == review.tree;
        if check.review.shown.is_some() && check.subject.as_ref().is_some_and(is_ours) {
            check.review.judged = Some(Box::new(review.clone()));
        }
    }
}

/// Returns what a person would approve who reviews this change.
fn to_review(subject: &FinishSubject) -> Finding {
    review::not_reviewed(&subject.tree, String::new(), String::new())
}

fn gate_line(report: &CheckReport) -> String {
    let tests = report.tests.map(|tests| {
        format!(
            ", {} tests ran, {} failed, {} skipped",
            tests.run, tests.failed, tests.skipped
        )
    });
    format!(
        "- {}: {}{}",
        words::plain(&report.gate),
        report.status,
        tests.unwrap_or_default()
    )
}

fn control_lines(control: &NegativeControl) -> impl Iterator<Item = String> {
    control.checks.iter().map(|check| {
        let what = match check.outcome {
            ControlOutcome::Needed => "the added tests fail without the change",
            _ => "the added tests were tried without the change and show nothing about it",
        };
        format!("- {}: {what}", words::plain(&check.gate))
    })
}

/// Says which marks are too low, in one line; empty where all are enough.
pub(crate) fn too_low(marks: &[Mark]) -> String {
    let low: Vec<String> = marks
        .iter()
        .filter(|mark| !mark.is_enough())
        .map(|mark| format!("{} {} of {}", mark.criterion, mark.score, mark.needed))
        .collect();
    low.join(", ")
}
