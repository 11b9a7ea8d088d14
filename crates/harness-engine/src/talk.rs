//! The conversation with the model: what was said, what is said next, and the request in flight.

use std::sync::Arc;

use harness_core::{
    Message, ModelFailure, ModelResponse, Prompt, ToolResult, ToolSpec, TurnNumber, UserPart,
};

use crate::retry::Failures;

/// Where the present request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Nothing is to be asked: calls run, gates run, or the session is over.
    Idle,
    /// The next turn may begin.
    Due,
    /// The turn has begun; the request is to be sent.
    Ready,
    /// Sent.
    InFlight { cancelling: bool },
    /// It failed and what to do is not recorded yet.
    Failed,
    /// It is sent again at this time.
    BackingOff { until: harness_core::Timestamp },
}

/// One conversation.
#[derive(Debug)]
pub(crate) struct Talk {
    system: Arc<str>,
    tools: Arc<[ToolSpec]>,
    messages: Vec<Arc<Message>>,
    /// What the next user message will hold besides results.
    texts: Vec<String>,
    results: Vec<ToolResult>,
    pub(crate) turn: TurnNumber,
    pub(crate) request: Request,
    pub(crate) failures: Option<(Failures, ModelFailure)>,
    /// Answers in a row that asked for nothing.
    pub(crate) idle_answers: u32,
    /// The text of the last answer that asked for nothing.
    pub(crate) last_words: String,
}

impl Talk {
    pub(crate) fn new(system: String, first: String) -> Self {
        Self {
            system: system.into(),
            tools: harness_tool::specs().into(),
            messages: Vec::new(),
            texts: vec![first],
            results: Vec::new(),
            turn: TurnNumber(0),
            request: Request::Due,
            failures: None,
            idle_answers: 0,
            last_words: String::new(),
        }
    }

    /// Adds text to the next user message.
    pub(crate) fn tell(&mut self, text: impl Into<String>) {
        self.texts.push(text.into());
    }

    /// Adds the results of the last answer's calls to the next user message, in order.
    pub(crate) fn give_results(&mut self, results: impl IntoIterator<Item = ToolResult>) {
        self.results.extend(results);
    }

    /// Begins a turn: what is waiting becomes a message, or joins one that was not answered.
    pub(crate) fn begin_turn(&mut self, turn: TurnNumber) {
        let results = self.results.drain(..).map(UserPart::ToolResult);
        let texts = self.texts.drain(..).map(|text| UserPart::Text { text });
        let mut parts: Vec<UserPart> = results.chain(texts).collect();
        match self.messages.last_mut().map(Arc::make_mut) {
            Some(Message::User(unanswered)) => unanswered.append(&mut parts),
            _ if parts.is_empty() => {}
            _ => self.messages.push(Arc::new(Message::User(parts))),
        }
        self.turn = turn;
        self.request = Request::Ready;
        self.failures = None;
    }

    /// Takes in the answer to the request in flight; one that goes on where a paused one stopped joins it.
    pub(crate) fn hear(&mut self, response: &ModelResponse) {
        self.request = Request::Idle;
        self.failures = None;
        match self.messages.last_mut().map(Arc::make_mut) {
            Some(Message::Assistant(paused)) => paused.extend_from_slice(&response.parts),
            _ if response.parts.is_empty() => {}
            _ => self
                .messages
                .push(Arc::new(Message::Assistant(response.parts.clone()))),
        }
    }

    /// Forgets how the request in flight fared: it is sent again.
    pub(crate) fn ask_again(&mut self) {
        let is_waiting = matches!(
            self.request,
            Request::InFlight { .. } | Request::Failed | Request::BackingOff { .. }
        );
        if is_waiting {
            self.request = Request::Ready;
        }
        self.failures = None;
    }

    /// Returns what the next request sends.
    pub(crate) fn prompt(&self) -> Prompt {
        Prompt {
            system: self.system.clone(),
            tools: self.tools.clone(),
            messages: self.messages.clone(),
        }
    }

    pub(crate) const fn is_in_flight(&self) -> bool {
        matches!(self.request, Request::InFlight { .. })
    }
}
