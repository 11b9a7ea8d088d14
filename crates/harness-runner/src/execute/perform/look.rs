//! Looking for a conversation beside the main one: nothing the agent has seen changes by it.

use harness_core::Action;
use harness_guard::Permit;
use harness_host::disk::Root;

use super::{Done, Performer, undone};

impl Performer {
    /// Reads, lists or searches below `root`, the work tree's or that of a checkout. Blocks.
    ///
    /// A file that is read here still counts as unread by the agent, so that an edit of one that
    /// has changed since is refused; the maps of folders are not loaded.
    pub(crate) fn look_at(&self, permit: &Permit, root: &Root) -> Done {
        let done = match permit.action() {
            Action::Read { lines, .. } => {
                let content = self.content(root, permit, *lines);
                content.map(|(outcome, _)| outcome)
            }
            Action::List { .. } => self.list(root, permit),
            Action::Search { .. } => self.search(root, permit),
            _ => return Done::Failed("this is no looking".to_owned()),
        };
        done.map_or_else(|error| undone(permit.action(), error), Done::Ended)
    }
}
