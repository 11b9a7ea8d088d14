//! Looks at a repository that has no configuration and proposes one.

use std::fs;

use harness_core::{ByteCount, RepoPath};
use harness_gate::detect::{self, Detected};

use crate::compose::Site;

/// How many files and folders are looked at.
const FILES_MAX: usize = 2_000;
/// The largest file that is read.
const FILE_MAX: ByteCount = ByteCount::mib(1);

/// Proposes scope and gates from the top two levels of the work tree.
pub(crate) fn detect(site: &Site) -> Detected {
    let read = |path: &str| {
        let path = RepoPath::parse(path).ok()?;
        let file = site.root.host_read_file(&path, FILE_MAX).ok()?;
        String::from_utf8(file.bytes).ok()
    };
    detect::detect(&top_levels(site), &read)
}

fn top_levels(site: &Site) -> Vec<RepoPath> {
    let root = site.repo.root();
    let mut files = Vec::new();
    let mut folders = vec![RepoPath::root()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(folder.as_path())) else {
            continue;
        };
        for entry in entries.flatten().take(FILES_MAX - files.len()) {
            let Ok(path) = folder.join(entry.file_name().as_encoded_bytes()) else {
                continue;
            };
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder
                && folder.is_root()
                && !entry.file_name().to_string_lossy().starts_with('.')
            {
                folders.push(path.clone());
            }
            files.push(path);
        }
    }
    files.sort();
    files
}
