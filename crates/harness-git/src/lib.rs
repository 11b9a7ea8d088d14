//! Git for the harness: status, checkpoints, commits, undo and landing, all through libgit2.
//!
//! No git program is ever started, and nothing a repository's configuration
//! names is run: no hook, filter, pager, credential helper or file-system
//! monitor. Trees are built here from raw bytes; the index and the ignore rules
//! are read as data. HEAD, the index and the person's branches move in
//! [`Repo::land`] alone.
//!
//! The crate decides nothing: which paths are in scope, which belong to the
//! host and when to commit are the caller's closures and calls. Every function
//! blocks. The runner calls it, one [`Repo`] per thread.

mod beneath;
mod checkout;
mod checkpoint;
mod commit;
mod contents;
mod create;
mod dirty;
mod durable;
mod fork;
mod ignored;
mod index;
mod land;
mod libgit2;
mod linked;
mod listing;
mod looked;
mod modules;
mod open;
mod pack;
mod person;
mod prune;
mod repo;
mod restore;
mod signature;
mod snapshot;
mod stats;
mod steps;
mod sweep;
mod text;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

pub use checkout::{CheckedOut, CheckoutStamp};
pub use checkpoint::{CheckpointEntry, CheckpointRef, Checkpoints};
pub use commit::CommitInfo;
pub use contents::{FileChange, FileKind, FileState};
pub use create::create;
pub use land::{ConflictFile, LandError, LandStyle, Landed, Own, Put, Sides};
pub use linked::{Linked, LinkedMade};
pub use listing::{TreeFile, blob_of};
pub use looked::{Looked, State, WorkChange, WorkContent, WorkFile};
pub use open::OpenError;
pub use pack::Packed;
pub use person::Person;
pub use prune::{
    CHECKPOINT_AGE_MAX, CHECKPOINT_BYTES_MAX, CHECKPOINTS_MAX, Pruned,
    nearest as nearest_checkpoint,
};
pub use repo::{GitError, Head, Repo};
pub use restore::{Refused, RestoreMode, Restored};
pub use snapshot::{SkipReason, Skipped, Snapshot, SnapshotCache};
