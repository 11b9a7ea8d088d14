//! What must hold of a person's words and of their wish to stop, found out without asking the engine.

use std::collections::BTreeMap;

use harness_core::{Event, Prompt, Rewound, TurnNumber, Urgency, UserPart};
use harness_engine::Effect;

use super::monitor::ensure;

/// What every text of the simulated person begins with, and no other text.
pub(crate) const VOICE: &str = "the person says";
/// How the harness begins to speak of a stop.
const STOPPED: &str = "You stopped";

/// What is known of the person's part in the session whose log is open.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    /// Said, not taken back, and no turn has begun since.
    waiting: Vec<String>,
    /// Those of them that cannot wait.
    urgent: Vec<String>,
    /// What the turns of the session have carried, in order.
    sent: Vec<String>,
    /// How many of them each turn knew.
    known: BTreeMap<TurnNumber, usize>,
    /// Whether what is under way is to end because words cannot wait.
    interrupted: bool,
    /// Whether the agent has stopped and it is the person's turn.
    awaited: bool,
    /// Whether the run is to stop after the step in hand.
    stopping: bool,
    /// Whether the person has asked the run to stop in any way.
    stopped: bool,
}

impl Steering {
    pub(crate) fn waiting(&self) -> &[String] {
        &self.waiting
    }

    pub(crate) const fn is_awaited(&self) -> bool {
        self.awaited
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub(crate) const fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// A session begins or is over: words that were not sent are lost with it.
    pub(crate) fn forget_session(&mut self) {
        self.waiting.clear();
        self.urgent.clear();
        self.sent.clear();
        self.known.clear();
        self.interrupted = false;
        self.awaited = false;
    }

    /// The run is taken up again; a commit that was in flight goes before the words.
    pub(crate) fn resumed(&mut self, steered: bool, was_committing: bool) {
        self.stopping = false;
        self.stopped = false;
        self.awaited &= steered;
        self.interrupted &= !was_committing;
    }

    /// The session has gone back to a turn: what was said since is forgotten with the talk.
    pub(crate) fn went_back(&mut self, rewound: &Rewound, steered: bool) {
        self.interrupted = false;
        self.awaited = steered;
        if rewound.what.has_talk() {
            let known = self.known.get(&rewound.turn);
            self.sent.truncate(known.copied().unwrap_or(usize::MAX));
            self.known.retain(|turn, _| *turn <= rewound.turn);
        }
    }

    /// Takes note of an event; what is said outside of a session reaches nobody.
    pub(crate) fn event(&mut self, event: &Event, in_session: bool) -> Result<(), String> {
        match event {
            Event::PersonSaid { text, urgency } if in_session => {
                self.waiting.push(text.clone());
                if *urgency == Urgency::Now {
                    self.urgent.push(text.clone());
                    self.interrupted = true;
                }
            }
            Event::PersonTookBack { text } => {
                if let Some(last) = self.waiting.iter().rposition(|waiting| waiting == text) {
                    self.waiting.remove(last);
                    self.urgent.retain(|urgent| urgent != text);
                }
            }
            Event::StopRequested => (self.stopping, self.stopped) = (true, true),
            Event::Interrupted => self.stopped = true,
            Event::TurnStarted { turn } => {
                self.sent.append(&mut self.waiting);
                self.known.insert(*turn, self.sent.len());
                self.urgent.clear();
                self.interrupted = false;
                self.awaited = false;
            }
            Event::PersonAwaited => {
                ensure(!self.awaited, || "awaits a person twice".to_owned())?;
                self.awaited = true;
                self.stop_is_judged()?;
            }
            Event::FinishRequested { call, .. } => {
                let goes_on = call.is_some() && self.interrupted;
                ensure(!goes_on, || "a claim after an interruption".to_owned())?;
                self.awaited = false;
                self.stop_is_judged()?;
            }
            Event::Nudged { text } if text.starts_with(STOPPED) => self.stop_is_judged()?,
            Event::SessionEnded { reason } if reason == "answered" => self.stop_is_judged()?,
            Event::FinishRefused { .. } => ensure(!self.interrupted, || {
                "an interruption uses up an attempt".to_owned()
            })?,
            _ => {}
        }
        Ok(())
    }

    /// A stop or a claim means something only when nothing was said.
    fn stop_is_judged(&mut self) -> Result<(), String> {
        // The words that cut something short were taken back.
        self.interrupted = false;
        ensure(self.waiting.is_empty(), || {
            format!("passes over {:?}", self.waiting)
        })
    }

    /// Looks at something the engine asks for.
    pub(crate) fn effect(&self, effect: &Effect) -> Result<(), String> {
        let is_tidying = matches!(
            effect,
            Effect::Record(_)
                | Effect::CancelModel
                | Effect::CancelWork
                | Effect::StopJobs { .. }
                | Effect::SaveCheckpoint { .. }
                // A person's word is carried out whatever comes next.
                | Effect::SettleProposal(_)
        );
        ensure(is_tidying || !self.stopping, || {
            format!("begins {effect:?} although the run is to stop")
        })?;
        let is_for_agent = matches!(
            effect,
            Effect::RequestModel { .. }
                | Effect::AskBeside(_)
                | Effect::PerformBeside { .. }
                | Effect::ShowChange { .. }
                | Effect::Perform { .. }
                | Effect::AskPerson { .. }
                | Effect::PerformApproved { .. }
                | Effect::AskApproval(_)
                | Effect::KeepProposal { .. }
                | Effect::FreezeCandidate
                | Effect::RunGate(_)
                | Effect::RunNegativeControl(_)
                | Effect::CommitFeature(_)
        );
        // Where the words were taken back, gates may run by themselves before the next turn.
        let is_gate = matches!(effect, Effect::FreezeCandidate | Effect::RunGate(_));
        let cannot_wait = self.interrupted && !(is_gate && self.urgent.is_empty());
        ensure(!is_for_agent || !cannot_wait, || {
            format!("begins {effect:?} although words cannot wait")
        })?;
        if let Effect::RequestModel { prompt, .. } = effect {
            let told = told(prompt);
            ensure(told == self.sent, || {
                format!("sends {told:?} of {:?}", self.sent)
            })?;
        }
        Ok(())
    }
}

/// Returns what a prompt holds of the person's words, in order.
fn told<'a>(prompt: &'a Prompt) -> Vec<&'a str> {
    let messages = prompt.messages.iter().map(|message| &**message);
    let parts = messages.flat_map(|message| match message {
        harness_core::Message::User(parts) => parts.as_slice(),
        harness_core::Message::Assistant(_) => &[],
    });
    let text = |part: &'a UserPart| match part {
        UserPart::Text { text } => Some(text.as_str()),
        UserPart::ToolResult(_) => None,
    };
    parts
        .filter_map(text)
        .filter(|text| text.starts_with(VOICE))
        .collect()
}
