//! A recording as a model: the n-th request gets the n-th exchange, through the real decoder.
//!
//! Exchanges that were no turns are passed over: a replayed run asks for no notes.
//! What was sent is not compared: a run that takes another way than the recorded
//! one still gets the next exchange, and ends where the recording does.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use harness_core::{FailureClass, ModelFailure, TokenCount};
use harness_host::{
    Cancelled,
    http::{Bytes, HttpError, HttpFailure},
};
use harness_provider::{Api, Asked};
use harness_store::{
    ExchangeEnd, ExchangeEntry, ExchangePurpose, Recording, RecordingError, Replayed,
};
use serde_json::Value;

use super::{
    Pace,
    exchange::{Answered, Body},
    record::api_of,
};
use crate::execute::chain;

/// The longest wait that a server asks for and gets; what is longer is taken for a no and left as it is.
const WAIT_MAX_MS: u64 = 120_000;

/// The wait before a retry where nobody wants to wait. Unit: milliseconds.
const NO_WAIT_MS: u64 = 1;

/// A recording that answers.
#[derive(Debug)]
pub struct Replay {
    recording: Recording,
    /// Where the exchanges of turns stand in the recording, each with its wire.
    turns: Vec<(usize, Api)>,
    pace: Pace,
    next: AtomicUsize,
}

impl Replay {
    /// Opens a recording.
    ///
    /// # Errors
    /// When it is broken, with the file and the key or line.
    pub fn open(folder: &Path, pace: Pace) -> Result<Self, RecordingError> {
        let recording = Recording::open(folder)?;
        let mut turns = Vec::new();
        for (index, entry) in recording.entries().iter().enumerate() {
            let api = api_of(&entry.api).ok_or_else(|| RecordingError::Broken {
                path: folder.join("meta.json"),
                problem: format!(
                    "`interactions[{index}].api` is no known wire: {:?}",
                    entry.api
                ),
            })?;
            if entry.purpose == ExchangePurpose::Turn {
                turns.push((index, api));
            }
        }
        Ok(Self {
            turns,
            recording,
            pace,
            next: AtomicUsize::new(0),
        })
    }

    /// Answers at this pace from now on.
    pub const fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Goes on behind the answers that a run had before it was stopped.
    pub fn skip(&self, answers: usize) {
        self.next.store(answers, Ordering::Relaxed);
    }

    /// Returns the recording.
    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Takes the next exchange: its wire, what was asked, and the answer.
    pub(super) fn take(
        &self,
        cancelled: Cancelled,
    ) -> Result<(Api, Asked, Result<Answered, HttpError>), ModelFailure> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let Some((index, api)) = self.turns.get(turn) else {
            return Err(invalid(self.used_up(turn)));
        };
        let exchange = self.recording.exchange(*index);
        let exchange = exchange.map_err(|error| invalid(chain(&error)))?;
        let Some(exchange) = exchange else {
            return Err(invalid(self.used_up(turn)));
        };
        let asked = Asked {
            model: exchange.entry.model.clone(),
            prompt: TokenCount(exchange.entry.prompt_tokens),
        };
        Ok((*api, asked, answered(exchange, self.pace, cancelled)))
    }

    /// Returns a failure with the wait that it is worth at this pace.
    pub(super) fn hurried(&self, mut failure: ModelFailure) -> ModelFailure {
        let is_no = |ms: u64| ms > WAIT_MAX_MS;
        if self.pace == Pace::Fast
            && failure.class.is_retryable()
            && !failure.retry_after_ms.is_some_and(is_no)
        {
            failure.retry_after_ms = Some(NO_WAIT_MS);
        }
        failure
    }

    fn used_up(&self, turn: usize) -> String {
        let count = self.turns.len();
        let exchanges = if count == 1 { "exchange" } else { "exchanges" };
        let why = match self.recording.stopped() {
            Some(why) => format!("recording stopped: {why}"),
            None => "this run took another way than the recorded one, or that one was stopped here"
                .to_owned(),
        };
        format!(
            "the recording has {count} {exchanges}; request {} is not in it ({why}). \
             Record anew with `harness run --record DIR`",
            turn.saturating_add(1)
        )
    }
}

fn answered(exchange: Replayed, pace: Pace, cancelled: Cancelled) -> Result<Answered, HttpError> {
    let Replayed { entry, pieces } = exchange;
    let Some(status) = entry.status else {
        return Err(end_of(&entry).unwrap_or_else(|| broken("the recording has no answer here")));
    };
    if cancelled.is_cancelled() {
        return Err(error(HttpFailure::Cancelled, "the request was cancelled"));
    }
    let text = |(name, value): (&String, &Value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (name.to_ascii_lowercase(), value)
    };
    Ok(Answered {
        status,
        headers: entry.headers.iter().map(text).collect(),
        body: Body::Recorded(RecordedBody {
            pieces: pieces.into_iter(),
            end: end_of(&entry),
            begun: Instant::now(),
            ms: entry.ms,
            pace,
            cancelled,
        }),
    })
}

/// The body of a recorded answer.
#[derive(Debug)]
pub(super) struct RecordedBody {
    pieces: std::vec::IntoIter<(u64, Vec<u8>)>,
    end: Option<HttpError>,
    begun: Instant,
    ms: u64,
    pace: Pace,
    cancelled: Cancelled,
}

impl RecordedBody {
    /// Waits for the next piece, as long as it took when that is wanted; then it ends as it did.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        let piece = self.pieces.next();
        let at = piece.as_ref().map_or(self.ms, |(ms, _)| *ms);
        if self.wait_until(at).await.is_err() {
            let error = error(HttpFailure::Cancelled, "the request was cancelled");
            return Some(Err(error));
        }
        match piece {
            Some((_, bytes)) => Some(Ok(bytes.into())),
            None => self.end.take().map(Err),
        }
    }

    async fn wait_until(&mut self, ms: u64) -> Result<(), ()> {
        if self.cancelled.is_cancelled() {
            return Err(());
        }
        let wait = Duration::from_millis(ms).saturating_sub(self.begun.elapsed());
        // Even the shortest sleep takes a millisecond, and a stream has thousands of pieces.
        if self.pace == Pace::Fast || wait.is_zero() {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = self.cancelled.wait() => Err(()),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }
}

/// Returns the failure that an exchange ended with; none where it came whole.
fn end_of(entry: &ExchangeEntry) -> Option<HttpError> {
    let (class, words) = match entry.ended {
        ExchangeEnd::Complete => return None,
        ExchangeEnd::Cut => (HttpFailure::Broken, "the connection was cut"),
        ExchangeEnd::Reset => (HttpFailure::Broken, "the connection was reset"),
        ExchangeEnd::Open => (HttpFailure::Broken, "the recording program was killed here"),
        ExchangeEnd::Silent => (HttpFailure::Silent, "the server fell silent"),
        ExchangeEnd::Cancelled => (HttpFailure::Cancelled, "the request was cancelled"),
        ExchangeEnd::Unreachable => (HttpFailure::Unreachable, "the server was not reached"),
        ExchangeEnd::Tls => (HttpFailure::Tls, "the connection could not be encrypted"),
        ExchangeEnd::Redirect => (HttpFailure::Redirect, "the server redirects"),
        ExchangeEnd::Invalid => (HttpFailure::Invalid, "the request could not be sent"),
    };
    let message = entry.error.as_deref().unwrap_or(words);
    Some(error(class, &format!("recorded: {message}")))
}

fn error(class: HttpFailure, message: &str) -> HttpError {
    HttpError {
        class,
        message: message.to_owned(),
    }
}

fn broken(message: &str) -> HttpError {
    error(HttpFailure::Broken, message)
}

const fn invalid(message: String) -> ModelFailure {
    ModelFailure {
        class: FailureClass::Invalid,
        message,
        status: None,
        retry_after_ms: None,
    }
}
