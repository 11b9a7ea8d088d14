//! The kept checkouts that gates run on: brought to a tree, and seen to be as they were afterwards.
//!
//! Which gate runs when, and what becomes of its report, is the bench's.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use harness_core::{RepoPath, SetupPlace, TreeId};
use harness_git::CheckoutStamp;
use harness_guard::{Guard, network::Hosts};

use super::{
    super::{chain, lock, setup::Halt, shop::Workshop},
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
    desk: Arc<Mutex<Option<Desk>>>,
}

/// What one thread at a time has to bring the checkout to a tree.
#[derive(Debug)]
struct Desk {
    /// The repository as the checkout's own: a large tree takes long, and no other waits for it.
    shop: Workshop,
    stamp: CheckoutStamp,
}

/// Whether what was asked for is still wanted; not when it was dropped.
#[derive(Default)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Checkout {
    pub(super) fn new(folder: PathBuf, home: &'static str, setup: SetupPlace) -> Self {
        Self {
            folder,
            home,
            setup,
            desk: Arc::default(),
        }
    }

    /// Whether nothing was done with it in this process yet.
    fn is_new(&self) -> bool {
        // One that is at work is not.
        self.desk.try_lock().is_ok_and(|desk| desk.is_none())
    }

    /// Does something with the files on a thread that may block; nothing else does meanwhile.
    ///
    /// `work` gets a way to ask whether nobody waits for it any more.
    pub(super) async fn at_desk<T: Send + 'static>(
        &self,
        root: &Path,
        work: impl FnOnce(&Workshop, &mut CheckoutStamp, &dyn Fn() -> bool) -> Result<T, String>
        + Send
        + 'static,
    ) -> Result<T, String> {
        let (desk, root, folder) = (
            Arc::clone(&self.desk),
            root.to_path_buf(),
            self.folder.clone(),
        );
        let wanted = Wanted::default();
        let unwanted = Arc::clone(&wanted.0);
        let done = tokio::task::spawn_blocking(move || {
            let mut desk = lock(&desk);
            let Desk { shop, stamp } = match desk.take() {
                Some(known) => desk.insert(known),
                None => desk.insert(Desk {
                    shop: Workshop::open(&root).map_err(|error| chain(&error))?,
                    stamp: CheckoutStamp::kept_beside(&folder),
                }),
            };
            work(shop, stamp, &|| unwanted.load(Ordering::Relaxed))
        });
        let done = done.await;
        done.map_err(|error| format!("the work on a checkout was cut short: {error}"))?
    }
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
        checkout: &Checkout,
        on: Subject<'_>,
        cancelled: Cancelled,
    ) -> Result<(), Halt> {
        let mut called_off = cancelled.clone();
        tokio::select! {
            biased;
            () = called_off.wait() => return Err(Halt::Cancelled),
            brought = self.bring(checkout, on) => brought.map_err(Halt::Failed)?,
        }
        let (place, folder) = (checkout.setup, &checkout.folder);
        let ready = self
            .steps
            .prepare_checkout(place, folder, on.tree, on.guard, cancelled);
        ready.await
    }

    /// Brings the checkout to a tree, and removes what programs left in it.
    pub(super) async fn bring(&self, checkout: &Checkout, on: Subject<'_>) -> Result<(), String> {
        let (folder, tree) = (checkout.folder.clone(), on.tree.clone());
        let kept = [
            on.build,
            &self.steps.placed_links(&folder),
            &self.git_place(),
        ]
        .concat();
        // In a large repository one that is new takes much memory and all of the disk.
        let _turn = match checkout.is_new() {
            true => Some(self.making.lock().await),
            false => None,
        };
        let brought = checkout.at_desk(&self.workplace.root, move |shop, stamp, is_over| {
            let brought = shop.check_out(&tree, &folder, (stamp, is_over), &kept);
            // Also of what was ended early; what cannot be kept is read again.
            drop(stamp.keep_beside(&folder));
            brought
        });
        brought.await?;
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
        checkout: &Checkout,
        on: Subject<'_>,
    ) -> Result<Vec<String>, String> {
        let (folder, tree, build) = (checkout.folder.clone(), on.tree.clone(), on.build.to_vec());
        let changed = checkout.at_desk(&self.workplace.root, move |shop, stamp, _| {
            shop.changed_files(&tree, &folder, stamp, &build)
        });
        let changed = changed.await?;
        Ok(changed.iter().take(10).map(ToString::to_string).collect())
    }
}

fn make(place: &Path, wanted: &Metadata) -> io::Result<()> {
    if wanted.is_dir() {
        return fs::create_dir(place);
    }
    // A link at the repository's own place is shown nowhere.
    File::create_new(place).map(drop)
}
