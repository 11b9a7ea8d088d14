//! The plans of setup steps, and the folders that gates have of the work tree.

use std::path::{Path, PathBuf};

use harness_core::RepoPath;

use super::{
    CagePlan, Machine, below,
    checkout::{Spot, places_checkouts},
    outermost,
};
use crate::{network::Hosts, permit::Bounds};

impl CagePlan {
    /// Makes the plan of a setup step in the work tree.
    ///
    /// It may write `folders` alone, which the agent's commands need not be able to
    /// write, and reaches `network`. `bounds` are those of the commands; their limits hold.
    pub fn for_setup(
        bounds: &Bounds,
        folders: &[RepoPath],
        network: &Hosts,
        machine: &Machine,
    ) -> Self {
        let is_open = |path: &RepoPath| folders.iter().any(|folder| path.starts_with(folder));
        let read_only = bounds.read_only.iter().filter(|path| !is_open(path));
        let bounds = Bounds {
            writable: folders.to_vec(),
            build: Vec::new(),
            read_only: read_only.cloned().collect(),
            limits: bounds.limits.clone(),
            network: network.clone(),
        };
        let open: Vec<PathBuf> = folders
            .iter()
            .map(|folder| below(&machine.root, folder))
            .collect();
        let is_open = |path: &PathBuf| open.iter().any(|folder| path.starts_with(folder));
        let machine = Machine {
            opened: Vec::new(),
            pinned: machine
                .pinned
                .iter()
                .filter(|path| !is_open(path))
                .cloned()
                .collect(),
            ..machine.clone()
        };
        Self::within(&bounds, &RepoPath::root(), &machine)
    }

    /// Makes the plan of a setup step on a gate's checkout, which stands where that of a gate does.
    pub fn for_setup_on(
        checkout: &Path,
        bounds: &Bounds,
        folders: &[RepoPath],
        network: &Hosts,
        machine: &Machine,
    ) -> Self {
        let spot = Spot::of(machine, checkout);
        let there = Machine {
            root: checkout.to_owned(),
            pinned: Vec::new(),
            masked: spot.masked,
            read: spot.read,
            ..machine.clone()
        };
        let plan = Self::for_setup(bounds, folders, network, &there);
        let is_git = |path: &PathBuf| path.starts_with(&machine.git_dir);
        let readable = plan.readable.iter().filter(|path| !is_git(path));
        Self {
            readable: readable.cloned().collect(),
            place: spot.place,
            git: spot.git,
            ..plan
        }
    }

    /// Shows folders of the work tree in a checkout, read-only and in their own places.
    ///
    /// Without a file tree of its own a checkout has links to them instead, which
    /// the runner places; what they lead to may be read then.
    #[must_use]
    pub fn with_linked(mut self, folders: &[RepoPath], work_tree: &Path) -> Self {
        let found = folders.iter().map(|folder| below(work_tree, folder));
        if places_checkouts(self.level) {
            self.linked = found.collect();
        } else {
            self.readable = outermost(self.readable.into_iter().chain(found));
        }
        self
    }

    /// Returns the folders of the work tree that are shown in a checkout.
    pub fn linked(&self) -> &[PathBuf] {
        &self.linked
    }
}

#[cfg(test)]
mod tests {
    use harness_core::Limits;

    use super::*;
    use crate::{
        cage::{
            MountKind,
            tests::{gate, machine, texts},
        },
        network::listed_hosts,
    };

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn bounds() -> Bounds {
        Bounds {
            writable: vec![path("src")],
            build: vec![path("target")],
            read_only: vec![path("node_modules"), path("harness.toml")],
            limits: Limits::default(),
            network: Hosts::default(),
        }
    }

    #[test]
    fn a_step_writes_its_folders_and_reaches_its_hosts_alone() {
        let hosts = Hosts::new(&listed_hosts("npm", "harness.toml:3", false).unwrap());
        let folders = [path("target"), path("node_modules")];
        let plan = CagePlan::for_setup(&bounds(), &folders, &hosts, &machine());
        assert_eq!(
            texts(plan.writable()),
            ["/repo/node_modules", "/repo/target"]
        );
        assert!(!texts(plan.read_only()).contains(&"/repo/node_modules"));
        assert!(texts(plan.read_only()).contains(&"/repo/harness.toml"));
        assert_eq!(texts(plan.masked()), ["/repo/.env", "/repo/.git/harness"]);
        assert_eq!(*plan.network(), hosts);
        assert_eq!(plan.cwd(), Path::new("/repo"));
    }

    #[test]
    fn on_a_checkout_it_writes_the_same_folders_there() {
        let (folders, none) = ([path("target")], Hosts::default());
        let checkout = Path::new("/cache/base");
        let plan = CagePlan::for_setup_on(checkout, &bounds(), &folders, &none, &machine());
        assert_eq!(texts(plan.writable()), ["/cache/base/target"]);
        assert_eq!(plan.root(), checkout);
        assert_eq!(plan.place(), Path::new("/repo"));
        assert!(texts(plan.read_only()).contains(&"/repo/.git"));
        assert_eq!(texts(plan.git()), ["/repo/.git"]);
        assert_eq!(texts(plan.readable()), ["/cache/base", "/usr"]);
    }

    #[test]
    fn linked_folders_lie_over_the_checkout_read_only() {
        let none = Hosts::default();
        let checkout = Path::new("/zz/candidate");
        let plan = CagePlan::for_gate(&gate(""), &Limits::default(), &none, &machine(), checkout)
            .with_linked(&[path("node_modules")], Path::new("/repo"));
        let mounts = plan.mounts().mounts;
        let place = |wanted: &str| {
            let found = mounts.iter().rposition(|mount| {
                mount.target == Path::new(wanted) && mount.kind != MountKind::Close
            });
            found.unwrap_or_else(|| panic!("no mount at {wanted}"))
        };
        assert!(place("/repo") < place("/repo/node_modules"));
        let linked = &mounts[place("/repo/node_modules")];
        assert_eq!(linked.source, Path::new("/repo/node_modules"));
        assert_eq!(linked.kind, MountKind::Read);
    }
}
