//! What is said when a request or the work on a feature comes to nothing.

use harness_core::{EndReason, FailureClass, ModelFailure};

use super::{Line, Who, paragraph};
use crate::clean::clean;

/// Says why there is no answer; one that was called off is no failure of the model.
pub(super) fn request(failure: &ModelFailure) -> Line {
    let message = clean(&failure.message);
    let text = match failure.class {
        FailureClass::Cancelled => message.into_owned(),
        _ => format!("model failed: {message}"),
    };
    Line::new(Who::Note, text)
}

/// Says why the work on a feature ends; a limit leaves it for later, everything else to a person.
pub(super) fn feature(reason: EndReason, detail: &str) -> Line {
    let what = match reason {
        EndReason::Budget | EndReason::Limit => "left for later",
        _ => "left to you",
    };
    paragraph(Who::Feature, &format!("{what} ({reason}): {detail}"))
}
