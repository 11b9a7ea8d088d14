//! The files of a tree as a list, for digests.

use git2::{ObjectType, Oid};
use harness_core::{BlobId, RepoPath, TreeId};

use crate::{
    repo::{During as _, GitError, Repo, blob_id},
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

/// Returns the id that git gives to a file with these bytes; stores nothing.
///
/// # Errors
/// When the bytes cannot be hashed.
pub fn blob_of(bytes: &[u8]) -> Result<BlobId, GitError> {
    Oid::hash_object(ObjectType::Blob, bytes)
        .map(blob_id)
        .during("hash", "the bytes of a file")
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
