//! An open repository and what can be read from its history.

use std::{
    ffi::OsStr,
    fmt, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use git2::{ErrorCode, ObjectType, Oid, Repository, Tree};
use harness_core::{BlobId, CommitId, RepoPath, TreeId};

use crate::{
    person::Person,
    text::{AutoCrlf, TextSettings},
};

/// Above those of git's own stores.
const MEMORY_PRIORITY: i32 = 1_000;

/// The longest subject line given out. Unit: characters.
const SUBJECT_CHARS_MAX: usize = 120;

/// Why something could not be done with the repository.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// libgit2 reports a failure.
    #[error("cannot {attempt} `{what}`")]
    Git {
        /// The verb and its object's kind.
        attempt: &'static str,
        /// Which one.
        what: String,
        /// The cause.
        #[source]
        source: git2::Error,
    },
    /// The file system reports a failure.
    #[error("cannot {attempt} `{}`", path.display())]
    Disk {
        /// The verb and its object's kind.
        attempt: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The branch that HEAD names has no commit yet.
    #[error("cannot read HEAD of `{}`: there is no commit yet", root.display())]
    NoCommits {
        /// The repository.
        root: PathBuf,
    },
    /// A reference is not where it was expected; nothing was changed.
    #[error("cannot move `{reference}`: it was moved by somebody else")]
    RefMoved {
        /// The reference.
        reference: String,
    },
    /// A path holds a folder, a link or a submodule where a file is needed.
    #[error("cannot read `{path}`: it is not a plain file")]
    NotAFile {
        /// The path.
        path: RepoPath,
    },
    /// A file is larger than the caller takes.
    #[error("cannot read `{path}`: it has {bytes} bytes, at most {bytes_max} are read")]
    TooLarge {
        /// The path.
        path: RepoPath,
        /// Its size.
        bytes: u64,
        /// The bound.
        bytes_max: u64,
    },
    /// A changed path needs a program to be stored, and none is run.
    #[error("cannot commit `{path}`: its content goes through the filter program `{filter}`")]
    Filtered {
        /// The path.
        path: RepoPath,
        /// The name of the filter, as in `.gitattributes`.
        filter: String,
    },
    /// A checkout was ended before it was whole: nobody waited for it any more.
    #[error("cannot check out all of the tree into `{}`: it was ended", folder.display())]
    CutShort {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder given for a checkout is part of the repository, or holds it.
    #[error("cannot check out into `{}`: it overlaps the repository", folder.display())]
    FolderOverlaps {
        /// The folder.
        folder: PathBuf,
    },
}

/// Where HEAD stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub commit: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// The branch; `None` when HEAD is detached.
    pub branch: Option<String>,
}

/// An open repository with a work tree. `Send`, to be used by one thread at a time.
pub struct Repo {
    pub(crate) git: Repository,
    root: PathBuf,
    common_dir: PathBuf,
    git_dir: PathBuf,
    pub(crate) excludes_file: Option<PathBuf>,
    pub(crate) text: TextSettings,
    /// Whether the executable bit of a file means something here.
    pub(crate) watches_modes: bool,
    pub(crate) author: (String, String),
}

impl Repo {
    pub(crate) fn new(git: Repository, root: PathBuf, person: &Person) -> Self {
        let config = git.config().ok();
        let own = |key: &str| {
            config
                .as_ref()
                .and_then(|config| config.get_string(key).ok())
        };
        let autocrlf = own("core.autocrlf").or_else(|| person.autocrlf.clone());
        let eol = own("core.eol").or_else(|| person.eol.clone());
        Self {
            root,
            common_dir: plain(git.commondir()),
            git_dir: plain(git.path()),
            excludes_file: own("core.excludesfile")
                .map(|path| person.expand(&path))
                .or_else(|| person.excludes_file.clone()),
            watches_modes: config
                .as_ref()
                .is_none_or(|config| config.get_bool("core.filemode").unwrap_or(true)),
            text: TextSettings {
                autocrlf: AutoCrlf::parse(autocrlf.as_deref()),
                crlf: eol.is_some_and(|eol| eol.eq_ignore_ascii_case("crlf")),
            },
            author: (
                own("user.name")
                    .or_else(|| person.name.clone())
                    .unwrap_or_else(|| "harness".to_owned()),
                own("user.email")
                    .or_else(|| person.email.clone())
                    .unwrap_or_else(|| "harness@localhost".to_owned()),
            ),
            git,
        }
    }

    /// Makes the same of another work tree of this repository.
    pub(crate) fn beside(&self, git: Repository, root: PathBuf) -> Self {
        Self {
            common_dir: self.common_dir.clone(),
            git_dir: plain(git.path()),
            root,
            git,
            excludes_file: self.excludes_file.clone(),
            text: self.text,
            watches_modes: self.watches_modes,
            author: self.author.clone(),
        }
    }

    /// Returns the work tree's folder: absolute, links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the git folder that all work trees of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the git folder of this work tree.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Returns the name of the work tree's folder, for people.
    pub fn name(&self) -> String {
        let name = self.root.file_name().unwrap_or(OsStr::new("/"));
        name.to_string_lossy().into_owned()
    }

    /// Returns where HEAD stands.
    ///
    /// # Errors
    /// [`GitError::NoCommits`] in a fresh repository; when HEAD cannot be read.
    pub fn head(&self) -> Result<Head, GitError> {
        let head = self.git.head().map_err(|source| match source.code() {
            ErrorCode::UnbornBranch | ErrorCode::NotFound => GitError::NoCommits {
                root: self.root.clone(),
            },
            _ => GitError::Git {
                attempt: "read",
                what: "HEAD".to_owned(),
                source,
            },
        })?;
        // Asked for by its id it is said why a commit cannot be read, where peeling says only that.
        let commit = match head.target() {
            Some(id) => self.git.find_commit(id),
            None => head.peel_to_commit(),
        };
        let commit = commit.during("read the commit of", "HEAD")?;
        let branch = head
            .is_branch()
            .then(|| String::from_utf8_lossy(head.shorthand_bytes()).into_owned());
        Ok(Head {
            commit: commit_id(commit.id()),
            tree: tree_id(commit.tree_id()),
            branch,
        })
    }

    /// Returns the tree of a commit.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId, GitError> {
        let commit = self.commit_object(commit)?;
        Ok(tree_id(commit.tree_id()))
    }

    /// Finds the commit a person names: a branch, a tag, an id, `HEAD~2`.
    ///
    /// # Errors
    /// When nothing or no commit has that name.
    pub fn resolve(&self, revision: &str) -> Result<CommitId, GitError> {
        let commit = self
            .git
            .revparse_single(revision)
            .and_then(|object| object.peel_to_commit())
            .during("find the commit", revision)?;
        Ok(commit_id(commit.id()))
    }

    /// Reads a file of a tree; `None` when nothing stands at `path`.
    ///
    /// # Errors
    /// When something else than a file stands there, it has more than
    /// `bytes_max` bytes, or cannot be read.
    pub fn read_blob(
        &self,
        tree: &TreeId,
        path: &RepoPath,
        bytes_max: u64,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let entry = match self.tree_object(tree)?.get_path(path.as_path()) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(source) => return Err(source).during("find", path),
        };
        let is_file = entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120_000;
        if !is_file {
            return Err(GitError::NotAFile { path: path.clone() });
        }
        let odb = self.git.odb().during("open the objects for", path)?;
        let (bytes, _) = odb.read_header(entry.id()).during("read", path)?;
        if bytes as u64 > bytes_max {
            return Err(GitError::TooLarge {
                path: path.clone(),
                bytes: bytes as u64,
                bytes_max,
            });
        }
        let blob = self.git.find_blob(entry.id()).during("read", path)?;
        Ok(Some(blob.content().to_vec()))
    }

    /// Returns the newest commits of HEAD, newest first: short id and subject.
    ///
    /// Subjects are valid UTF-8 of at most 120 characters, any printable or
    /// control character otherwise. Empty when there is no commit.
    pub fn recent_commits(&self, count: usize) -> Vec<String> {
        let Ok(mut walk) = self.git.revwalk() else {
            return Vec::new();
        };
        if walk.push_head().is_err() {
            return Vec::new();
        }
        walk.flatten()
            .take(count)
            .filter_map(|id| self.git.find_commit(id).ok())
            .map(|commit| {
                let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
                let subject = message.trim_start().lines().next().unwrap_or_default();
                let subject: String = subject.chars().take(SUBJECT_CHARS_MAX).collect();
                format!("{} {subject}", commit_id(commit.id()).short())
            })
            .collect()
    }

    /// Keeps every object that is made from now on in memory alone, for whoever only looks.
    ///
    /// # Errors
    /// When the object store cannot be opened.
    pub fn write_in_memory(&self) -> Result<(), GitError> {
        let odb = self
            .git
            .odb()
            .during("open the objects of", "the repository")?;
        // Asked first of all; it lives as long as the repository is open.
        odb.add_new_mempack_backend(MEMORY_PRIORITY)
            .during("open the objects of", "the repository")?;
        Ok(())
    }

    pub(crate) fn tree_object(&self, tree: &TreeId) -> Result<Tree<'_>, GitError> {
        self.find_tree(oid(tree))
    }

    pub(crate) fn find_tree(&self, id: Oid) -> Result<Tree<'_>, GitError> {
        self.git.find_tree(id).during("read the tree", id)
    }

    pub(crate) fn commit_object(&self, commit: &CommitId) -> Result<git2::Commit<'_>, GitError> {
        self.git
            .find_commit(oid(commit))
            .during("read the commit", commit)
    }

    pub(crate) fn blob_bytes(&self, id: Oid) -> Result<Vec<u8>, GitError> {
        let blob = self.git.find_blob(id).during("read the blob", id)?;
        Ok(blob.content().to_vec())
    }

    pub(crate) fn write_blob(&self, bytes: &[u8], path: &RepoPath) -> Result<Oid, GitError> {
        self.git.blob(bytes).during("store", path)
    }

    /// Names a path for an error about the work tree.
    pub(crate) fn on_disk(&self, path: &RepoPath) -> PathBuf {
        self.root.join(OsStr::from_bytes(path.as_bytes()))
    }
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// Says what was attempted when libgit2 fails.
pub(crate) trait During<T> {
    /// Turns the failure into one of this crate.
    fn during(self, attempt: &'static str, what: impl fmt::Display) -> Result<T, GitError>;
}

impl<T> During<T> for Result<T, git2::Error> {
    fn during(self, attempt: &'static str, what: impl fmt::Display) -> Result<T, GitError> {
        self.map_err(|source| GitError::Git {
            attempt,
            what: what.to_string(),
            source,
        })
    }
}

/// Says which path was touched when the file system fails.
pub(crate) trait OnPath<T> {
    /// Turns the failure into one of this crate.
    fn on_path(self, attempt: &'static str, path: impl Into<PathBuf>) -> Result<T, GitError>;
}

impl<T> OnPath<T> for io::Result<T> {
    fn on_path(self, attempt: &'static str, path: impl Into<PathBuf>) -> Result<T, GitError> {
        self.map_err(|source| GitError::Disk {
            attempt,
            path: path.into(),
            source,
        })
    }
}

/// An id of core that names an object by 40 hexadecimal digits.
pub(crate) trait ObjectName {
    /// Returns the digits.
    fn hex(&self) -> &str;
}

impl ObjectName for TreeId {
    fn hex(&self) -> &str {
        self.as_str()
    }
}

impl ObjectName for BlobId {
    fn hex(&self) -> &str {
        self.as_str()
    }
}

impl ObjectName for CommitId {
    fn hex(&self) -> &str {
        self.as_str()
    }
}

pub(crate) fn oid(name: &impl ObjectName) -> Oid {
    Oid::from_str(name.hex()).expect("core's object ids are 40 hexadecimal digits")
}

pub(crate) fn tree_id(id: Oid) -> TreeId {
    parsed(id)
}

pub(crate) fn blob_id(id: Oid) -> BlobId {
    parsed(id)
}

pub(crate) fn commit_id(id: Oid) -> CommitId {
    parsed(id)
}

fn parsed<T: std::str::FromStr>(id: Oid) -> T {
    id.to_string()
        .parse()
        .ok()
        .expect("libgit2 prints 40 lower-case hexadecimal digits")
}

/// Drops the trailing slash libgit2 puts on folders.
pub(crate) fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}
