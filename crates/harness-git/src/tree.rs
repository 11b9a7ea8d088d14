//! Trees as data: what differs between two, and a tree with some paths changed.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Tree, TreeEntry};
use harness_core::{Change, ChangeKind, RepoPath, TreeId};

use crate::repo::{During, GitError, Repo, tree_id};

/// What kind of thing a path of a tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Module,
}

impl Mode {
    /// Returns the number git stores.
    pub(crate) fn bits(self) -> i32 {
        match self {
            Self::File => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Link => 0o120_000,
            Self::Module => 0o160_000,
        }
    }

    /// Reads the number git stores; unusual file modes of old repositories count as plain.
    pub(crate) fn of(bits: i32) -> Self {
        match bits {
            0o120_000 => Self::Link,
            0o160_000 => Self::Module,
            bits if bits & 0o100 != 0 => Self::Executable,
            _ => Self::File,
        }
    }
}

/// What a path of a tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: Mode,
    pub(crate) id: Oid,
}

impl Entry {
    /// Returns the entry unless it is a folder.
    pub(crate) fn of(entry: &TreeEntry<'_>) -> Option<Self> {
        (entry.kind() != Some(ObjectType::Tree)).then(|| Self {
            mode: Mode::of(entry.filemode()),
            id: entry.id(),
        })
    }
}

/// A path that two trees hold differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) path: RepoPath,
    pub(crate) old: Option<Entry>,
    pub(crate) new: Option<Entry>,
}

impl Difference {
    pub(crate) fn to_change(&self) -> Change {
        let kind = match (self.old, self.new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        };
        Change {
            path: self.path.clone(),
            kind,
        }
    }
}

/// Paths to set (`Some`) or remove (`None`) in a tree.
pub(crate) type Edits = BTreeMap<RepoPath, Option<Entry>>;

impl Repo {
    /// Returns what differs between two trees, sorted by path; renames are a deletion and an addition.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn diff(&self, from: &TreeId, to: &TreeId) -> Result<Vec<Change>, GitError> {
        let differences = self.differences(from, to)?;
        Ok(differences.iter().map(Difference::to_change).collect())
    }

    /// Returns `onto` with everything changed that differs from `from` to `to`
    /// and whose path `keep` accepts.
    ///
    /// Line endings are stored as git stores them: by `.gitattributes`,
    /// `core.autocrlf` and what `onto` holds.
    ///
    /// # Errors
    /// [`GitError::Filtered`] for a changed path that a filter program would
    /// have to convert; when an object cannot be read or written.
    pub fn apply_changes(
        &self,
        onto: &TreeId,
        from: &TreeId,
        to: &TreeId,
        keep: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<TreeId, GitError> {
        let base = self.tree_object(onto)?;
        let mut edits = Edits::new();
        for difference in self.differences(from, to)? {
            if !keep(&difference.path) {
                continue;
            }
            let entry = match difference.new {
                Some(entry) => Some(self.cleaned(&base, &difference.path, entry)?),
                None => None,
            };
            edits.insert(difference.path, entry);
        }
        self.edited(onto, edits)
    }

    /// Returns `tree` with these files set, or removed where the bytes are `None`.
    ///
    /// A file that was executable stays so; a new one is not.
    ///
    /// # Errors
    /// When an object cannot be read or written, or a path is no legal name in git.
    pub fn with_files(
        &self,
        tree: &TreeId,
        files: &[(RepoPath, Option<Vec<u8>>)],
    ) -> Result<TreeId, GitError> {
        let base = self.tree_object(tree)?;
        let mut edits = Edits::new();
        for (path, bytes) in files {
            let entry = match bytes {
                None => None,
                Some(bytes) => Some(Entry {
                    mode: match entry_at(&base, path) {
                        Some(Entry {
                            mode: Mode::Executable,
                            ..
                        }) => Mode::Executable,
                        _ => Mode::File,
                    },
                    id: self.write_blob(bytes, path)?,
                }),
            };
            edits.insert(path.clone(), entry);
        }
        self.edited(tree, edits)
    }

    /// Returns what differs between two trees, sorted by path.
    pub(crate) fn differences(
        &self,
        from: &TreeId,
        to: &TreeId,
    ) -> Result<Vec<Difference>, GitError> {
        let mut found = Vec::new();
        if from != to {
            let (old, new) = (self.tree_object(from)?, self.tree_object(to)?);
            self.compare(Some(&old), Some(&new), &RepoPath::root(), &mut found)?;
        }
        found.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }

    /// Returns every file of a tree, sorted by path.
    pub(crate) fn files_of(&self, tree: &TreeId) -> Result<BTreeMap<RepoPath, Entry>, GitError> {
        let tree = self.tree_object(tree)?;
        let mut found = Vec::new();
        self.compare(None, Some(&tree), &RepoPath::root(), &mut found)?;
        let files = found.into_iter();
        Ok(files
            .filter_map(|file| Some((file.path, file.new?)))
            .collect())
    }

    /// Returns `tree` with `edits` made; fails on a name git does not allow.
    pub(crate) fn edited(&self, tree: &TreeId, edits: Edits) -> Result<TreeId, GitError> {
        let mut illegal = Vec::new();
        let edited = self.edited_but(tree, edits, &mut illegal)?;
        match illegal.pop() {
            None => Ok(edited),
            Some((path, source)) => Err(source).during("store", path),
        }
    }

    /// As [`Repo::edited`], but names that git does not allow (such as `git~1`)
    /// are left out and added to `illegal`.
    pub(crate) fn edited_but(
        &self,
        tree: &TreeId,
        edits: Edits,
        illegal: &mut Vec<(RepoPath, git2::Error)>,
    ) -> Result<TreeId, GitError> {
        if edits.is_empty() {
            return Ok(tree.clone());
        }
        let mut root = Node::default();
        for (path, entry) in edits {
            root.add(&path, entry);
        }
        let base = self.tree_object(tree)?;
        let id = self.build(Some(&base), &RepoPath::root(), root, illegal)?;
        Ok(tree_id(id))
    }

    /// Returns what `tree` holds at `path`, unless it is a folder.
    pub(crate) fn entry_in(
        &self,
        tree: &TreeId,
        path: &RepoPath,
    ) -> Result<Option<Entry>, GitError> {
        let tree = self.tree_object(tree)?;
        Ok(entry_at(&tree, path))
    }

    fn compare(
        &self,
        old: Option<&Tree<'_>>,
        new: Option<&Tree<'_>>,
        path: &RepoPath,
        found: &mut Vec<Difference>,
    ) -> Result<(), GitError> {
        for (name, old, new) in unequal(old, new) {
            let Ok(child) = path.join(&name) else {
                // No file system holds such a path, so nothing here could make or need it.
                continue;
            };
            let subtree = |entry: &Option<TreeEntry<'static>>| match entry {
                Some(entry) if entry.kind() == Some(ObjectType::Tree) => {
                    self.find_tree(entry.id()).map(Some)
                }
                _ => Ok(None),
            };
            let (old_tree, new_tree) = (subtree(&old)?, subtree(&new)?);
            if old_tree.is_some() || new_tree.is_some() {
                self.compare(old_tree.as_ref(), new_tree.as_ref(), &child, found)?;
            }
            let difference = Difference {
                path: child,
                old: old.as_ref().and_then(Entry::of),
                new: new.as_ref().and_then(Entry::of),
            };
            if difference.old != difference.new {
                found.push(difference);
            }
        }
        Ok(())
    }

    fn build(
        &self,
        base: Option<&Tree<'_>>,
        path: &RepoPath,
        node: Node,
        illegal: &mut Vec<(RepoPath, git2::Error)>,
    ) -> Result<Oid, GitError> {
        let mut builder = self.git.treebuilder(base).during("edit the tree", path)?;
        for (name, child) in node.children {
            let child_path = path.join(&name).unwrap_or_else(|_| path.clone());
            let before = builder.get(&name).during("find", &child_path)?;
            let before = before.map(|entry| (entry.kind() == Some(ObjectType::Tree), entry.id()));
            let own = child.own;
            let subtree = match before {
                Some((true, id)) => Some(self.find_tree(id)?),
                _ => None,
            };
            // What goes is a file that was removed, or a folder that was emptied; not
            // a folder where a file was to be removed, nor the other way round.
            let removes = match before {
                Some((true, _)) => !child.children.is_empty(),
                Some((false, _)) => own == Some(None),
                None => false,
            };
            let folder = if child.children.is_empty() {
                None
            } else {
                let id = self.build(subtree.as_ref(), &child_path, child, illegal)?;
                (!self.find_tree(id)?.is_empty()).then_some((id, 0o040_000))
            };
            let file = own.flatten().map(|entry| (entry.id, entry.mode.bits()));
            let placed = match file.or(folder) {
                Some((id, bits)) => builder.insert(&name, id, bits).map(|_| ()),
                None if removes => builder.remove(&name),
                None => Ok(()),
            };
            match placed {
                Ok(()) => {}
                Err(error) if self.is_stored(file.or(folder)) => illegal.push((child_path, error)),
                Err(error) => return Err(error).during("store", child_path),
            }
        }
        builder.write().during("store the tree", path)
    }

    /// Whether the object is there, so that only the name can have been refused.
    fn is_stored(&self, placed: Option<(Oid, i32)>) -> bool {
        let odb = self.git.odb();
        placed.is_some_and(|(id, _)| odb.is_ok_and(|odb| odb.exists(id)))
    }
}

/// Returns what a tree holds at `path`, unless it is a folder.
pub(crate) fn entry_at(tree: &Tree<'_>, path: &RepoPath) -> Option<Entry> {
    let entry = tree.get_path(path.as_path()).ok()?;
    Entry::of(&entry)
}

type Pair = (
    Vec<u8>,
    Option<TreeEntry<'static>>,
    Option<TreeEntry<'static>>,
);

/// Returns the names that two folders hold differently.
fn unequal(old: Option<&Tree<'_>>, new: Option<&Tree<'_>>) -> Vec<Pair> {
    let find = |tree: Option<&Tree<'_>>, name: &[u8]| {
        let entry = tree.and_then(|tree| tree.get_name_bytes(name));
        entry.map(|entry| entry.to_owned())
    };
    let mut pairs = Vec::new();
    for entry in new.iter().flat_map(|tree| tree.iter()) {
        let before = find(old, entry.name_bytes());
        let same = before.as_ref().is_some_and(|before| {
            before.id() == entry.id() && before.filemode() == entry.filemode()
        });
        if !same {
            pairs.push((entry.name_bytes().to_vec(), before, Some(entry.to_owned())));
        }
    }
    for entry in old.iter().flat_map(|tree| tree.iter()) {
        if find(new, entry.name_bytes()).is_none() {
            pairs.push((entry.name_bytes().to_vec(), Some(entry.to_owned()), None));
        }
    }
    pairs
}

/// Edits sorted into folders.
#[derive(Default)]
struct Node {
    own: Option<Option<Entry>>,
    children: BTreeMap<Vec<u8>, Node>,
}

impl Node {
    fn add(&mut self, path: &RepoPath, entry: Option<Entry>) {
        let mut node = self;
        for name in path.components() {
            node = node.children.entry(name.to_vec()).or_default();
        }
        node.own = Some(entry);
    }
}
