//! The commits as they will stand on HEAD, made without touching anything but the object store.

use git2::{Commit, MergeOptions, Oid};
use harness_core::{CommitId, Timestamp};

use super::{LandError, LandStyle, Own};
use crate::repo::{During, Head, Repo, commit_id};

/// The result of picking.
pub(super) struct Picked {
    pub(super) tip: Oid,
    pub(super) tree: Oid,
    /// The commits HEAD gains, oldest first.
    pub(super) commits: Vec<Oid>,
}

impl Repo {
    pub(super) fn pick_all(
        &self,
        head: &Head,
        commits: &[CommitId],
        style: LandStyle<'_>,
        own: Own<'_>,
        now: Timestamp,
    ) -> Result<Picked, LandError> {
        let start = self.commit_object(&head.commit)?;
        let mut current = start.clone();
        let mut made = Vec::new();
        for id in commits {
            let commit = self.commit_object(id)?;
            if let Some(next) = self.pick(&current, &commit, own, now)? {
                made.push(next.id());
                current = next;
            }
        }
        if let LandStyle::Squash { message } = style
            && !made.is_empty()
        {
            let signature = self.person_signature(now)?;
            let tree = self.find_tree(current.tree_id())?;
            let squashed = self
                .git
                .commit(None, &signature, &signature, message, &tree, &[&start])
                .during("commit onto", &head.commit)?;
            made = vec![squashed];
            current = self
                .git
                .find_commit(squashed)
                .during("read the commit", squashed)?;
        }
        // Commits may undo each other: then nothing is left to squash.
        if matches!(style, LandStyle::Squash { .. }) && current.tree_id() == start.tree_id() {
            made.clear();
            current = start;
        }
        Ok(Picked {
            tip: current.id(),
            tree: current.tree_id(),
            commits: made,
        })
    }

    /// Returns `commit` on top of `onto`; `None` when it would change nothing.
    fn pick<'repo>(
        &'repo self,
        onto: &Commit<'repo>,
        commit: &Commit<'repo>,
        own: Own<'_>,
        now: Timestamp,
    ) -> Result<Option<Commit<'repo>>, LandError> {
        if self.contains(onto.id(), commit.id())? {
            return Ok(None);
        }
        let parent = commit.parents().next();
        if commit.parent_count() == 1 && parent.as_ref().map(Commit::id) == Some(onto.id()) {
            return Ok(Some(commit.clone()));
        }
        let tree = if parent.map(|parent| parent.tree_id()) == Some(onto.tree_id()) {
            commit.tree_id()
        } else {
            self.merge_pick(onto, commit, own)?
        };
        if tree == onto.tree_id() {
            return Ok(None);
        }
        let committer = self.person_signature(now)?;
        let message = String::from_utf8_lossy(commit.message_raw_bytes());
        let picked = self
            .git
            .commit(
                None,
                &commit.author(),
                &committer,
                &message,
                &self.find_tree(tree)?,
                &[onto],
            )
            .during("pick", commit.id())?;
        Ok(Some(
            self.git
                .find_commit(picked)
                .during("read the commit", picked)?,
        ))
    }

    fn contains(&self, tip: Oid, commit: Oid) -> Result<bool, LandError> {
        if tip == commit {
            return Ok(true);
        }
        let descends = self.git.graph_descendant_of(tip, commit);
        Ok(descends.during("compare the history of", tip)?)
    }

    fn merge_pick(
        &self,
        onto: &Commit<'_>,
        commit: &Commit<'_>,
        own: Own<'_>,
    ) -> Result<Oid, LandError> {
        let options = MergeOptions::new();
        let mut index = self
            .git
            .cherrypick_commit(commit, onto, 0, Some(&options))
            .during("pick", commit.id())?;
        let clashes = self.put_together(&mut index, onto, commit, own)?;
        if index.has_conflicts() || !clashes.is_empty() {
            let mut files = self.conflicts(&index, commit);
            files.retain(|file| clashes.iter().all(|clash| clash.path != file.path));
            files.extend(clashes);
            files.sort_by(|one, other| one.path.cmp(&other.path));
            return Err(LandError::Conflict {
                commit: commit_id(commit.id()),
                files,
            });
        }
        let tree = index.write_tree_to(&self.git);
        Ok(tree.during("store the pick of", commit.id())?)
    }
}
