//! What a person says of a session: its name, and whether lists leave it out.

use harness_core::SessionId;
use harness_store::{LogWriter, Marks, NAME_CHARS_MAX, Store, StoreError, is_session_name};
use serde_json::json;

use crate::{
    failure::{Failure, chain},
    output::Output,
};

pub(super) fn rename(
    store: &Store,
    session: SessionId,
    name: &str,
    output: &mut Output,
) -> Result<u8, Failure> {
    if !name.is_empty() && !is_session_name(name) {
        return Err(Failure::usage(format!("`{name}` cannot be the name of a session")).hint(format!(
            "up to {NAME_CHARS_MAX} letters, digits, `-`, `_` and `.`, a letter first, and no id"
        )));
    }
    let holder = store.session_named(name);
    let holder = holder.map_err(|error| Failure::failed(chain(&error)))?;
    if let Some(holder) = holder.filter(|holder| *holder != session && !name.is_empty()) {
        return Err(Failure::usage(format!("`{name}` is the name of {holder}"))
            .hint(format!("harness session rename {holder} OTHER")));
    }
    let named = (!name.is_empty()).then(|| name.to_owned());
    change(store, session, |marks| marks.name.clone_from(&named))?;
    let text = match &named {
        Some(name) => format!("note: {session} is called `{name}`"),
        None => format!("note: {session} has no name any more"),
    };
    let body = json!({ "session": session.to_string(), "name": named });
    output.entry("session_renamed", &text, body)?;
    Ok(0)
}

pub(super) fn archive(
    store: &Store,
    session: SessionId,
    archived: bool,
    output: &mut Output,
) -> Result<u8, Failure> {
    if archived && is_running(store, session)? {
        return Err(
            Failure::needs_human(format!("a process works on {session}"))
                .hint("stop it first; `harness status` says which"),
        );
    }
    change(store, session, |marks| marks.archived = archived)?;
    let text = if archived {
        format!(
            "note: {session} is archived: lists leave it out; `harness session archive {session} --undo` puts it back"
        )
    } else {
        format!("note: {session} is in lists again")
    };
    let body = json!({ "session": session.to_string(), "archived": archived });
    output.entry("session_archived", &text, body)?;
    Ok(0)
}

/// Refuses to go on with a session that a person has put away.
pub(in crate::cmd) fn refuse_archived(store: &Store, session: SessionId) -> Result<(), Failure> {
    if !is_archived(store, session) {
        return Ok(());
    }
    Err(Failure::usage(format!("session `{session}` is archived"))
        .hint(format!("harness session archive {session} --undo")))
}

/// Whether a person has put a session away; marks that cannot be read say nothing.
pub(in crate::cmd) fn is_archived(store: &Store, session: SessionId) -> bool {
    store.marks(session).is_ok_and(|marks| marks.archived)
}

/// Whether a process has the log of a session.
pub(crate) fn is_running(store: &Store, session: SessionId) -> Result<bool, Failure> {
    match LogWriter::is_in_use(store, session) {
        Ok(in_use) => Ok(in_use),
        Err(StoreError::InUse { .. }) => Ok(true),
        Err(error) => Err(Failure::failed(chain(&error))),
    }
}

fn change(
    store: &Store,
    session: SessionId,
    change: impl FnOnce(&mut Marks),
) -> Result<(), Failure> {
    let failed = |error| Failure::failed(chain(&error));
    let mut marks = store.marks(session).map_err(failed)?;
    change(&mut marks);
    store.set_marks(session, &marks).map_err(failed)
}
