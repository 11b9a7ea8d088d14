//! What went wrong on the way, without the request's secrets.

use std::error::Error;

use harness_core::FailureClass;

/// What the TLS library says, as plain text, of a server that hangs up on a handshake.
const TLS_EOF: &str = "tls handshake eof";

/// A request that got no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What kind of failure it is.
    pub class: HttpFailure,
    /// What was attempted on which host, and the system's answer: no path, query, header or body.
    pub message: String,
}

/// Kinds of failures below the meaning of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpFailure {
    /// The request cannot be sent as it is: its address or a header is malformed.
    Invalid,
    /// No connection: unknown host, refused, no route.
    Unreachable,
    /// The server's certificate was not accepted, or the two do not agree on how to encrypt.
    Tls,
    /// The server answered with a redirect, which is not followed.
    Redirect,
    /// The connection ended before the answer did, or the answer is no HTTP.
    Broken,
    /// Nothing came for as long as a stream may be silent.
    Silent,
    /// It was cancelled.
    Cancelled,
}

impl HttpFailure {
    /// Returns the class by which a failed model request is handled.
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Invalid | Self::Redirect => FailureClass::Invalid,
            Self::Unreachable | Self::Tls => FailureClass::Unreachable,
            Self::Broken | Self::Silent => FailureClass::Broken,
            Self::Cancelled => FailureClass::Cancelled,
        }
    }
}

impl HttpError {
    pub(super) fn new(class: HttpFailure, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
        }
    }

    pub(super) fn silent(host: &str) -> Self {
        Self::new(HttpFailure::Silent, format!("`{host}` fell silent"))
    }

    pub(super) fn cancelled() -> Self {
        Self::new(HttpFailure::Cancelled, "the request was cancelled")
    }

    /// Words what the client library reports; its own text would name the whole address.
    pub(super) fn of(error: &reqwest::Error, host: &str) -> Self {
        let cause = innermost(error);
        let (class, attempt) = if error.is_builder() {
            (HttpFailure::Invalid, "cannot make a request to")
        } else if cause == TLS_EOF
            || chain(error).any(|cause| cause.is::<rustls::Error>() || is_tls_io(cause))
        {
            (HttpFailure::Tls, "cannot encrypt the connection to")
        } else if error.is_connect() {
            (HttpFailure::Unreachable, "cannot reach")
        } else {
            (HttpFailure::Broken, "lost the connection to")
        };
        Self::new(class, format!("{attempt} `{host}`: {cause}"))
    }
}

/// Whether an I/O error carries one of TLS, as the connector wraps it, possibly twice.
fn is_tls_io(error: &(dyn Error + 'static)) -> bool {
    let mut wrapped = error.downcast_ref::<std::io::Error>();
    while let Some(inner) = wrapped.and_then(std::io::Error::get_ref) {
        if inner.is::<rustls::Error>() {
            return true;
        }
        wrapped = inner.downcast_ref::<std::io::Error>();
    }
    false
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Returns the text of the last cause, which speaks of the system and not of the request.
fn innermost(error: &reqwest::Error) -> String {
    let own: &(dyn Error + 'static) = error;
    match chain(own).skip(1).last() {
        Some(cause) => cause.to_string(),
        None => "the request failed".to_owned(),
    }
}
