//! What a gate in the work tree finds there although nobody made it: the folders of build outputs.
//!
//! A process cannot make a folder beside closed ones; cargo for one makes a
//! temporary one first. In a session they are there already.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness_core::RepoPath;
use harness_guard::{Guard, HostAct};
use harness_host::disk::Root;

/// Folders that were made for a gate; those that are still empty go when it is over.
#[derive(Debug)]
pub(super) struct Outputs(Vec<PathBuf>);

impl Outputs {
    /// Makes the declared build outputs that are missing. One that cannot be made is closed to the gate.
    pub(super) fn open(root: &Path, guard: &Guard) -> Self {
        let Ok(handle) = Root::open(root) else {
            return Self(Vec::new());
        };
        let build = guard.bounds().build.iter();
        let missing: Vec<&RepoPath> = build
            .filter(|folder| !folder.is_root())
            .filter(|folder| fs::symlink_metadata(root.join(folder.as_path())).is_err())
            .collect();
        let make = |folder: &&&RepoPath| {
            let made = handle.host_create_folder(HostAct::WriteHostFile, folder);
            made.is_ok()
        };
        let made = missing.iter().filter(make);
        Self(made.map(|folder| root.join(folder.as_path())).collect())
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Fails where something is in it.
            let _ = fs::remove_dir(folder);
        }
    }
}
