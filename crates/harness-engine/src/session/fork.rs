//! A session that begins with the conversation and the files of another.
//!
//! The log of the new session holds what the other did up to a checkpoint, and then says so:
//! from there on it is a run of its own, which has spent nothing and whose work is not over.
//! Called by `apply`.

use harness_core::{Forked, Timestamp};

use super::{Conclusion, Pending, Session, SettingAside, hand_over::HandOver};
use crate::{drift::Drift, talk::Request, words};

impl Session {
    pub(super) fn on_forked(&mut self, forked: &Forked, now: Timestamp) {
        if self.conclusion == Some(Conclusion::Passed) {
            return;
        }
        self.conclusion = None;
        self.pending = Pending::default();
        self.aside = SettingAside::Open;
        self.hand_over = HandOver::default();
        self.winding = false;
        self.interrupting = false;
        self.check = None;
        self.forget_spent(now);
        self.attempts = 0;
        self.warned.clear();
        self.drift = Drift::new(&self.saving.tree, self.talk.turn);
        self.saving.due = true;
        self.talk.failures = None;
        self.talk.idle_answers = 0;
        self.talk.tell(words::forked(forked));
        if self.calls.is_empty() {
            self.talk.request = Request::Due;
        }
    }
}
