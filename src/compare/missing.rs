//! What the work tree has and a checkout of it has not: what git ignores, as far as a gate may need it.

use std::{collections::BTreeSet, fs};

use harness_core::{RepoPath, TreeId};
use harness_guard::Guard;

use crate::{
    compose::Site,
    failure::{Failure, chain},
};

/// How many entries are looked at.
const ENTRIES_MAX: usize = 20_000;

/// How many paths are named.
const NAMED_MAX: usize = 200;

/// A path of the work tree that is in no checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) path: RepoPath,
    pub(super) is_folder: bool,
}

/// Finds the outermost paths that `tree` does not have; what is hidden is not named.
pub(super) fn from(site: &Site, tree: &TreeId, guard: &Guard) -> Result<Vec<Missing>, Failure> {
    let files = site.repo.files(tree);
    let files = files.map_err(|error| Failure::failed(chain(&error)))?;
    let mut known: BTreeSet<RepoPath> = BTreeSet::new();
    for file in files {
        let mut path = Some(file.path);
        while let Some(inner) = path.filter(|path| known.insert(path.clone())) {
            path = inner.parent();
        }
    }
    let root = site.repo.root();
    let mut missing = Vec::new();
    let mut folders = vec![RepoPath::root()];
    let mut left = ENTRIES_MAX;
    while let Some(folder) = folders.pop() {
        let whole = match folder.is_root() {
            true => root.to_owned(),
            false => root.join(folder.as_path()),
        };
        for entry in fs::read_dir(whole)
            .into_iter()
            .flatten()
            .flatten()
            .take(left)
        {
            left -= 1;
            let Ok(path) = folder.join(entry.file_name().as_encoded_bytes()) else {
                continue;
            };
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_git = entry.file_name().eq_ignore_ascii_case(".git");
            if is_git || guard.scope().is_hidden(&path) {
                continue;
            }
            match known.contains(&path) {
                true if is_folder => folders.push(path),
                true => {}
                false => missing.push(Missing { path, is_folder }),
            }
        }
    }
    missing.sort_by(|one, other| one.path.cmp(&other.path));
    missing.truncate(NAMED_MAX);
    Ok(missing)
}
