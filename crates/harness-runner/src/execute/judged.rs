//! What a reviewer looks at: a checkout of exactly the tree that it judges.
//!
//! The work tree may have changed since the finish was frozen, by a person or by what they run there.
//! A word about other bytes than those that would be committed is no review of them. Nothing
//! runs in this folder, and the harness alone writes there.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use harness_core::{RepoPath, TreeId};
use harness_git::CheckoutStamp;
use harness_host::disk::Root;
use tokio::sync::Mutex as AsyncMutex;

use super::{chain, in_shop, shop::Workshop};

/// Ends the search for ignore files: those above the checkout are none of the repository's.
const GIT: &str = ".git";

/// The kept checkout of what is reviewed.
#[derive(Debug)]
pub(super) struct Judged {
    folder: PathBuf,
    open: AsyncMutex<Option<(TreeId, Arc<Root>)>>,
}

impl Judged {
    /// Keeps the checkout in `folder`, outside of the repository.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: AsyncMutex::default(),
        }
    }

    /// Returns where a tree can be looked at.
    ///
    /// # Errors
    /// When it cannot be checked out; the text says why.
    pub(super) async fn root_of(
        &self,
        shop: &Arc<Mutex<Workshop>>,
        tree: &TreeId,
    ) -> Result<Arc<Root>, String> {
        let mut open = self.open.lock().await;
        if let Some((of, root)) = &*open
            && of == tree
        {
            return Ok(Arc::clone(root));
        }
        *open = None;
        let (folder, wanted) = (self.folder.clone(), tree.clone());
        let root = in_shop(shop, move |shop| {
            let kept: Vec<RepoPath> = RepoPath::parse(GIT).into_iter().collect();
            // Each review reads every file once: what an earlier process left there is not trusted.
            let stamp = &mut CheckoutStamp::default();
            shop.check_out(&wanted, &folder, (stamp, &|| false), &kept)?;
            match fs::create_dir(folder.join(GIT)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(format!("cannot make `{}`: {error}", folder.display()));
                }
                _ => {}
            }
            Root::open(&folder).map_err(|error| chain(&error))
        });
        let root = Arc::new(root.await?);
        *open = Some((tree.clone(), Arc::clone(&root)));
        Ok(root)
    }
}
