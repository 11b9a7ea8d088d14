//! Questions that agents have asked: kept where an answer finds them, and looked at for answers.
//!
//! A question is kept before it is logged, so that the log has its name. A person answers it where
//! the run is shown, or from outside with `harness answer`; the second way is looked at once a second,
//! and only while something waits.

use std::time::Duration;

use harness_core::{CallId, EndReason, Event, GivenAnswer, QuestionId};
use harness_engine::Engine;
use harness_store::{AskedQuestion, KeptQuestion, QuestionState, Store};

use super::{Dispatcher, reviews::Looked};
use crate::redact_for_log;

/// How often answers are looked for.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The questions of a run that have no answer yet.
#[derive(Debug)]
pub(super) struct Questions {
    store: Store,
    /// The one a session waits with.
    open: Option<(CallId, QuestionId)>,
    /// Those that features were given up for.
    waiting: Vec<QuestionId>,
    /// Whether the feature in work was given up.
    is_given_up: bool,
}

impl Questions {
    pub(super) fn new(store: Store, engine: &Engine) -> Self {
        Self {
            store,
            open: engine.open_question(),
            waiting: engine.waiting_questions(),
            is_given_up: false,
        }
    }

    /// Whether an answer may come from outside.
    pub(super) fn is_waiting(&self) -> bool {
        self.open.is_some() || !self.waiting.is_empty()
    }

    /// Returns the name of the open question.
    pub(super) fn name_of(&self, call: CallId) -> Option<QuestionId> {
        self.open
            .filter(|(open, _)| *open == call)
            .map(|(_, id)| id)
    }

    /// Takes note of a logged event.
    fn follow(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(_) => self.is_given_up = false,
            Event::QuestionAsked {
                call, id: Some(id), ..
            } => self.open = Some((*call, *id)),
            Event::QuestionAnswered { call, .. } => self.close(*call),
            Event::FeatureGivenUp { reason, .. } => {
                self.is_given_up = true;
                let open = self.open.take();
                if *reason == EndReason::NeedsHuman {
                    self.waiting.extend(open.map(|(_, id)| id));
                }
            }
            Event::AnswerTaken(given) => self.forget(given.question),
            Event::SessionResumed { answers, .. } => {
                answers.iter().for_each(|given| self.forget(given.question));
            }
            // Words, or a way back to an earlier turn, have cut it short.
            Event::CallEnded { call, .. } if !self.is_given_up => self.close(*call),
            _ => {}
        }
    }

    fn forget(&mut self, answered: QuestionId) {
        self.waiting.retain(|id| *id != answered);
        self.open.take_if(|(_, id)| *id == answered);
    }

    /// Nothing waits for an answer to the open question any more. What cannot be written stays
    /// listed, and an answer to it is told to the next session of the feature.
    fn close(&mut self, call: CallId) {
        if let Some((_, id)) = self.open.take_if(|(open, _)| *open == call) {
            let _ = self.store.close_question(id);
        }
    }

    /// Returns the answers that have come.
    fn look(&self) -> Vec<GivenAnswer> {
        let open = self.open.iter().map(|(_, id)| *id);
        let all = open.chain(self.waiting.iter().copied());
        let read = all.filter_map(|id| self.store.question(id).ok().flatten());
        read.filter_map(given).collect()
    }
}

/// Returns the answer of a question as a run takes it; `None` where it has none.
pub fn given(kept: KeptQuestion) -> Option<GivenAnswer> {
    let QuestionState::Answered(answer) = kept.state else {
        return None;
    };
    Some(GivenAnswer {
        question: kept.id,
        feature: kept.asked.feature,
        asked: kept.asked.text,
        answer: answer.text,
        by: answer.by,
        at: answer.at,
    })
}

impl Dispatcher<'_> {
    /// Gives a question its name before it is logged; one that cannot be kept goes without.
    pub(super) fn keep_question(&self, event: &mut Event) {
        let Event::QuestionAsked { call, question, id } = event else {
            return;
        };
        let Some(opened) = self.engine.opened() else {
            return;
        };
        let text = redact_for_log(question).unwrap_or_else(|| question.clone());
        let kept = self.questions.store.keep_question(AskedQuestion {
            run: opened.run.run,
            session: opened.session,
            call: *call,
            feature: opened.feature.clone(),
            root: opened.root.clone(),
            text,
            at: harness_host::clock::now(),
        });
        *id = kept.ok();
    }

    pub(super) fn follow_questions(&mut self, event: &Event) {
        self.questions.follow(event);
    }

    /// Looks at what persons do outside of the run.
    pub(super) fn look_outside(&mut self) {
        if self.questions.is_waiting() {
            self.look_for_answers();
        }
        self.look_at_review(Looked::Again);
    }

    /// Takes in what was answered from outside.
    pub(super) fn look_for_answers(&mut self) {
        for given in self.questions.look() {
            self.queue.push_back(Event::AnswerTaken(Box::new(given)));
        }
    }
}
