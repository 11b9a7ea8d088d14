//! Bringing proven commits to the person's branch.
//!
//! The order is picks in memory, checks, files, index, reference. Until the
//! last step the work tree holds the run's changes uncommitted, as it does
//! before landing: a crash in between loses nothing, and landing again
//! finishes.

mod conflicts;
mod files;
mod own;
mod picks;

use std::{fs, path::PathBuf};

use git2::{Oid, RepositoryState};
use harness_core::{CommitId, RepoPath, Timestamp};

pub use self::{
    conflicts::ConflictFile,
    own::{Own, Put, Sides},
};
use crate::repo::{GitError, Head, Repo, commit_id, oid, tree_id};

/// How commits arrive on the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LandStyle<'a> {
    /// One commit each, with message and author as they are.
    EachCommit,
    /// One commit for all of them.
    Squash {
        /// Its message.
        message: &'a str,
    },
}

/// What landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Where HEAD stands now.
    pub head: CommitId,
    /// How many commits the branch gained; zero when all was there already.
    pub commits: usize,
    /// The branch; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// Files of the work tree that were written or removed, sorted by path.
    pub touched: Vec<RepoPath>,
}

/// Why nothing landed. The branch stands where it stood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LandError {
    /// A commit does not fit onto HEAD.
    #[error("cannot land `{}`: it conflicts with HEAD in {}", commit.short(), count(files.len()))]
    Conflict {
        /// The commit.
        commit: CommitId,
        /// Where, sorted by path.
        files: Vec<ConflictFile>,
    },
    /// The person has uncommitted work in the same files.
    #[error("cannot land: uncommitted changes of another kind are in {}", count(work_tree.len() + staged.len()))]
    Overlap {
        /// Files of the work tree that hold neither HEAD's content nor the run's, sorted.
        work_tree: Vec<RepoPath>,
        /// Paths with other content in the index, sorted.
        staged: Vec<RepoPath>,
    },
    /// The index takes two names that differ in case alone for one.
    #[error(
        "cannot land: `{path}` and `{other}` are one file to this repository, core.ignorecase is set"
    )]
    CaseClash {
        /// The file to come.
        path: RepoPath,
        /// The one that is there.
        other: RepoPath,
    },
    /// A merge, rebase or the like is under way.
    #[error("cannot land: {what} is under way")]
    Busy {
        /// What.
        what: &'static str,
    },
    /// HEAD stands on the run's own branch, where all of it is already.
    #[error("cannot land: HEAD is on `{branch}`, the branch of the run itself")]
    OnRunBranch {
        /// The branch.
        branch: String,
    },
    /// Another work tree has HEAD's branch checked out as well; its index would fall behind.
    #[error("cannot land: `{branch}` is checked out in `{}` as well", git_dir.display())]
    CheckedOutTwice {
        /// The branch.
        branch: String,
        /// The git folder of the other work tree.
        git_dir: PathBuf,
    },
    /// HEAD moved while landing.
    #[error("cannot land: HEAD moved meanwhile")]
    Moved,
    /// Something cannot be read or written.
    #[error(transparent)]
    Git(#[from] GitError),
}

fn count(files: usize) -> String {
    match files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    }
}

impl Repo {
    /// Brings commits of a run's branch onto HEAD, oldest first.
    ///
    /// They are picked in memory; when HEAD is the first one's parent they are
    /// taken as they are. Files of the work tree must hold what HEAD, the run's
    /// branch or the result has; the branch's content counts only where no
    /// other commit of the branch had a part in it, such as the one that holds
    /// the person's own edits. A file that `own` keeps stays as it is, as an
    /// uncommitted change; where HEAD and a commit both changed a file that is
    /// `own`'s to put together, it says what it is to hold. Index entries must be HEAD's. Everything else
    /// the person has staged or changed stays. Commits that change nothing on
    /// HEAD are passed over. The new commits are on the disk when this returns.
    ///
    /// # Errors
    /// See [`LandError`].
    pub fn land(
        &self,
        run_branch: &str,
        commits: &[CommitId],
        style: LandStyle<'_>,
        own: Own<'_>,
        now: Timestamp,
    ) -> Result<Landed, LandError> {
        self.check_idle()?;
        let head = self.head()?;
        self.check_branch(&head, run_branch)?;
        let picked = self.pick_all(&head, commits, style, own, now)?;
        let mut landed = Landed {
            head: commit_id(picked.tip),
            commits: picked.commits.len(),
            branch: head.branch.clone(),
            touched: Vec::new(),
        };
        if picked.commits.is_empty() {
            return Ok(landed);
        }
        let mut before = self.tree_object(&head.tree)?;
        for commit in &picked.commits {
            let tree = self.tree_object(&self.tree_of(&commit_id(*commit))?)?;
            self.sync_commit(*commit, &tree, std::slice::from_ref(&before))?;
            before = tree;
        }
        let run = self.run_files(run_branch, &head, commits)?;
        let carried = self.carry_files(&head, &tree_id(picked.tree), run.as_ref(), own.keep)?;
        if let Err(error) = self.move_head(&head, picked.tip, run_branch) {
            // The index must not say that HEAD has what it has not.
            self.put_index_back(&carried)?;
            return Err(error);
        }
        landed.touched = carried.touched;
        Ok(landed)
    }

    fn check_idle(&self) -> Result<(), LandError> {
        let what = match self.git.state() {
            RepositoryState::Clean => return Ok(()),
            RepositoryState::Merge => "a merge",
            RepositoryState::Revert | RepositoryState::RevertSequence => "a revert",
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "a cherry-pick",
            RepositoryState::Bisect => "a bisection",
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => "a rebase",
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
                "the application of patches"
            }
        };
        Err(LandError::Busy { what })
    }

    /// The branch must be this work tree's alone, and not the run's.
    fn check_branch(&self, head: &Head, run_branch: &str) -> Result<(), LandError> {
        let Some(branch) = &head.branch else {
            return Ok(());
        };
        if branch == run_branch {
            return Err(LandError::OnRunBranch {
                branch: branch.clone(),
            });
        }
        let common = self.common_dir().to_path_buf();
        let linked = fs::read_dir(common.join("worktrees")).into_iter().flatten();
        let linked = linked.flatten().map(|entry| entry.path());
        let others = linked
            .chain([common])
            .filter(|git_dir| git_dir != self.git_dir());
        for git_dir in others {
            let text = fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
            let name = text.trim().strip_prefix("ref: refs/heads/");
            // The folder of a work tree that was moved away or removed is nobody's.
            let is_there = match fs::read_to_string(git_dir.join("gitdir")) {
                Ok(place) => PathBuf::from(place.trim()).exists(),
                Err(_) => git_dir == self.common_dir() && !self.is_common_bare(),
            };
            if name == Some(branch.as_str()) && is_there {
                return Err(LandError::CheckedOutTwice {
                    branch: branch.clone(),
                    git_dir,
                });
            }
        }
        Ok(())
    }

    fn is_common_bare(&self) -> bool {
        let config = git2::Config::open(&self.common_dir().join("config"));
        config.is_ok_and(|config| config.get_bool("core.bare").unwrap_or(false))
    }

    /// Moves HEAD's branch, or HEAD itself when it is detached, if it still stands where it stood.
    fn move_head(&self, head: &Head, tip: Oid, run_branch: &str) -> Result<(), LandError> {
        let name = match &head.branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => "HEAD".to_owned(),
        };
        let now = self.head()?;
        if now.branch != head.branch || now.commit != head.commit {
            return Err(LandError::Moved);
        }
        match self.move_reference(
            &name,
            Some(oid(&head.commit)),
            tip,
            &format!("harness land: {run_branch}"),
        ) {
            Ok(()) => Ok(self.sync_reference(&name)?),
            Err(GitError::RefMoved { .. }) => Err(LandError::Moved),
            Err(error) => Err(error.into()),
        }
    }
}
