//! A work tree that has another path than when its sessions began: its folder was moved or copied.
//!
//! Sessions name where they worked. Only the main work tree can have moved with everything that git
//! and the harness keep of it; a linked one is known to git by its path. Looks only.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use harness_store::Store;
use serde_json::Value;

use super::runs;
use crate::compose::Site;

/// Whether this work tree is the one that stood at a path before.
pub(super) fn was_at(site: &Site, store: &Store, root: &str) -> bool {
    let repo = &site.repo;
    if repo.git_dir() != repo.common_dir() {
        return false;
    }
    let git = Path::new(root).join(".git");
    match git.canonicalize() {
        // Another repository, which this one is a copy of.
        Ok(other) => other.is_dir() && other != repo.common_dir(),
        Err(_) => is_same_folder(site, store, root),
    }
}

/// Whether what was noted of the root in a session there is still so: a folder that is moved stays itself.
fn is_same_folder(site: &Site, store: &Store, root: &str) -> bool {
    let Ok(here) = site.repo.root().metadata() else {
        return false;
    };
    let kept = fs::read_dir(store.folder().join("kept"));
    kept.into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let session = name.to_str().and_then(|name| name.parse().ok());
        session.is_some_and(|session| runs::root_of(store, session).as_deref() == Some(root))
            && noted(&entry.path()) == Some((here.dev(), here.ino()))
    })
}

/// Returns which folder a session's manifest was taken of.
fn noted(kept: &Path) -> Option<(u64, u64)> {
    let text = fs::read_to_string(kept.join("manifest.jsonl")).ok()?;
    let first: Value = serde_json::from_str(text.lines().next()?).ok()?;
    if first.get("path")? != "" {
        return None;
    }
    let number = |key| first.get("is")?.get(key)?.as_u64();
    Some((number("device")?, number("inode")?))
}
