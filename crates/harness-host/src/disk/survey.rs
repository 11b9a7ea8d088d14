//! What a repository holds, by name: looked at once and within bounds, for what is told of it.

use std::{
    collections::HashMap,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use harness_core::{ByteCount, RepoPath};
use ignore::gitignore::GitignoreBuilder;

use super::{
    EntryKind, Root,
    list::{is_git, kind_of},
};

/// The largest ignore file that is read.
const IGNORE_FILE_MAX: ByteCount = ByteCount::mib(1);
/// The most folders above a path whose ignore files are read.
const FOLDERS_MAX: usize = 64;

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurveyBounds {
    /// The most entries in all.
    pub entries_max: usize,
    /// The most entries below one folder of the root, so that none takes the place of the others.
    pub below_one_max: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every entry, each folder before what is in it, sorted by name.
    pub entries: Vec<Surveyed>,
    /// Whether there is more.
    pub cut: bool,
}

/// One entry of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// Its path.
    pub path: RepoPath,
    /// What it is.
    pub kind: EntryKind,
}

impl Root {
    /// Looks at all entries of the repository, for the harness itself.
    ///
    /// Left out: what ignore files name, `.git`, and what `is_left_out` says, with all below it.
    /// Links are not followed. A folder that cannot be read is passed over.
    pub fn host_survey(
        &self,
        is_left_out: impl Fn(&RepoPath) -> bool + Send + Sync + 'static,
        bounds: SurveyBounds,
    ) -> Survey {
        let below: Mutex<HashMap<Vec<u8>, usize>> = Mutex::default();
        let root = self.path().to_owned();
        let full = Arc::new(AtomicBool::new(false));
        let is_full = Arc::clone(&full);
        let mut walk = self.walk(&RepoPath::root());
        walk.filter_entry(move |entry| {
            let Ok(inside) = entry.path().strip_prefix(&root) else {
                return false;
            };
            let bytes = inside.as_os_str().as_encoded_bytes();
            let Ok(path) = RepoPath::parse(bytes) else {
                return bytes.is_empty();
            };
            let mut names = path.components();
            let (top, is_below) = (names.next(), names.next().is_some());
            if is_git(entry.file_name().as_encoded_bytes()) || is_left_out(&path) {
                return false;
            }
            if let (Some(top), true) = (top, is_below) {
                let mut below = below.lock().unwrap_or_else(PoisonError::into_inner);
                let count = below.entry(top.to_vec()).or_default();
                *count += 1;
                if *count > bounds.below_one_max {
                    is_full.store(true, Ordering::Relaxed);
                    return false;
                }
            }
            true
        });
        let mut survey = Survey::default();
        for entry in walk.build().flatten().filter(|entry| entry.depth() > 0) {
            if survey.entries.len() == bounds.entries_max {
                survey.cut = true;
                break;
            }
            if let Some(path) = self.repo_path(entry.path()) {
                let kind = kind_of(&entry);
                survey.entries.push(Surveyed { path, kind });
            }
        }
        survey.cut |= full.load(Ordering::Relaxed);
        survey
    }

    /// Whether the repository's ignore files name a path, or a folder above it; it need not exist.
    pub fn host_is_ignored(&self, path: &RepoPath) -> bool {
        let folders = std::iter::successors(path.parent(), RepoPath::parent);
        folders.take(FOLDERS_MAX).any(|folder| {
            let file = folder.join(".gitignore").ok();
            let file = file.and_then(|file| self.host_read_file(&file, IGNORE_FILE_MAX).ok());
            file.is_some_and(|file| names(&String::from_utf8_lossy(&file.bytes), &folder, path))
        })
    }
}

/// Whether the ignore file of a folder names a path below it, or a folder on the way.
fn names(text: &str, folder: &RepoPath, path: &RepoPath) -> bool {
    // Paths are told from the folder on: nothing has to be known of where it is.
    let mut rules = GitignoreBuilder::new("");
    for line in text.lines() {
        // A line that is no pattern ignores nothing.
        let _ = rules.add_line(None, line);
    }
    let Ok(rules) = rules.build() else {
        return false;
    };
    let depth = folder.components().count();
    let mut inside = PathBuf::new();
    let names: Vec<&[u8]> = path.components().skip(depth).collect();
    names.iter().enumerate().any(|(at, name)| {
        inside.push(OsStr::from_bytes(name));
        let is_last = at + 1 == names.len();
        rules.matched(&inside, true).is_ignore()
            || (is_last && rules.matched(&inside, false).is_ignore())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn a_survey_is_bounded_and_leaves_out_what_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write(".gitignore", "/out\n*.log\n");
        for name in [
            "a/1",
            "a/2",
            "a/3",
            "a/4",
            "b/x",
            "out/y",
            "c.log",
            "secret/z",
            ".git/config",
        ] {
            write(name, "");
        }
        let root = Root::open(folder.path()).unwrap();
        let look = |entries_max, below_one_max| {
            let bounds = SurveyBounds {
                entries_max,
                below_one_max,
            };
            let survey = root.host_survey(|path| *path == self::path("secret"), bounds);
            let names = survey.entries.iter().map(|entry| entry.path.to_text());
            (names.collect::<Vec<_>>().join(" "), survey.cut)
        };
        assert_eq!(
            look(50, 50),
            (".gitignore a a/1 a/2 a/3 a/4 b b/x".to_owned(), false)
        );
        assert_eq!(look(50, 2), (".gitignore a a/1 a/2 b b/x".to_owned(), true));
        assert_eq!(look(3, 50), (".gitignore a a/1".to_owned(), true));
    }

    #[test]
    fn what_is_ignored_need_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("docs")).unwrap();
        fs::write(folder.path().join(".gitignore"), "/target\n*.tmp\n\\\n[\n").unwrap();
        fs::write(folder.path().join("docs/.gitignore"), "made/\n").unwrap();
        let root = Root::open(folder.path()).unwrap();
        for name in [
            "target",
            "target/debug/x",
            "a/b.tmp",
            "docs/made",
            "docs/made/x.md",
        ] {
            assert!(root.host_is_ignored(&path(name)), "{name}");
        }
        for name in ["src/target", "docs/a.md", "made/x.md", "gone/x"] {
            assert!(!root.host_is_ignored(&path(name)), "{name}");
        }
    }
}
