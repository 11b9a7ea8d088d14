//! Puts an agent's question to the person in plain lines: numbered choices, their own words, or later.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use harness_core::Request;
use harness_report::{Reply, question_prompt, reply};
use tokio::sync::mpsc;

use crate::{ask, output::say};

/// The question that is asked, and whether a line is being read for it.
///
/// A question can be left for later while its line is read; the next line then answers the next question,
/// so that two never read at the same time.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    question: Mutex<String>,
    is_reading: AtomicBool,
}

impl Asking {
    /// Asks; what was typed goes to the run.
    pub(crate) fn ask(self: &Arc<Self>, question: &str, requests: &mpsc::Sender<Request>) {
        question.clone_into(&mut self.question());
        if self.is_reading.swap(true, Ordering::SeqCst) {
            say(question_prompt(question).trim_end());
            return;
        }
        let (asking, requests) = (Arc::clone(self), requests.clone());
        // Reading a line blocks for as long as a person thinks.
        thread::spawn(move || {
            let request = asking.read();
            asking.is_reading.store(false, Ordering::SeqCst);
            let _ = requests.blocking_send(request);
        });
    }

    fn read(&self) -> Request {
        loop {
            let prompt = question_prompt(&self.question());
            // Whoever closes the input cannot be asked any more.
            let Some(line) = ask::line(&prompt) else {
                return Request::PutOff;
            };
            if line.trim().is_empty() {
                continue;
            }
            return match reply(&self.question(), &line) {
                Reply::Later => Request::PutOff,
                Reply::Answer(text) => Request::Answer { text },
            };
        }
    }

    fn question(&self) -> std::sync::MutexGuard<'_, String> {
        self.question.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
