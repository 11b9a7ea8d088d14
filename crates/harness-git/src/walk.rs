//! A walk over the work tree beside the tree it is compared with.
//!
//! Both are descended together, so that a tracked file is never asked whether
//! it is ignored and only folders in scope are opened. Links are not followed;
//! nothing named `.git` is entered; a repository inside stays as the tree has
//! it. What is found goes to a [`Visitor`].

use std::{collections::BTreeSet, rc::Rc};

use git2::{ObjectType, Tree, TreeEntry};
use harness_core::RepoPath;
use rustix::fs::FileType;

use crate::{
    beneath::{Folder, is_absent},
    ignored::IgnoreRules,
    index::IndexView,
    repo::{GitError, OnPath, Repo},
    tree::{Entry, Mode},
};

/// The deepest folder that is entered; each level holds an open file.
const DEPTH_MAX: usize = 200;

/// Takes what a walk finds.
pub(crate) trait Visitor {
    /// Whether a path is out of sight: it stays as the tree has it.
    fn is_hidden(&self, path: &RepoPath) -> bool;

    /// A file or link is there, `tracked` what the tree has at its path.
    fn found(
        &mut self,
        folder: &Folder,
        name: &[u8],
        path: RepoPath,
        tracked: Option<Entry>,
    ) -> Result<(), GitError>;

    /// The tree has a file that is not there.
    fn missing(&mut self, path: RepoPath, tracked: Entry) -> Result<(), GitError>;

    /// A folder cannot be entered: it stays as the tree has it.
    fn unreadable(&mut self, path: RepoPath);
}

pub(crate) struct Walk<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) index: &'a IndexView<'a>,
    pub(crate) visitor: &'a mut dyn Visitor,
}

impl Walk<'_> {
    /// Walks everything at and below `start`; `tree` is the tree of the repository's root.
    pub(crate) fn run(
        &mut self,
        root: &Folder,
        tree: &Tree<'_>,
        start: &RepoPath,
    ) -> Result<(), GitError> {
        let mut rules = IgnoreRules::of_root(self.repo, root);
        let on_disk = self.repo.on_disk(start);
        let Some(name) = start.file_name() else {
            let folder = root.child(b".").on_path("open", on_disk)?;
            return self.folder(&folder, start, Some(tree), &rules, 0);
        };
        let entry = tree.get_path(start.as_path()).ok();
        let mut folder = root.child(b".").on_path("open", &on_disk)?;
        let mut path = RepoPath::root();
        for name in start.parent().unwrap_or_default().components() {
            folder = match folder.child(name) {
                Ok(child) => child,
                // A folder above is gone or no folder: everything below is missing.
                Err(error) if is_absent(&error) => {
                    return entry.map_or(Ok(()), |entry| self.missing(start, &entry));
                }
                Err(error) => return Err(error).on_path("open", on_disk),
            };
            path = join(&path, name);
            rules = rules.enter(&folder, &path, true);
        }
        let kind = match folder.stat(name) {
            Ok(stat) => FileType::from_raw_mode(stat.mode),
            Err(error) if is_absent(&error) => FileType::Unknown,
            Err(error) => return Err(error).on_path("look at", on_disk),
        };
        let seen = self.entry(&folder, name, kind, start, entry.as_ref(), &rules, 0)?;
        match entry {
            Some(entry) if !seen => self.missing(start, &entry),
            _ => Ok(()),
        }
    }

    fn folder(
        &mut self,
        folder: &Folder,
        path: &RepoPath,
        tree: Option<&Tree<'_>>,
        rules: &Rc<IgnoreRules>,
        depth: usize,
    ) -> Result<(), GitError> {
        let names = match folder.list() {
            Ok(names) if depth <= DEPTH_MAX => names,
            _ => {
                self.visitor.unreadable(path.clone());
                return Ok(());
            }
        };
        let has = |wanted: &[u8]| names.iter().any(|(name, _)| name == wanted);
        // A repository of its own, unless the tree says that the folder is ours: a
        // `.git` put into it must not hide what happens there.
        if tree.is_none() && has(b".git") {
            return Ok(());
        }
        let rules = if path.is_root() {
            Rc::clone(rules)
        } else {
            rules.enter(folder, path, has(b".gitignore"))
        };
        let mut seen = BTreeSet::new();
        for (name, kind) in &names {
            let entry = tree.and_then(|tree| tree.get_name_bytes(name));
            let Ok(child) = path.join(name) else {
                continue;
            };
            if self.entry(folder, name, *kind, &child, entry.as_ref(), &rules, depth)? {
                seen.insert(name.as_slice());
            }
        }
        for entry in tree.iter().flat_map(|tree| tree.iter()) {
            if !seen.contains(entry.name_bytes())
                && let Ok(child) = path.join(entry.name_bytes())
            {
                self.missing(&child, &entry)?;
            }
        }
        Ok(())
    }

    /// Handles one name of a folder; `false` when what the tree has there is missing.
    #[expect(
        clippy::too_many_arguments,
        reason = "the place in the walk is all of them, and they change at every step"
    )]
    fn entry(
        &mut self,
        folder: &Folder,
        name: &[u8],
        kind: FileType,
        path: &RepoPath,
        entry: Option<&TreeEntry<'_>>,
        rules: &Rc<IgnoreRules>,
        depth: usize,
    ) -> Result<bool, GitError> {
        if is_git(name) || self.visitor.is_hidden(path) {
            return Ok(true);
        }
        let tracked = entry.and_then(Entry::of);
        let subtree = entry.filter(|entry| entry.kind() == Some(ObjectType::Tree));
        match kind {
            FileType::Directory => {
                if tracked.is_some_and(|entry| entry.mode == Mode::Module) {
                    return Ok(true);
                }
                if subtree.is_none() && self.is_ignored(rules, path, true)? {
                    return Ok(false);
                }
                let subtree = subtree
                    .map(|entry| self.repo.find_tree(entry.id()))
                    .transpose()?;
                match folder.child(name) {
                    Ok(child) => self.folder(&child, path, subtree.as_ref(), rules, depth + 1)?,
                    Err(error) if is_absent(&error) => return Ok(false),
                    Err(_) => self.visitor.unreadable(path.clone()),
                }
                Ok(subtree.is_some())
            }
            FileType::RegularFile | FileType::Symlink => {
                let tracked = tracked.filter(|entry| entry.mode != Mode::Module);
                let is_left_over = tracked.is_none() && is_half_written(name);
                if is_left_over || tracked.is_none() && self.is_ignored(rules, path, false)? {
                    return Ok(false);
                }
                self.visitor.found(folder, name, path.clone(), tracked)?;
                Ok(tracked.is_some())
            }
            _ => Ok(false),
        }
    }

    fn is_ignored(
        &self,
        rules: &IgnoreRules,
        path: &RepoPath,
        is_folder: bool,
    ) -> Result<bool, GitError> {
        Ok(rules.ignores(path, is_folder) && !self.index.tracks(path, is_folder)?)
    }

    /// Reports the files of a tree's entry as missing.
    fn missing(&mut self, path: &RepoPath, entry: &TreeEntry<'_>) -> Result<(), GitError> {
        if self.visitor.is_hidden(path) {
            return Ok(());
        }
        if let Some(tracked) = Entry::of(entry) {
            if tracked.mode == Mode::Module || self.index.is_left_out(path)? {
                return Ok(());
            }
            return self.visitor.missing(path.clone(), tracked);
        }
        for inner in &self.repo.find_tree(entry.id())? {
            if let Ok(child) = path.join(inner.name_bytes()) {
                self.missing(&child, &inner)?;
            }
        }
        Ok(())
    }
}

/// Whether a name is that of a file the harness was writing when it was killed.
///
/// Such a file is nobody's work: it is in no snapshot and makes no work tree dirty.
fn is_half_written(name: &[u8]) -> bool {
    [b".~harness-".as_slice(), b".harness-new-"]
        .iter()
        .any(|prefix| {
            name.strip_prefix(*prefix).is_some_and(|rest| {
                !rest.is_empty()
                    && rest
                        .iter()
                        .all(|byte| byte.is_ascii_digit() || *byte == b'-')
            })
        })
}

/// Whether a name is git's own on some file system.
fn is_git(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b".git")
}

fn join(folder: &RepoPath, name: &[u8]) -> RepoPath {
    folder.join(name).unwrap_or_else(|_| folder.clone())
}
