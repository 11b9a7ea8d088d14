//! Where a run works: repository, store, caches and what the kernel enforces.

use std::{fmt, path::PathBuf, sync::Arc};

use harness_core::{Brought, Level, RepoPath, RunId};
use harness_guard::{Machine, SetupStep};
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
    /// Where the versions of programs are kept, for all repositories.
    pub programs: PathBuf,
    /// What is enforced, proven.
    pub level: Level,
    /// The machine as the agent's commands see it.
    pub agent: Machine,
    /// The machine as gates see it.
    pub gate: Machine,
    /// What prepares the work tree and the checkouts of gates.
    pub setup: SetupPlan,
    /// Who brings proven features to the person's branch, in a run that does so after each.
    pub lander: Arc<dyn Lander>,
}

/// Brings proven features to the person's branch.
pub trait Lander: fmt::Debug + Send + Sync {
    /// Brings all of a run that is proven and not there yet; doing it twice is doing it once.
    fn land(&self, run: RunId) -> Brought;
}

/// What prepares the work tree and the checkouts of gates, from the trusted configuration.
#[derive(Clone, Debug, Default)]
pub struct SetupPlan {
    /// The steps, in order.
    pub steps: Vec<SetupStep>,
    /// Folders of the work tree that checkouts have, read-only. With one, steps run in the work
    /// tree alone: what gates have is what stands there.
    pub link: Vec<RepoPath>,
    /// Who has closed the network for everything, where somebody has.
    pub offline: Option<String>,
}
