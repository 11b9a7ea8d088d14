//! The kept checkouts that gates run on: brought to a tree, and seen to be as they were afterwards.
//!
//! Which gate runs when, and what becomes of its report, is the bench's.

use std::path::PathBuf;

use harness_core::{RepoPath, SetupPlace, TreeId};
use harness_git::CheckoutStamp;
use harness_guard::{Guard, network::Hosts};

use super::{
    super::{in_shop, setup::Halt, shop::Workshop},
    Bench,
};
use harness_host::Cancelled;

/// A kept checkout: a folder, and what is known of its files.
#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) folder: PathBuf,
    /// The name of the home of what runs there.
    pub(super) home: &'static str,
    /// Which setup steps are for it.
    pub(super) setup: SetupPlace,
    pub(super) stamp: CheckoutStamp,
}

/// What is checked out: the tree, the build outputs that stay beside it, and what is reached from there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) tree: &'a TreeId,
    pub(super) build: &'a [RepoPath],
    pub(super) network: &'a Hosts,
    pub(super) guard: &'a Guard,
}

impl Bench {
    /// Brings a checkout to a tree and sees that setup steps have run on it.
    pub(super) async fn ready(
        &self,
        checkout: &mut Checkout,
        on: Subject<'_>,
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        self.bring(checkout, on).await.map_err(Halt::Failed)?;
        let (place, folder) = (checkout.setup, &checkout.folder);
        let ready = self
            .steps
            .prepare_checkout(place, folder, on.tree, on.guard, cancelled);
        ready.await
    }

    /// Brings the checkout to a tree, and removes what programs left in it.
    async fn bring(&self, checkout: &mut Checkout, on: Subject<'_>) -> Result<(), String> {
        let (folder, tree, build) = (checkout.folder.clone(), on.tree.clone(), on.build.to_vec());
        self.with_stamp(checkout, move |shop, stamp| {
            shop.check_out(&tree, &folder, stamp, &build)
        })
        .await
    }

    pub(super) async fn changed_by_gate(
        &self,
        checkout: &mut Checkout,
        tree: &TreeId,
    ) -> Result<Vec<String>, String> {
        let (folder, tree) = (checkout.folder.clone(), tree.clone());
        let changed = self
            .with_stamp(checkout, move |shop, stamp| {
                shop.changed_files(&tree, &folder, stamp)
            })
            .await?;
        Ok(changed.iter().take(10).map(ToString::to_string).collect())
    }

    /// Lends what is known of a checkout's files to the workshop's thread; cut short, it is simply not known.
    async fn with_stamp<T: Send + 'static>(
        &self,
        checkout: &mut Checkout,
        work: impl FnOnce(&Workshop, &mut CheckoutStamp) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let mut stamp = std::mem::take(&mut checkout.stamp);
        let (result, stamp) = in_shop(&self.shop, move |shop| {
            let result = work(shop, &mut stamp);
            Ok((result, stamp))
        })
        .await?;
        checkout.stamp = stamp;
        result
    }
}
