//! The repositories of this person in which a session was opened: one small file each.
//!
//! A convenience for lists across repositories. What cannot be written there keeps nobody from work.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use harness_core::Timestamp;
use harness_store::state::{read_json, write_json};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::folders::Folders;

/// The most repositories that are listed.
const REPOSITORIES_MAX: usize = 1_000;
/// How old the note of a use may become before it is written anew.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// A repository that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// A work tree of it.
    pub(crate) root: PathBuf,
    /// The git directory that all its work trees share: the sessions lie beneath.
    pub(crate) common_dir: PathBuf,
    /// When a session was last opened there, to the day.
    pub(crate) used: Timestamp,
}

/// Notes that a repository is used. A failure is no reason not to work.
pub(crate) fn note(folders: &Folders, root: &Path, common_dir: &Path) {
    let digest = Sha256::digest(common_dir.as_os_str().as_encoded_bytes());
    let name: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = folders.repositories().join(format!("{name}.json"));
    let now = harness_host::clock::now();
    let is_fresh = |known: &Known| {
        known.root == root && known.common_dir == common_dir && now.since(known.used) < FRESH
    };
    if let Ok(Some(known)) = read_json::<Known>(&path)
        && is_fresh(&known)
    {
        return;
    }
    let known = Known {
        root: root.to_owned(),
        common_dir: common_dir.to_owned(),
        used: now,
    };
    let _ = write_json(&path, &known);
}

/// Lists the repositories, the one used last first; what cannot be read is left out.
pub(crate) fn all(folders: &Folders) -> Vec<Known> {
    let entries = fs::read_dir(folders.repositories())
        .into_iter()
        .flatten()
        .flatten();
    let paths = entries.map(|entry| entry.path());
    let files = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let known = files.filter_map(|path| read_json::<Known>(&path).ok().flatten());
    let mut known: Vec<Known> = known.take(REPOSITORIES_MAX).collect();
    known.sort_by(|one, other| other.used.cmp(&one.used).then(one.root.cmp(&other.root)));
    known
}
