//! The proof that an action was judged, and how far a process under it may go.

use harness_core::{Action, Limits, RepoPath};
use serde::Serialize;

use crate::network::Hosts;

/// The unforgeable proof of an allow: one action, once.
///
/// Only [`Guard::permit`](crate::Guard::permit) makes one, and an edge that acts
/// for an agent takes nothing else. It can be looked at and used up:
///
/// ```
/// use harness_guard::Permit;
/// fn perform(permit: Permit) -> harness_core::Action {
///     assert!(!permit.bounds().writable.is_empty());
///     permit.into_action()
/// }
/// ```
///
/// It cannot be made outside this crate:
///
/// ```compile_fail,E0451
/// use harness_core::{Action, RepoPath};
/// use harness_guard::{Bounds, Permit};
/// fn forge(bounds: Bounds) -> Permit {
///     Permit { action: Action::List { path: RepoPath::root(), depth: 1 }, bounds }
/// }
/// ```
///
/// nor copied, so that one judgement is one act:
///
/// ```compile_fail,E0277
/// use harness_guard::Permit;
/// fn twice(permit: &Permit) -> Permit {
///     Permit::clone(permit)
/// }
/// ```
///
/// nor read back from a log:
///
/// ```compile_fail,E0277
/// fn from_log<T: serde::de::DeserializeOwned>() {}
/// from_log::<harness_guard::Permit>();
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is dropped allows nothing"]
pub struct Permit {
    action: Action,
    bounds: Bounds,
}

impl Permit {
    pub(crate) const fn new(action: Action, bounds: Bounds) -> Self {
        Self { action, bounds }
    }

    /// Returns what may be done.
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// Returns how far a process that does it may go.
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Uses the permit up.
    pub fn into_action(self) -> Action {
        self.action
    }
}

/// What a process under a permit may do, in folders: wider than the patterns,
/// whose exact answer is looked for in the difference afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// What stands before the first wildcard of each effective write pattern.
    ///
    /// None lies in another. A pattern without wildcard is given whole: where a
    /// file stands there, the folder that holds it is what can be opened. The
    /// root stands for a pattern that begins with a wildcard.
    pub writable: Vec<RepoPath>,
    /// The same for build outputs.
    pub build: Vec<RepoPath>,
    /// Host-owned, denied, hidden and protected paths that have a fixed name; they
    /// stay read-only also below a writable folder, and need not exist.
    pub read_only: Vec<RepoPath>,
    /// The run's bounds.
    pub limits: Limits,
    /// Hosts that may be reached.
    pub network: Hosts,
}
