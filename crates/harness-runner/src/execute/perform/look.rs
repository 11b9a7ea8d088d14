//! Looking for a conversation beside the main one: nothing the agent has seen changes by it.

use harness_core::{Action, LineRange, Outcome};
use harness_guard::Permit;
use harness_host::disk::DiskError;

use super::{Done, FILE_MAX, Performer, TEXT_MAX, refused_or_link};

impl Performer {
    /// Reads, lists or searches. Blocks.
    ///
    /// A file that is read here still counts as unread by the agent, so that an edit of one that
    /// has changed since is refused; the maps of folders are not loaded.
    pub(crate) fn look_at(&self, permit: &Permit) -> Done {
        let done = match permit.action() {
            Action::Read { lines, .. } => self.read_unseen(permit, *lines),
            Action::List { .. } => self.list(permit),
            Action::Search { .. } => self.search(permit),
            _ => return Done::Failed("this is no looking".to_owned()),
        };
        done.map_or_else(refused_or_link, Done::Ended)
    }

    fn read_unseen(&self, permit: &Permit, lines: Option<LineRange>) -> Result<Outcome, DiskError> {
        let file = self.root.read_file(permit, FILE_MAX)?;
        let image = harness_tool::image_of(permit.action().path(), &file.bytes);
        Ok(image.unwrap_or_else(|| harness_tool::select_lines(&file.bytes, lines, TEXT_MAX)))
    }
}
