//! Saving the work tree, and keeping checkpoints within their bounds: when a session ends, and
//! now and then before.
//!
//! What a log refers to stays; what was left loose is packed. Whatever fails here is tried
//! again at the end of the next session and costs nobody anything until then. Blocks; called
//! on threads that may, with a repository of its own.

use std::{collections::BTreeSet, path::Path};

use harness_core::{CheckpointNumber, Event, SessionId};
use harness_git::Repo;
use harness_store::Store;

use super::Executor;

/// Old sessions that are pruned at a time.
const OLD_SESSIONS_MAX: usize = 8;

impl Executor {
    /// Saves the work tree, and tells what that leaves out.
    pub(super) async fn save(&self, number: CheckpointNumber) {
        let event = match self.quiet().await {
            Ok(_held) => {
                let store = self.workplace.store.clone();
                let saved = self.in_shop(move |shop| {
                    let event = shop.save(number)?;
                    shop.keep_within_bounds(number, &store);
                    Ok((event, shop.take_left_out()))
                });
                let (event, left_out) = saved.await.map_or_else(
                    |message| (Err(message), None),
                    |(event, left_out)| (Ok(event), left_out),
                );
                left_out
                    .into_iter()
                    .for_each(|left_out| self.tell(left_out));
                event
            }
            Err(message) => Err(message),
        };
        let has_changes = matches!(event, Ok(Event::CheckpointSaved(_)));
        self.tell(event.unwrap_or_else(|message| Event::CheckpointFailed { message }));
        // Gates will run on what was changed.
        if let (true, Some(setting)) = (has_changes, self.setting()) {
            self.bench.make_ready_ahead(&setting).await;
        }
    }

    /// Keeps the session's checkpoints within their bounds, beside whatever comes next.
    pub(super) fn tidy(&self) {
        let Some(session) = self.setting().map(|setting| setting.opened.session) else {
            return;
        };
        let (root, store) = (self.workplace.root.clone(), self.workplace.store.clone());
        drop(tokio::task::spawn_blocking(move || {
            tidy(&root, &store, session);
        }));
    }
}

/// Prunes and packs the checkpoints of a session that ended, and prunes those of old ones.
pub(super) fn tidy(root: &Path, store: &Store, session: SessionId) {
    let Ok(repo) = Repo::discover(root) else {
        return;
    };
    let now = harness_host::clock::now();
    let old = repo.sessions_with_old_checkpoints(now).unwrap_or_default();
    let old = old.into_iter().filter(|old| *old != session);
    for session in std::iter::once(session).chain(old.take(OLD_SESSIONS_MAX)) {
        let _ = repo.prune_checkpoints(session, &|| referred_to(store, session), now);
    }
    let _ = repo.pack_checkpoints(session);
}

/// Returns the checkpoints that a session's log refers to: where a feature passed, where work
/// was set aside, and where files went back to.
pub(super) fn referred_to(store: &Store, session: SessionId) -> BTreeSet<CheckpointNumber> {
    let mut kept = BTreeSet::new();
    let mut last = CheckpointNumber(0);
    let read = harness_store::fold(store.log_path(session), |record| match record.event {
        Event::CheckpointSaved(saved) => last = saved.number,
        Event::FeaturePassed(_) => drop(kept.insert(last)),
        Event::WorkSetAside {
            kept: Some(work), ..
        } if work.session == session => drop(kept.insert(work.checkpoint)),
        Event::Rewound(rewound) => kept.extend(rewound.checkpoint),
        _ => {}
    });
    // With a log that cannot be read whole, what it says further on is not known: what is
    // known stays all the same.
    drop(read);
    kept
}
