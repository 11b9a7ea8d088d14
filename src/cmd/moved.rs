//! A work tree that has another path than when its sessions began: its folder was moved or copied.
//!
//! Sessions name where they worked. The main work tree can have moved with everything that git and
//! the harness keep of it; a linked one is moved by `git worktree move`, and is the same folder then.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use harness_git::Linked;
use harness_store::Store;
use serde_json::Value;

use super::runs;
use crate::{compose::Site, failure::Failure};

/// Whether this work tree is the one that stood at a path before.
pub(crate) fn was_at(site: &Site, store: &Store, root: &str) -> bool {
    let repo = &site.repo;
    if repo.git_dir() != repo.common_dir() {
        return is_now_at(store, root, repo.root());
    }
    let git = Path::new(root).join(".git");
    match git.canonicalize() {
        // Another repository, which this one is a copy of.
        Ok(other) => other.is_dir() && other != repo.common_dir(),
        Err(_) => is_same_folder(store, root, repo.root()),
    }
}

/// Whether a folder is the one that stood at a path before, where nothing is any more.
fn is_now_at(store: &Store, root: &str, folder: &Path) -> bool {
    !Path::new(root).exists() && is_same_folder(store, root, folder)
}

/// Lists the work trees that were made for runs from here, wherever here was then.
pub(crate) fn linked(site: &Site) -> Vec<Linked> {
    let (repo, own) = (&site.repo, site.repo.root());
    let is_main = repo.git_dir() == repo.common_dir();
    let is_ours = |home: &Path| home == own || is_main && !home.exists();
    let mut linked = repo.linked();
    linked.retain(|linked| is_ours(&linked.home));
    linked
}

/// Whether a linked work tree is the one that a session names.
pub(crate) fn is_of(store: &Store, linked: &Linked, root: &str) -> bool {
    linked.root == Path::new(root) || is_now_at(store, root, &linked.root)
}

/// Finds the work tree of a run that a session names, ready to be opened.
pub(crate) fn ready(site: &Site, linked: &Linked) -> Result<Linked, Failure> {
    Ok(site.repo.find_linked_again(linked)?)
}

/// Whether what was noted of the root in a session there is still so: a folder that is moved stays itself.
fn is_same_folder(store: &Store, root: &str, folder: &Path) -> bool {
    let Ok(here) = folder.metadata() else {
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
