//! Where a checkout stands in the cage of what runs on it, and what is seen beside it.

use std::path::{Path, PathBuf};

use harness_core::Level;

use super::{CagePlan, Machine, unique};

/// How a checkout is seen.
pub(super) struct Spot {
    /// Where it is seen.
    pub(super) place: PathBuf,
    /// What may be read beside it: nothing of the work tree.
    pub(super) read: Vec<PathBuf>,
    /// What stays read-only in it.
    pub(super) read_only: Vec<PathBuf>,
    /// What is out of sight also where something around it may be read.
    pub(super) masked: Vec<PathBuf>,
    /// What is shown of git.
    pub(super) git: Vec<PathBuf>,
}

impl Spot {
    /// Works out how a checkout is seen at the machine's level.
    ///
    /// With a file tree of its own it takes the repository's place, which leaves no
    /// way to the work tree, and git's folder is laid over it. Elsewhere it stands
    /// where it is: the work tree is kept from being read, git's folder with it.
    pub(super) fn of(machine: &Machine, checkout: &Path) -> Self {
        let git_link = machine.root.join(".git");
        let is_outside = |path: &&PathBuf| !path.starts_with(&machine.root);
        let read = machine.read.iter().filter(is_outside).cloned().collect();
        if places_checkouts(machine.level) {
            return Self {
                place: machine.root.clone(),
                read,
                read_only: unique([machine.git_dir.clone()].into_iter()),
                masked: Vec::new(),
                git: super::outermost([git_link, machine.git_dir.clone()].into_iter()),
            };
        }
        Self {
            place: checkout.to_owned(),
            read,
            read_only: unique([checkout.join(".git"), machine.git_dir.clone()].into_iter()),
            masked: vec![machine.root.clone(), machine.git_dir.clone()],
            git: Vec::new(),
        }
    }
}

impl CagePlan {
    /// Returns what is shown of git where a checkout stands at the repository's own path.
    pub fn git(&self) -> &[PathBuf] {
        &self.git
    }
}

/// Whether a level can show a checkout at the repository's own path.
pub const fn places_checkouts(level: Level) -> bool {
    matches!(level, Level::Namespaces)
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
        network::Hosts,
    };

    fn plan(machine: &Machine, checkout: &str) -> CagePlan {
        let none = Hosts::default();
        CagePlan::for_gate(
            &gate(""),
            &Limits::default(),
            &none,
            machine,
            Path::new(checkout),
        )
    }

    /// What is mounted at a place, last first.
    fn at(plan: &CagePlan, place: &str) -> Vec<(MountKind, PathBuf)> {
        let mounts = plan.mounts().mounts.into_iter().rev();
        let here = mounts.filter(|mount| mount.target == Path::new(place));
        here.map(|mount| (mount.kind, mount.source)).collect()
    }

    #[test]
    fn git_is_seen_at_the_repositorys_path_without_what_is_the_harnesss() {
        for checkout in ["/a/candidate", "/zz/candidate"] {
            let plan = plan(&machine(), checkout);
            assert_eq!(
                at(&plan, "/repo"),
                [
                    (MountKind::Write, checkout.into()),
                    (MountKind::Read, checkout.into())
                ]
            );
            assert_eq!(
                at(&plan, "/repo/.git"),
                [(MountKind::Read, "/repo/.git".into())]
            );
            let hidden = (MountKind::Hide, "/repo/.git/harness".into());
            assert_eq!(
                plan.mounts()
                    .mounts
                    .last()
                    .map(|last| (last.kind, last.source.clone())),
                Some(hidden)
            );
        }
    }

    #[test]
    fn the_git_of_a_linked_work_tree_is_seen_where_it_points_to() {
        let machine = Machine {
            git_dir: "/main/.git".into(),
            ..machine()
        };
        let plan = plan(&machine, "/cache/candidate");
        for place in ["/repo/.git", "/main/.git"] {
            assert_eq!(at(&plan, place), [(MountKind::Read, place.into())]);
        }
        assert_eq!(at(&plan, "/main"), []);
        let hidden = (MountKind::Hide, "/main/.git/harness".into());
        assert_eq!(at(&plan, "/main/.git/harness"), [hidden]);
    }

    #[test]
    fn without_mounts_the_work_tree_is_kept_from_being_read() {
        let machine = Machine {
            level: Level::Landlock,
            read: vec!["/usr".into(), "/repo/bin".into(), "/".into()],
            ..machine()
        };
        let plan = plan(&machine, "/cache/candidate");
        assert_eq!(plan.place(), Path::new("/cache/candidate"));
        assert!(!texts(plan.readable()).contains(&"/repo/bin"));
        for path in ["/repo", "/repo/.git"] {
            assert!(texts(plan.masked()).contains(&path), "{path}");
        }
        assert!(plan.git().is_empty());
    }
}
