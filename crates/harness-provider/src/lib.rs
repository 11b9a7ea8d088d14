//! Wire codecs: a prompt becomes the bytes of one request, the bytes of one response become an answer.
//!
//! Sockets, keys, the clock and the decision to try again live elsewhere: the
//! host sends what [`encode`] makes, feeds what arrives to a [`Decoder`], and
//! asks [`failure_of_status`] about any answer that is not 200. The engine sees
//! only the types of `harness-core`.

mod anthropic;
mod assembly;
mod cache;
mod chat;
mod decoder;
mod effort;
mod failure;
mod gemini;
mod history;
mod lines;
mod ollama;
mod rate;
mod request;
mod responses;
mod script;
mod server;
mod sse;

pub use decoder::Decoder;
pub use effort::{Untold, check_effort, lowest_effort};
pub use failure::{failure_of_status, is_about_thinking};
pub use rate::allowances;
pub use request::{Asked, RequestOptions, WireRequest, encode};
pub use script::{Script, ScriptError, ScriptTurn, Seen};
pub use server::Server;

/// The wire a model is spoken to over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions, or any server compatible with it.
    Chat,
    /// OpenAI Responses, without state on the server.
    Responses,
    /// Gemini, `streamGenerateContent`.
    Gemini,
    /// Ollama's own, `/api/chat`.
    Ollama,
}

impl Api {
    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }
}
