//! The words servers use for failures, one table per class.
//!
//! No standard exists: the same overflow has another text on every server. Each
//! entry is the part of a known message that does not vary, in lower case.

use harness_core::FailureClass;

/// Out of money or quota: waiting does not help.
const QUOTA: &[&str] = &[
    "insufficient_quota",
    "exceeded your current quota",
    "billing_error",
    "billing_hard_limit_reached",
    "credit balance is too low",
    "insufficient credits",
    "insufficient balance",
    "usage_not_included",
    "usage_limit_reached",
];

/// The prompt does not fit the window.
const OVERFLOW: &[&str] = &[
    "context_length_exceeded",
    "context length exceeded",
    "exceed_context_size_error",
    "model_context_window_exceeded",
    "request_too_large",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input length exceeds the context length",
    "exceed context limit",
    "exceeds the context window",
    "exceeds the available context size",
    "exceeds the model's context",
    "exceeds the maximum number of tokens",
    "exceeded model token limit",
    "context window exceeds limit",
    "greater than the context length",
    "larger than the context length",
    "maximum context length",
    "maximum prompt length",
    "reduce the length of the messages",
    "token limit exceeded",
];

/// The key, in words that come with any status.
const AUTH: &[&str] = &[
    "invalid_api_key",
    "api_key_invalid",
    "api key not valid",
    "authentication_error",
    "permission_error",
];

/// Words for the kind of an error that came without a status.
const KINDS: &[(&str, FailureClass)] = &[
    ("rate_limit_error", FailureClass::RateLimited),
    ("rate_limit_exceeded", FailureClass::RateLimited),
    ("overloaded_error", FailureClass::Overloaded),
    ("timeout_error", FailureClass::Overloaded),
    ("api_error", FailureClass::Overloaded),
    ("server_error", FailureClass::Overloaded),
    ("server_is_overloaded", FailureClass::Overloaded),
    ("slow_down", FailureClass::Overloaded),
    ("invalid_prompt", FailureClass::Invalid),
    ("bio_policy", FailureClass::Invalid),
    ("cyber_policy", FailureClass::Invalid),
    ("invalid_request_error", FailureClass::Invalid),
    ("not_found_error", FailureClass::Invalid),
];

/// Returns the class that `texts`, in lower case, speak of whatever the status is.
///
/// Limits per minute are told in the words of overflow; where the caller knows
/// that it is one, `may_overflow` is false.
pub(super) fn class_of(texts: &str, may_overflow: bool) -> Option<FailureClass> {
    let says = |table: &[&str]| table.iter().any(|words| texts.contains(words));
    if says(QUOTA) {
        Some(FailureClass::Quota)
    } else if may_overflow && !texts.contains("rate_limit") && says(OVERFLOW) {
        Some(FailureClass::ContextOverflow)
    } else if says(AUTH) {
        Some(FailureClass::Auth)
    } else {
        None
    }
}

/// Returns the class of a server's own word for the kind of an error.
pub(super) fn class_of_kind(kinds: &[String]) -> Option<FailureClass> {
    KINDS
        .iter()
        .find(|(word, _)| kinds.iter().any(|kind| kind == word))
        .map(|(_, class)| *class)
}
