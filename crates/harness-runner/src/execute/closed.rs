//! What the scope keeps from processes, looked for on the disk.

use std::path::{Path, PathBuf};

use harness_core::{Level, RepoPath};
use harness_guard::{Guard, Machine};
use harness_host::disk::Root;

/// Hidden paths that processes are kept from reading; more is an error, never a gap.
const HIDDEN_MAX: usize = 10_000;
/// Closed paths that are looked for below writable folders; a cage has room for far fewer.
const CLOSED_MAX: usize = 1_000;

/// Returns the machine with what the scope hides, and what it closes below writable folders.
///
/// What appears later is met by the next session.
pub(super) async fn with_closed(machine: &Machine, guard: &Guard) -> Result<Machine, String> {
    let (root, level, guard) = (machine.root.clone(), machine.level, guard.clone());
    let found = tokio::task::spawn_blocking(move || find(&root, level, &guard)).await;
    let (masked, pinned) =
        found.map_err(|error| format!("looking for closed files was cut short: {error}"))??;
    Ok(Machine {
        masked,
        pinned,
        ..machine.clone()
    })
}

fn find(root: &Path, level: Level, guard: &Guard) -> Result<(Vec<PathBuf>, Vec<PathBuf>), String> {
    let handle = Root::open(root).map_err(|error| super::chain(&error))?;
    let scope = guard.scope();
    let hidden = handle.host_find(&|path, _| scope.is_hidden(path), HIDDEN_MAX + 1);
    if hidden.len() > HIDDEN_MAX {
        return Err(format!(
            "more than {HIDDEN_MAX} paths match `[scope] hide`: hide their folder instead"
        ));
    }
    // Only a file tree of its own can close single entries of a folder that is open.
    let closed = if level == Level::Namespaces {
        let writable = &guard.bounds().writable;
        let is_closed = |path: &RepoPath, is_folder: bool| {
            let is_within = writable.iter().any(|outer| path.starts_with(outer));
            is_within && !scope.is_hidden(path) && scope.is_closed(path, is_folder)
        };
        handle.host_find(&is_closed, CLOSED_MAX)
    } else {
        Vec::new()
    };
    let whole = |paths: Vec<RepoPath>| {
        let whole = paths.iter().map(|path| root.join(path.as_path()));
        whole.collect()
    };
    Ok((whole(hidden), whole(closed)))
}
