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

/// Says of a session that its log was pruned, where a text names such a one.
pub(crate) fn pruned(store: &Store, text: &str) -> Option<Failure> {
    let by_number = text.parse().ok().map(SessionId::new);
    let session = by_number.or_else(|| text.parse().ok())?;
    let pruned = store.marks(session).ok()?.pruned?;
    let message = format!(
        "the log of {session} was pruned {}; it had {} records, the last with hash {}",
        pruned.at.to_seconds_text(),
        pruned.records,
        pruned.head
    );
    Some(Failure::usage(message).hint("harness session list"))
}

/// Returns the file that a text names, seen from `folder`: one that ends in `.jsonl`, or that is
/// written with a `/` and is there.
pub(crate) fn file(folder: Option<&Path>, text: &str) -> Option<PathBuf> {
    let path = folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text));
    let is_log = path.extension().is_some_and(|end| end == "jsonl");
    (is_log || text.contains('/') && path.is_file()).then_some(path)
}
