//! Git's ignore rules, read as data while a walk descends.
//!
//! `.gitignore` of every folder, `.git/info/exclude` and the person's
//! `core.excludesFile`, in git's order of precedence. Matching is the `ignore`
//! crate's; its own walker is not used, because it asks about tracked files
//! too, looks paths up by name and reads files git does not know.

use std::{cell::OnceCell, fs, path::Path, rc::Rc};

use harness_core::RepoPath;
use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use crate::{
    beneath::{Folder, OnDisk},
    index::IndexView,
    repo::{GitError, OnPath, Repo},
};

/// The longest ignore file that is read; a longer one counts as empty.
const IGNORE_BYTES_MAX: u64 = 1024 * 1024;

impl Repo {
    /// Returns the ignored files and folders at the root of the work tree, sorted.
    ///
    /// # Errors
    /// When the root or the index cannot be read.
    pub fn ignored_at_root(&self) -> Result<Vec<RepoPath>, GitError> {
        let root = Folder::open(self.root()).on_path("open", self.root())?;
        let rules = IgnoreRules::of_root(self, &root);
        let view = IndexView::new(self);
        let mut found = Vec::new();
        for (name, kind) in root.list().on_path("list", self.root())? {
            let Ok(path) = RepoPath::root().join(&name) else {
                continue;
            };
            if name != b".git"
                && rules.ignores(&path, kind.is_dir())
                && !view.tracks(&path, kind.is_dir())?
            {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The ignore rules that hold in one folder.
pub(crate) struct IgnoreRules {
    folder: RepoPath,
    own: Gitignore,
    above: Above,
    /// Whether the folder itself is ignored: then everything in it is.
    ignored: OnceCell<bool>,
}

enum Above {
    Folder(Rc<IgnoreRules>),
    /// `info/exclude`, then `core.excludesFile`.
    Repository([Gitignore; 2]),
}

impl IgnoreRules {
    /// Reads the rules of the repository's root.
    pub(crate) fn of_root(repo: &Repo, root: &Folder) -> Rc<Self> {
        let exclude = parse_file(&repo.common_dir().join("info/exclude"));
        let excludes_file = repo.excludes_file.as_deref().map(parse_file);
        Rc::new(Self {
            folder: RepoPath::root(),
            own: parse_in(root, &RepoPath::root()),
            above: Above::Repository([exclude, excludes_file.unwrap_or_else(Gitignore::empty)]),
            ignored: OnceCell::from(false),
        })
    }

    /// Adds the rules of a folder inside; `has_file` says whether it holds a `.gitignore`.
    pub(crate) fn enter(
        self: &Rc<Self>,
        folder: &Folder,
        path: &RepoPath,
        has_file: bool,
    ) -> Rc<Self> {
        Rc::new(Self {
            folder: path.clone(),
            own: if has_file {
                parse_in(folder, path)
            } else {
                Gitignore::empty()
            },
            above: Above::Folder(Rc::clone(self)),
            ignored: OnceCell::new(),
        })
    }

    /// Whether git ignores an entry of this folder, provided it is not tracked.
    pub(crate) fn ignores(&self, path: &RepoPath, is_folder: bool) -> bool {
        self.is_ignored() || self.matches(path, is_folder)
    }

    fn is_ignored(&self) -> bool {
        *self.ignored.get_or_init(|| match &self.above {
            Above::Folder(above) => above.ignores(&self.folder, true),
            Above::Repository(_) => false,
        })
    }

    fn matches(&self, path: &RepoPath, is_folder: bool) -> bool {
        match self.own.matched(path.as_path(), is_folder) {
            Match::Ignore(_) => return true,
            Match::Whitelist(_) => return false,
            Match::None => {}
        }
        match &self.above {
            Above::Folder(above) => above.matches(path, is_folder),
            Above::Repository(files) => {
                let mut verdicts = files
                    .iter()
                    .map(|file| file.matched(path.as_path(), is_folder));
                verdicts
                    .find(|verdict| !verdict.is_none())
                    .is_some_and(|verdict| verdict.is_ignore())
            }
        }
    }
}

/// Reads a folder's `.gitignore`; a link is not followed, as in git.
fn parse_in(folder: &Folder, path: &RepoPath) -> Gitignore {
    match folder.read(b".gitignore", IGNORE_BYTES_MAX) {
        Ok(OnDisk::Blob(mode, bytes)) if mode != crate::tree::Mode::Link => parse(path, &bytes),
        _ => Gitignore::empty(),
    }
}

fn parse_file(path: &Path) -> Gitignore {
    let small = fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= IGNORE_BYTES_MAX);
    match fs::read(path) {
        Ok(bytes) if small => parse(&RepoPath::root(), &bytes),
        _ => Gitignore::empty(),
    }
}

/// Parses rules line by line; a line that is no rule is passed over, as in git.
fn parse(folder: &RepoPath, bytes: &[u8]) -> Gitignore {
    let root = if folder.is_root() {
        Path::new("")
    } else {
        folder.as_path()
    };
    let mut builder = GitignoreBuilder::new(root);
    let text = String::from_utf8_lossy(bytes);
    for line in text.trim_start_matches('\u{feff}').lines() {
        // A rule the matcher cannot read matches nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
