//! The conversation with the model: what was said, what is said next, and where the next request stands.

use std::sync::Arc;

use harness_core::{
    ByteCount, DroppedResult, Message, ModelFailure, ModelResponse, Prompt, TokenCount, ToolResult,
    ToolSpec, TurnNumber, Usage, UserPart,
};

use crate::{
    album::Album,
    pacing::Need,
    retry::Failures,
    window::{self, Cut, Size},
};

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

/// What a provider adds to a conversation at most, by our experience. Unit: tokens.
const AROUND_TOKENS_MAX: u64 = 2_000;

/// One conversation.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    system: Arc<str>,
    tools: Arc<[ToolSpec]>,
    messages: Vec<Arc<Message>>,
    /// How long all of these are: asked for with every piece that streams, and so kept instead of counted.
    size: ByteCount,
    /// What the next user message will hold besides results.
    texts: Vec<String>,
    /// What the person has said and the next user message will end with.
    said: Vec<String>,
    results: Vec<ToolResult>,
    album: Album,
    pub(crate) turn: TurnNumber,
    pub(crate) request: Request,
    pub(crate) failures: Option<(Failures, ModelFailure)>,
    /// Answers in a row that asked for nothing.
    pub(crate) idle_answers: u32,
    /// The text of the last answer that asked for nothing.
    pub(crate) last_words: String,
    /// What the provider said of the last answer, and how long the conversation was with it.
    measured: Option<(ByteCount, Usage)>,
    /// How long that answer was. Unit: bytes.
    answered: u64,
    /// What the provider found too large: the window is no larger, whatever is said of it.
    too_large: Option<TokenCount>,
    /// Until when the request is held back for a limit of the provider.
    held: Option<harness_core::Timestamp>,
}

impl Talk {
    /// Begins one; `first` are the texts of the first message, the one that sessions share first.
    pub(crate) fn new(system: String, first: [String; 2], tools: Arc<[ToolSpec]>) -> Self {
        let has_text = |text: &String| !text.trim().is_empty();
        let empty = Prompt {
            system: system.into(),
            tools,
            messages: Vec::new(),
        };
        Self {
            size: empty.bytes(),
            system: empty.system,
            tools: empty.tools,
            messages: empty.messages,
            texts: first.into_iter().filter(has_text).collect(),
            said: Vec::new(),
            results: Vec::new(),
            album: Album::default(),
            turn: TurnNumber(0),
            request: Request::Due,
            failures: None,
            idle_answers: 0,
            last_words: String::new(),
            measured: None,
            answered: 0,
            too_large: None,
            held: None,
        }
    }

    /// Offers one tool more from now on.
    pub(crate) fn offer(&mut self, tool: ToolSpec) {
        if self.tools.iter().any(|known| known.name == tool.name) {
            return;
        }
        let mut tools = self.tools.to_vec();
        tools.push(tool);
        tools.sort_by_key(|tool| tool.name);
        let bytes = |tools: &Arc<[ToolSpec]>| {
            let prompt = Prompt {
                system: Arc::clone(&self.system),
                tools: Arc::clone(tools),
                messages: Vec::new(),
            };
            prompt.bytes().0
        };
        let tools: Arc<[ToolSpec]> = tools.into();
        let grown = bytes(&tools).saturating_sub(bytes(&self.tools));
        self.size = ByteCount(self.size.0 + grown);
        self.tools = tools;
        self.forget_cache();
    }

    /// Adds text to the next user message.
    pub(crate) fn tell(&mut self, text: impl Into<String>) {
        self.texts.push(text.into());
    }

    /// Tells it with the request that is to be sent, or sent again; where there is none, with the next one.
    pub(crate) fn tell_now(&mut self, text: String) {
        if matches!(self.request, Request::Ready | Request::BackingOff { .. }) {
            self.add(Message::User(vec![UserPart::Text { text }]));
        } else {
            self.texts.push(text);
        }
    }

    /// Holds the request back for a limit of the provider.
    pub(crate) const fn hold(&mut self, until: harness_core::Timestamp) {
        self.held = Some(until);
        self.request = Request::BackingOff { until };
    }

    /// Asks again where another process left off; what a provider wanted to be waited for goes on.
    pub(crate) fn ask_again_after(
        &mut self,
        steered: bool,
        same_provider: bool,
        now: harness_core::Timestamp,
    ) {
        let is_held = |until: &_| self.request == Request::BackingOff { until: *until };
        let held = self.held.filter(is_held);
        self.ask_again(steered);
        if let Some(until) = held.filter(|until| same_provider && *until > now) {
            self.hold(until);
        }
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

    /// Takes up an earlier state of the conversation; the number of turns and words that wait stay.
    pub(crate) fn go_back(&mut self, earlier: &Self) {
        let (turn, said) = (self.turn, std::mem::take(&mut self.said));
        *self = Self {
            turn,
            said,
            ..earlier.clone()
        };
        self.forget_cache();
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

    /// Marks the request in flight as one that is to end: whether that is still to be asked for;
    /// `None` where nothing is in flight.
    pub(crate) const fn cancel(&mut self) -> Option<bool> {
        match &mut self.request {
            Request::InFlight { cancelling } => Some(!std::mem::replace(cancelling, true)),
            _ => None,
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
        for mut result in results {
            self.album.admit(&mut result);
            self.results.push(result);
        }
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
        let message = Message::User(results.chain(texts).collect());
        self.add(message);
        self.turn = turn;
        self.request = Request::Ready;
        self.failures = None;
    }

    /// Takes in the answer to the request in flight; one that goes on where a paused one stopped joins it.
    pub(crate) fn hear(&mut self, response: &ModelResponse) {
        self.request = Request::Idle;
        self.failures = None;
        let message = Message::Assistant(response.parts.clone());
        let answer = message.bytes();
        self.add(message);
        if response.usage.input_total() > 0 {
            self.measured = Some((self.size, response.usage));
            self.answered = answer.0;
        }
    }

    /// Adds a message; one of whoever spoke last joins what they said.
    ///
    /// One that is joined by nothing stays shared with earlier states of the conversation.
    fn add(&mut self, message: Message) {
        self.size = ByteCount(self.size.0 + message.bytes().0);
        let last = self.messages.last_mut().filter(|last| {
            matches!(
                (&***last, &message),
                (Message::User(_), Message::User(_))
                    | (Message::Assistant(_), Message::Assistant(_))
            )
        });
        match (last.map(Arc::make_mut), message) {
            (Some(Message::User(said)), Message::User(more)) => said.extend(more),
            (Some(Message::Assistant(said)), Message::Assistant(more)) => said.extend(more),
            (_, message) if has_parts(&message) => self.messages.push(Arc::new(message)),
            _ => {}
        }
    }

    /// Forgets how the request in flight fared, and what the provider may have kept: it is sent again.
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
        self.too_large = None;
        self.forget_cache();
    }

    /// Sends the request that failed to another model: its failures are not that one's.
    pub(crate) fn turn_to_another(&mut self) {
        if self.request == Request::Failed {
            self.request = Request::Ready;
            self.failures = None;
        }
        self.too_large = None;
        self.forget_cache();
    }

    /// Remembers that what is said by now does not fit.
    pub(crate) fn overflow(&mut self) {
        self.too_large = Some(TokenCount(self.whole().tokens));
    }

    /// Returns the window as far as it is known: a provider may have less room than is said.
    pub(crate) fn window(&self, said: TokenCount) -> TokenCount {
        match self.too_large {
            Some(known) if said == TokenCount(0) => known,
            Some(known) => known.min(said),
            None => said,
        }
    }

    /// Returns how large the next request is, with what waits for it.
    pub(crate) fn whole(&self) -> Size {
        let bytes = self.size.0 + self.waiting();
        // Reasoning that only the provider knows is not sent again; and no token has less than a
        // byte, whatever a server counts.
        let hidden = match self.measured {
            Some((_, known)) => known.output.saturating_sub(self.answered.div_ceil(2)),
            None => 0,
        };
        let tokens = self.estimate().input_total().saturating_sub(hidden);
        let tokens = tokens.min(bytes + AROUND_TOKENS_MAX);
        let rate = match self.measured {
            Some(_) => (tokens, bytes),
            None => (1, 4),
        };
        Size { tokens, rate }
    }

    /// Whether it is hardly larger than it began: a fresh one would fit no better.
    pub(crate) fn is_hardly_begun(&self) -> bool {
        let later = self.messages.iter().skip(1);
        let later: u64 = later.map(|message| message.bytes().0).sum();
        later < self.size.0 - later
    }

    /// Says which old results could make room.
    pub(crate) fn possible_cut(&self, window: TokenCount) -> Cut {
        let waiting = self.results.iter().map(result_bytes).sum();
        window::cut(&self.messages, waiting, self.whole(), window)
    }

    /// Drops results; `text` goes with the next user message, or joins the one that is not answered.
    ///
    /// What no longer fits the conversation is left alone.
    pub(crate) fn cut(&mut self, dropped: &[DroppedResult], text: &str) {
        let before = self.whole();
        let kept: u64 = dropped
            .iter()
            .map(|dropped| self.drop_result(dropped))
            .sum();
        self.size = ByteCount(self.size.0 - kept);
        if self.measured.is_some() {
            let left = before.tokens.saturating_sub(before.tokens_of(kept));
            let input = left.saturating_sub(self.waiting().div_ceil(4));
            let usage = Usage {
                input,
                ..Usage::default()
            };
            self.measured = Some((self.size, usage));
        }
        self.count_images();
        let is_sent = matches!(
            self.request,
            Request::Ready | Request::Failed | Request::BackingOff { .. }
        );
        if is_sent {
            self.add(Message::User(vec![UserPart::Text {
                text: text.to_owned(),
            }]));
            self.request = Request::Ready;
            self.failures = None;
        } else {
            self.texts.push(text.to_owned());
        }
    }

    /// Puts the stub in the place of one result and returns how many bytes that is less.
    fn drop_result(&mut self, dropped: &DroppedResult) -> u64 {
        let message = self.messages.get_mut(dropped.message as usize);
        let Some(Message::User(parts)) = message.map(Arc::make_mut) else {
            return 0;
        };
        let Some(UserPart::ToolResult(result)) = parts.get_mut(dropped.part as usize) else {
            return 0;
        };
        let before = result_bytes(result);
        result.content.clone_from(&dropped.stub);
        result.images.clear();
        before.saturating_sub(result_bytes(result))
    }

    /// Counts the images anew: what was dropped makes room for others.
    fn count_images(&mut self) {
        let said = self.messages.iter().flat_map(|message| match &**message {
            Message::User(parts) => parts.as_slice(),
            Message::Assistant(_) => &[],
        });
        let results = said.filter_map(|part| match part {
            UserPart::ToolResult(result) => Some(result),
            UserPart::Text { .. } => None,
        });
        self.album = Album::of(results.chain(&self.results));
    }

    /// Returns how much waits to be said. Unit: bytes.
    fn waiting(&self) -> u64 {
        let results: u64 = self.results.iter().map(result_bytes).sum();
        let words = self.texts.iter().chain(&self.said);
        results + words.map(|words| words.len() as u64).sum::<u64>()
    }

    /// Returns everything that was said, with the results of the last answer that wait to be told.
    pub(crate) fn with_waiting(&self) -> Vec<Arc<Message>> {
        let mut messages = self.messages.clone();
        let results = self.results.iter().cloned().map(UserPart::ToolResult);
        let texts = self
            .texts
            .iter()
            .cloned()
            .map(|text| UserPart::Text { text });
        let message = Message::User(results.chain(texts).collect());
        if has_parts(&message) {
            messages.push(Arc::new(message));
        }
        messages
    }

    /// Counts everything as fresh: another model's cache holds nothing of this conversation, and
    /// neither does one that was filled before a process ended.
    fn forget_cache(&mut self) {
        if let Some((_, usage)) = &mut self.measured {
            usage.input = usage.input_total();
            (usage.cache_read, usage.cache_write) = (0, 0);
        }
    }

    /// Estimates the input of the next request: what the provider said last, and what came since.
    ///
    /// What was in the cache with the last answer counts as read from it; with no cache hit
    /// yet everything counts as fresh. What waits to be said is counted.
    pub(crate) fn estimate(&self) -> Usage {
        let waiting = self.waiting();
        let Some((bytes, known)) = self.measured else {
            return Usage {
                input: self.prompt().estimate().0 + waiting.div_ceil(4),
                ..Usage::default()
            };
        };
        let grown = self.size.0.saturating_sub(bytes.0) + waiting;
        let fresh = known.output.saturating_add(grown.div_ceil(4));
        let cached = if known.cache_read > 0 {
            known.input_total()
        } else {
            0
        };
        let rest = (known.input_total() - cached).saturating_add(fresh);
        if known.cache_write > 0 {
            Usage {
                cache_read: cached,
                cache_write: rest,
                ..Usage::default()
            }
        } else {
            Usage {
                input: rest,
                cache_read: cached,
                ..Usage::default()
            }
        }
    }

    /// Returns how long the conversation is.
    pub(crate) const fn bytes(&self) -> ByteCount {
        self.size
    }

    /// Returns what was said.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> &[Arc<Message>] {
        &self.messages
    }

    /// Whether the model has answered anything.
    pub(crate) fn has_answers(&self) -> bool {
        self.messages.len() > 1
    }

    /// Returns what the next request sends.
    pub(crate) fn prompt(&self) -> Prompt {
        let prompt = Prompt {
            system: self.system.clone(),
            tools: self.tools.clone(),
            messages: self.messages.clone(),
        };
        debug_assert_eq!(prompt.bytes(), self.size, "the kept size is another");
        prompt
    }

    /// Estimates what the next request takes: a token has about four bytes.
    pub(crate) fn need(&self) -> Need {
        let sizes = self.messages.iter();
        let sizes: Vec<u64> = sizes
            .map(|message| message.bytes_without_reasoning().0)
            .collect();
        // Behind the last answer, and that answer itself.
        let fresh: u64 = sizes.iter().rev().take(2).sum();
        let tools = self.tools.iter();
        let tools = tools.map(|tool| tool.description.len() + tool.schema.len());
        let around = self.system.len() + tools.sum::<usize>();
        Need {
            prompt: (around as u64 + sizes.iter().sum::<u64>()) / 4,
            fresh: fresh / 4,
        }
    }

    pub(crate) const fn is_in_flight(&self) -> bool {
        matches!(self.request, Request::InFlight { .. })
    }
}

fn result_bytes(result: &ToolResult) -> u64 {
    UserPart::result_bytes(result).0
}

const fn has_parts(message: &Message) -> bool {
    match message {
        Message::User(parts) => !parts.is_empty(),
        Message::Assistant(parts) => !parts.is_empty(),
    }
}
