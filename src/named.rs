//! How a person names a session: by id, by number, by its name, or by a file that holds its log.

use std::path::{Path, PathBuf};

use harness_core::SessionId;
use harness_store::Store;

use crate::failure::{Failure, chain};

/// Finds the session that a text names; `None` when none of the repository is meant.
pub(crate) fn session(store: &Store, text: &str) -> Result<Option<SessionId>, Failure> {
    let failed = |error| Failure::failed(chain(&error));
    let by_number = text.parse().ok().map(SessionId::new);
    if let Some(session) = by_number.or_else(|| text.parse().ok()) {
        let known = store.sessions().map_err(failed)?;
        return Ok(known.contains(&session).then_some(session));
    }
    if !harness_store::is_session_name(text) {
        return Ok(None);
    }
    store.session_named(text).map_err(failed)
}

/// Returns the file that a text names, where it is written as one: with a `/`, or ending in `.jsonl`.
pub(crate) fn file(text: &str) -> Option<PathBuf> {
    let is_file = text.contains('/')
        || Path::new(text)
            .extension()
            .is_some_and(|end| end == "jsonl");
    is_file.then(|| PathBuf::from(text))
}
