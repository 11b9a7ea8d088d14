//! What a run needs that begins where another one stood: a branch of its own, and its own hold on checkpoints.

use harness_core::CommitId;

use crate::repo::{GitError, Repo, oid};

impl Repo {
    /// Makes a branch that stands at a commit; there must be none of that name.
    ///
    /// HEAD, index and work tree are left alone.
    ///
    /// # Errors
    /// [`GitError::RefMoved`] when there is such a branch; when the commit cannot be read.
    pub fn begin_branch(&self, branch: &str, at: &CommitId) -> Result<(), GitError> {
        self.commit_object(at)?;
        let reference = format!("refs/heads/{branch}");
        self.move_reference(&reference, None, oid(at), "harness: a run begins")
    }
}
