//! What is said beside calls and their results: documents, notes and nudges.

use harness_core::RepoPath;
use harness_tool::Intent;

use super::Session;
use crate::{talk::Request, words};

impl Session {
    pub(super) fn on_document(
        &mut self,
        path: &RepoPath,
        text: Option<&str>,
        problem: Option<&str>,
    ) {
        let is_new = self.loaded.insert(path.clone());
        match (text, problem) {
            (_, Some(problem)) if is_new => self.talk.tell(words::map_left_out(path, problem)),
            (Some(text), _) if is_new => self.talk.tell(words::nested_map(path, text)),
            (Some(_), _) | (_, Some(_)) => {}
            (None, None) => {
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

    pub(super) fn on_nudge(&mut self, text: &str) {
        self.talk.tell(text);
        self.drift.on_nudge(text);
        self.pending.nudge.take_if(|nudge| *nudge == text);
        if self.talk.request == Request::Idle && self.calls.is_empty() {
            self.talk.request = Request::Due;
        }
    }
}
