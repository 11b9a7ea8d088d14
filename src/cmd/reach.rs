//! What sessions may have changed in the work tree, and how it is now.
//!
//! Snapshots go into the object store alone: no reference, index or file moves.

use std::collections::BTreeSet;

use harness_core::{RepoPath, SessionOpened, TreeId};
use harness_git::SnapshotCache;
use harness_guard::Guard;

use crate::{
    compose::Site,
    failure::{Failure, chain},
};

/// The reach of one session, or of all of a run.
pub(crate) struct Reach<'a> {
    site: &'a Site,
    guards: Vec<Guard>,
    cache: SnapshotCache,
}

impl<'a> Reach<'a> {
    pub(crate) fn of(site: &'a Site, openings: &[SessionOpened]) -> Result<Self, Failure> {
        let mut guards = Vec::new();
        for opened in openings {
            let mut features = opened.run.features.iter();
            if let Some(feature) = features.find(|feature| feature.id == opened.feature) {
                let guard = Guard::new(&opened.run.policy, feature);
                guards.push(guard.map_err(|error| Failure::failed(chain(&error)))?);
            }
        }
        Ok(Self {
            site,
            guards,
            cache: SnapshotCache::default(),
        })
    }

    /// Returns `base` with what stands in reach now; the rest stays as `base` has it.
    pub(crate) fn snapshot(&mut self, base: &TreeId) -> Result<TreeId, Failure> {
        let under = self.folders();
        let guards = &self.guards;
        let hidden = |path: &RepoPath| guards.iter().any(|guard| guard.scope().is_hidden(path));
        let repo = &self.site.repo;
        let shot = repo.snapshot(&mut self.cache, base, &under, &hidden)?;
        Ok(shot.tree)
    }

    /// Returns the folders in reach; where one does not exist, the nearest one above.
    fn folders(&self) -> Vec<RepoPath> {
        let root = self.site.repo.root();
        let nearest = |path: &RepoPath| {
            let mut folder = path.clone();
            while !root.join(folder.as_path()).is_dir() {
                folder = folder.parent()?;
            }
            Some(folder)
        };
        let writable = self
            .guards
            .iter()
            .flat_map(|guard| &guard.bounds().writable);
        let folders: BTreeSet<RepoPath> = writable.filter_map(nearest).collect();
        folders.into_iter().collect()
    }

    /// Whether a path lies in reach and is not hidden.
    pub(crate) fn has(&self, path: &RepoPath) -> bool {
        let is_below = |folder: &RepoPath| path.starts_with(folder);
        self.guards.iter().any(|guard| {
            guard.bounds().writable.iter().any(is_below) && !guard.scope().is_hidden(path)
        })
    }

    /// Whether only the harness and people write there.
    pub(crate) fn is_host_owned(&self, path: &RepoPath) -> bool {
        let mut guards = self.guards.iter();
        guards.any(|guard| guard.scope().is_host_owned(path))
    }
}
