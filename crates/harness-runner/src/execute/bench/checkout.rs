//! The kept checkouts that gates run on: brought to a tree, and seen to be as they were afterwards.
//!
//! Which gate runs when, and what becomes of its report, is the bench's.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};

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
    /// Returns the folders of the work tree that gates can read.
    pub(in crate::execute) fn linked(&self) -> &[RepoPath] {
        self.steps.link()
    }

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
        let (folder, tree) = (checkout.folder.clone(), on.tree.clone());
        let kept = [
            on.build,
            &self.steps.placed_links(&folder),
            &self.git_place(),
        ]
        .concat();
        self.with_stamp(checkout, move |shop, stamp| {
            shop.check_out(&tree, &folder, stamp, &kept)
        })
        .await?;
        self.place_git(&checkout.folder)
    }

    /// Returns where git is shown in a checkout, where the level can show it.
    fn git_place(&self) -> Vec<RepoPath> {
        let place = RepoPath::parse(".git").ok();
        let is_shown = harness_guard::places_checkouts(self.workplace.level);
        place.filter(|_| is_shown).into_iter().collect()
    }

    /// Makes the empty place that the repository's `.git` is laid over: a folder, or the file of a
    /// linked work tree. Nothing is ever read from it.
    fn place_git(&self, checkout: &Path) -> Result<(), String> {
        let (place, wanted) = (checkout.join(".git"), self.workplace.root.join(".git"));
        let Ok(wanted) = fs::symlink_metadata(wanted) else {
            return Ok(());
        };
        if self.git_place().is_empty() {
            return Ok(());
        }
        let found = fs::symlink_metadata(&place).ok();
        let made = match found.map(|found| found.file_type()) {
            Some(found) if found == wanted.file_type() => Ok(()),
            Some(found) if found.is_dir() => {
                fs::remove_dir_all(&place).and_then(|()| make(&place, &wanted))
            }
            Some(_) => fs::remove_file(&place).and_then(|()| make(&place, &wanted)),
            None => make(&place, &wanted),
        };
        made.map_err(|error| {
            format!(
                "cannot make a place for git at `{}`: {error}",
                place.display()
            )
        })
    }

    pub(super) async fn changed_by_gate(
        &self,
        checkout: &mut Checkout,
        on: Subject<'_>,
    ) -> Result<Vec<String>, String> {
        let (folder, tree, build) = (checkout.folder.clone(), on.tree.clone(), on.build.to_vec());
        let changed = self
            .with_stamp(checkout, move |shop, stamp| {
                shop.changed_files(&tree, &folder, stamp, &build)
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

fn make(place: &Path, wanted: &Metadata) -> io::Result<()> {
    if wanted.is_dir() {
        return fs::create_dir(place);
    }
    // A link at the repository's own place is shown nowhere.
    File::create_new(place).map(drop)
}
