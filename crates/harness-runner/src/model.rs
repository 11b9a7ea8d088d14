//! Asks a model: over HTTP, or a script, or a recording.

mod exchange;
mod record;
mod replay;
mod secrets;
mod thinking;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use harness_core::{
    AssistantPart, FailureClass, ModelDelta, ModelFailure, ModelResponse, Prompt, Role, TokenCount,
};
use harness_engine::HAND_OVER_OUTPUT_MAX;
use harness_host::{
    Cancelled,
    http::{HttpClient, HttpRequest},
};
use harness_provider::{
    Api, Asked, Decoder, RequestOptions, Script, WireRequest, is_about_thinking, lowest_effort,
};
use harness_store::{ExchangePurpose, RECORD_BYTES_MAX, RecordingWriter};
use tokio::sync::mpsc;

use self::{
    exchange::Answered,
    record::Kept,
    secrets::{Key, Secrets},
};
pub use self::{
    record::{Recorded, Recorder},
    replay::Replay,
};

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
    /// A recording of what a server once said.
    Replay(Box<Replay>),
    /// Nobody, where a model is wanted and there is none.
    Absent {
        /// Why, for people.
        why: String,
    },
}

/// The model of a run, and those that may take its place.
#[derive(Debug)]
pub struct Models {
    /// Who answers first.
    pub first: ModelClient,
    /// The others, by the person's name for each.
    pub others: BTreeMap<String, ModelClient>,
    /// Those that serve a role of their own; the same model in two roles has two clients.
    pub roles: BTreeMap<Role, ModelClient>,
}

impl Models {
    /// Makes the models of a run that has one.
    pub const fn only(first: ModelClient) -> Self {
        Self {
            first,
            others: BTreeMap::new(),
            roles: BTreeMap::new(),
        }
    }

    /// Records from now on what goes to servers and comes back, without their keys.
    pub fn record(&mut self, writer: RecordingWriter) -> Arc<Recorder> {
        let mut servers: Vec<&mut HttpModel> = std::iter::once(&mut self.first)
            .chain(self.others.values_mut())
            .chain(self.roles.values_mut())
            .filter_map(|client| match client {
                ModelClient::Http(model) => Some(&mut **model),
                _ => None,
            })
            .collect();
        let keys: Vec<&str> = servers
            .iter()
            .filter_map(|model| model.key.as_ref())
            .map(|key| key.0.as_str())
            .collect();
        let recorder = Arc::new(Recorder::new(writer, &keys));
        for model in &mut servers {
            model.recorder = Some(Arc::clone(&recorder));
        }
        recorder
    }

    /// Returns the one of this name; the first one has whatever name the others do not have.
    pub(crate) fn named(&self, name: &str) -> &ModelClient {
        self.others.get(name).unwrap_or(&self.first)
    }

    /// Returns who is asked in a role; `name` is that of the profile the run has for it
    /// ([`RunState::model_for`](harness_core::RunState::model_for)).
    pub fn for_role(&self, role: Role, name: &str) -> &ModelClient {
        self.roles.get(&role).unwrap_or_else(|| self.named(name))
    }
}

/// How fast a script or a recording answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As the script says, word by word; as the recorded server did.
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
    key: Option<Key>,
    /// What no complaint of a server may repeat.
    secrets: Secrets,
    /// Messages before this one go without what the model thought: the server refused it.
    thinks_from: AtomicUsize,
    idle: Duration,
    recorder: Option<Arc<Recorder>>,
}

impl HttpModel {
    /// Makes a client; nothing is sent before the first request. `idle` is how long a stream may be silent.
    pub fn new(api: Api, options: RequestOptions, key: Option<String>, idle: Duration) -> Self {
        Self {
            client: HttpClient::new(),
            api,
            options,
            secrets: Secrets::new(key.as_deref().as_slice()),
            key: key.map(Key),
            thinks_from: AtomicUsize::new(0),
            idle,
            recorder: None,
        }
    }

    /// Asks for one answer; a server that repeats the key in its complaint does not get it into the log.
    async fn request(
        &self,
        prompt: &Prompt,
        deltas: &mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
        (options, purpose): (&RequestOptions, ExchangePurpose),
    ) -> Result<ModelResponse, ModelFailure> {
        let from = self.thinks_from.load(Ordering::Relaxed);
        let sent = thinking::left_out(prompt, from);
        let answer = self
            .exchange(&sent, deltas, cancelled, (options, purpose))
            .await;
        let answer = answer.and_then(with_room_in_the_log);
        answer.map_err(|mut failure| {
            if is_about_thinking(&failure) {
                // Asked again it goes without; where it went without already, nothing helps.
                let all = prompt.messages.len();
                if self.thinks_from.swap(all, Ordering::Relaxed) >= all {
                    failure.class = FailureClass::Invalid;
                }
            }
            failure.message = self.secrets.plain(&failure.message);
            failure
        })
    }

    async fn exchange(
        &self,
        prompt: &Prompt,
        deltas: &mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
        (options, purpose): (&RequestOptions, ExchangePurpose),
    ) -> Result<ModelResponse, ModelFailure> {
        let wire = harness_provider::encode(self.api, prompt, options);
        let asked = wire.asked.clone();
        let key_header = wire.key_header.0;
        let request = self.to_http(wire);
        let mut kept: Option<Box<Kept>> = self
            .recorder
            .as_ref()
            .and_then(|recorder| recorder.begin(self.api, &asked, key_header, &request, purpose));
        let sent = self.client.stream(request, self.idle, cancelled);
        let response = sent.await.map_err(|error| {
            if let Some(kept) = &mut kept {
                kept.failed(&error);
            }
            failure(&error)
        })?;
        tell_allowances(&response.headers, prompt, deltas).await;
        read(self.api, asked, Answered::live(response, kept), deltas).await
    }

    fn to_http(&self, wire: WireRequest) -> HttpRequest {
        let (name, prefix) = wire.key_header;
        let key = self
            .key
            .as_ref()
            .map(|Key(key)| (name.to_owned(), format!("{prefix}{key}")));
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
            Self::Http(model) => {
                let asked = (&model.options, ExchangePurpose::Turn);
                model.request(prompt, &deltas, cancelled, asked).await
            }
            Self::Script { script, pace } => tokio::select! {
                biased;
                () = cancelled.wait() => Err(cancelled_failure()),
                answer = play(script, *pace, prompt, &deltas) => answer,
            },
            Self::Replay(recording) => replay(recording, &deltas, cancelled).await,
            Self::Absent { why } => Err(absent(why)),
        }
    }
}

impl ModelClient {
    /// Asks for one answer of at most so many tokens, in a conversation beside the main one.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub(crate) async fn request_within(
        &self,
        prompt: &Prompt,
        output: TokenCount,
        deltas: mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
    ) -> Result<ModelResponse, ModelFailure> {
        let Self::Http(model) = self else {
            return self.request(prompt, deltas, cancelled).await;
        };
        let options = RequestOptions {
            max_output: output.min(model.options.max_output),
            ..model.options.clone()
        };
        // A recording is played in the order of its turns, whichever conversation they belong to.
        let asked = (&options, ExchangePurpose::Turn);
        model.request(prompt, &deltas, cancelled, asked).await
    }

    /// Asks for the note of a hand-over: one answer, and a short one.
    ///
    /// # Errors
    /// When there is no whole answer, and always from a recording: it has no words for it.
    pub(crate) async fn request_note(
        &self,
        prompt: &Prompt,
        deltas: mpsc::Sender<ModelDelta>,
        cancelled: Cancelled,
    ) -> Result<ModelResponse, ModelFailure> {
        let Self::Http(model) = self else {
            return Err(cancelled_failure());
        };
        let mut options = RequestOptions {
            max_output: HAND_OVER_OUTPUT_MAX.min(model.options.max_output),
            ..model.options.clone()
        };
        // What it thinks would be taken from what it says.
        options.effort = lowest_effort(model.api, &options);
        let asked = (&options, ExchangePurpose::HandOver);
        model.request(prompt, &deltas, cancelled, asked).await
    }
}

/// Reads an answer, from a server or a recording.
async fn read(
    api: Api,
    asked: Asked,
    mut response: Answered,
    deltas: &mpsc::Sender<ModelDelta>,
) -> Result<ModelResponse, ModelFailure> {
    if response.status != 200 {
        let headers = response.headers;
        let body = response.body.collect(ERROR_BODY_MAX).await;
        let header = |name: &str| header_of(&headers, name);
        let now = harness_host::clock::now();
        return Err(harness_provider::failure_of_status(
            api,
            response.status,
            header,
            &body,
            now,
        ));
    }
    let mut decoder = Decoder::new(api, asked);
    let mut said = 0;
    while !decoder.is_complete() {
        match response.body.next().await {
            None => break,
            Some(Ok(bytes)) => {
                // In pieces, with a breath between: a person can stop a flood.
                for piece in bytes.chunks(PIECE_BYTES) {
                    send_all(deltas, decoder.push(piece)).await;
                    tokio::task::yield_now().await;
                }
                if decoder.said() > said {
                    said = decoder.said();
                    send_all(deltas, vec![ModelDelta::Said(said)]).await;
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
        response.body.leave();
    }
    decoder.finish()
}

/// Gives the next answer of a recording.
async fn replay(
    replay: &Replay,
    deltas: &mpsc::Sender<ModelDelta>,
    cancelled: Cancelled,
) -> Result<ModelResponse, ModelFailure> {
    let (api, asked, response) = replay.take(cancelled)?;
    let answer = match response {
        Ok(response) => read(api, asked, response, deltas).await,
        Err(error) => Err(failure(&error)),
    };
    let answer = answer.and_then(with_room_in_the_log);
    answer.map_err(|failure| replay.hurried(failure))
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
    let response = turn.to_response(prompt.messages.len().div_ceil(2), prompt.bytes().as_usize());
    for part in &response.parts {
        if let AssistantPart::Text { text } = part {
            send_all(deltas, vec![ModelDelta::Text(text.clone())]).await;
        }
    }
    Ok(response)
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
    let size = prompt.estimate();
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

fn absent(why: &str) -> ModelFailure {
    ModelFailure {
        class: FailureClass::Auth,
        message: why.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn client(think_ms: u64) -> ModelClient {
        let text = format!("[[session]]\n[[session.turn]]\nthink_ms = {think_ms}\n");
        ModelClient::Script {
            script: Script::parse(&text).expect("it is a script"),
            pace: Pace::Fast,
        }
    }

    #[test]
    fn a_key_is_not_shown_with_its_model() {
        let options = RequestOptions {
            model: "m".to_owned(),
            max_output: TokenCount(1),
            context: TokenCount(2),
            base_url: "http://127.0.0.1:1".to_owned(),
            server: None,
            images: false,
            effort: None,
        };
        let key = Some("k-0123456789".to_owned());
        let model = HttpModel::new(Api::Chat, options, key, Duration::from_secs(1));
        let shown = format!("{:?}", ModelClient::Http(Box::new(model)));
        assert!(!shown.contains("0123456789"), "{shown}");
        let bytes = format!("{:?}", b"0123456789");
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
    }

    #[test]
    fn a_role_without_a_client_of_its_own_is_served_by_who_bears_the_name() {
        let models = Models {
            first: client(1),
            others: BTreeMap::from([("spare".to_owned(), client(2))]),
            roles: BTreeMap::from([(Role::Reviewer, client(3))]),
        };
        for (role, name, expected) in [
            (Role::Main, "main", &models.first),
            (Role::Main, "spare", &models.others["spare"]),
            (Role::Cheap, "main", &models.first),
            (Role::Cheap, "spare", &models.others["spare"]),
            (Role::Reviewer, "main", &models.roles[&Role::Reviewer]),
        ] {
            assert!(
                std::ptr::eq(models.for_role(role, name), expected),
                "{role} {name}"
            );
        }
    }
}
