//! The store as its callers see it: on a real file system, below a temporary folder.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod export;
mod follow;
mod format;
mod full;
mod intent;
mod lock;
mod log;
mod marks;
mod runs;
mod samples;
mod state;
mod store;

use harness_core::{Event, Timestamp};
use harness_store::Store;
use tempfile::TempDir;

/// Makes a store that lives as long as the folder beside it.
fn fresh() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path().join("harness")).unwrap();
    (folder, store)
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_763_600_000_000 + millis)
}

fn said(text: &str) -> Event {
    Event::PersonSaid {
        text: text.to_owned(),
        urgency: harness_core::Urgency::NextTurn,
    }
}
