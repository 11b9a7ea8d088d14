//! Linked work trees that the harness makes for its own runs, and takes away again.
//!
//! Made as `git worktree add --detach` makes them, so that git knows them; no
//! hook and no filter program runs, and HEAD, index and branches of the
//! person's work tree stay. A file `harness-home` in the work tree's git folder
//! marks it as ours and names the person's work tree.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use git2::{IndexEntry, IndexTime, Repository, RepositoryOpenFlags};
use harness_core::{CommitId, RepoPath};

use crate::{
    beneath::{Folder, InTheWay},
    repo::{During, GitError, OnPath, Repo},
    tree::{Entry, Mode},
};

/// The file that marks a work tree of ours.
const MARK: &str = "harness-home";
/// How many work trees of ours one repository may have.
const LINKED_MAX: u32 = 1_000;

/// A linked work tree of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Its folder; it may be gone.
    pub root: PathBuf,
    /// The work tree of the person that it was made from.
    pub home: PathBuf,
    git_dir: PathBuf,
}

/// A linked work tree that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedMade {
    /// Which.
    pub linked: Linked,
    /// Files that a filter program would have changed; they hold what git stores. Sorted.
    pub unfiltered: Vec<RepoPath>,
    /// Submodules, which are empty. Sorted.
    pub modules: Vec<RepoPath>,
}

impl Repo {
    /// Makes a work tree in a new folder below `place`, on a detached HEAD at `commit`.
    ///
    /// The folder's last name is that of this work tree's folder. What fails on the way is taken
    /// away again.
    ///
    /// # Errors
    /// When a folder or file cannot be written or the commit cannot be read.
    pub fn add_linked(&self, place: &Path, commit: &CommitId) -> Result<LinkedMade, GitError> {
        fs::create_dir_all(place).on_path("make the folder", place)?;
        let place = fs::canonicalize(place).on_path("find", place)?;
        let (git_dir, number) = self.new_git_dir()?;
        let name = self.root().file_name().unwrap_or(OsStr::new("work-tree"));
        let linked = Linked {
            root: place.join(number.to_string()).join(name),
            home: self.root().to_path_buf(),
            git_dir,
        };
        let made = self.fill_linked(&linked, commit);
        if made.is_err() {
            // What cannot be removed either is found again by its mark.
            let _ = self.remove_linked(&linked);
        }
        made
    }

    /// Lists the work trees of ours, whoever made them.
    pub fn linked(&self) -> Vec<Linked> {
        let folders = fs::read_dir(self.common_dir().join("worktrees"));
        let folders = folders.into_iter().flatten().flatten();
        let mut found: Vec<Linked> = folders
            .filter_map(|entry| read_linked(&entry.path()))
            .collect();
        found.sort_by(|a, b| a.git_dir.cmp(&b.git_dir));
        found
    }

    /// Returns the person's work tree that this one was made from; `None` when it is the person's.
    pub fn home(&self) -> Option<PathBuf> {
        read_path(&self.git_dir().join(MARK)).ok()
    }

    /// Says again where a work tree of ours and the repository find each other, after the repository
    /// was moved; this is the person's work tree that has it now.
    ///
    /// Changes nothing where they find each other, and where the folder is gone or another's.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn find_linked_again(&self, linked: &Linked) -> Result<Linked, GitError> {
        let git_dir = &linked.git_dir;
        let pointer = linked.root.join(".git");
        let told = fs::read(&pointer).unwrap_or_default();
        let told = told.strip_prefix(b"gitdir: ").unwrap_or_default();
        let told = Path::new(OsStr::from_bytes(told.trim_ascii_end()));
        // It names a folder of this name that is nowhere any more: the one that was moved.
        let is_lost = told.file_name() == git_dir.file_name() && !told.exists();
        let write = |path: &Path, text: &[&[u8]]| {
            let text = [&text.concat()[..], b"\n"].concat();
            fs::write(path, text).on_path("write", path)
        };
        if is_lost {
            write(&pointer, &[b"gitdir: ", git_dir.as_os_str().as_bytes()])?;
        }
        if linked.home != self.root() && !linked.home.exists() {
            let root = self.root().as_os_str().as_bytes();
            write(&git_dir.join(MARK), &[root])?;
        }
        Ok(Linked {
            home: self.root().to_path_buf(),
            ..linked.clone()
        })
    }

    /// Removes a work tree of ours with all that is in it, and what git knows of it.
    ///
    /// # Errors
    /// When something cannot be removed; the same call goes on from there.
    pub fn remove_linked(&self, linked: &Linked) -> Result<(), GitError> {
        let gone = |path: &Path| match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        gone(&linked.root).on_path("remove", &linked.root)?;
        if let Some(above) = linked.root.parent() {
            // It was made for this one alone.
            let _ = fs::remove_dir(above);
        }
        gone(&linked.git_dir).on_path("remove", &linked.git_dir)
    }

    /// Makes the folder in git's own, under the first number that is free.
    fn new_git_dir(&self) -> Result<(PathBuf, u32), GitError> {
        let folder = self.common_dir().join("worktrees");
        fs::create_dir_all(&folder).on_path("make the folder", &folder)?;
        let mut number = 1;
        loop {
            let git_dir = folder.join(format!("harness-{number}"));
            match fs::create_dir(&git_dir) {
                Ok(()) => return Ok((git_dir, number)),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && number < LINKED_MAX =>
                {
                    number += 1;
                }
                Err(error) => return Err(error).on_path("make the folder", git_dir),
            }
        }
    }

    fn fill_linked(&self, linked: &Linked, commit: &CommitId) -> Result<LinkedMade, GitError> {
        let git_dir = &linked.git_dir;
        let put = |name: &str, text: &[u8]| {
            let path = git_dir.join(name);
            fs::write(&path, [text, b"\n"].concat()).on_path("write", path)
        };
        // The mark comes first: what is left by a crash is ours to remove.
        put(MARK, linked.home.as_os_str().as_bytes())?;
        put("commondir", b"../..")?;
        put("HEAD", commit.to_string().as_bytes())?;
        let dot_git = linked.root.join(".git");
        put("gitdir", dot_git.as_os_str().as_bytes())?;
        if let Some(above) = linked.root.parent() {
            fs::create_dir_all(above).on_path("make the folder", above)?;
        }
        fs::create_dir(&linked.root).on_path("make the folder", &linked.root)?;
        let pointer = [
            b"gitdir: ".as_slice(),
            git_dir.as_os_str().as_bytes(),
            b"\n",
        ]
        .concat();
        fs::write(&dot_git, pointer).on_path("write", &dot_git)?;
        let none: [&str; 0] = [];
        let git = Repository::open_ext(&linked.root, RepositoryOpenFlags::NO_SEARCH, none)
            .during("open the work tree", linked.root.display())?;
        self.beside(git, linked.root.clone()).fill(linked, commit)
    }

    /// Writes every file of a commit and the index; this is the new work tree.
    fn fill(&self, linked: &Linked, commit: &CommitId) -> Result<LinkedMade, GitError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let files = self.files_of(&self.tree_of(commit)?)?;
        let mut made = LinkedMade {
            linked: linked.clone(),
            unfiltered: Vec::new(),
            modules: Vec::new(),
        };
        // Attributes say how the other files are written.
        let is_first = |path: &RepoPath| path.file_name() == Some(b".gitattributes".as_slice());
        let (first, rest): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| is_first(path));
        for (path, entry) in first.into_iter().chain(rest) {
            if entry.mode == Mode::Module {
                let folder = self.on_disk(path);
                fs::create_dir_all(&folder).on_path("make the folder", folder)?;
                made.modules.push(path.clone());
                continue;
            }
            let bytes = self.blob_bytes(entry.id)?;
            let is_plain = entry.mode != Mode::Link;
            if is_plain && self.filter_program(path).is_some() {
                made.unfiltered.push(path.clone());
            }
            let bytes = if is_plain {
                self.to_work_tree(path, bytes)
            } else {
                bytes
            };
            let name = path.file_name().unwrap_or_default();
            root.make_parent_of(path, InTheWay::Keep)
                .and_then(|folder| folder.put(name, entry.mode, &bytes))
                .on_path("write", self.on_disk(path))?;
        }
        let mut index = self.git.index().during("open", "the index")?;
        for (path, entry) in &files {
            let metadata = fs::symlink_metadata(self.on_disk(path)).ok();
            let metadata = metadata.filter(|_| entry.mode != Mode::Module);
            index
                .add(&index_entry(path, *entry, metadata.as_ref()))
                .during("add to the index", path)?;
        }
        index.write().during("write", "the index")?;
        Ok(made)
    }
}

/// Makes an index entry, with the looks of a file where they are known.
pub(crate) fn index_entry(
    path: &RepoPath,
    entry: Entry,
    metadata: Option<&fs::Metadata>,
) -> IndexEntry {
    // The index holds the low 32 bits of each number.
    let number = |get: fn(&fs::Metadata) -> u64| metadata.map_or(0, get) as u32;
    let time = |seconds: fn(&fs::Metadata) -> i64, nanoseconds: fn(&fs::Metadata) -> i64| {
        metadata.map_or(IndexTime::new(0, 0), |metadata| {
            IndexTime::new(seconds(metadata) as i32, nanoseconds(metadata) as u32)
        })
    };
    IndexEntry {
        ctime: time(MetadataExt::ctime, MetadataExt::ctime_nsec),
        mtime: time(MetadataExt::mtime, MetadataExt::mtime_nsec),
        dev: number(MetadataExt::dev),
        ino: number(MetadataExt::ino),
        mode: entry.mode.bits() as u32,
        uid: metadata.map_or(0, MetadataExt::uid),
        gid: metadata.map_or(0, MetadataExt::gid),
        file_size: number(MetadataExt::size),
        id: entry.id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

fn read_linked(git_dir: &Path) -> Option<Linked> {
    let dot_git = read_path(&git_dir.join("gitdir")).unwrap_or_default();
    Some(Linked {
        home: read_path(&git_dir.join(MARK)).ok()?,
        root: dot_git.parent().unwrap_or(Path::new("")).to_path_buf(),
        git_dir: git_dir.to_path_buf(),
    })
}

/// Reads a file that holds one path and a newline.
fn read_path(file: &Path) -> io::Result<PathBuf> {
    let bytes = fs::read(file)?;
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok(PathBuf::from(OsStr::from_bytes(bytes)))
}
