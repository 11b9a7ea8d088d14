//! Commits on branches that are not checked out, and what stands in a commit.

use std::{fs, io};

use git2::{ErrorCode, Oid};
use harness_core::{CommitId, Timestamp, TreeId};

use crate::repo::{During, GitError, OnPath, Repo, commit_id, oid, tree_id};

/// What stands in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its tree.
    pub tree: TreeId,
    /// Its parents, in order.
    pub parents: Vec<CommitId>,
    /// The whole message, bytes that are no UTF-8 replaced.
    pub message: String,
    /// The trailers at the end of the message, in order.
    pub trailers: Vec<(String, String)>,
    /// When it was committed.
    pub time: Timestamp,
}

impl Repo {
    /// Commits `tree` to a branch, in the person's name, and waits until it is on the disk.
    ///
    /// `branch` is the name without `refs/heads/`. `expected` is where the branch
    /// must stand, `None` when it must not exist. HEAD, index and work tree are
    /// left alone; no hook runs.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when the branch stands elsewhere; when an object
    /// cannot be read or written.
    pub fn commit_to_branch(
        &self,
        branch: &str,
        expected: Option<&CommitId>,
        tree: &TreeId,
        parents: &[CommitId],
        message: &str,
        now: Timestamp,
    ) -> Result<CommitId, GitError> {
        let signature = self.person_signature(now)?;
        let tree = self.tree_object(tree)?;
        let parents = parents
            .iter()
            .map(|parent| self.commit_object(parent))
            .collect::<Result<Vec<_>, _>>()?;
        let commit = self
            .git
            .commit(
                None,
                &signature,
                &signature,
                message,
                &tree,
                &parents.iter().collect::<Vec<_>>(),
            )
            .during("commit to", branch)?;
        let parent_trees = parents
            .iter()
            .map(|parent| self.find_tree(parent.tree_id()))
            .collect::<Result<Vec<_>, _>>()?;
        self.sync_commit(commit, &tree, &parent_trees)?;
        let reference = format!("refs/heads/{branch}");
        let subject = message.lines().next().unwrap_or_default();
        self.move_reference(
            &reference,
            expected.map(oid),
            commit,
            &format!("harness: {subject}"),
        )?;
        self.sync_reference(&reference)?;
        Ok(commit_id(commit))
    }

    /// Returns the commit a branch stands at; `None` when there is no such branch.
    ///
    /// # Errors
    /// When the reference is there and cannot be read.
    pub fn branch_tip(&self, branch: &str) -> Result<Option<CommitId>, GitError> {
        match self.git.find_reference(&format!("refs/heads/{branch}")) {
            Ok(reference) => {
                let commit = reference
                    .peel_to_commit()
                    .during("read the branch", branch)?;
                Ok(Some(commit_id(commit.id())))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(source).during("read the branch", branch),
        }
    }

    /// Returns the commits that `tip` has and `other` has not, newest first, at most `count_max`.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn commits_beyond(
        &self,
        tip: &CommitId,
        other: &CommitId,
        count_max: usize,
    ) -> Result<Vec<CommitId>, GitError> {
        let mut walk = self.git.revwalk().during("read the history of", tip)?;
        walk.push(oid(tip))
            .and_then(|()| walk.hide(oid(other)))
            .during("read the history of", tip)?;
        let commits = walk.take(count_max).map(|commit| {
            let commit = commit.during("read the history of", tip)?;
            Ok(commit_id(commit))
        });
        commits.collect()
    }

    /// Returns what stands in a commit.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub fn commit_info(&self, commit: &CommitId) -> Result<CommitInfo, GitError> {
        let commit = self.commit_object(commit)?;
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let trailers = git2::message_trailers_strs(&message)
            .map(|trailers| {
                let pairs = trailers.iter();
                pairs
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect()
            })
            .unwrap_or_default();
        Ok(CommitInfo {
            tree: tree_id(commit.tree_id()),
            parents: commit.parent_ids().map(commit_id).collect(),
            trailers,
            message,
            time: timestamp(commit.time()),
        })
    }

    /// Moves a reference from `expected` (or from nothing) to `new`, in one step.
    pub(crate) fn move_reference(
        &self,
        name: &str,
        expected: Option<Oid>,
        new: Oid,
        log_message: &str,
    ) -> Result<(), GitError> {
        // To libgit2 a zero id stands for a reference that must not exist.
        let expected = expected.unwrap_or(Oid::ZERO_SHA1);
        // A reflog entry is one line.
        let log_message = log_message.replace(|char: char| char.is_control(), " ");
        let move_it = || {
            self.git
                .reference_matching(name, new, true, expected, &log_message)
                .map(|_| ())
        };
        harness_failpoint::pass("ref.move").on_path("move", name)?;
        let moved = match move_it() {
            Err(error) if error.code() == ErrorCode::Locked && self.remove_left_lock(name) => {
                move_it()
            }
            moved => moved,
        };
        match moved {
            Ok(()) => {
                harness_failpoint::moment("ref.moved");
                Ok(())
            }
            Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::NotFound) => {
                Err(GitError::RefMoved {
                    reference: name.to_owned(),
                })
            }
            // On a full disk libgit2 returns the id of a commit that it could not write, without an error.
            Err(_) if !self.git.odb().is_ok_and(|objects| objects.exists(new)) => {
                Err(io::Error::from(io::ErrorKind::StorageFull))
                    .on_path("keep the objects of", name)
            }
            Err(source) => Err(source).during("move", name),
        }
    }

    /// Removes the lock of a reference that only the harness writes, and says whether it did.
    ///
    /// One process at a time works on a run, and it holds the run's lock: a lock of git's on the
    /// run's references was left by a process that was killed. Those of others are theirs.
    pub(crate) fn remove_left_lock(&self, reference: &str) -> bool {
        let is_own = ["refs/harness/", "refs/heads/harness/"]
            .iter()
            .any(|prefix| reference.starts_with(prefix));
        let lock = self.common_dir().join(format!("{reference}.lock"));
        is_own && fs::remove_file(lock).is_ok()
    }
}

/// Reads git's time; times before 1970 count as its beginning.
pub(crate) fn timestamp(time: git2::Time) -> Timestamp {
    let seconds = u64::try_from(time.seconds()).unwrap_or(0);
    Timestamp::from_millis(seconds.saturating_mul(1000))
}
