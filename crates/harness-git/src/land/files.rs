//! The work tree and the index, brought to what landed without touching anything else.

use std::{collections::BTreeSet, fs};

use git2::{Index, IndexEntry};
use harness_core::{CommitId, RepoPath, TreeId};

use super::LandError;
use crate::{
    beneath::{Folder, OnDisk, look},
    index::mode_of,
    linked::index_entry,
    repo::{During, GitError, Head, OnPath, Repo, commit_id, oid},
    steps::{Bytes, Step, Steps},
    tree::{Difference, Entry, Mode},
};

/// What a run's branch left in the work tree.
pub(crate) struct RunFiles {
    tree: TreeId,
    /// Paths whose content also came from commits that do not land.
    mixed: BTreeSet<RepoPath>,
}

/// What was done to the work tree and the index.
pub(crate) struct Carried {
    /// Files of the work tree that changed, sorted.
    pub(crate) touched: Vec<RepoPath>,
    /// The index entries that were replaced, with what stood there; the new ones are HEAD's to come.
    replaced: Vec<(Difference, Option<IndexEntry>)>,
}

impl Repo {
    /// Finds what a run's branch holds beyond HEAD; `None` when there is no such branch.
    pub(crate) fn run_files(
        &self,
        run_branch: &str,
        head: &Head,
        landing: &[CommitId],
    ) -> Result<Option<RunFiles>, GitError> {
        let Some(tip) = self.branch_tip(run_branch)? else {
            return Ok(None);
        };
        let mut walk = self
            .git
            .revwalk()
            .during("read the history of", run_branch)?;
        walk.push(oid(&tip))
            .and_then(|()| walk.hide(oid(&head.commit)))
            .during("read the history of", run_branch)?;
        let mut mixed = BTreeSet::new();
        for commit in walk {
            let commit = commit_id(commit.during("read the history of", run_branch)?);
            if landing.contains(&commit) {
                continue;
            }
            let found = self.commit_info(&commit)?;
            for parent in &found.parents {
                let changed = self.differences(&self.tree_of(parent)?, &found.tree)?;
                mixed.extend(changed.into_iter().map(|difference| difference.path));
            }
        }
        Ok(Some(RunFiles {
            tree: self.tree_of(&tip)?,
            mixed,
        }))
    }

    /// Writes the files and index entries that differ between HEAD and `new`,
    /// but for files that hold what `keep` has for them.
    pub(crate) fn carry_files(
        &self,
        head: &Head,
        new: &TreeId,
        run: Option<&RunFiles>,
        keep: &[(RepoPath, Vec<u8>)],
    ) -> Result<Carried, LandError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let differences = self.differences(&head.tree, new)?;
        let mut index = self.git.index().during("open", "the index")?;
        index.read(true).during("read", "the index")?;
        if let Some((path, other)) = case_clash(&index, &differences) {
            return Err(LandError::CaseClash { path, other });
        }
        let staged = overlaps(&index, &differences);

        let mut steps = Vec::new();
        for difference in &differences {
            if is_kept(&root, &difference.path, keep) {
                continue;
            }
            let mut known = vec![difference.old];
            if let Some(run) = run.filter(|run| !run.mixed.contains(&difference.path)) {
                known.push(self.entry_in(&run.tree, &difference.path)?);
            }
            steps.push(Step {
                path: difference.path.clone(),
                known,
                want: difference.new,
            });
        }
        let steps = Steps::new(self, Bytes::AsGit, steps)?;
        let refused = steps.check()?.refused;
        if !staged.is_empty() || !refused.is_empty() {
            return Err(LandError::Overlap {
                work_tree: refused.into_iter().map(|refused| refused.path).collect(),
                staged,
            });
        }
        if self.head()?.commit != head.commit {
            return Err(LandError::Moved);
        }
        let done = steps.act()?;
        if !done.refused.is_empty() {
            return Err(LandError::Overlap {
                work_tree: done
                    .refused
                    .into_iter()
                    .map(|refused| refused.path)
                    .collect(),
                staged: Vec::new(),
            });
        }
        let at = |path: &RepoPath| exact(&index, path);
        let replaced = differences
            .iter()
            .filter(|difference| entry_of(&index, &difference.path) != difference.new)
            .map(|difference| (difference.clone(), at(&difference.path)));
        let replaced = replaced.collect();
        self.refresh_index(&mut index, &differences, &steps)?;
        let mut touched = done.written;
        touched.extend(done.removed);
        touched.sort();
        Ok(Carried { touched, replaced })
    }

    /// Puts the entries back that were replaced, where nobody has changed them since.
    pub(crate) fn put_index_back(&self, carried: &Carried) -> Result<(), GitError> {
        let mut index = self.git.index().during("open", "the index")?;
        index.read(true).during("read", "the index")?;
        // What came makes room for what stood there.
        let (came, stood): (Vec<_>, Vec<_>) = carried
            .replaced
            .iter()
            .filter(|(difference, _)| entry_of(&index, &difference.path) == difference.new)
            .partition(|(_, before)| before.is_none());
        for (difference, _) in came {
            let removed = index.remove(difference.path.as_path(), 0);
            removed.during("put back the index for", &difference.path)?;
        }
        for (difference, before) in stood {
            if let Some(before) = before {
                let added = index.add(before);
                added.during("put back the index for", &difference.path)?;
            }
        }
        index.write().during("write", "the index")
    }

    fn refresh_index(
        &self,
        index: &mut Index,
        differences: &[Difference],
        steps: &Steps<'_>,
    ) -> Result<(), GitError> {
        let is_there = |index: &Index, path: &RepoPath| exact(index, path).is_some();
        for difference in differences
            .iter()
            .filter(|difference| difference.new.is_none())
        {
            if is_there(index, &difference.path) {
                let removed = index.remove(difference.path.as_path(), 0);
                removed.during("update the index for", &difference.path)?;
            }
        }
        for difference in differences {
            let Some(entry) = difference.new else {
                continue;
            };
            if entry_of(index, &difference.path) == Some(entry) {
                continue;
            }
            let fresh = self.fresh_entry(&difference.path, entry, steps)?;
            index
                .add(&fresh)
                .during("update the index for", &difference.path)?;
        }
        harness_failpoint::pass("index.write").on_path("write", self.git_dir().join("index"))?;
        index.write().during("write", "the index")?;
        harness_failpoint::moment("index.written");
        Ok(())
    }

    /// Makes an index entry, with the file's looks if it holds exactly this content.
    fn fresh_entry(
        &self,
        path: &RepoPath,
        entry: Entry,
        steps: &Steps<'_>,
    ) -> Result<IndexEntry, GitError> {
        let metadata = fs::symlink_metadata(self.on_disk(path)).ok();
        // Looked at before it is compared: a change after that shows in its times.
        let metadata = match metadata {
            Some(metadata) if steps.holds_now(path, entry)? => Some(metadata),
            _ => None,
        };
        Ok(index_entry(path, entry, metadata.as_ref()))
    }
}

/// Whether a file holds exactly what is to stay there.
fn is_kept(root: &Folder, path: &RepoPath, keep: &[(RepoPath, Vec<u8>)]) -> bool {
    let mut wanted = keep.iter().filter(|(kept, _)| kept == path);
    wanted.any(|(_, bytes)| {
        let disk = look(root, path, bytes.len() as u64);
        matches!(disk, Ok(OnDisk::Blob(Mode::File | Mode::Executable, found)) if found == *bytes)
    })
}

/// Returns the paths whose index entry is neither HEAD's nor the new one.
fn overlaps(index: &Index, differences: &[Difference]) -> Vec<RepoPath> {
    let changing: BTreeSet<&RepoPath> = differences
        .iter()
        .map(|difference| &difference.path)
        .collect();
    let mut staged: BTreeSet<RepoPath> = differences
        .iter()
        .filter(|difference| {
            let entry = entry_of(index, &difference.path);
            entry != difference.old && entry != difference.new
        })
        .map(|difference| difference.path.clone())
        .collect();
    // A staged file that stands where a folder is needed, or below a file to come.
    for difference in differences
        .iter()
        .filter(|difference| difference.new.is_some())
    {
        let mut above = difference.path.parent();
        while let Some(folder) = above.filter(|folder| !folder.is_root()) {
            if entry_of(index, &folder).is_some() && !changing.contains(&folder) {
                staged.insert(folder.clone());
            }
            above = folder.parent();
        }
        let mut prefix = difference.path.as_bytes().to_vec();
        prefix.push(b'/');
        let first = index.find_prefix(prefix.clone()).unwrap_or(index.len());
        for entry in (first..index.len()).map_while(|at| index.get(at)) {
            if !entry.path.starts_with(&prefix) {
                break;
            }
            if let Ok(path) = RepoPath::parse(&entry.path)
                && !changing.contains(&path)
            {
                staged.insert(path);
            }
        }
    }
    // A path with conflicts has no entry of its own.
    for conflict in index.conflicts().into_iter().flatten().flatten() {
        let sides = [conflict.our, conflict.their, conflict.ancestor];
        let paths = sides
            .into_iter()
            .flatten()
            .filter_map(|side| RepoPath::parse(side.path).ok());
        staged.extend(paths.filter(|path| changing.contains(path)));
    }
    staged.into_iter().collect()
}

/// Finds a file to come whose place in the index is taken by a name of other case that stays.
///
/// Only an index that ignores case gives an entry under another name than it was asked for.
fn case_clash(index: &Index, differences: &[Difference]) -> Option<(RepoPath, RepoPath)> {
    let goes = |path: &RepoPath| {
        let mut differences = differences.iter();
        differences.any(|difference| difference.new.is_none() && difference.path == *path)
    };
    let mut coming = differences
        .iter()
        .filter(|difference| difference.new.is_some());
    coming.find_map(|difference| {
        let entry = index.get_path(difference.path.as_path(), 0)?;
        let other = RepoPath::parse(&entry.path).ok()?;
        let clashes = other != difference.path && !goes(&other);
        clashes.then(|| (difference.path.clone(), other))
    })
}

/// Returns the entry under exactly this name.
fn exact(index: &Index, path: &RepoPath) -> Option<IndexEntry> {
    let entry = index.get_path(path.as_path(), 0)?;
    (entry.path == path.as_bytes()).then_some(entry)
}

fn entry_of(index: &Index, path: &RepoPath) -> Option<Entry> {
    let entry = exact(index, path)?;
    Some(Entry {
        mode: mode_of(&entry),
        id: entry.id,
    })
}
