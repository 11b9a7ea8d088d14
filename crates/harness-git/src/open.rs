//! Finding and opening a repository, or saying clearly why not.
//!
//! Everything libgit2 would misread or obey is refused before it is opened.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use git2::{Config, Repository, RepositoryOpenFlags};
use memchr::memmem::Finder;

use crate::{
    libgit2,
    person::Person,
    repo::{Repo, plain},
};

/// How the extensions of an index begin that libgit2 cannot read: a name, and a length below 16 MiB.
const SPECIAL_INDEX: [&[u8]; 2] = [b"link\0", b"sdir\0"];
/// How much of an index is looked at at once. Unit: bytes.
const INDEX_AT_ONCE: usize = 256 * 1024;
/// The longest text that is looked for. Unit: bytes.
const NEEDLE_MAX: usize = 8;

/// Why no repository was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No folder from here upwards is a repository.
    #[error("cannot find a git repository at `{}` or above it", path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// The repository has no work tree.
    #[error("cannot work in `{}`: the repository is bare", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// The repository uses something this program does not handle.
    #[error("cannot work in `{}`: {what}", path.display())]
    Unsupported {
        /// The repository.
        path: PathBuf,
        /// What it uses.
        what: String,
        /// The command or act that helps.
        fix: String,
    },
    /// The repository belongs to somebody else.
    #[error("cannot trust `{}`: it belongs to user {owner}", path.display())]
    ForeignOwner {
        /// The folder.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The command that accepts it.
        fix: String,
    },
    /// A file that is needed to open the repository cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A configuration file cannot be parsed.
    #[error("cannot read the git configuration `{}`", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: git2::Error,
    },
    /// libgit2 refuses the repository.
    #[error("cannot open the repository `{}`", path.display())]
    Open {
        /// The repository.
        path: PathBuf,
        /// The cause.
        #[source]
        source: git2::Error,
    },
}

impl OpenError {
    /// Returns what a person can do about it.
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::NotARepository { .. } => Some("git init"),
            Self::Unsupported { fix, .. } | Self::ForeignOwner { fix, .. } => Some(fix),
            _ => None,
        }
    }
}

impl Repo {
    /// Opens the repository whose work tree holds `from`, for whoever runs this process.
    ///
    /// # Errors
    /// When there is none, it is not ours, or it uses something unsupported.
    pub fn discover(from: &Path) -> Result<Self, OpenError> {
        let repo = Self::discover_for(&Person::of_this_process()?, from)?;
        check_environment(&repo)?;
        Ok(repo)
    }

    /// As [`Repo::discover`], for a person whose settings were read before.
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn discover_for(person: &Person, from: &Path) -> Result<Self, OpenError> {
        libgit2::isolate();
        let root = find_root(from)?;
        let git_dir = git_dir_of(&root)?;
        let common_dir = common_dir_of(&git_dir)?;
        check_owner(person, &root, &common_dir)?;
        check_config(&root, &common_dir)?;
        check_alternates(&root, &common_dir)?;
        let none: [&str; 0] = [];
        let git = Repository::open_ext(&root, RepositoryOpenFlags::NO_SEARCH, none).map_err(
            |source| OpenError::Open {
                path: root.clone(),
                source,
            },
        )?;
        if git.is_bare() {
            return Err(OpenError::Bare { path: root });
        }
        check_work_tree(&git, &root)?;
        check_index(&git, &root)?;
        Ok(Self::new(git, root, person))
    }
}

/// Climbs from `from` to the first folder with a `.git` in it.
fn find_root(from: &Path) -> Result<PathBuf, OpenError> {
    let start = canonical(from)?;
    for folder in start.ancestors() {
        if fs::symlink_metadata(folder.join(".git")).is_ok() {
            return Ok(folder.to_path_buf());
        }
        let is_git_dir = folder.join("HEAD").is_file()
            && folder.join("objects").is_dir()
            && folder.join("refs").is_dir();
        if is_git_dir {
            return Err(OpenError::Bare {
                path: folder.to_path_buf(),
            });
        }
    }
    Err(OpenError::NotARepository { path: start })
}

/// Follows a `.git` file, as linked work trees and submodules have one.
fn git_dir_of(root: &Path) -> Result<PathBuf, OpenError> {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return canonical(&dot_git);
    }
    let text = read_text(&dot_git)?;
    match text.strip_prefix("gitdir:") {
        Some(target) => canonical(&root.join(target.trim())),
        None => Err(unsupported(
            root,
            "its `.git` is neither a folder nor names one",
            "git worktree repair",
        )),
    }
}

fn common_dir_of(git_dir: &Path) -> Result<PathBuf, OpenError> {
    let link = git_dir.join("commondir");
    if !link.is_file() {
        return Ok(git_dir.to_path_buf());
    }
    canonical(&git_dir.join(read_text(&link)?.trim()))
}

/// Accepts folders of this user, of root, and those the person declared safe.
fn check_owner(person: &Person, root: &Path, common_dir: &Path) -> Result<(), OpenError> {
    let us = rustix::process::geteuid().as_raw();
    for path in [root, common_dir] {
        let owner = fs::metadata(path)
            .map_err(|source| read_error(path, source))?
            .uid();
        if owner != us && owner != 0 && !person.trusts(root) {
            return Err(OpenError::ForeignOwner {
                path: path.to_path_buf(),
                owner,
                fix: format!(
                    "git config --global --add safe.directory '{}'",
                    root.display()
                ),
            });
        }
    }
    Ok(())
}

/// Refuses storage formats libgit2 does not read and settings that move the work tree.
fn check_config(root: &Path, common_dir: &Path) -> Result<(), OpenError> {
    let path = common_dir.join("config");
    let broken = |source| OpenError::Config {
        path: path.clone(),
        source,
    };
    let config = Config::open(&path).map_err(broken)?;
    let mut promisor = false;
    config
        .entries(Some("^remote\\..*\\.(promisor|partialclonefilter)$"))
        .map_err(broken)?
        .for_each(|_| promisor = true)
        .map_err(broken)?;
    let value = |key: &str| config.get_string(key).unwrap_or_default();
    let refusals = [
        (
            !matches!(value("extensions.refstorage").as_str(), "" | "files"),
            "its refs are stored as reftable",
            "git refs migrate --ref-format=files",
        ),
        (
            !matches!(value("extensions.objectformat").as_str(), "" | "sha1"),
            "its objects are named by SHA-256",
            "git has no command for this: work in a repository made with `git init --object-format=sha1`",
        ),
        (
            promisor || !value("extensions.partialclone").is_empty(),
            "it is a partial clone, objects may be missing",
            "clone it again without `--filter`",
        ),
        (
            config.get_bool("index.sparse").unwrap_or(false),
            "its index is sparse",
            "git sparse-checkout reapply --no-sparse-index",
        ),
    ];
    match refusals.into_iter().find(|(met, ..)| *met) {
        Some((_, what, fix)) => Err(unsupported(root, what, fix)),
        None => Ok(()),
    }
}

/// Refuses objects borrowed from another repository: whoever owns that one can change ours.
fn check_alternates(root: &Path, common_dir: &Path) -> Result<(), OpenError> {
    let objects = common_dir.join("objects");
    let file = objects.join("info/alternates");
    if !file.is_file() {
        return Ok(());
    }
    let text = read_text(&file)?;
    let foreign = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .any(|line| {
            fs::canonicalize(objects.join(line)).is_ok_and(|path| !path.starts_with(common_dir))
        });
    if foreign {
        return Err(unsupported(
            root,
            "it borrows objects from another repository",
            "git repack -a -d && rm .git/objects/info/alternates",
        ));
    }
    Ok(())
}

fn check_work_tree(git: &Repository, root: &Path) -> Result<(), OpenError> {
    let moved = git
        .config()
        .is_ok_and(|config| config.get_string("core.worktree").is_ok());
    let elsewhere = git
        .workdir()
        .and_then(|folder| fs::canonicalize(folder).ok())
        .is_none_or(|folder| plain(&folder) != root);
    if moved || elsewhere {
        return Err(unsupported(
            root,
            "`core.worktree` is set",
            "git config --unset core.worktree",
        ));
    }
    Ok(())
}

/// Refuses kinds of index that libgit2 cannot read.
///
/// To read the index of 100,000 files takes longer than most commands do: where nothing in the file
/// looks like one of these kinds it is left alone.
fn check_index(git: &Repository, root: &Path) -> Result<(), OpenError> {
    // A file that is not there, or cannot be read, is told by whoever needs it.
    if !is_in_file(&git.path().join("index"), &SPECIAL_INDEX).unwrap_or(false) {
        return Ok(());
    }
    let Err(error) = git.index() else {
        return Ok(());
    };
    // The only word that libgit2 has for them is the name of the extension.
    let refusals = [
        (
            "'link'",
            "its index is split",
            "git config core.splitIndex false && git update-index --no-split-index",
        ),
        (
            "'sdir'",
            "its index is sparse",
            "git sparse-checkout reapply --no-sparse-index",
        ),
    ];
    let mut refusals = refusals.into_iter();
    match refusals.find(|(name, ..)| error.message().contains(name)) {
        Some((_, what, fix)) => Err(unsupported(root, what, fix)),
        // What else is wrong with it is told by whoever needs it.
        None => Ok(()),
    }
}

/// Whether one of these texts stands anywhere in a file; none is longer than [`NEEDLE_MAX`].
fn is_in_file(path: &Path, needles: &[&[u8]]) -> io::Result<bool> {
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    let finders: Vec<Finder<'_>> = needles.iter().map(Finder::new).collect();
    let mut buffer = vec![0; INDEX_AT_ONCE];
    let mut kept = 0;
    loop {
        let read = match file.read(&mut buffer[kept..]) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = kept + read;
        if finders
            .iter()
            .any(|finder| finder.find(&buffer[..filled]).is_some())
        {
            return Ok(true);
        }
        // What is cut here may go on with the next bytes.
        kept = filled.min(NEEDLE_MAX - 1);
        buffer.copy_within(filled - kept..filled, 0);
    }
}

/// Refuses variables that mean another repository to git than the one that was found.
fn check_environment(repo: &Repo) -> Result<(), OpenError> {
    let objects = repo.common_dir().join("objects");
    for (name, own) in [
        ("GIT_DIR", repo.git_dir()),
        ("GIT_WORK_TREE", repo.root()),
        ("GIT_OBJECT_DIRECTORY", &objects),
    ] {
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        if fs::canonicalize(&value).ok().as_deref() != Some(own) {
            return Err(OpenError::Unsupported {
                path: repo.root().to_path_buf(),
                what: format!("{name} is set, and names something else"),
                fix: format!("unset {name}"),
            });
        }
    }
    Ok(())
}

fn canonical(path: &Path) -> Result<PathBuf, OpenError> {
    fs::canonicalize(path).map_err(|source| read_error(path, source))
}

fn read_text(path: &Path) -> Result<String, OpenError> {
    fs::read_to_string(path).map_err(|source| read_error(path, source))
}

fn read_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::Read {
        path: path.to_path_buf(),
        source,
    }
}

fn unsupported(root: &Path, what: &str, fix: &str) -> OpenError {
    OpenError::Unsupported {
        path: root.to_path_buf(),
        what: what.to_owned(),
        fix: fix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let found = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            is_in_file(&path, &SPECIAL_INDEX).unwrap()
        };
        assert!(!found(b""));
        assert!(!found(b"symlink.c\0"));
        for before in [0, 1, INDEX_AT_ONCE, 3 * INDEX_AT_ONCE].map(|end| end.saturating_sub(3)) {
            for around in 0..6 {
                let mut bytes = vec![b'l'; before + around];
                assert!(!found(&bytes));
                bytes.extend_from_slice(b"link\0");
                assert!(found(&bytes), "{before} {around}");
            }
        }
        assert!(is_in_file(&folder.path().join("none"), &SPECIAL_INDEX).is_err());
        assert!(!is_in_file(folder.path(), &SPECIAL_INDEX).unwrap());
    }
}
