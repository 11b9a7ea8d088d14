//! Bytes to and from model servers over HTTP.
//!
//! One request, one streamed answer. No redirect is followed, because the key
//! would follow it; no proxy is taken from the environment. What the bytes mean
//! is the provider codecs' business, whether to try again the engine's. The
//! runner calls it.

mod body;
mod client;
mod error;
mod lookup;
mod loopback;

pub use body::HttpBody;
pub use bytes::Bytes;
pub use client::{HttpClient, HttpRequest, HttpResponse};
pub use error::{HttpError, HttpFailure};
pub use loopback::LoopbackClient;
