//! Making a repository of a folder: for projects that the program unpacks itself.

use std::path::Path;

use git2::{IndexAddOption, Repository, RepositoryInitOptions};
use harness_core::Timestamp;

use crate::{
    libgit2,
    repo::{During, GitError},
    signature,
};

/// Makes a repository on branch `main` with every file of `root` in its first commit.
///
/// The author is the harness. No template is used, so there are no hooks.
///
/// # Errors
/// When the folder is a repository already or holds one, or something cannot be written.
pub fn create(root: &Path, message: &str, now: Timestamp) -> Result<(), GitError> {
    libgit2::isolate();
    let shown = root.display().to_string();
    let mut options = RepositoryInitOptions::new();
    options
        .initial_head("main")
        .no_reinit(true)
        .external_template(false);
    let git = Repository::init_opts(root, &options).during("make the repository", &shown)?;
    let mut index = git.index().during("open the index of", &shown)?;
    index
        .add_all(["*"], IndexAddOption::DEFAULT, None)
        .during("add the files of", &shown)?;
    index.write().during("write the index of", &shown)?;
    let tree = index.write_tree().during("write the tree of", &shown)?;
    let tree = git.find_tree(tree).during("read the tree of", &shown)?;
    let author = signature::of_harness(now)?;
    git.commit(Some("HEAD"), &author, &author, message, &tree, &[])
        .during("commit to", &shown)?;
    Ok(())
}
