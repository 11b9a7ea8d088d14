//! What is said beside calls and their results: documents, notes, questions and nudges.

use harness_core::{CallId, RepoPath};
use harness_tool::Intent;

use super::Session;
use crate::{calls::CallState, talk::Request, words};

impl Session {
    pub(super) fn on_document(&mut self, path: &RepoPath, text: Option<&str>) {
        let is_new = self.loaded.insert(path.clone());
        match text {
            Some(text) if is_new => self.talk.tell(words::nested_map(path, text)),
            Some(_) => {}
            None => {
                self.pending.documents.pop_front();
            }
        }
    }

    pub(super) fn on_note(&mut self, text: &str) {
        self.story.notes.push(text.to_owned());
        if let Some(call) = self
            .calls
            .next_to_act()
            .filter(|call| matches!(call.intent, Ok(Intent::Note { .. })))
        {
            call.answer("noted for the progress log", false);
        }
    }

    pub(super) fn on_question(&mut self, id: CallId) {
        if let Some(call) = self.calls.find(id).filter(|call| !call.is_over()) {
            call.state = CallState::ToAsk;
        }
    }

    pub(super) fn on_answer(&mut self, id: CallId, answer: &str) {
        self.remember_answer(id, answer);
        if let Some(call) = self
            .calls
            .find(id)
            .filter(|call| call.state == CallState::Running)
        {
            call.answer(format!("the person answers: {answer}"), false);
        }
    }

    pub(super) fn on_nudge(&mut self, text: &str) {
        self.talk.tell(text);
        self.pending.nudge = None;
        if self.talk.request == Request::Idle && self.calls.is_empty() {
            self.talk.request = Request::Due;
        }
    }
}
