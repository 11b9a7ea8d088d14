//! Clearing a kept checkout of what programs left in it.
//!
//! A test that ran under an earlier gate may have planted files that steer the
//! next one. Only what is in the tree stays, and the folders that are declared
//! build outputs, whose point is to be kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use harness_core::{RepoPath, TreeId};

use crate::{
    beneath::Folder,
    repo::{GitError, OnPath, Repo},
    tree::Entry,
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
        sweep(&self.files_of(tree)?, folder, is_kept)
    }
}

/// Removes everything in a folder that is not among the files, as [`Repo::sweep_checkout`] says.
pub(crate) fn sweep(
    files: &BTreeMap<RepoPath, Entry>,
    folder: &Path,
    is_kept: &dyn Fn(&RepoPath) -> bool,
) -> Result<Vec<RepoPath>, GitError> {
    let mut folders = BTreeSet::new();
    let mut last = RepoPath::root();
    for file in files.keys() {
        let parent = file.parent().unwrap_or_default();
        if parent == last {
            continue;
        }
        last.clone_from(&parent);
        let mut parent = Some(parent);
        while let Some(folder) = parent.filter(|folder| folders.insert(folder.clone())) {
            parent = folder.parent();
        }
    }
    let root = Folder::open(folder).on_path("open", folder)?;
    let mut sweep = Sweep {
        files,
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

struct Sweep<'a> {
    files: &'a BTreeMap<RepoPath, Entry>,
    folders: &'a BTreeSet<RepoPath>,
    is_kept: &'a dyn Fn(&RepoPath) -> bool,
    removed: Vec<RepoPath>,
}

impl Sweep<'_> {
    /// Sweeps one folder; the depth is that of the tree, so it is bounded by what was checked out.
    fn run(&mut self, folder: &Folder, at: &RepoPath) -> io::Result<()> {
        for (name, kind) in folder.list()? {
            let Ok(path) = at.join(&name) else { continue };
            let in_tree = self.files.contains_key(&path);
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
