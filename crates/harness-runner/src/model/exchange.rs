//! One exchange as the decoder reads it: from a server, kept on the way or not, or from a recording.

use harness_core::ByteCount;
use harness_host::http::{Bytes, HttpBody, HttpError, HttpResponse};

use super::{record::Kept, replay::RecordedBody};

/// The beginning of an answer, wherever it comes from.
pub(super) struct Answered {
    /// The status, such as 200.
    pub(super) status: u16,
    /// Names in lower case, and values.
    pub(super) headers: Vec<(String, String)>,
    /// What follows.
    pub(super) body: Body,
}

/// A body that is read piece by piece.
pub(super) enum Body {
    /// From a server.
    Live {
        body: HttpBody,
        kept: Option<Box<Kept>>,
    },
    /// From a recording.
    Recorded(RecordedBody),
}

impl Answered {
    /// Takes the answer of a server; `kept` is what records it.
    pub(super) fn live(response: HttpResponse, mut kept: Option<Box<Kept>>) -> Self {
        if let Some(kept) = &mut kept {
            kept.answered(response.status, &response.headers);
        }
        Self {
            status: response.status,
            headers: response.headers,
            body: Body::Live {
                body: response.body,
                kept,
            },
        }
    }
}

impl Body {
    /// Waits for the next bytes; `None` at the end of the answer.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        match self {
            Self::Recorded(body) => body.next().await,
            Self::Live { body, kept } => {
                let read = body.next().await;
                if let Some(kept) = kept {
                    kept.read(&read);
                }
                read
            }
        }
    }

    /// Reads the rest, at most `max` of it; what could be read when the connection breaks.
    pub(super) async fn collect(mut self, max: ByteCount) -> Vec<u8> {
        let mut whole = Vec::new();
        while let Some(Ok(bytes)) = self.next().await {
            let room = max.as_usize().saturating_sub(whole.len());
            whole.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if whole.len() >= max.as_usize() {
                self.leave();
                break;
            }
        }
        whole
    }

    /// Says that nothing that may still come matters.
    pub(super) fn leave(&mut self) {
        if let Self::Live {
            kept: Some(kept), ..
        } = self
        {
            kept.complete();
        }
    }
}
