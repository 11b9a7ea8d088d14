//! Questions whose files are broken, kept anew from the logs of the sessions that asked them.
//!
//! The logs have every question with its name; what they have not is an answer that nobody has
//! taken up yet. Such a question is open again: it is better asked twice than lost.

use std::collections::BTreeMap;

use harness_core::{CallId, Event, GivenAnswer, QuestionId, SessionId, SessionOpened};
use harness_store::{
    AskedQuestion, KeptAnswer, KeptQuestion, QuestionError, QuestionState, Record, Store,
};

/// Writes every question anew whose file was broken and that a log knows; returns their names.
///
/// # Errors
/// When the folder of the questions cannot be read or written. A log that cannot be read tells
/// of nothing behind its broken line.
pub(crate) fn rebuild(store: &Store) -> Result<Vec<QuestionId>, QuestionError> {
    let lost = store.lost_questions()?;
    if lost.is_empty() {
        return Ok(lost);
    }
    let known = told_by_logs(store);
    let mut rebuilt = Vec::new();
    for id in lost {
        if let Some(kept) = known.get(&id)
            && store.restore_question(kept)?
        {
            rebuilt.push(id);
        }
    }
    Ok(rebuilt)
}

fn told_by_logs(store: &Store) -> BTreeMap<QuestionId, KeptQuestion> {
    let mut told = Told::default();
    for session in store.sessions().unwrap_or_default() {
        told.begin(session);
        let _ = harness_store::fold(store.log_path(session), |record| told.take(record));
    }
    told.questions
}

/// What the logs have told so far.
#[derive(Default)]
struct Told {
    questions: BTreeMap<QuestionId, KeptQuestion>,
    session: Option<SessionId>,
    opened: Option<Box<SessionOpened>>,
    /// The question that the session waits with.
    open: Option<(CallId, QuestionId)>,
    is_given_up: bool,
}

impl Told {
    fn begin(&mut self, session: SessionId) {
        self.session = Some(session);
        (self.opened, self.open, self.is_given_up) = (None, None, false);
    }

    fn take(&mut self, record: Record) {
        match record.event {
            Event::SessionOpened(opened) => self.opened = Some(opened),
            Event::QuestionAsked {
                call,
                question,
                id: Some(id),
            } => {
                let (Some(session), Some(opened)) = (self.session, &self.opened) else {
                    return;
                };
                let asked = AskedQuestion {
                    run: opened.run.run,
                    session,
                    call,
                    feature: opened.feature.clone(),
                    root: opened.root.clone(),
                    text: question,
                    at: record.time,
                };
                let state = QuestionState::Open;
                self.questions.insert(id, KeptQuestion { id, asked, state });
                self.open = Some((call, id));
            }
            Event::FeatureGivenUp { .. } => self.is_given_up = true,
            Event::QuestionAnswered { call, .. } => self.close(call),
            // As in a run: what ends with its feature still waits for a person.
            Event::CallEnded { call, .. } if !self.is_given_up => self.close(call),
            Event::AnswerTaken(given) => self.answer(&given),
            Event::SessionResumed { answers, .. } => {
                answers.iter().for_each(|given| self.answer(given));
            }
            _ => {}
        }
    }

    fn close(&mut self, call: CallId) {
        if let Some((_, id)) = self.open.take_if(|(open, _)| *open == call)
            && let Some(kept) = self.questions.get_mut(&id)
            && kept.state == QuestionState::Open
        {
            kept.state = QuestionState::Closed;
        }
    }

    fn answer(&mut self, given: &GivenAnswer) {
        if let Some(kept) = self.questions.get_mut(&given.question) {
            kept.state = QuestionState::Answered(KeptAnswer {
                text: given.answer.clone(),
                by: given.by.clone(),
                at: given.at,
            });
        }
    }
}
