//! Keeping what goes to a model server and what comes back, while it does.
//!
//! Bytes are kept as they come, after the HTTP library took chunking and
//! compression off. Keys are taken out before anything is written: the headers
//! that carry them whole, their values wherever they turn up, and what looks like
//! a key of any known issuer. What cannot be written ends the recording and not
//! the run. The files are the store's business.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use harness_host::http::{Bytes, HttpError, HttpFailure, HttpRequest};
use harness_provider::{Api, Asked};
use harness_store::{ExchangeEnd, ExchangeEntry, ExchangePurpose, RecordingError, RecordingWriter};

use super::secrets::{Held, Secrets, path_of};
use crate::execute::chain;

/// Records the exchanges of a run, whichever of its models is asked.
#[derive(Debug)]
pub struct Recorder {
    writer: Mutex<Writing>,
    secrets: Secrets,
}

#[derive(Debug)]
struct Writing {
    writer: RecordingWriter,
    stopped: Option<String>,
}

/// What became of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where it is.
    pub folder: PathBuf,
    /// How many exchanges it has.
    pub exchanges: usize,
    /// Why it ends before the run did.
    pub stopped: Option<String>,
}

impl Recorder {
    /// Makes a recorder; `keys` are the values that must not reach the disk.
    pub(super) fn new(writer: RecordingWriter, keys: &[&str]) -> Self {
        Self {
            writer: Mutex::new(Writing {
                writer,
                stopped: None,
            }),
            secrets: Secrets::new(keys),
        }
    }

    /// Returns what became of it so far.
    pub fn recorded(&self) -> Recorded {
        let writing = self.lock();
        Recorded {
            folder: writing.writer.folder().to_owned(),
            exchanges: writing.writer.len(),
            stopped: writing.stopped.clone(),
        }
    }

    /// Keeps a request that goes out; `None` when nothing is recorded any more.
    pub(super) fn begin(
        self: &Arc<Self>,
        api: Api,
        asked: &Asked,
        key_header: &str,
        request: &HttpRequest,
        purpose: ExchangePurpose,
    ) -> Option<Box<Kept>> {
        let secrets = &self.secrets;
        let url = secrets.address(&request.url);
        let sent = request.headers.iter();
        let sent = sent.filter(|(name, _)| !name.eq_ignore_ascii_case(key_header));
        let entry = ExchangeEntry {
            api: word_of(api).to_owned(),
            purpose,
            model: asked.model.clone(),
            method: "POST".to_owned(),
            url_path: path_of(&url).to_owned(),
            url,
            sent_at: Some(harness_host::clock::now()),
            prompt_tokens: asked.prompt.0,
            request_headers: secrets.headers(sent),
            ..ExchangeEntry::default()
        };
        let body = secrets.text(&request.body);
        let number = self.write(|writer| writer.begin(entry, &body))?;
        Some(Box::new(Kept {
            recorder: Arc::clone(self),
            api,
            number,
            begun: Instant::now(),
            held: Held::default(),
            is_over: false,
        }))
    }

    /// Writes, as long as that works.
    fn write<T>(
        &self,
        write: impl FnOnce(&mut RecordingWriter) -> Result<T, RecordingError>,
    ) -> Option<T> {
        let mut writing = self.lock();
        if writing.stopped.is_some() {
            return None;
        }
        match write(&mut writing.writer) {
            Ok(value) => Some(value),
            Err(error) => {
                let why = chain(&error);
                writing.writer.stop(&why);
                writing.stopped = Some(why);
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One exchange that is being kept. Dropped before its end it was cancelled.
#[derive(Debug)]
pub(super) struct Kept {
    recorder: Arc<Recorder>,
    api: Api,
    number: u64,
    begun: Instant,
    held: Held,
    is_over: bool,
}

impl Kept {
    /// Keeps how the answer begins.
    pub(super) fn answered(&mut self, status: u16, headers: &[(String, String)]) {
        let headers = self.recorder.secrets.headers(headers.iter());
        let kind = match self.api {
            _ if status != 200 => "json",
            Api::Ollama => "ndjson",
            _ => "sse",
        };
        let number = self.number;
        self.recorder
            .write(|writer| writer.answered(number, status, headers, kind));
    }

    /// Keeps what was read of the body.
    pub(super) fn read(&mut self, read: &Option<Result<Bytes, HttpError>>) {
        match read {
            Some(Ok(bytes)) => {
                let kept = self.held.push(bytes, &self.recorder.secrets);
                self.append(bytes.len(), &kept);
            }
            Some(Err(error)) => self.failed(error),
            None => self.complete(),
        }
    }

    /// Keeps that no answer came, or no whole one.
    pub(super) fn failed(&mut self, error: &HttpError) {
        let message = self.recorder.secrets.plain(&error.message);
        self.over(end_of(error), Some(message));
    }

    /// Keeps that the answer is whole.
    pub(super) fn complete(&mut self) {
        self.over(ExchangeEnd::Complete, None);
    }

    fn append(&mut self, came: usize, kept: &[u8]) {
        if self.is_over {
            return;
        }
        let (number, ms) = (self.number, self.ms());
        self.recorder
            .write(|writer| writer.append(number, ms, came, kept));
    }

    fn over(&mut self, ended: ExchangeEnd, error: Option<String>) {
        if self.is_over {
            return;
        }
        let rest = self.held.take(&self.recorder.secrets);
        self.append(0, &rest);
        self.is_over = true;
        let (number, ms) = (self.number, self.ms());
        self.recorder
            .write(|writer| writer.end(number, ms, ended, error));
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.over(ExchangeEnd::Cancelled, None);
    }
}

fn end_of(error: &HttpError) -> ExchangeEnd {
    match error.class {
        // The system's word for it; the library has no other.
        HttpFailure::Broken if error.message.contains("reset") => ExchangeEnd::Reset,
        HttpFailure::Broken => ExchangeEnd::Cut,
        HttpFailure::Silent => ExchangeEnd::Silent,
        HttpFailure::Cancelled => ExchangeEnd::Cancelled,
        HttpFailure::Unreachable => ExchangeEnd::Unreachable,
        HttpFailure::Tls => ExchangeEnd::Tls,
        HttpFailure::Redirect => ExchangeEnd::Redirect,
        HttpFailure::Invalid => ExchangeEnd::Invalid,
    }
}

/// Returns the word of a wire in recordings, which others use as well.
const fn word_of(api: Api) -> &'static str {
    match api {
        Api::Anthropic => "anthropic",
        Api::Chat => "openai-chat",
        Api::Responses => "openai-responses",
        Api::Gemini => "gemini",
        Api::Ollama => "ollama",
    }
}

/// Returns the wire that a word of a recording stands for.
pub(super) fn api_of(word: &str) -> Option<Api> {
    [
        Api::Anthropic,
        Api::Chat,
        Api::Responses,
        Api::Gemini,
        Api::Ollama,
    ]
    .into_iter()
    .find(|api| word_of(*api) == word || api.as_str() == word)
}
