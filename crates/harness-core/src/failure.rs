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
