//! The files of a tree as a list, for digests.

use harness_core::{BlobId, RepoPath, TreeId};

use crate::{
    repo::{GitError, Repo, blob_id},
    tree::Mode,
};

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// Its path.
    pub path: RepoPath,
    /// The mode git stores, such as `0o100644`.
    pub mode: u32,
    /// Its content.
    pub blob: BlobId,
}

impl Repo {
    /// Returns the files and links of a tree, sorted by path; submodules are left out.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn files(&self, tree: &TreeId) -> Result<Vec<TreeFile>, GitError> {
        let files = self.files_of(tree)?.into_iter();
        let files = files.filter(|(_, entry)| entry.mode != Mode::Module);
        Ok(files
            .map(|(path, entry)| TreeFile {
                path,
                mode: entry.mode.bits().unsigned_abs(),
                blob: blob_id(entry.id),
            })
            .collect())
    }
}
