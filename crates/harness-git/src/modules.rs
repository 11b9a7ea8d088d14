//! Which folders are submodules: what they hold is in no tree of this repository.
//!
//! Looks at the index alone, and only where `.gitmodules` says that there are some. Called when
//! it is worked out what an agent may write.

use harness_core::RepoPath;

use crate::Repo;

/// The mode of a submodule in the index.
const MODULE: u32 = 0o160_000;
/// The most submodules that are told.
const MODULES_MAX: usize = 1_000;

impl Repo {
    /// Returns the folders of submodules, sorted; none where the index cannot be read.
    pub fn submodules(&self) -> Vec<RepoPath> {
        if !self.root().join(".gitmodules").is_file() {
            return Vec::new();
        }
        let Ok(index) = self.git.index() else {
            return Vec::new();
        };
        let modules = index.iter().filter(|entry| entry.mode == MODULE);
        let paths = modules.filter_map(|entry| RepoPath::parse(&entry.path).ok());
        paths.take(MODULES_MAX).collect()
    }
}
