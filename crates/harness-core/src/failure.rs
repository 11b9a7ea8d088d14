//! Classes of provider failures: what can be done about each differs.

use serde::{Deserialize, Serialize};

/// What kind of failure a model request ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The server could not be reached: refused, unknown host, TLS.
    Unreachable,
    /// The stream ended early, fell silent, or was not what the wire promises.
    Broken,
    /// The server is overloaded or failed; the same request may pass later.
    Overloaded,
    /// Too many requests; the server usually says how long to wait.
    RateLimited,
    /// The request does not fit the model's context window.
    ContextOverflow,
    /// Out of quota or credit: waiting does not help.
    Quota,
    /// The key is missing, wrong or not allowed to do this.
    Auth,
    /// The server rejects the request as it is.
    Invalid,
    /// The person or the harness cancelled.
    Cancelled,
}

impl FailureClass {
    /// Returns the word of the log, the lines and the documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::Overloaded => "overloaded",
            Self::RateLimited => "rate_limited",
            Self::ContextOverflow => "context_overflow",
            Self::Quota => "quota",
            Self::Auth => "auth",
            Self::Invalid => "invalid",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the same request, sent again later, may succeed.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::Broken | Self::Overloaded | Self::RateLimited
        )
    }
}

/// A model request that did not end with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFailure {
    /// What kind it is.
    pub class: FailureClass,
    /// What happened, for people: no key, no body longer than 2 KiB.
    pub message: String,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// How long the server asks to wait. Unit: milliseconds.
    pub retry_after_ms: Option<u64>,
}
