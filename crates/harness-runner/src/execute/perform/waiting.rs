//! What a person changes while the run waits for them.
//!
//! The kernel's hint wakes; what changed is found by the same look as before a command, told
//! as an event, and nothing is done about it. Without hints a look comes from time to time.
//! Nothing runs while nothing changes. The dispatcher waits here, and only while nothing of
//! the run acts.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use harness_core::{Event, RepoPath};
use harness_host::{disk::Root, watch::FolderWatch};
use tokio::sync::Notify;

use super::Performer;
use crate::execute::{Executor, lock};

/// How long is waited for more after a hint: a save is several changes.
const SETTLE: Duration = Duration::from_millis(250);

/// How often is looked where the kernel gives no hint.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What the kernel's hints are heard with.
#[derive(Debug, Default)]
enum Ear {
    /// Nobody is waited for, or nothing was looked at since.
    #[default]
    Off,
    /// There is nothing to listen to.
    Deaf,
    On(FolderWatch),
}

/// Waits for changes while a person is waited for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    ear: Mutex<Ear>,
    stirred: Arc<Notify>,
    /// Whether a look is under way.
    looks: AtomicBool,
    /// Why hints are missing, once it was said.
    said: Mutex<Option<String>>,
}

impl Executor {
    /// Ends when a person may have changed something; see [`Performer::stirred`].
    pub(crate) async fn stirred(&self) {
        self.performer.stirred().await;
    }

    /// Tells what a person changed while they are waited for; nothing of the run acts then.
    pub(crate) async fn look_while_waiting(&self) {
        for event in self.performer.look_while_waiting().await {
            self.tell(event);
        }
        self.performer.waiting.looks.store(false, Ordering::Relaxed);
    }

    /// Says that a look is about to begin.
    pub(crate) fn begin_look(&self) {
        self.performer.waiting.looks.store(true, Ordering::Relaxed);
    }

    /// Whether a look is under way.
    pub(crate) fn is_looking(&self) -> bool {
        self.performer.waiting.looks.load(Ordering::Relaxed)
    }

    /// Stops listening for what a person changes.
    pub(crate) fn stop_waiting(&self) {
        self.performer.stop_waiting();
    }
}

impl Performer {
    /// Ends when something in the scope may have changed; for ever when nothing does.
    pub(crate) async fn stirred(&self) {
        let is_blind = match &*lock(&self.waiting.ear) {
            // The first look begins to listen.
            Ear::Off => return,
            Ear::Deaf => true,
            Ear::On(watch) => watch.blind().is_some(),
        };
        if is_blind {
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            self.waiting.stirred.notified().await;
        }
    }

    /// Looks at what changed while nothing of the run was active.
    pub(crate) async fn look_while_waiting(self: &Arc<Self>) -> Vec<Event> {
        if !matches!(*lock(&self.waiting.ear), Ear::Off) {
            tokio::time::sleep(SETTLE).await;
        }
        let performer = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || performer.look_aside()).await;
        // What cannot be looked at now is looked at, and told, before the next command.
        looked.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Stops watching; the next wait begins anew.
    pub(crate) fn stop_waiting(&self) {
        *lock(&self.waiting.ear) = Ear::Off;
    }

    fn look_aside(&self) -> Result<Vec<Event>, String> {
        let mut told: Vec<Event> = self.hear().into_iter().collect();
        told.extend(self.with_watch(|watch, root| watch.look_aside(root))?);
        Ok(told)
    }

    /// Takes what the kernel told, beginning to listen where that is due, and says why it tells nothing.
    fn hear(&self) -> Option<Event> {
        let mut ear = lock(&self.waiting.ear);
        match &mut *ear {
            Ear::On(watch) => drop(watch.take()),
            Ear::Deaf => {}
            Ear::Off => *ear = self.listen().map_or(Ear::Deaf, Ear::On),
        }
        let Ear::On(watch) = &*ear else {
            return None;
        };
        let why = watch.blind()?.to_owned();
        let mut said = lock(&self.waiting.said);
        if said.as_ref() == Some(&why) {
            return None;
        }
        let message = format!(
            "what you change while you are waited for shows only every {} s: {why}",
            LOOK_EVERY.as_secs()
        );
        *said = Some(why);
        Some(Event::ManifestShort { message })
    }

    fn listen(&self) -> Option<FolderWatch> {
        let guard = lock(&self.guard).clone()?;
        let root = Root::open(self.root.path()).ok()?;
        // Of a file the folder is watched: it may be replaced.
        let folder_of = |path: &RepoPath| match guard.scope().is_folder(path) {
            true => path.clone(),
            false => path.parent().unwrap_or_default(),
        };
        let folders: Vec<RepoPath> = guard.bounds().writable.iter().map(folder_of).collect();
        let stirred = Arc::clone(&self.waiting.stirred);
        Some(FolderWatch::begin(
            root,
            &folders,
            move |path| guard.scope().is_never_kept(path),
            move || stirred.notify_one(),
        ))
    }
}
