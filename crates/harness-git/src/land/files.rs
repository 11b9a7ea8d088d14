//! The work tree and the index, brought to what landed without touching anything else.

use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt};

use git2::{Index, IndexEntry, IndexTime};
use harness_core::{CommitId, RepoPath, TreeId};

use super::LandError;
use crate::{
    beneath::{Folder, OnDisk, look},
    index::mode_of,
    repo::{During, GitError, Head, OnPath, Repo, commit_id, oid},
    steps::{Bytes, Step, Steps},
    tree::{Difference, Entry, Mode},
};

/// What a run's branch left in the work tree.
pub(super) struct RunFiles {
    tree: TreeId,
    /// Paths whose content also came from commits that do not land.
    mixed: BTreeSet<RepoPath>,
}

impl Repo {
    /// Finds what a run's branch holds beyond HEAD; `None` when there is no such branch.
    pub(super) fn run_files(
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
    /// but for files that hold what `keep` has for them; returns the files of the work tree that changed.
    pub(super) fn carry_files(
        &self,
        head: &Head,
        new: &TreeId,
        run: Option<&RunFiles>,
        keep: &[(RepoPath, Vec<u8>)],
    ) -> Result<Vec<RepoPath>, LandError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let differences = self.differences(&head.tree, new)?;
        let mut index = self.git.index().during("open", "the index")?;
        index.read(true).during("read", "the index")?;
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
        self.refresh_index(&mut index, &differences, &steps)?;
        let mut touched = done.written;
        touched.extend(done.removed);
        touched.sort();
        Ok(touched)
    }

    fn refresh_index(
        &self,
        index: &mut Index,
        differences: &[Difference],
        steps: &Steps<'_>,
    ) -> Result<(), GitError> {
        let is_there = |index: &Index, path: &RepoPath| index.get_path(path.as_path(), 0).is_some();
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
            let fresh = self.index_entry(&difference.path, entry, steps)?;
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
    fn index_entry(
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
        // The index holds the low 32 bits of each number.
        let number = |get: fn(&fs::Metadata) -> u64| metadata.as_ref().map_or(0, get) as u32;
        let time = |seconds: fn(&fs::Metadata) -> i64, nanoseconds: fn(&fs::Metadata) -> i64| {
            metadata.as_ref().map_or(IndexTime::new(0, 0), |metadata| {
                IndexTime::new(seconds(metadata) as i32, nanoseconds(metadata) as u32)
            })
        };
        Ok(IndexEntry {
            ctime: time(MetadataExt::ctime, MetadataExt::ctime_nsec),
            mtime: time(MetadataExt::mtime, MetadataExt::mtime_nsec),
            dev: number(MetadataExt::dev),
            ino: number(MetadataExt::ino),
            mode: entry.mode.bits() as u32,
            uid: metadata.as_ref().map_or(0, MetadataExt::uid),
            gid: metadata.as_ref().map_or(0, MetadataExt::gid),
            file_size: number(MetadataExt::size),
            id: entry.id,
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        })
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

fn entry_of(index: &Index, path: &RepoPath) -> Option<Entry> {
    let entry = index.get_path(path.as_path(), 0)?;
    Some(Entry {
        mode: mode_of(&entry),
        id: entry.id,
    })
}
