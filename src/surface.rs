//! Where a command shows itself and asks: plain lines, JSON lines, or the screen.

use std::{sync::Arc, thread};

use harness_core::{ApprovalSubject, Event, Request, Timestamp};
use harness_runner::Face;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::{
    approve, ask,
    asking::Asking,
    cli::Common,
    faces::{self, JsonFace},
    failure::Failure,
    folders::Folders,
    output::{Output, say},
    session::signals,
};

/// A decision that a person has to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision<'a> {
    /// The question, one line.
    pub(crate) title: &'a str,
    /// Everything that has to be seen before it is answered.
    pub(crate) body: &'a str,
}

/// What a surface has to see of a session that is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// All of it.
    Whole,
    /// How it opened.
    Opening,
    /// Nothing: it is shown already.
    Nothing,
}

/// How a surface takes part in a run.
pub(crate) struct Joined {
    /// Who is shown its events.
    pub(crate) faces: Vec<Box<dyn Face>>,
    /// The signal that decides the exit code, where the surface does not look after signals itself.
    pub(crate) signalled: Option<watch::Receiver<Option<u8>>>,
}

/// Where a command shows itself and asks.
pub(crate) trait Surface {
    /// Whether a person can be asked.
    fn is_attended(&self) -> bool;

    /// Whether a person can go on talking to the agent when it stops.
    fn is_steered(&self) -> bool;

    /// Says what it has to see of a session that is resumed.
    fn past(&self) -> Past;

    /// Shows what a session holds that is taken up, before anything else is known about it.
    ///
    /// Only for who has to see all of it; others see the opening when the run is joined.
    fn recall(&self, events: &[(Event, Timestamp)]) {
        let _ = events;
    }

    /// Asks for a decision; no where nobody can be asked, after showing what it is about.
    fn confirm(&self, decision: Decision<'_>) -> bool;

    /// Says something to the person.
    fn say(&self, text: &str);

    /// Gives one entry of data: `text` for people, `body` as an object of type `kind`.
    fn entry(&self, kind: &str, text: &str, body: Value) -> Result<(), Failure>;

    /// Joins a run that begins; `requests` is how the person takes part in it.
    fn join(&self, requests: &mpsc::Sender<Request>) -> Result<Joined, Failure>;
}

/// Plain lines or JSON lines on the standard streams.
#[derive(Debug)]
pub(crate) struct LineSurface {
    common: Common,
    json: JsonFace,
}

impl LineSurface {
    pub(crate) fn new(common: &Common) -> Self {
        Self {
            common: common.clone(),
            json: JsonFace::default(),
        }
    }

    /// Returns the face of the JSON lines, whose lines are counted together; `None` in plain lines.
    pub(crate) fn json(&self) -> Option<&JsonFace> {
        self.common.json.then_some(&self.json)
    }
}

impl Surface for LineSurface {
    fn is_attended(&self) -> bool {
        ask::is_attended(&self.common)
    }

    fn is_steered(&self) -> bool {
        false
    }

    fn past(&self) -> Past {
        Past::Opening
    }

    fn confirm(&self, decision: Decision<'_>) -> bool {
        say(decision.body.trim_end());
        self.is_attended() && ask::confirm(decision.title)
    }

    fn say(&self, text: &str) {
        say(text);
    }

    fn entry(&self, kind: &str, text: &str, body: Value) -> Result<(), Failure> {
        Output::new(&self.common).entry(kind, text, body)
    }

    fn join(&self, requests: &mpsc::Sender<Request>) -> Result<Joined, Failure> {
        let face: Box<dyn Face> = match self.json() {
            Some(json) => Box::new(json.clone()),
            None => Box::new(faces::LineFace::default()),
        };
        let asking = Box::new(AskingFace {
            requests: requests.clone(),
            attended: self.is_attended(),
            asking: Arc::default(),
            rules_file: Folders::find()?.saved_rules().display().to_string(),
        });
        Ok(Joined {
            faces: vec![face, asking],
            signalled: Some(signals::watch(requests)?),
        })
    }
}

/// Asks the person in plain lines when the agent has a question.
#[derive(Debug)]
struct AskingFace {
    requests: mpsc::Sender<Request>,
    attended: bool,
    asking: Arc<Asking>,
    /// Where rules are kept, for people.
    rules_file: String,
}

impl Face for AskingFace {
    fn event(&mut self, event: &Event, _time: Timestamp) -> bool {
        if let (Event::ApprovalAsked(asked), true) = (event, self.attended)
            && let ApprovalSubject::Features { proposal } = &asked.subject
        {
            let (requests, call, proposal) = (self.requests.clone(), asked.call, proposal.clone());
            thread::spawn(move || {
                let answer = approve::ask_features(&proposal);
                // Nobody is there any more: the proposal waits for another time.
                let request = answer.map_or(Request::Interrupt, |answer| Request::Decide {
                    call,
                    answer,
                });
                let _ = requests.blocking_send(request);
            });
            return true;
        }
        if let (Event::ApprovalAsked(asked), true) = (event, self.attended) {
            let (requests, asked, file) = (
                self.requests.clone(),
                asked.clone(),
                self.rules_file.clone(),
            );
            thread::spawn(move || {
                let call = asked.call;
                let answer = approve::ask(&asked, &file);
                let _ = requests.blocking_send(Request::Decide { call, answer });
            });
        }
        if let (Event::QuestionAsked { question, .. }, true) = (event, self.attended) {
            self.asking.ask(question, &self.requests);
        }
        true
    }
}
