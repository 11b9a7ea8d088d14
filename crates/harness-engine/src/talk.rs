//! The conversation with the model: what was said, what is said next, and where the next request stands.

use std::sync::Arc;

use harness_core::{
    AssistantPart, Message, ModelFailure, ModelResponse, Prompt, ToolResult, ToolSpec, TurnNumber,
    UserPart,
};

use crate::{pacing::Need, retry::Failures};

/// Where the present request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Nothing is to be asked: calls run, gates run, or the session is over.
    Idle,
    /// The agent has stopped and a person says how to go on.
    Awaiting,
    /// The person lets the gates decide; the claim is not recorded yet.
    Claimed,
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
    /// What the person has said and the next user message will end with.
    said: Vec<String>,
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
            said: Vec::new(),
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

    /// Takes a person's words in: they wait for the next turn.
    pub(crate) fn hear_person(&mut self, text: &str) {
        self.said.push(text.to_owned());
    }

    /// Forgets the last of these words; words that were sent stay.
    pub(crate) fn take_back(&mut self, text: &str) {
        if let Some(last) = self.said.iter().rposition(|said| said == text) {
            self.said.remove(last);
        }
    }

    /// Whether words of a person wait.
    pub(crate) fn has_words(&self) -> bool {
        !self.said.is_empty()
    }

    /// Leaves it to a person how to go on after a stop.
    pub(crate) fn await_person(&mut self) {
        if self.request == Request::Idle {
            self.request = Request::Awaiting;
        }
    }

    /// Takes the stop that a person was asked about for a claim.
    pub(crate) fn take_claim(&mut self) {
        if self.request == Request::Awaiting {
            self.request = Request::Claimed;
        }
    }

    /// Gives the present request up: the next turn takes its place. A stop stays one.
    pub(crate) fn give_up_request(&mut self) {
        if matches!(
            self.request,
            Request::Ready | Request::Failed | Request::BackingOff { .. }
        ) {
            self.request = Request::Due;
        }
    }

    /// Adds the results of the last answer's calls to the next user message, in order.
    pub(crate) fn give_results(&mut self, results: impl IntoIterator<Item = ToolResult>) {
        self.results.extend(results);
    }

    /// Begins a turn: what is waiting becomes a message, or joins one that was not answered.
    pub(crate) fn begin_turn(&mut self, turn: TurnNumber) {
        // A stop that a person's words follow does not count, unless it was theirs to answer.
        if self.has_words() && self.request == Request::Idle {
            self.idle_answers = self.idle_answers.saturating_sub(1);
        }
        let results = self.results.drain(..).map(UserPart::ToolResult);
        let words = self.texts.drain(..).chain(self.said.drain(..));
        let texts = words.map(|text| UserPart::Text { text });
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
    ///
    /// A stop that waits for a person goes on waiting as long as one can speak.
    pub(crate) fn ask_again(&mut self, steered: bool) {
        if self.request == Request::Awaiting && !steered {
            self.request = Request::Idle;
        }
        let is_waiting = matches!(
            self.request,
            Request::InFlight { .. } | Request::Failed | Request::BackingOff { .. }
        );
        if is_waiting {
            self.request = Request::Ready;
        }
        self.failures = None;
    }

    /// Sends the request that failed to another model: its failures are not that one's.
    pub(crate) fn turn_to_another(&mut self) {
        if self.request == Request::Failed {
            self.request = Request::Ready;
            self.failures = None;
        }
    }

    /// Returns what the next request sends.
    pub(crate) fn prompt(&self) -> Prompt {
        Prompt {
            system: self.system.clone(),
            tools: self.tools.clone(),
            messages: self.messages.clone(),
        }
    }

    /// Estimates what the next request takes: a token has about four bytes.
    pub(crate) fn need(&self) -> Need {
        let sizes = self.messages.iter().map(|message| bytes_of(message));
        let sizes: Vec<usize> = sizes.collect();
        // Behind the last answer, and that answer itself.
        let fresh: usize = sizes.iter().rev().take(2).sum();
        let tools = self.tools.iter();
        let tools = tools.map(|tool| tool.description.len() + tool.schema.len());
        let prompt = self.system.len() + tools.sum::<usize>() + sizes.iter().sum::<usize>();
        Need {
            prompt: prompt as u64 / 4,
            fresh: fresh as u64 / 4,
        }
    }

    pub(crate) const fn is_in_flight(&self) -> bool {
        matches!(self.request, Request::InFlight { .. })
    }
}

fn bytes_of(message: &Message) -> usize {
    match message {
        Message::User(parts) => parts.iter().map(user_bytes).sum(),
        Message::Assistant(parts) => parts.iter().map(assistant_bytes).sum(),
    }
}

fn user_bytes(part: &UserPart) -> usize {
    match part {
        UserPart::Text { text } => text.len(),
        UserPart::ToolResult(result) => result.content.len(),
    }
}

fn assistant_bytes(part: &AssistantPart) -> usize {
    match part {
        AssistantPart::Text { text } => text.len(),
        AssistantPart::ToolCall(call) => call.name.len() + call.arguments.len(),
        // Reasoning is not always sent back, and nobody but the provider knows its size.
        AssistantPart::Thinking { .. }
        | AssistantPart::RedactedThinking { .. }
        | AssistantPart::Opaque { .. } => 0,
    }
}
