//! Questions that wait for a person, as the run sees them: which feature waits for which answer.
//!
//! Called by the engine's folds; putting a question is the session's.

use harness_core::{
    CallId, Event, FeatureId, FeatureStatus, GivenAnswer, QuestionId, RewindWhat, Timestamp,
    TurnNumber,
};

use crate::{Engine, RewindFiles, session::Session};

impl Engine {
    /// Keeps an answer, and lets the feature go on that waited for it.
    pub(crate) fn on_answer_taken(&mut self, given: &GivenAnswer) {
        self.run.kept.take_answer(given);
        self.reopen_answered();
    }

    /// Opens the features again whose question has its answer.
    pub(crate) fn reopen_answered(&mut self) {
        let kept = &self.run.kept;
        let answered = |question| kept.answer_to(question).is_some();
        let (open, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.run.given_up)
            .into_iter()
            .partition(|entry| entry.question.is_some_and(answered));
        self.run.given_up = waiting;
        for entry in open {
            let features = self.run.features.iter_mut();
            for feature in features.filter(|feature| feature.id == entry.feature) {
                feature.status = FeatureStatus::Pending;
            }
        }
    }

    /// Opens the features again that a person was left with: resuming is their word to try on.
    ///
    /// One that waits for an answer goes on waiting, unless a person is there to be asked again.
    pub(crate) fn take_back_given_up(&mut self) {
        let attended = self.run.attended;
        let given_up = std::mem::take(&mut self.run.given_up);
        let last = given_up.last().map(|entry| entry.feature.clone());
        let (waiting, open): (Vec<_>, Vec<_>) = given_up
            .into_iter()
            .partition(|entry| entry.question.is_some() && !attended);
        self.run.given_up = waiting;
        let is_open = |last: &FeatureId| open.iter().any(|entry| entry.feature == *last);
        // What was handed over came after what was given up, and its work is not set aside.
        if last.is_some() && self.unfinished.is_none() {
            self.unfinished = last.filter(is_open);
        }
        for work in &mut self.run.work {
            (work.hand_overs, work.fruitless) = (0, 0);
        }
        for feature in &mut self.run.features {
            if open.iter().any(|entry| entry.feature == feature.id) {
                feature.status = FeatureStatus::Pending;
            }
        }
    }

    /// Returns when the open question is left for later: only where another feature waits.
    pub(crate) fn put_off_at(&self, session: &Session) -> Option<Timestamp> {
        let (_, at) = session.put_off_at()?;
        self.next_feature().map(|_| at)
    }

    /// Leaves a question for later that nobody has answered for too long.
    pub(crate) fn question_overdue(&self, session: &Session, now: Timestamp) -> Option<Event> {
        let due = self.put_off_at(session).is_some_and(|at| at <= now);
        let (call, _) = session.put_off_at().filter(|_| due)?;
        Some(Event::QuestionPutOff { call, waited: true })
    }

    /// Returns the question that the open session waits with.
    pub fn open_question(&self) -> Option<(CallId, QuestionId)> {
        self.session.as_ref().and_then(Session::open_question)
    }

    /// Returns the questions that features were given up for.
    pub fn waiting_questions(&self) -> Vec<QuestionId> {
        let given_up = self.run.given_up.iter();
        let given_up = given_up.filter_map(|entry| entry.question);
        let session = self.session.as_ref();
        let of_session = session.and_then(Session::waiting_question);
        given_up.chain(of_session).collect()
    }

    /// Says what going back to a turn would do, while no process has the run.
    ///
    /// `None` where the files stay.
    ///
    /// # Errors
    /// Why the session cannot go back to it.
    pub fn rewind(
        &self,
        turn: TurnNumber,
        what: RewindWhat,
    ) -> Result<Option<RewindFiles>, String> {
        let Some(session) = &self.session else {
            return Err("its last session is over".to_owned());
        };
        if session.is_in_commit() {
            return Err("its proof was being committed when it was stopped".to_owned());
        }
        session.can_rewind(&self.run, turn)?;
        what.has_files()
            .then(|| session.files_of(turn, what))
            .transpose()
    }
}
