//! Files whose owner knows better than lines what two sides made of them.
//!
//! Two runs that were proven apart both write the harness' own files; what is in them is known to
//! whoever lands, and not here.

use std::fmt;

use git2::{Commit, Index};
use harness_core::RepoPath;

use super::{ConflictFile, LandError};
use crate::{
    index::mode_of,
    linked::index_entry,
    repo::{During, Repo, tree_id},
    tree::{Entry, Mode},
};

/// The largest file that is put together. Unit: bytes.
const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a file held where two sides parted, and what both made of it; `None` for no file.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What the commit that lands began from.
    pub base: Option<&'a [u8]>,
    /// What stands on HEAD.
    pub head: Option<&'a [u8]>,
    /// What the commit that lands has.
    pub run: Option<&'a [u8]>,
}

/// What becomes of a file that both sides changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It holds these bytes.
    Together(Vec<u8>),
    /// It is a conflict, in these words.
    Clash(String),
    /// Its lines are merged, as those of any file.
    ByLines,
}

/// What whoever lands says of files that are its own.
#[derive(Clone, Copy)]
pub struct Own<'a> {
    /// Files of the work tree that stay as they are while they hold these bytes.
    pub keep: &'a [(RepoPath, Vec<u8>)],
    /// Puts together a file that HEAD and a commit both changed.
    pub put: &'a dyn Fn(&RepoPath, Sides<'_>) -> Put,
}

impl Own<'_> {
    /// Nothing is kept, and everything is merged by its lines.
    pub const NONE: Self = Self {
        keep: &[],
        put: &|_, _| Put::ByLines,
    };
}

impl fmt::Debug for Own<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keep = self.keep.iter().map(|(path, _)| path);
        formatter.debug_set().entries(keep).finish()
    }
}

impl Repo {
    /// Puts together what HEAD and a commit both changed, where its owner can; returns what clashes.
    pub(super) fn put_together(
        &self,
        index: &mut Index,
        onto: &Commit<'_>,
        commit: &Commit<'_>,
        own: Own<'_>,
    ) -> Result<Vec<ConflictFile>, LandError> {
        let head = tree_id(onto.tree_id());
        let base = match commit.parents().next() {
            Some(parent) => tree_id(parent.tree_id()),
            None => return Ok(Vec::new()),
        };
        let mut clashes = Vec::new();
        for difference in self.differences(&base, &tree_id(commit.tree_id()))? {
            let here = self.entry_in(&head, &difference.path)?;
            if here == difference.old || here == difference.new {
                continue;
            }
            let path = difference.path;
            let sides =
                [difference.old, here, difference.new].map(|entry| self.text_of_side(entry));
            let [Ok(base), Ok(head), Ok(run)] = sides else {
                continue;
            };
            let sides = Sides {
                base: base.as_deref(),
                head: head.as_deref(),
                run: run.as_deref(),
            };
            match (own.put)(&path, sides) {
                Put::ByLines => {}
                Put::Clash(text) => clashes.push(ConflictFile { path, text }),
                Put::Together(bytes) => {
                    let id = self.git.blob(&bytes).during("store", &path)?;
                    let mode = here
                        .or(difference.new)
                        .map_or(Mode::File, |entry| entry.mode);
                    self.settle(index, &path, Entry { mode, id })?;
                }
            }
        }
        Ok(clashes)
    }

    /// Puts an entry in the place of a conflict, or of what was merged by lines.
    fn settle(&self, index: &mut Index, path: &RepoPath, entry: Entry) -> Result<(), LandError> {
        // It is an error where there is no conflict, and then there is nothing to clear.
        let _ = index.conflict_remove(path.as_path());
        let added = index.add(&index_entry(path, entry, None));
        added.during("put together", path)?;
        debug_assert!(
            index
                .get_path(path.as_path(), 0)
                .is_some_and(|put| mode_of(&put) == entry.mode)
        );
        Ok(())
    }

    /// Returns what a side has; an error for what is no file, or a very large one.
    fn text_of_side(&self, entry: Option<Entry>) -> Result<Option<Vec<u8>>, ()> {
        let Some(entry) = entry else { return Ok(None) };
        if !matches!(entry.mode, Mode::File | Mode::Executable) {
            return Err(());
        }
        let bytes = self.blob_bytes(entry.id).map_err(|_| ())?;
        if bytes.len() > FILE_BYTES_MAX {
            Err(())
        } else {
            Ok(Some(bytes))
        }
    }
}
