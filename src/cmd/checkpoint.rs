//! `harness checkpoint`: lists what was saved and goes back to it.

use harness_core::{CheckpointNumber, SessionId};
use harness_git::{CheckpointRef, RestoreMode};
use harness_guard::HostAct;
use harness_runner::restore_ignored;
use harness_store::Store;
use serde_json::json;

use super::{pruned, runs};
use crate::{
    cli::{Checkpoint, Common},
    compose::Site,
    failure::Failure,
    output::Output,
    session,
};

pub(super) fn run(common: &Common, command: &Checkpoint) -> Result<u8, Failure> {
    let site = Site::open(common)?;
    let store = site.existing_store()?;
    let store = store.ok_or_else(|| {
        Failure::usage("there is no session in this repository").hint("harness run")
    })?;
    match command {
        Checkpoint::List { session } => list(
            &site,
            &store,
            common,
            runs::session(&site, &store, session.as_deref())?,
        ),
        Checkpoint::Undo {
            number,
            session: named,
        } => {
            let _lock = session::lock(&site, &store)?;
            undo(
                &site,
                &store,
                common,
                runs::session(&site, &store, named.as_deref())?,
                CheckpointNumber(*number),
            )
        }
    }
}

fn list(site: &Site, store: &Store, common: &Common, session: SessionId) -> Result<u8, Failure> {
    let checkpoints = site.repo.checkpoints(session)?;
    let mut output = Output::new(common);
    let mut before = None;
    for entry in &checkpoints.whole {
        let changes = before.map_or(Ok(Vec::new()), |tree| site.repo.diff(tree, &entry.tree))?;
        let paths: Vec<String> = changes
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        let text = format!(
            "checkpoint: {}, {}, {}, {} files",
            entry.number,
            entry.time,
            entry.commit.short(),
            paths.len()
        );
        let body = json!({ "session": session.to_string(), "n": entry.number.0, "time": entry.time.to_string(),
            "commit": entry.commit.to_string(), "tree": entry.tree.to_string(), "files": paths });
        output.entry("checkpoint", &text, body)?;
        before = Some(&entry.tree);
    }
    for number in &checkpoints.damaged {
        let body = json!({ "session": session.to_string(), "n": number.0 });
        output.entry(
            "checkpoint_damaged",
            &format!("checkpoint: {number}, damaged, skipped"),
            body,
        )?;
    }
    for number in pruned::pruned(store, session, &checkpoints) {
        let body = json!({ "session": session.to_string(), "n": number.0 });
        output.entry(
            "checkpoint_pruned",
            &format!("checkpoint: {number}, pruned"),
            body,
        )?;
    }
    Ok(0)
}

/// Goes back, always as a new checkpoint, so that going back can be undone as well.
fn undo(
    site: &Site,
    store: &Store,
    common: &Common,
    session: SessionId,
    number: CheckpointNumber,
) -> Result<u8, Failure> {
    let checkpoints = site.repo.checkpoints(session)?;
    let wanted = checkpoints
        .whole
        .iter()
        .find(|entry| entry.number == number);
    let (Some(wanted), Some(last)) = (wanted, checkpoints.whole.last()) else {
        return Err(pruned::missing(store, session, &checkpoints, number));
    };
    let restored = site
        .repo
        .restore(&last.tree, &wanted.tree, RestoreMode::Write)?;
    if !restored.refused.is_empty() {
        let list: String = restored
            .refused
            .iter()
            .take(20)
            .map(|refused| format!("\n  {}: {}", refused.path, refused.reason))
            .collect();
        return Err(
            Failure::needs_human(format!("cannot undo, nothing was changed:{list}"))
                .hint("move your own changes to these files away first"),
        );
    }
    let damaged = checkpoints
        .damaged
        .iter()
        .max()
        .copied()
        .unwrap_or_default();
    let name = CheckpointRef {
        session,
        number: last.number.max(damaged).next(),
    };
    let message = format!("undo to checkpoint {number} of {session}");
    let made = site.repo.checkpoint(
        name,
        &wanted.tree,
        Some(&last.commit),
        &message,
        harness_host::clock::now(),
    );
    made?;
    let ignored = restore_ignored(store.folder(), session, &site.root, HostAct::Undo)
        .map_err(Failure::failed)?;
    let files = restored.written.len() + restored.removed.len() + ignored.len();
    let text = format!(
        "checkpoint: back at {number}, {files} files restored, saved as checkpoint {}",
        name.number
    );
    let body = json!({ "session": session.to_string(), "to": number.0, "n": name.number.0, "files": files });
    Output::new(common).entry("undone", &text, body)?;
    Ok(0)
}
