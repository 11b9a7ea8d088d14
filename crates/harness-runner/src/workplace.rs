//! Where a run works: repository, store, caches and what the kernel enforces.

use std::path::PathBuf;

use harness_core::Level;
use harness_guard::Machine;
use harness_store::Store;

/// The folders and facts that stay the same for a whole run.
#[derive(Clone, Debug)]
pub struct Workplace {
    /// The repository's root.
    pub root: PathBuf,
    /// The repository's name, for people.
    pub name: String,
    /// Sessions, locks and run numbers.
    pub store: Store,
    /// What may be deleted at any time: gate checkouts, kept homes, baselines.
    pub cache: PathBuf,
    /// What is enforced, proven.
    pub level: Level,
    /// The machine as the agent's commands see it.
    pub agent: Machine,
    /// The machine as gates see it.
    pub gate: Machine,
}
