//! The body of an answer, as it comes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use harness_core::ByteCount;

use super::HttpError;
use crate::Cancelled;

/// How much of the body of an answer that reports an error is read.
const ERROR_BYTES_MAX: u64 = 64 << 10;

/// A body that is read chunk by chunk. Dropping it gives the connection up.
#[derive(Debug)]
pub struct HttpBody {
    response: reqwest::Response,
    host: String,
    idle: Duration,
    cancelled: Cancelled,
    left: u64,
}

impl HttpBody {
    pub(super) fn new(
        response: reqwest::Response,
        host: String,
        idle: Duration,
        cancelled: Cancelled,
    ) -> Self {
        let is_error = response.status().is_client_error() || response.status().is_server_error();
        Self {
            response,
            host,
            idle,
            cancelled,
            left: if is_error { ERROR_BYTES_MAX } else { u64::MAX },
        }
    }

    /// Waits for the next bytes; `None` at the end of the answer.
    ///
    /// The body of an answer that reports an error ends after 64 KiB.
    ///
    /// # Errors
    /// When nothing came for as long as the stream may be silent, when the
    /// connection broke, or when it was cancelled.
    pub async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        if self.left == 0 {
            return None;
        }
        let read = tokio::select! {
            biased;
            () = self.cancelled.wait() => return Some(Err(HttpError::cancelled())),
            read = tokio::time::timeout(self.idle, self.response.chunk()) => read,
        };
        match read {
            Err(_) => Some(Err(HttpError::silent(&self.host))),
            Ok(Err(error)) => Some(Err(HttpError::of(&error, &self.host))),
            Ok(Ok(None)) => None,
            Ok(Ok(Some(mut chunk))) => {
                let room = usize::try_from(self.left).unwrap_or(usize::MAX);
                chunk.truncate(room);
                self.left -= chunk.len() as u64;
                Some(Ok(chunk))
            }
        }
    }

    /// Reads the rest, at most `max` of it; what could be read when the connection breaks.
    pub async fn collect(mut self, max: ByteCount) -> Bytes {
        let mut whole = BytesMut::new();
        self.left = self.left.min(max.0);
        while let Some(Ok(chunk)) = self.next().await {
            whole.extend_from_slice(&chunk);
        }
        whole.freeze()
    }
}
