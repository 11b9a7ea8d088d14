//! Clearing a kept checkout of what programs left in it.
//!
//! A test that ran under an earlier gate may have planted files that steer the
//! next one. Only what is in the tree stays, and the folders that are declared
//! build outputs, whose point is to be kept.

use std::{collections::BTreeSet, io, path::Path};

use harness_core::{RepoPath, TreeId};

use crate::{
    beneath::Folder,
    repo::{GitError, OnPath, Repo},
};

impl Repo {
    /// Removes everything in a checked-out folder that is not in `tree`, but for what `is_kept` names.
    ///
    /// `is_kept` is asked for files and folders; a folder it keeps is kept with all it holds.
    /// Links are removed, never followed. Returns the outermost paths removed, sorted.
    ///
    /// # Errors
    /// When the tree or the folder cannot be read, or something cannot be removed.
    pub fn sweep_checkout(
        &self,
        tree: &TreeId,
        folder: &Path,
        is_kept: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Vec<RepoPath>, GitError> {
        let files: BTreeSet<RepoPath> = self.files_of(tree)?.into_keys().collect();
        let mut folders = BTreeSet::new();
        for file in &files {
            let mut parent = file.parent();
            while let Some(folder) = parent.filter(|folder| folders.insert(folder.clone())) {
                parent = folder.parent();
            }
        }
        let root = Folder::open(folder).on_path("open", folder)?;
        let mut sweep = Sweep {
            files: &files,
            folders: &folders,
            is_kept,
            removed: Vec::new(),
        };
        sweep
            .run(&root, &RepoPath::root())
            .on_path("sweep", folder)?;
        sweep.removed.sort();
        Ok(sweep.removed)
    }
}

struct Sweep<'a> {
    files: &'a BTreeSet<RepoPath>,
    folders: &'a BTreeSet<RepoPath>,
    is_kept: &'a dyn Fn(&RepoPath) -> bool,
    removed: Vec<RepoPath>,
}

impl Sweep<'_> {
    /// Sweeps one folder; the depth is that of the tree, so it is bounded by what was checked out.
    fn run(&mut self, folder: &Folder, at: &RepoPath) -> io::Result<()> {
        for (name, kind) in folder.list()? {
            let Ok(path) = at.join(&name) else { continue };
            let in_tree = self.files.contains(&path);
            let holds_files = self.folders.contains(&path);
            if (self.is_kept)(&path) || (in_tree && !kind.is_dir()) {
                continue;
            }
            if holds_files && kind.is_dir() {
                self.run(&folder.child(&name)?, &path)?;
                continue;
            }
            if kind.is_dir() {
                folder.remove_all(&name)?;
            } else {
                folder.unlink(&name)?;
            }
            self.removed.push(path);
        }
        Ok(())
    }
}
