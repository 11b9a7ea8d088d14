//! What a provider still lets a client do, as its headers tell it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a provider counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimit {
    /// Requests.
    Requests,
    /// All tokens of a prompt, and of its answer.
    Tokens,
    /// Tokens of a prompt that are not read from a cache.
    InputTokens,
    /// Tokens of answers.
    OutputTokens,
}

impl RateLimit {
    /// Returns the words of the lines and the documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input tokens",
            Self::OutputTokens => "output tokens",
        }
    }
}

/// What is left of one limit, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// The limit.
    pub limit: RateLimit,
    /// How much is left.
    pub left: u64,
    /// The whole of it; absent where the provider does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// When the provider gives more.
    pub until: Timestamp,
}
