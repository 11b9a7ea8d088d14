//! How much of the repository has to be looked at around a command.
//!
//! With file trees of its own a command changes nothing outside of what its cage opens, so
//! that only this is looked at before its result is told. The rest can only be a person's:
//! it is looked at beside the next request, and told later. Before a command it still has to
//! be certain that nothing came that must be hidden or closed: no name has come or gone, or
//! everything is looked at. At every other level, and in a small repository, all is looked at
//! every time.

use std::time::{Duration, Instant};

use harness_core::{Event, Level, RepoPath};
use harness_guard::{Difference, FileKind};
use harness_host::{disk::Root, manifest::Manifest};

use super::{Watch, changed_outside, walk};

/// Up to so many entries everything is looked at every time: that takes no longer than a command.
const SMALL_MAX: usize = 5_000;

/// How old the last look at everything may be before another is due beside a request.
const WHOLE_EVERY: Duration = Duration::from_secs(5);

/// What is known of the last look at everything.
#[derive(Debug)]
pub(super) struct Whole {
    /// When it was; none before the first.
    at: Option<Instant>,
    /// Counts what the harness did outside of a command's reach since, so that a look from
    /// before is not taken for one from after.
    changes: u64,
}

impl Whole {
    pub(super) const fn new() -> Self {
        Self {
            at: None,
            changes: 0,
        }
    }
}

/// A look at everything that is under way, with what it began from.
#[derive(Debug)]
pub(in crate::execute) struct LookAround {
    changes: u64,
    guard: harness_guard::Guard,
}

impl LookAround {
    /// Walks; the watch itself is free meanwhile.
    pub(in crate::execute) fn walk(&self, root: &Root) -> Result<Manifest, String> {
        walk(root, &self.guard)
    }
}

impl Watch {
    /// Returns the folders that a command can change; `None` where it is everything.
    pub(super) fn reach(&self, root: &Root) -> Option<Vec<RepoPath>> {
        if self.post.level != Level::Namespaces || self.manifest.len() <= SMALL_MAX {
            return None;
        }
        let guard = &self.post.guard;
        let bounds = guard.bounds();
        let is_folder = |path: &RepoPath| {
            let found = root.look(path).ok().flatten();
            found.is_some_and(|found| found.kind == FileKind::Folder)
        };
        let mut folders: Vec<RepoPath> = Vec::new();
        for path in bounds.writable.iter().chain(&bounds.build) {
            // Of a file the folder is open that holds it, or would.
            let mut folder = path.clone();
            if !guard.scope().is_folder(path) {
                folder = folder.parent()?;
                while !is_folder(&folder) {
                    folder = folder.parent()?;
                }
            }
            if folder.is_root() {
                return None;
            }
            folders.push(folder);
        }
        let all = folders.clone();
        folders.retain(|folder| {
            let mut others = all.iter().filter(|other| *other != folder);
            !others.any(|other| folder.starts_with(other))
        });
        folders.sort();
        folders.dedup();
        Some(folders)
    }

    /// Takes in what others changed in a command's reach, where it is certain that this is
    /// enough; `None` where everything has to be looked at.
    pub(super) fn take_in_reach(&mut self, root: &Root) -> Result<Option<Vec<Event>>, String> {
        if self.own_changes || self.whole.at.is_none() {
            return Ok(None);
        }
        let Some(reach) = self.reach(root) else {
            return Ok(None);
        };
        let is_in = |path: &RepoPath| reach.iter().any(|folder| path.starts_with(folder));
        if !root.has_same_names(&self.manifest, &is_in) {
            return Ok(None);
        }
        let now = self.walk_reach(root, &reach)?;
        let earlier = self.manifest.part(&reach);
        let others = self.note_others(root, &now, &earlier, false)?;
        self.manifest.set_part(&reach, now);
        Ok(Some(changed_outside(others).into_iter().collect()))
    }

    /// Walks a command's reach alone.
    pub(super) fn walk_reach(&self, root: &Root, reach: &[RepoPath]) -> Result<Manifest, String> {
        let scope = self.post.guard.scope();
        root.manifest_of(reach, &|path| scope.is_build_output(path))
            .map_err(|error| format!("cannot look at the repository: {}", super::chain(&error)))
    }

    /// Whether everything was looked at by this process.
    pub(super) const fn is_known(&self) -> bool {
        self.whole.at.is_some()
    }

    /// Returns what differs from what is known, of everything or of a part.
    pub(super) fn differences(
        &self,
        now: &Manifest,
        reach: Option<&[RepoPath]>,
    ) -> Vec<Difference> {
        match reach {
            Some(reach) => now.differences_from(&self.manifest.part(reach)),
            None => now.differences_from(&self.manifest),
        }
    }

    /// Takes in what everything or a part is now.
    pub(super) fn know(&mut self, now: Manifest, reach: Option<&[RepoPath]>) {
        match reach {
            Some(reach) => self.manifest.set_part(reach, now),
            None => {
                self.manifest = now;
                self.looked_at_all();
            }
        }
    }

    /// Notes that everything was looked at.
    pub(super) fn looked_at_all(&mut self) {
        self.whole.at = Some(Instant::now());
    }

    /// Notes that the harness changed something that no command reaches.
    pub(super) const fn changed_beyond(&mut self) {
        self.whole.changes += 1;
    }

    /// Begins a look at everything, where one is due and tells more than the last.
    pub(in crate::execute) fn look_around(&self, root: &Root) -> Option<LookAround> {
        let at = self.whole.at?;
        let is_due = at.elapsed() >= WHOLE_EVERY && !self.own_changes;
        let reach = self.reach(root).filter(|_| is_due)?;
        // What a command that goes on writes through a name in its reach would count as a person's.
        (!self.shares_beyond(&reach)).then(|| LookAround {
            changes: self.whole.changes,
            guard: self.post.guard.clone(),
        })
    }

    /// Takes in what a look at everything found beyond a command's reach.
    ///
    /// It is dropped where the harness itself changed something there meanwhile.
    pub(in crate::execute) fn looked_around(
        &mut self,
        root: &Root,
        look: &LookAround,
        mut now: Manifest,
    ) -> Result<(), String> {
        let Some(reach) = self.reach(root) else {
            return Ok(());
        };
        if look.changes != self.whole.changes || self.own_changes {
            return Ok(());
        }
        now.set_part(&reach, self.manifest.part(&reach));
        let earlier = std::mem::take(&mut self.manifest);
        let others = self.note_others(root, &now, &earlier, false);
        self.manifest = now;
        self.looked_at_all();
        self.pending.extend(changed_outside(others?));
        Ok(())
    }
}
