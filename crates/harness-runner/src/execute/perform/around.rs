//! A look at the whole repository beside the next request.

use std::sync::Arc;

use super::{Performer, Watching};
use crate::execute::lock;

impl Performer {
    /// Looks at what no command can have changed, if that is due; nobody waits for it.
    ///
    /// What it finds is told before the next command.
    pub(super) fn look_around(self: &Arc<Self>) {
        let performer = Arc::clone(self);
        drop(tokio::task::spawn_blocking(move || {
            let root = &performer.root;
            let look = match &*lock(&performer.watch) {
                Watching::On(watch) => watch.look_around(root),
                Watching::Off | Watching::Due(_) => None,
            };
            let Some(look) = look else {
                return;
            };
            // What cannot be walked now is walked, and its failure told, before a command.
            let Ok(now) = look.walk(root) else {
                return;
            };
            if let Watching::On(watch) = &mut *lock(&performer.watch) {
                let _ = watch.looked_around(root, &look, now);
            }
        }));
    }
}
