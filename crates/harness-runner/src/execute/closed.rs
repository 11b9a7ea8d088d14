//! What the scope keeps from processes, looked for on the disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness_core::{Level, RepoPath};
use harness_guard::{Guard, Machine};
use harness_host::disk::Root;

/// Hidden paths that processes are kept from reading; more is an error, never a gap.
const HIDDEN_MAX: usize = 10_000;
/// Closed paths that are looked for below writable folders; a cage has room for far fewer.
const CLOSED_MAX: usize = 1_000;

/// Returns the machine with what the scope hides, and what it closes below writable folders.
///
/// What appears later is met when it is looked for anew.
///
/// # Errors
/// One line for people, when the work tree cannot be looked through or too much is hidden.
pub async fn with_closed(machine: &Machine, guard: &Guard) -> Result<Machine, String> {
    let (root, level, guard) = (machine.root.clone(), machine.level, guard.clone());
    let found = tokio::task::spawn_blocking(move || find(&root, level, &guard)).await;
    let found =
        found.map_err(|error| format!("looking for closed files was cut short: {error}"))??;
    Ok(Machine {
        masked: [machine.masked.clone(), found.hidden].concat(),
        opened: found.opened,
        pinned: found.closed,
        ..machine.clone()
    })
}

/// What was found, as whole paths.
#[derive(Debug, Default)]
struct Found {
    hidden: Vec<PathBuf>,
    opened: Vec<PathBuf>,
    closed: Vec<PathBuf>,
}

fn find(root: &Path, level: Level, guard: &Guard) -> Result<Found, String> {
    let handle = Root::open(root).map_err(|error| super::chain(&error))?;
    let scope = guard.scope();
    let hidden = handle.host_find(&|path, _| scope.is_hidden(path), HIDDEN_MAX + 1);
    if hidden.len() > HIDDEN_MAX {
        return Err(format!(
            "more than {HIDDEN_MAX} paths match `[scope] hide`: hide their folder instead"
        ));
    }
    let whole = |paths: &[RepoPath]| {
        // The root's own path is `.`, which would be a part of the whole.
        let whole = |path: &RepoPath| match path.is_root() {
            true => root.to_owned(),
            false => root.join(path.as_path()),
        };
        paths.iter().map(whole).collect()
    };
    // Only a file tree of its own can close single entries of a folder that is open.
    if level != Level::Namespaces {
        return Ok(Found {
            hidden: whole(&hidden),
            ..Found::default()
        });
    }
    let writable = &guard.bounds().writable;
    let opened: Vec<RepoPath> = writable
        .iter()
        .filter(|path| !scope.is_folder(path))
        .filter_map(|path| opened_for(root, path))
        .collect();
    let is_closed = |path: &RepoPath, is_folder: bool| {
        let is_within = writable
            .iter()
            .chain(&opened)
            .any(|outer| path.starts_with(outer));
        is_within && !scope.is_hidden(path) && scope.is_closed(path, is_folder)
    };
    let closed = handle.host_find(&is_closed, CLOSED_MAX);
    Ok(Found {
        hidden: whole(&hidden),
        opened: whole(&opened),
        closed: whole(&closed),
    })
}

/// Returns the folder that has to be writable for a file to be: files are replaced by others of
/// their name, and one that is missing has to be made. `None` for a folder, which is open itself.
fn opened_for(root: &Path, path: &RepoPath) -> Option<RepoPath> {
    let is_folder = |path: &RepoPath| {
        fs::symlink_metadata(root.join(path.as_path())).is_ok_and(|found| found.is_dir())
    };
    if is_folder(path) {
        return None;
    }
    let mut folder = path.parent()?;
    while !folder.is_root() && !is_folder(&folder) {
        folder = folder.parent()?;
    }
    Some(folder)
}
