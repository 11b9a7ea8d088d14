//! Undo: the work tree goes back to a checkpoint, byte for byte.

use std::collections::BTreeSet;

use harness_core::{RepoPath, TreeId};

use crate::{
    repo::{GitError, Repo},
    steps::{Bytes, Step, Steps},
};

/// Whether an undo is done or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreMode {
    /// Find out what would be done; change nothing.
    DryRun,
    /// Do it.
    Write,
}

/// What an undo did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files and links written, sorted by path.
    pub written: Vec<RepoPath>,
    /// Files and links removed, sorted by path.
    pub removed: Vec<RepoPath>,
    /// What stood against it. When there is any, nothing was written or removed,
    /// unless a person changed a file during the undo.
    pub refused: Vec<Refused>,
}

/// A path that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The path.
    pub path: RepoPath,
    /// Why, as the end of a sentence about the path.
    pub reason: String,
}

impl Repo {
    /// Brings every path that differs between two trees from `from` to `to`.
    ///
    /// Bytes, executable bit and links become those of `to`; folders left empty
    /// go. A path whose file is neither as in `from` nor as in `to` was changed
    /// by a person, and then nothing at all is done. Index and HEAD are left alone.
    ///
    /// # Errors
    /// When a tree cannot be read, or a file cannot be written: what was done
    /// until then stays, and the same call goes on from there.
    pub fn restore(
        &self,
        from: &TreeId,
        to: &TreeId,
        mode: RestoreMode,
    ) -> Result<Restored, GitError> {
        self.restore_some(from, to, mode, &|_| true)
    }

    /// Does what [`Repo::restore`] does for the paths that `wanted` accepts, and leaves the others.
    ///
    /// # Errors
    /// As [`Repo::restore`].
    pub fn restore_some(
        &self,
        from: &TreeId,
        to: &TreeId,
        mode: RestoreMode,
        wanted: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Restored, GitError> {
        let steps = self.differences(from, to)?.into_iter();
        let steps = steps.filter(|difference| wanted(&difference.path));
        let steps = steps.map(|difference| Step {
            path: difference.path,
            known: vec![difference.old],
            want: difference.new,
        });
        let steps = Steps::new(self, Bytes::Raw, steps.collect())?;
        let mut outcome = steps.check()?;
        match (outcome.refused.is_empty(), mode) {
            (true, RestoreMode::Write) => outcome = steps.act()?,
            (true, RestoreMode::DryRun) => {}
            (false, _) => {
                outcome.written.clear();
                outcome.removed.clear();
            }
        }
        Ok(Restored {
            written: outcome.written,
            removed: outcome.removed,
            refused: outcome.refused,
        })
    }

    /// Does what [`Repo::restore_some`] does, but leaves what a person changed where it is: every
    /// path that stands against it, and those that cannot go back without it, stay and are refused.
    ///
    /// # Errors
    /// As [`Repo::restore`].
    pub fn restore_around(
        &self,
        from: &TreeId,
        to: &TreeId,
        mode: RestoreMode,
        wanted: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Restored, GitError> {
        let mut refused: Vec<Refused> = Vec::new();
        let mut left = BTreeSet::new();
        // Each round leaves at least one path more, so this ends.
        loop {
            let some = |path: &RepoPath| wanted(path) && !left.contains(path);
            let mut done = self.restore_some(from, to, mode, &some)?;
            let is_untouched = done.written.is_empty() && done.removed.is_empty();
            let stood_against = std::mem::take(&mut done.refused);
            let is_over = stood_against.is_empty() || !is_untouched;
            left.extend(stood_against.iter().map(|refused| refused.path.clone()));
            refused.extend(stood_against);
            if is_over {
                refused.sort_by(|a, b| a.path.cmp(&b.path));
                done.refused = refused;
                return Ok(done);
            }
        }
    }
}
