//! What a process is confined to, as data: made here, carried out by the host.
//!
//! The host gathers the facts of the machine, the guard says what they come to,
//! and only five ways lead to a plan: a permit to run a command, a gate, a setup step, a formatter,
//! and a program of the machine that is asked for its version.
//! A plan reads no disk, so a path in it need not exist; what does not is skipped.
//! It is stored in the log and printed for people.

mod checkout;
mod environment;
mod format;
mod looking;
mod mounts;
mod setup;

use std::path::{Path, PathBuf};

use harness_core::{Action, Gate, Level, Limits, RepoPath};
use serde::{Serialize, Serializer};

use crate::{
    network::{Hosts, proxied_environment},
    permit::{Bounds, Permit},
};

use self::checkout::Spot;
pub use self::{
    checkout::places_checkouts,
    environment::clean_environment,
    mounts::{Mount, MountKind, MountPlan},
};

/// What the host found on the machine for one role; all paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The repository's root.
    pub root: PathBuf,
    /// The common git directory.
    pub git_dir: PathBuf,
    /// What is enforced here, proven.
    pub level: Level,
    /// The role's kept private home.
    pub home: PathBuf,
    /// A private folder for temporary files.
    pub temp: PathBuf,
    /// System directories and toolchains that exist and may be read.
    pub read: Vec<PathBuf>,
    /// Existing folders that hold files which the scope names one by one, where the level can close
    /// all else in them.
    pub opened: Vec<PathBuf>,
    /// Existing entries that the scope does not open and that lie below a writable folder.
    pub pinned: Vec<PathBuf>,
    /// Existing entries that the scope hides, and secrets of the system.
    pub masked: Vec<PathBuf>,
    /// The environment, made by [`clean_environment`].
    pub environment: Vec<(String, String)>,
}

/// What one process may see and change.
///
/// Serialised with paths as text, bytes that are no UTF-8 replaced, and with the
/// names of the environment alone: a gate may be given a secret, the log may not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CagePlan {
    level: Level,
    #[serde(serialize_with = "as_text")]
    root: PathBuf,
    /// Where the root is seen in the cage, where the level can place it.
    #[serde(serialize_with = "as_text")]
    place: PathBuf,
    #[serde(serialize_with = "as_text")]
    cwd: PathBuf,
    #[serde(serialize_with = "as_texts")]
    writable: Vec<PathBuf>,
    #[serde(serialize_with = "as_texts")]
    readable: Vec<PathBuf>,
    #[serde(serialize_with = "as_texts")]
    read_only: Vec<PathBuf>,
    #[serde(serialize_with = "as_texts")]
    masked: Vec<PathBuf>,
    /// Folders of the work tree that a checkout has, read-only.
    #[serde(serialize_with = "as_texts")]
    linked: Vec<PathBuf>,
    /// What a checkout that stands at the repository's own path shows of git there, read-only.
    #[serde(serialize_with = "as_texts")]
    git: Vec<PathBuf>,
    #[serde(serialize_with = "as_text")]
    home: PathBuf,
    #[serde(serialize_with = "as_text")]
    temp: PathBuf,
    #[serde(serialize_with = "as_names")]
    environment: Vec<(String, String)>,
    network: Hosts,
    limits: Limits,
}

impl CagePlan {
    /// Makes the plan of a command that an agent runs; `None` for a permit of anything else.
    pub fn for_permit(permit: &Permit, machine: &Machine) -> Option<Self> {
        let Action::Run { cwd, .. } = permit.action() else {
            return None;
        };
        Some(Self::within(permit.bounds(), cwd, machine))
    }

    /// Makes the plan of a process in the work tree.
    fn within(bounds: &Bounds, cwd: &RepoPath, machine: &Machine) -> Self {
        let at = |path: &RepoPath| below(&machine.root, path);
        let writable = bounds.writable.iter().chain(&bounds.build).map(at);
        let writable = writable.chain(machine.opened.iter().cloned());
        let read_only = bounds.read_only.iter().map(at);
        Self {
            level: machine.level,
            root: machine.root.clone(),
            place: machine.root.clone(),
            cwd: at(cwd),
            writable: outermost(writable),
            readable: outermost(
                [machine.root.clone(), machine.git_dir.clone()]
                    .into_iter()
                    .chain(machine.read.iter().cloned()),
            ),
            read_only: [
                unique(read_only.chain([machine.git_dir.clone()])),
                machine.pinned.clone(),
            ]
            .concat(),
            masked: masked(machine),
            linked: Vec::new(),
            git: Vec::new(),
            home: machine.home.clone(),
            temp: machine.temp.clone(),
            environment: machine.environment.clone(),
            network: bounds.network.clone(),
            limits: bounds.limits.clone(),
        }
    }

    /// Makes the plan of a gate on a checkout of the candidate.
    ///
    /// The whole checkout is writable but for its `.git`; the work tree is out of
    /// sight. Where the level gives each cage a file tree of its own, the checkout
    /// stands at the repository's own path, and git finds the repository there. The
    /// gate's own timeout replaces the run's limit for one command. It reaches the
    /// hosts that the agent's commands reach: what they installed it may have to
    /// install as well.
    pub fn for_gate(
        gate: &Gate,
        limits: &Limits,
        network: &Hosts,
        machine: &Machine,
        checkout: &Path,
    ) -> Self {
        let spot = Spot::of(machine, checkout);
        Self {
            level: machine.level,
            root: checkout.to_owned(),
            place: spot.place,
            cwd: below(checkout, &gate.cwd),
            writable: vec![checkout.to_owned()],
            readable: outermost([checkout.to_owned()].into_iter().chain(spot.read)),
            read_only: spot.read_only,
            masked: unique(masked(machine).into_iter().chain(spot.masked)),
            linked: Vec::new(),
            git: spot.git,
            home: machine.home.clone(),
            temp: machine.temp.clone(),
            environment: machine.environment.clone(),
            network: network.clone(),
            limits: Limits {
                command: gate.timeout,
                ..limits.clone()
            },
        }
    }

    /// Makes the plan of a gate that runs in the work tree itself.
    ///
    /// It may write what an agent's command may write, and nothing else: such a
    /// gate runs the agent's tests beside the person's files.
    pub fn for_gate_in_place(gate: &Gate, bounds: &Bounds, machine: &Machine) -> Self {
        let limits = Limits {
            command: gate.timeout,
            ..bounds.limits.clone()
        };
        Self {
            limits,
            ..Self::within(bounds, &gate.cwd, machine)
        }
    }

    /// Returns what is enforced.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Returns the repository's root or the gate's checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where the root is seen in the cage.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Returns the working folder; it lies below the root.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Returns what may be written beside home and temp; none lies in another.
    pub fn writable(&self) -> &[PathBuf] {
        &self.writable
    }

    /// Returns what may be read; all else is out of sight.
    pub fn readable(&self) -> &[PathBuf] {
        &self.readable
    }

    /// Returns what stays read-only also below a writable folder.
    pub fn read_only(&self) -> &[PathBuf] {
        &self.read_only
    }

    /// Returns what is out of sight also below a readable folder.
    pub fn masked(&self) -> &[PathBuf] {
        &self.masked
    }

    /// Returns the whole environment.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Returns the private home; it may be written.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the private folder for temporary files; it may be written.
    pub fn temp(&self) -> &Path {
        &self.temp
    }

    /// Returns the hosts that may be reached; without one there is no network.
    pub const fn network(&self) -> &Hosts {
        &self.network
    }

    /// Returns the whole environment of a process that finds the proxy at a port of 127.0.0.1.
    pub fn environment_with_proxy(&self, port: u16) -> Vec<(String, String)> {
        proxied_environment(&self.environment, &self.network, port)
    }

    /// Returns the bounds.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// The harness's own folder in the git directory holds logs and is never seen from inside.
fn masked(machine: &Machine) -> Vec<PathBuf> {
    let own = machine.git_dir.join("harness");
    unique([own].into_iter().chain(machine.masked.iter().cloned()))
}

fn below(root: &Path, path: &RepoPath) -> PathBuf {
    if path.is_root() {
        return root.to_owned();
    }
    root.join(path.as_path())
}

fn unique(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Sorts folders and leaves out each that lies in another.
fn outermost(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in unique(paths) {
        // Paths sort by component, so a folder comes right before what lies in it.
        if !kept.last().is_some_and(|outer| path.starts_with(outer)) {
            kept.push(path);
        }
    }
    kept
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn as_texts<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

fn as_names<S: Serializer>(
    variables: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(variables.iter().map(|(name, _)| name))
}

#[cfg(test)]
pub(crate) mod tests;
