//! Why a session does not go on: said in words, and as JSON for whoever started it from a program.

use harness_core::SessionId;
use harness_store::{Defect, StoreError};
use serde_json::json;

use crate::{
    cmd::lost::Lost,
    failure::{Failure, chain},
    surface::Surface,
};

/// A resume that does not go on.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Whether a person can let it go on all the same, once they have decided something.
    is_asked: bool,
    /// Why, in a word of the JSON lines.
    why: &'static str,
    failure: Failure,
}

impl Refused {
    /// Something differs, and only a person can say what is to be done about it.
    pub(super) const fn asked(why: &'static str, failure: Failure) -> Self {
        Self {
            is_asked: true,
            why,
            failure,
        }
    }

    /// It cannot go on.
    pub(super) const fn cannot(why: &'static str, failure: Failure) -> Self {
        Self {
            is_asked: false,
            why,
            failure,
        }
    }

    /// The log of the session cannot be read.
    pub(super) fn log(session: SessionId, error: &StoreError) -> Self {
        let message = format!("cannot go on with {session}: {}", chain(error));
        match error {
            StoreError::Unreadable {
                defect: Defect::Newer { .. } | Defect::UnknownEvent { .. },
                ..
            } => Self::cannot(
                "later_version",
                Failure::failed(message)
                    .hint("go on with the version of `harness` that wrote it, or begin anew with `harness run`"),
            ),
            StoreError::Unreadable { .. } => Self::cannot(
                "log_broken",
                Failure::failed(message).hint(format!(
                    "`harness log verify {session}` tells where; its files are in `harness checkpoint list {session}`; `harness run` begins anew"
                )),
            ),
            StoreError::InUse { .. } => Self::cannot("log_in_use", Failure::needs_human(message)),
            _ => Self::cannot("log", Failure::failed(message)),
        }
    }

    /// The log of the session was emptied.
    pub(super) fn lost(session: SessionId, lost: &Lost) -> Self {
        let message = format!("cannot go on with {session}: its log {}", lost.words());
        Self::cannot(
            "log_lost",
            Failure::failed(message).hint(format!(
                "put the log back from a copy; the files are in `harness checkpoint list {session}`; `harness run` begins anew, and `harness session archive {session}` lets `resume --last` pass over it"
            )),
        )
    }

    /// Says it as JSON, where JSON is wanted, and returns the failure for people.
    pub(super) fn tell(self, json: bool, surface: &dyn Surface) -> Failure {
        let told = self.failure.to_told();
        let outcome = if self.is_asked { "asked" } else { "cannot" };
        let body = json!({ "outcome": outcome, "why": self.why, "message": told.message, "hint": told.hint,
            "exit_code": self.failure.code() });
        if json && let Err(failure) = surface.entry("resume_refused", "", body) {
            return failure;
        }
        self.failure
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::cannot("other", failure)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        refused.failure
    }
}
