//! What a run on its thread has of the screen: it shows, asks and says through a queue.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc as answers,
    },
    thread,
    time::Duration,
};

use harness_core::{Event, ModelDelta, Request, Timestamp};
use harness_report::Who;
use harness_runner::Face;
use harness_tui::{Input, Question};
use serde_json::Value;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{
    failure::Failure,
    surface::{Decision, Joined, Past, Surface},
};

/// How long a run waits before it looks again whether the screen has room.
const FULL: Duration = Duration::from_millis(1);

/// How many requests wait for a run that is being opened.
const WAITING_MAX: usize = 32;

/// How many events of the past the screen takes in at once: for one frame, and between two keys.
const PAST_MAX: usize = 2_048;

/// The screen's end of a run: where its requests and its decisions go.
#[derive(Debug, Default)]
pub(super) struct Link {
    run: Mutex<Reached>,
    questions: Mutex<BTreeMap<u64, answers::Sender<bool>>>,
    next: AtomicU64,
    /// The work tree of the session that was opened last.
    root: Mutex<Option<PathBuf>>,
}

/// Whether requests reach a run.
#[derive(Debug)]
enum Reached {
    /// Not yet: they wait here, oldest first.
    Not(Vec<Request>),
    Run(mpsc::Sender<Request>),
}

impl Default for Reached {
    fn default() -> Self {
        Self::Not(Vec::new())
    }
}

impl Link {
    /// Forgets what was meant for the run before.
    pub(super) fn begin(&self) {
        *lock(&self.run) = Reached::default();
    }

    /// Passes a request on, or keeps it for the run that is being opened.
    pub(super) fn steer(&self, request: Request) {
        match &mut *lock(&self.run) {
            // A run that does not take so many requests in will not take the next one either.
            Reached::Run(requests) => drop(requests.try_send(request)),
            Reached::Not(waiting) if request == Request::Interrupt => *waiting = vec![request],
            Reached::Not(waiting) if waiting.len() < WAITING_MAX => waiting.push(request),
            Reached::Not(_) => {}
        }
    }

    /// Lets a run take requests, first those that came too early for it.
    fn connect(&self, requests: &mpsc::Sender<Request>) {
        let mut run = lock(&self.run);
        if let Reached::Not(waiting) = &mut *run {
            for request in waiting.drain(..) {
                let _ = requests.try_send(request);
            }
        }
        *run = Reached::Run(requests.clone());
    }

    /// Passes a decision on.
    pub(super) fn decide(&self, id: u64, yes: bool) {
        if let Some(answer) = lock(&self.questions).remove(&id) {
            let _ = answer.send(yes);
        }
    }

    /// Answers every open question with no: nobody looks at them any more.
    pub(super) fn refuse_all(&self) {
        lock(&self.questions).clear();
    }

    /// Returns the work tree of the session that was opened last.
    pub(super) fn root(&self) -> Option<PathBuf> {
        lock(&self.root).clone()
    }

    /// Keeps where a session works.
    fn note(&self, event: &Event) {
        if let Event::SessionOpened(opened) = event {
            *lock(&self.root) = Some(PathBuf::from(&opened.root));
        }
    }

    /// Forgets the run: it is over.
    pub(super) fn part(&self) {
        self.begin();
    }
}

/// The surface of a run on the screen.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) link: Arc<Link>,
    pub(super) cast: Cast,
    pub(super) past: Past,
}

/// Whether the person can take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// Asks and talks.
    Person,
    /// Watches a recording.
    Audience,
}

impl Stage {
    /// Puts an input into the queue; waits while it is full. `false` when the screen is gone.
    pub(super) fn send(&self, input: Input) -> bool {
        send(&self.inputs, input)
    }
}

fn send(inputs: &mpsc::Sender<Input>, mut input: Input) -> bool {
    loop {
        match inputs.try_send(input) {
            Ok(()) => return true,
            Err(TrySendError::Closed(_)) => return false,
            Err(TrySendError::Full(back)) => {
                input = back;
                thread::sleep(FULL);
            }
        }
    }
}

impl Surface for Stage {
    fn is_attended(&self) -> bool {
        self.cast == Cast::Person
    }

    fn is_steered(&self) -> bool {
        self.cast == Cast::Person
    }

    fn past(&self) -> Past {
        self.past
    }

    fn recall(&self, events: &[(Event, Timestamp)]) {
        for (event, _) in events {
            self.link.note(event);
        }
        for events in events.chunks(PAST_MAX) {
            let events = events.to_vec();
            if !self.send(Input::Past { events }) {
                return;
            }
        }
    }

    fn confirm(&self, decision: Decision<'_>) -> bool {
        let (answer, answered) = answers::channel();
        let id = self.link.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.link.questions).insert(id, answer);
        let question = Question {
            id,
            title: decision.title.to_owned(),
            body: decision.body.lines().map(str::to_owned).collect(),
            yes: "yes".to_owned(),
            no: "no".to_owned(),
        };
        let at = harness_host::clock::now();
        // A screen that is gone has answered with no.
        self.send(Input::Asked { question, at }) && answered.recv().unwrap_or(false)
    }

    fn say(&self, text: &str) {
        // In plain lines it begins with the word that stands before it here.
        let text = text.strip_prefix("note: ").unwrap_or(text).to_owned();
        let who = Who::Note;
        self.send(Input::Said { who, text });
    }

    fn entry(&self, _kind: &str, text: &str, _body: Value) -> Result<(), Failure> {
        // A sentence that names who it is about keeps its word.
        let (who, text) = match text.split_once(": ") {
            Some(("feature", rest)) => (Who::Feature, rest),
            _ => (Who::Note, text),
        };
        self.send(Input::Said {
            who,
            text: text.to_owned(),
        });
        Ok(())
    }

    fn join(&self, requests: &mpsc::Sender<Request>) -> Result<Joined, Failure> {
        self.link.connect(requests);
        let face: Box<dyn Face> = Box::new(ScreenFace {
            inputs: self.inputs.clone(),
            link: Arc::clone(&self.link),
        });
        Ok(Joined {
            faces: vec![face],
            signalled: None,
        })
    }
}

/// Hands events to the screen. What it shows has no more secrets than the log.
#[derive(Debug)]
struct ScreenFace {
    inputs: mpsc::Sender<Input>,
    link: Arc<Link>,
}

impl Face for ScreenFace {
    fn event(&mut self, event: &Event, at: Timestamp) -> bool {
        self.link.note(event);
        let event = Box::new(event.clone());
        send(&self.inputs, Input::Logged { event, at })
    }

    fn delta(&mut self, delta: &ModelDelta) {
        let (delta, at) = (delta.clone(), harness_host::clock::now());
        send(&self.inputs, Input::Streamed { delta, at });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_while_a_run_is_opened_reaches_it_and_no_later_one() {
        let link = Link::default();
        link.begin();
        link.steer(Request::Stop);
        link.steer(Request::Interrupt);
        let (requests, mut taken) = mpsc::channel(4);
        link.connect(&requests);
        assert_eq!(taken.try_recv().ok(), Some(Request::Interrupt));
        assert!(taken.try_recv().is_err());
        link.part();

        link.steer(Request::Interrupt);
        link.begin();
        link.connect(&requests);
        assert!(taken.try_recv().is_err());
        link.steer(Request::Interrupt);
        assert_eq!(taken.try_recv().ok(), Some(Request::Interrupt));
    }
}
