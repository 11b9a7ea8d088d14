//! One streaming response, from its first byte to the whole answer.
//!
//! The host feeds bytes as they come and asks for the answer when the stream
//! has ended, however it ended. A stream that was cut is never an answer.

use harness_core::{Maker, ModelDelta, ModelFailure, ModelResponse};
use serde_json::Value;

use crate::{
    Api, Asked, anthropic, chat,
    failure::{broken, failure_of_body},
    gemini, lines, ollama, responses,
    sse::{self, EventTooLarge},
};

/// Decodes one streaming response. Cutting the bytes elsewhere changes nothing.
///
/// Two decoders are equal when all that may follow means the same to both.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoder {
    framer: Framer,
    reader: Reader,
    maker: Maker,
    failure: Option<ModelFailure>,
    invalid_utf8: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Framer {
    Events(sse::Framer),
    Lines(lines::Framer),
}

#[derive(Clone, Debug, PartialEq)]
enum Reader {
    Anthropic(anthropic::Reader),
    Chat(chat::Reader),
    Responses(responses::Reader),
    Gemini(gemini::Reader),
    Ollama(ollama::Reader),
}

/// What one event says.
pub(crate) enum Payload {
    /// The mark that ends a Chat Completions stream.
    Done,
    /// A JSON object.
    Object(Value),
}

impl Decoder {
    /// Starts on a response with status 200 to what was asked.
    pub fn new(api: Api, asked: Asked) -> Self {
        Self {
            framer: match api {
                Api::Ollama => Framer::Lines(lines::Framer::default()),
                _ => Framer::Events(sse::Framer::default()),
            },
            reader: match api {
                Api::Anthropic => Reader::Anthropic(anthropic::Reader::default()),
                Api::Chat => Reader::Chat(chat::Reader::default()),
                Api::Responses => Reader::Responses(responses::Reader::default()),
                Api::Gemini => Reader::Gemini(gemini::Reader::default()),
                Api::Ollama => Reader::Ollama(ollama::Reader::new(asked.prompt)),
            },
            maker: Maker {
                wire: api.as_str().to_owned(),
                model: asked.model,
            },
            failure: None,
            invalid_utf8: 0,
        }
    }

    /// Takes the next bytes and returns what they add, for showing only.
    ///
    /// Bytes after the end of the answer are ignored.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<ModelDelta> {
        let mut deltas = Vec::new();
        if self.is_complete() {
            return deltas;
        }
        let mut events = Vec::new();
        let framed = self.framer.push(bytes, &mut events);
        for event in events {
            if self.is_complete() {
                return deltas;
            }
            self.failure = self.read(&event, &mut deltas).err();
        }
        if framed == Err(EventTooLarge) && !self.is_complete() {
            self.failure = Some(broken("the stream has an event of more than 8 MiB"));
        }
        deltas
    }

    /// Whether nothing that may still come matters, so that the host can stop reading.
    pub fn is_complete(&self) -> bool {
        self.failure.is_some()
            || match &self.reader {
                Reader::Anthropic(reader) => reader.is_complete(),
                Reader::Chat(reader) => reader.is_complete(),
                Reader::Responses(reader) => reader.is_complete(),
                // An answer of this wire ends with its stream: more may follow a finish reason.
                Reader::Gemini(_) => false,
                Reader::Ollama(reader) => reader.is_complete(),
            }
    }

    /// Returns how many bytes the answer has so far, arguments of calls included: about four a token.
    pub fn said(&self) -> u64 {
        let said = match &self.reader {
            Reader::Anthropic(reader) => reader.said(),
            Reader::Chat(reader) => reader.said(),
            Reader::Responses(reader) => reader.said(),
            Reader::Gemini(reader) => reader.said(),
            Reader::Ollama(reader) => reader.said(),
        };
        said as u64
    }

    /// Returns how many invalid UTF-8 sequences were replaced so far.
    pub fn invalid_utf8(&self) -> u64 {
        self.invalid_utf8
    }

    /// Returns the whole answer. Called when the stream has ended, was cut or fell silent.
    ///
    /// # Errors
    /// - [`Broken`](harness_core::FailureClass::Broken) when the stream ended before
    ///   the answer did, exceeded a bound or was not what the wire promises.
    /// - The class of the error that the server reported inside the stream.
    pub fn finish(mut self) -> Result<ModelResponse, ModelFailure> {
        if !self.is_complete() {
            self.failure = self.framer.unframed().and_then(|it| failure_of_body(&it));
        }
        if !self.is_complete()
            && let Some(rest) = self.framer.take_rest()
            && let Ok(Some(payload)) = self.payload(&rest)
        {
            // A rest that is no whole payload is where the stream was cut: the reader
            // knows whether the answer had ended before.
            self.failure = self.apply(payload, &mut Vec::new()).err();
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let mut response = match self.reader {
            Reader::Anthropic(reader) => reader.finish(),
            Reader::Chat(reader) => reader.finish(),
            Reader::Responses(reader) => reader.finish(),
            Reader::Gemini(reader) => reader.finish(),
            Reader::Ollama(reader) => reader.finish(),
        }?;
        if !self.maker.model.is_empty() {
            let parts = response.parts.into_iter();
            response.parts = parts.map(|part| part.made_by(&self.maker)).collect();
        }
        Ok(response)
    }

    fn read(&mut self, event: &[u8], deltas: &mut Vec<ModelDelta>) -> Result<(), ModelFailure> {
        match self.payload(event)? {
            Some(payload) => self.apply(payload, deltas),
            None => Ok(()),
        }
    }

    fn apply(
        &mut self,
        payload: Payload,
        deltas: &mut Vec<ModelDelta>,
    ) -> Result<(), ModelFailure> {
        match &mut self.reader {
            Reader::Anthropic(reader) => reader.read(payload, deltas),
            Reader::Chat(reader) => reader.read(payload, deltas),
            Reader::Responses(reader) => reader.read(payload, deltas),
            Reader::Gemini(reader) => reader.read(payload, deltas),
            Reader::Ollama(reader) => reader.read(payload, deltas),
        }
    }

    fn payload(&mut self, event: &[u8]) -> Result<Option<Payload>, ModelFailure> {
        let text = String::from_utf8_lossy(event);
        self.invalid_utf8 += event
            .utf8_chunks()
            .filter(|chunk| !chunk.invalid().is_empty())
            .count() as u64;
        match text.trim() {
            "" => Ok(None),
            "[DONE]" => Ok(Some(Payload::Done)),
            json => match serde_json::from_str(json) {
                Ok(value @ Value::Object(_)) => Ok(Some(Payload::Object(value))),
                _ => Err(broken("the stream has an event that is no JSON object")),
            },
        }
    }
}

impl Framer {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Vec<u8>>) -> Result<(), EventTooLarge> {
        match self {
            Self::Events(framer) => framer.push(bytes, events),
            Self::Lines(framer) => framer.push(bytes, events),
        }
    }

    /// Returns the body where nothing of it was framed; a line of JSON is one, whoever sends it.
    fn unframed(&self) -> Option<Vec<u8>> {
        match self {
            Self::Events(framer) => framer.unframed(),
            Self::Lines(_) => None,
        }
    }

    fn take_rest(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Events(framer) => std::mem::take(framer).finish(),
            Self::Lines(framer) => std::mem::take(framer).finish(),
        }
    }
}
