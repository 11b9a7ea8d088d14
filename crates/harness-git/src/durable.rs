//! Making a commit survive a loss of power.
//!
//! libgit2 writes objects and references without waiting for the disk. For a
//! checkpoint that is right: a process that dies loses nothing. What a person
//! counts on is synced here, file by file; its switch for syncing everything
//! is process-wide and would slow every checkpoint down.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use git2::{ObjectType, Oid, Tree};

use crate::repo::{GitError, OnPath, Repo};

/// Above this many objects one sync of the whole file system is cheaper. Measured at 3 ms each.
const SINGLE_SYNCS_MAX: usize = 48;

impl Repo {
    /// Waits until a commit and everything it has beyond `parents`' trees is on the disk.
    pub(crate) fn sync_commit(
        &self,
        commit: Oid,
        tree: &Tree<'_>,
        parents: &[Tree<'_>],
    ) -> Result<(), GitError> {
        harness_failpoint::pass("commit.sync").on_path("sync the objects in", self.common_dir())?;
        let mut objects = vec![commit, tree.id()];
        self.collect_new(parents.first(), tree, &mut objects)?;
        let store = self.common_dir().join("objects");
        if objects.len() > SINGLE_SYNCS_MAX {
            let folder = File::open(&store).on_path("open", &store)?;
            return rustix::fs::syncfs(folder)
                .map_err(io::Error::from)
                .on_path("sync", &store);
        }
        let mut folders = vec![store.clone()];
        for object in objects {
            let name = object.to_string();
            let folder = store.join(&name[..2]);
            // An object that is not loose lies in a pack and was synced with it.
            if sync(&folder.join(&name[2..]))? && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
            .iter()
            .try_for_each(|folder| sync(folder).map(|_| ()))
    }

    /// Waits until a reference's file is on the disk.
    pub(crate) fn sync_reference(&self, name: &str) -> Result<(), GitError> {
        let own = matches!(name, "HEAD");
        let base = if own {
            self.git_dir()
        } else {
            self.common_dir()
        };
        let file: PathBuf = base.join(name);
        sync(&file)?;
        if let Some(folder) = file.parent() {
            sync(folder)?;
        }
        Ok(())
    }

    fn collect_new(
        &self,
        old: Option<&Tree<'_>>,
        new: &Tree<'_>,
        objects: &mut Vec<Oid>,
    ) -> Result<(), GitError> {
        for entry in new {
            let before = old.and_then(|old| old.get_name_bytes(entry.name_bytes()));
            if before
                .as_ref()
                .is_some_and(|before| before.id() == entry.id())
            {
                continue;
            }
            objects.push(entry.id());
            if entry.kind() == Some(ObjectType::Tree) {
                let before = before.and_then(|before| self.git.find_tree(before.id()).ok());
                let subtree = self.find_tree(entry.id())?;
                self.collect_new(before.as_ref(), &subtree, objects)?;
            }
        }
        Ok(())
    }
}

/// Syncs a file or folder and says whether it is there.
fn sync(path: &Path) -> Result<bool, GitError> {
    match File::open(path) {
        Ok(file) => file.sync_all().on_path("sync", path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).on_path("open", path),
    }
}
