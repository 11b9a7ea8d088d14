//! How the work tree stands beside a tree, in the folders that an agent may write.
//!
//! For whoever looks at a session before it goes on; changes nothing but git's store of objects.

use harness_core::{RepoPath, TreeId};
use harness_git::{Repo, SnapshotCache};
use harness_guard::Guard;

use super::chain;

/// Takes the work tree as it is: `base`, with what differs from it where the agent may write.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn work_tree_now(repo: &Repo, guard: &Guard, base: &TreeId) -> Result<TreeId, String> {
    let under = existing_folders(repo, guard);
    let hidden = |path: &RepoPath| guard.scope().is_never_kept(path);
    repo.snapshot(&mut SnapshotCache::default(), base, &under, &hidden)
        .map(|shot| shot.tree)
        .map_err(|error| chain(&error))
}

/// Returns the folders below which the agent may write, as far as they exist.
pub(super) fn existing_folders(repo: &Repo, guard: &Guard) -> Vec<RepoPath> {
    let root = repo.root();
    let existing = |path: &RepoPath| {
        let mut folder = path.clone();
        while !root.join(folder.as_path()).is_dir() {
            folder = folder.parent()?;
        }
        Some(folder)
    };
    let bounds = guard.bounds();
    bounds.writable.iter().filter_map(existing).collect()
}
