//! Asks a model: over HTTP, or a script.

use std::{collections::BTreeMap, time::Duration};

use harness_core::{
    AssistantPart, FailureClass, Message, ModelDelta, ModelFailure, ModelResponse, Prompt,
    TokenCount, UserPart,
};
use harness_host::{
    Cancelled,
    http::{HttpClient, HttpRequest},
};
use harness_provider::{Api, Decoder, RequestOptions, Script, WireRequest};
use harness_store::RECORD_BYTES_MAX;
use tokio::sync::mpsc;

/// What is read of the body of an answer that reports an error.
const ERROR_BODY_MAX: harness_core::ByteCount = harness_core::ByteCount::kib(64);

/// What a record of the log needs beside the answer in it.
const BESIDE_ANSWER: usize = 256 << 10;

/// How much of a stream is decoded before everything else gets its turn.
const PIECE_BYTES: usize = 16 << 10;

/// How long the end of a body is waited for after the answer is whole.
const END_OF_BODY: Duration = Duration::from_millis(20);

/// Something that answers prompts.
#[derive(Debug)]
pub enum ModelClient {
    /// A server.
    Http(Box<HttpModel>),
    /// A script; a recording for all who watch.
    Script {
        /// The turns.
        script: Script,
        /// Whether it takes its time.
        pace: Pace,
    },
}

/// The model of a run, and those that may take its place.
#[derive(Debug)]
pub struct Models {
    /// Who answers first.
    pub first: ModelClient,
    /// The others, by the person's name for each.
    pub others: BTreeMap<String, ModelClient>,
}

impl Models {
    /// Makes the models of a run that has one.
    pub const fn only(first: ModelClient) -> Self {
        Self {
            first,
            others: BTreeMap::new(),
        }
    }

    /// Returns the one of this name; the first one has whatever name the others do not have.
    pub(crate) fn named(&self, name: &str) -> &ModelClient {
        self.others.get(name).unwrap_or(&self.first)
    }
}

/// How fast a script answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As the script says, word by word.
    Natural,
    /// At once.
    Fast,
}

/// A model behind a server.
#[derive(Debug)]
pub struct HttpModel {
    client: HttpClient,
    api: Api,
    options: RequestOptions,
    key: Option<String>,
    idle: Duration,
}

impl HttpModel {
    /// Makes a client; nothing is sent before the first request. `idle` is how long a stream may be silent.
    pub fn new(api: Api, options: RequestOptions, key: Option<String>, idle: Duration) -> Self {
        Self {
            client: HttpClient::new(),
            api,
            options,
            key,
            idle,
        }
    }

    /// Asks for one answer; a server that repeats the key in its complaint does not get it into the log.
    async fn request(
        &self,
        prompt: &Prompt,
        deltas: &mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
    ) -> Result<ModelResponse, ModelFailure> {
        let answer = self.exchange(prompt, deltas, cancelled).await;
        let answer = answer.and_then(with_room_in_the_log);
        answer.map_err(|mut failure| {
            if let Some(key) = &self.key {
                failure.message = failure.message.replace(key.as_str(), "[redacted:key]");
            }
            failure
        })
    }

    async fn exchange(
        &self,
        prompt: &Prompt,
        deltas: &mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
    ) -> Result<ModelResponse, ModelFailure> {
        let wire = harness_provider::encode(self.api, prompt, &self.options);
        let asked = wire.asked.clone();
        let sent = self.client.stream(self.to_http(wire), self.idle, cancelled);
        let mut response = sent.await.map_err(|error| failure(&error))?;
        tell_allowances(&response.headers, prompt, deltas).await;
        if response.status != 200 {
            let headers = response.headers;
            let body = response.body.collect(ERROR_BODY_MAX).await;
            let header = |name: &str| header_of(&headers, name);
            let now = harness_host::clock::now();
            return Err(harness_provider::failure_of_status(
                self.api,
                response.status,
                header,
                &body,
                now,
            ));
        }
        let mut decoder = Decoder::new(self.api, asked);
        while !decoder.is_complete() {
            match response.body.next().await {
                None => break,
                Some(Ok(bytes)) => {
                    // In pieces, with a breath between: a person can stop a flood.
                    for piece in bytes.chunks(PIECE_BYTES) {
                        send_all(deltas, decoder.push(piece)).await;
                        tokio::task::yield_now().await;
                    }
                }
                Some(Err(error)) if error.class.class() == FailureClass::Cancelled => {
                    return Err(failure(&error));
                }
                // A server may fall silent after it has said everything.
                Some(Err(error)) => return decoder.finish().map_err(|_| failure(&error)),
            }
        }
        // The connection can be used again only when the body was read to its end.
        if decoder.is_complete() {
            let _ = tokio::time::timeout(END_OF_BODY, response.body.next()).await;
        }
        decoder.finish()
    }

    fn to_http(&self, wire: WireRequest) -> HttpRequest {
        let (name, prefix) = wire.key_header;
        let key = self
            .key
            .as_ref()
            .map(|key| (name.to_owned(), format!("{prefix}{key}")));
        let headers = wire
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        HttpRequest {
            url: wire.url,
            headers: headers.chain(key).collect(),
            body: wire.body.into(),
        }
    }
}

impl ModelClient {
    /// Asks for one answer; `deltas` gets its pieces while it streams.
    ///
    /// # Errors
    /// When there is no whole answer; a cut answer is never returned.
    pub async fn request(
        &self,
        prompt: &Prompt,
        deltas: mpsc::Sender<ModelDelta>,
        mut cancelled: Cancelled,
    ) -> Result<ModelResponse, ModelFailure> {
        match self {
            Self::Http(model) => model.request(prompt, &deltas, cancelled).await,
            Self::Script { script, pace } => tokio::select! {
                biased;
                () = cancelled.wait() => Err(cancelled_failure()),
                answer = play(script, *pace, prompt, &deltas) => answer,
            },
        }
    }
}

async fn play(
    script: &Script,
    pace: Pace,
    prompt: &Prompt,
    deltas: &mpsc::Sender<ModelDelta>,
) -> Result<ModelResponse, ModelFailure> {
    let turn = script.answer(prompt).map_err(|error| ModelFailure {
        class: FailureClass::Invalid,
        message: error.to_string(),
        status: None,
        retry_after_ms: None,
    })?;
    if pace == Pace::Natural {
        tokio::time::sleep(turn.think()).await;
    }
    let response = turn.to_response(prompt.messages.len().div_ceil(2), size_of_prompt(prompt));
    for part in &response.parts {
        if let AssistantPart::Text { text } = part {
            send_all(deltas, vec![ModelDelta::Text(text.clone())]).await;
        }
    }
    Ok(response)
}

/// Returns about how many bytes a request with this prompt would have.
fn size_of_prompt(prompt: &Prompt) -> usize {
    let messages = prompt.messages.iter().map(|message| match &**message {
        Message::User(parts) => parts.iter().map(user_bytes).sum::<usize>(),
        Message::Assistant(parts) => parts.iter().map(assistant_bytes).sum(),
    });
    let tools = prompt
        .tools
        .iter()
        .map(|tool| tool.description.len() + tool.schema.len());
    prompt.system.len() + tools.sum::<usize>() + messages.sum::<usize>()
}

fn user_bytes(part: &UserPart) -> usize {
    match part {
        UserPart::Text { text } => text.len(),
        UserPart::ToolResult(result) => result.content.len(),
    }
}

fn assistant_bytes(part: &AssistantPart) -> usize {
    match part {
        AssistantPart::Text { text } | AssistantPart::Thinking { text, .. } => text.len(),
        AssistantPart::RedactedThinking { data, .. } | AssistantPart::Opaque { data, .. } => {
            data.len()
        }
        AssistantPart::ToolCall(call) => call.name.len() + call.arguments.len(),
    }
}

/// Refuses an answer that cannot be kept: escaped, a text can have several times its size.
fn with_room_in_the_log(response: ModelResponse) -> Result<ModelResponse, ModelFailure> {
    let written = serde_json::to_vec(&response).map_or(usize::MAX, |bytes| bytes.len());
    if written.saturating_add(BESIDE_ANSWER) <= RECORD_BYTES_MAX.as_usize() {
        return Ok(response);
    }
    Err(ModelFailure {
        class: FailureClass::Broken,
        message: "the answer is too large for the log".to_owned(),
        status: None,
        retry_after_ms: None,
    })
}

fn header_of<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// Passes on what an answer's headers say is short.
async fn tell_allowances(
    headers: &[(String, String)],
    prompt: &Prompt,
    deltas: &mpsc::Sender<ModelDelta>,
) {
    let size = TokenCount(size_of_prompt(prompt) as u64 / 4);
    let header = |name: &str| header_of(headers, name);
    let short = harness_provider::allowances(header, size, harness_host::clock::now());
    if !short.is_empty() {
        send_all(deltas, vec![ModelDelta::Allowances(short)]).await;
    }
}

/// Passes pieces on; a face that is gone wants none.
async fn send_all(deltas: &mpsc::Sender<ModelDelta>, pieces: Vec<ModelDelta>) {
    for piece in pieces {
        let _ = deltas.send(piece).await;
    }
}

fn failure(error: &harness_host::http::HttpError) -> ModelFailure {
    ModelFailure {
        class: error.class.class(),
        message: error.message.clone(),
        status: None,
        retry_after_ms: None,
    }
}

pub(crate) fn cancelled_failure() -> ModelFailure {
    ModelFailure {
        class: FailureClass::Cancelled,
        message: "the request was cancelled".to_owned(),
        status: None,
        retry_after_ms: None,
    }
}
