//! Plain files of a tree in a kept folder, for gates to run on.
//!
//! The folder lies outside the repository and has no `.git`. What a build left
//! in it stays, and files whose content stays are not touched, so that builds
//! start warm and see the right times. Programs ran in the folder: nothing in
//! it is believed, and links in the way are removed, never followed.

mod kept;
mod writing;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use git2::{ObjectType, Oid};
use harness_core::{RepoPath, TreeId};

use crate::{
    beneath::{Cursor, Folder, OnDisk, Stat, is_absent, look},
    repo::{During, GitError, OnPath, Repo},
    sweep::sweep,
    tree::{Entry, Mode},
};

/// A file changed this short a time ago may change again within the same tick of its clock.
const RACY: Duration = Duration::from_secs(2);

/// So many files are read again rather than that anything is waited for or kept because of them.
const FEW: usize = 256;

/// The files of a tree.
type Files = BTreeMap<RepoPath, Entry>;

/// Files of a tree that are to be written.
type Wanted<'a> = Vec<(&'a RepoPath, Entry)>;

/// How a file was left, and what it holds.
type Known = (Stat, Oid);

/// What is known about the files of one checked-out folder, so that unchanged
/// ones are not read again. An empty one costs a reading of every file.
#[derive(Debug, Default)]
pub struct CheckoutStamp {
    pub(crate) files: HashMap<RepoPath, Known>,
    /// How many files were looked into since it was kept on disk.
    pub(crate) news: usize,
}

/// What a checkout did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedOut {
    /// Files and links written, sorted by path.
    pub written: Vec<RepoPath>,
    /// Files and links of the trees before that are no longer wanted, sorted by path.
    pub removed: Vec<RepoPath>,
}

impl Repo {
    /// Brings a kept folder to `tree`: the folder is made when it is missing.
    ///
    /// A path with other bytes or another mode is written anew and gets the
    /// present time, also where a program changed it; others are not touched.
    /// Files of the trees checked out before that are not in this one are
    /// removed; anything else stays. A file `<folder>.tree` beside the folder
    /// remembers those trees across processes and crashes. Submodules are left out.
    ///
    /// # Errors
    /// [`GitError::FolderOverlaps`] when the folder lies in the repository,
    /// holds it or is one; when something cannot be read or written.
    pub fn check_out(
        &self,
        tree: &TreeId,
        folder: &Path,
        stamp: &mut CheckoutStamp,
    ) -> Result<CheckedOut, GitError> {
        let files = self.files_of(tree)?;
        let (written, removed) = self.bring(tree, &files, (folder, stamp), &|| false)?;
        let written = written.into_iter().map(|(path, _)| path.clone()).collect();
        Ok(CheckedOut { written, removed })
    }

    /// As [`Repo::check_out`], and removes everything that is not in the tree, but for what
    /// `is_kept` names, as [`Repo::sweep_checkout`] does.
    ///
    /// Ends early when `is_over` says that nobody waits for it any more: what was written until
    /// then is gone on with the next time.
    ///
    /// # Errors
    /// As [`Repo::check_out`]; [`GitError::CutShort`] when it was ended.
    pub fn check_out_alone(
        &self,
        tree: &TreeId,
        folder: &Path,
        stamp: &mut CheckoutStamp,
        is_kept: &dyn Fn(&RepoPath) -> bool,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), GitError> {
        // A large tree takes long to list: once for both.
        let files = self.files_of(tree)?;
        self.bring(tree, &files, (folder, stamp), is_over)?;
        sweep(&files, folder, is_kept)?;
        Ok(())
    }

    /// Returns what was written and what was removed.
    fn bring<'a>(
        &self,
        tree: &TreeId,
        files: &'a Files,
        (folder, stamp): (&Path, &mut CheckoutStamp),
        is_over: &dyn Fn() -> bool,
    ) -> Result<(Wanted<'a>, Vec<RepoPath>), GitError> {
        let root = self.open_checkout(folder)?;
        let record = record_path(folder);
        let before = read_record(&record);
        let mut during = before.clone();
        if !before.contains(tree) {
            during.push(tree.clone());
            write_record(&record, &during)?;
        }

        let removed = match self.stale_files(&before, tree, files) {
            Ok(stale) => remove_stale(&root, folder, stale)?,
            // A tree that `git gc` removed: what came from it is unknown, so all goes.
            Err(_) => {
                stamp.files.clear();
                empty(&root).on_path("empty", folder)?;
                Vec::new()
            }
        };
        let differing = differing(files, &root, (folder, stamp), is_over)?;
        let written = self.write_files(&differing, &root, folder, is_over)?;
        let written = written.ok_or_else(|| GitError::CutShort {
            folder: folder.to_path_buf(),
        })?;
        if during != [tree.clone()] {
            write_record(&record, std::slice::from_ref(tree))?;
        }
        if written.len() > FEW {
            stamp.news += written.len();
            stamp.files.extend(writing::settled(written));
        }
        Ok((differing, removed))
    }

    /// Returns the files of `tree` that are missing or different in the folder, sorted by path.
    ///
    /// Files that are not in the tree are not looked at.
    ///
    /// # Errors
    /// When the tree or the folder cannot be read.
    pub fn verify_checkout(
        &self,
        tree: &TreeId,
        folder: &Path,
        stamp: &mut CheckoutStamp,
    ) -> Result<Vec<RepoPath>, GitError> {
        let root = Folder::open(folder).on_path("open", folder)?;
        let files = self.files_of(tree)?;
        let differing = differing(&files, &root, (folder, stamp), &|| false)?.into_iter();
        Ok(differing.map(|(path, _)| path.clone()).collect())
    }

    fn open_checkout(&self, folder: &Path) -> Result<Folder, GitError> {
        let real = real_path(folder).on_path("find", folder)?;
        let overlaps = [self.root(), self.common_dir()]
            .iter()
            .any(|own| real.starts_with(own) || own.starts_with(&real));
        // In a folder that was checked out before, a gate may have made a repository: it is swept.
        let is_foreign = || !record_path(folder).exists() && real.join(".git").exists();
        if overlaps || is_foreign() {
            return Err(GitError::FolderOverlaps {
                folder: folder.to_path_buf(),
            });
        }
        fs::create_dir_all(&real).on_path("make the folder", folder)?;
        Folder::open(&real).on_path("open", folder)
    }

    /// Returns what earlier trees put into the folder and this one does not have.
    fn stale_files(
        &self,
        before: &[TreeId],
        tree: &TreeId,
        files: &Files,
    ) -> Result<Vec<RepoPath>, GitError> {
        let mut stale = Vec::new();
        for old in before {
            let differences = self.differences(old, tree)?.into_iter();
            let paths = differences.map(|difference| difference.path);
            stale.extend(paths.filter(|path| !files.contains_key(path)));
        }
        stale.sort();
        stale.dedup();
        Ok(stale)
    }
}

/// Returns the files that are missing or different in the folder, sorted by path; ends early as
/// [`Repo::check_out_alone`] does, and what was looked at until then is known.
fn differing<'a>(
    files: &'a Files,
    root: &Folder,
    (folder, stamp): (&Path, &mut CheckoutStamp),
    is_over: &dyn Fn() -> bool,
) -> Result<Wanted<'a>, GitError> {
    let settled_ns = settled_before_ns();
    let mut cursor = Cursor::new(root);
    let mut differing = Vec::new();
    for (path, entry) in files {
        if entry.mode == Mode::Module {
            continue;
        }
        if is_over() {
            return Err(GitError::CutShort {
                folder: folder.to_path_buf(),
            });
        }
        let stat = match cursor.stat(path) {
            Ok(stat) => stat,
            failed => failed.on_path("look at", folder.join(path.as_path()))?,
        };
        let known = stamp.files.get(path);
        if stat.is_some_and(|stat| known == Some(&(stat, entry.id))) {
            continue;
        }
        stamp.files.remove(path);
        let same = match stat {
            Some(stat) if stat.blob_mode() == entry.mode && stat.is_blob() => {
                stamp.news += 1;
                holds(root, path, *entry)?
            }
            _ => false,
        };
        match stat {
            Some(stat) if same => {
                // Only what is old enough shows a later change in its times.
                if stat.ctime_ns.max(stat.mtime_ns) < settled_ns {
                    stamp.files.insert(path.clone(), (stat, entry.id));
                }
            }
            _ => differing.push((path, *entry)),
        }
    }
    Ok(differing)
}

fn holds(root: &Folder, path: &RepoPath, entry: Entry) -> Result<bool, GitError> {
    match look(root, path, u64::MAX - 1) {
        Ok(OnDisk::Blob(mode, bytes)) => {
            let id = Oid::hash_object(ObjectType::Blob, &bytes).during("hash", path)?;
            Ok(Entry { mode, id } == entry)
        }
        // What cannot be read is written anew.
        _ => Ok(false),
    }
}

fn remove_stale(
    root: &Folder,
    folder: &Path,
    stale: Vec<RepoPath>,
) -> Result<Vec<RepoPath>, GitError> {
    let mut removed = Vec::new();
    for path in stale {
        let gone = remove_file(root, &path).on_path("remove", folder.join(path.as_path()))?;
        if gone {
            removed.push(path);
        }
    }
    Ok(removed)
}

/// Removes a file or link and the folders that are empty then; says whether one was there.
fn remove_file(root: &Folder, path: &RepoPath) -> io::Result<bool> {
    let mut inner = path.clone();
    let mut is_file = true;
    while let (Some(parent), Some(name)) = (inner.parent(), inner.file_name()) {
        let folder = match root.descend(&parent) {
            Ok(folder) => folder,
            Err(error) if is_absent(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        if is_file {
            match folder.stat(name) {
                Ok(stat) if stat.is_blob() => folder.unlink(name)?,
                Err(error) if !is_absent(&error) => return Err(error),
                _ => return Ok(false),
            }
        } else if !folder.remove_empty(name)? {
            break;
        }
        is_file = false;
        inner = parent;
    }
    Ok(true)
}

fn empty(root: &Folder) -> io::Result<()> {
    for (name, _) in root.list()? {
        match root.stat(&name) {
            Ok(stat) if stat.is_blob() => root.unlink(&name)?,
            _ => {
                if root.remove_all(&name).is_err() {
                    root.unlink(&name)?;
                }
            }
        }
    }
    Ok(())
}

/// Resolves links in the part of a path that is there.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(real_path(parent)?.join(name))
        }
        (found, ..) => found,
    }
}

/// Returns `<folder>.tree`, which lies beside the folder, out of its programs' reach.
fn record_path(folder: &Path) -> PathBuf {
    let mut name: OsString = folder.as_os_str().to_owned();
    name.push(".tree");
    PathBuf::from(name)
}

/// Reads the ids of the trees whose files may be in the folder, one per line.
fn read_record(path: &Path) -> Vec<TreeId> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn write_record(path: &Path, trees: &[TreeId]) -> Result<(), GitError> {
    let mut text = String::new();
    for tree in trees {
        text.push_str(tree.as_str());
        text.push('\n');
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    fs::write(&fresh, text)
        .and_then(|()| harness_failpoint::pass("checkout.record"))
        .and_then(|()| fs::rename(&fresh, path))
        .on_path("write", path)
}

fn settled_before_ns() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let settled = since.unwrap_or_default().saturating_sub(RACY);
    i128::try_from(settled.as_nanos()).unwrap_or(0)
}
