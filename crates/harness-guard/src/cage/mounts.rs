//! What the file tree of a cage is made of, where the kernel gives each cage a tree of its own.
//!
//! The tree begins empty. Each mount brings one path of the machine into it; a later
//! one lies over an earlier one. What stays closed below a writable folder is laid
//! over itself read-only, and every folder on the way to it is laid over itself too:
//! a place that something is mounted on can neither be removed nor renamed, so that
//! the path to a closed file cannot be moved aside and made anew.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use harness_core::Level;
use serde::Serialize;

use super::CagePlan;

/// How many mounts a plan has at most: each costs time whenever a cage is opened.
const MOUNTS_MAX: usize = 60;

/// One step in building the tree; steps are taken in order. What does not exist is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Where it comes from, on the machine.
    #[serde(serialize_with = "super::as_text")]
    pub source: PathBuf,
    /// Where it is seen, in the cage.
    #[serde(serialize_with = "super::as_text")]
    pub target: PathBuf,
    /// What it is for.
    pub kind: MountKind,
}

/// What a mount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MountKind {
    /// Shows something read-only.
    Read,
    /// Shows something that may be changed.
    Write,
    /// Holds a writable folder in its place.
    Pin,
    /// Closes something below a writable folder.
    Close,
    /// Puts an empty file or folder in its place.
    Hide,
}

/// The mounts of a plan, and what had no room among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MountPlan {
    /// The steps, in order.
    pub mounts: Vec<Mount>,
    /// Paths that should have been closed or hidden and are not: changes there are
    /// found and undone. Empty but for scopes with very many single files beside them.
    #[serde(serialize_with = "super::as_texts")]
    pub left_out: Vec<PathBuf>,
}

impl CagePlan {
    /// Works out the file tree of this plan's cage.
    ///
    /// What is known by name alone comes before what was found on the disk where
    /// there is not room for all.
    pub fn mounts(&self) -> MountPlan {
        let mut plan = MountPlan::default();
        for path in &self.readable {
            self.push(&mut plan, path, MountKind::Read);
        }
        for path in self.writable.iter().chain([&self.home]) {
            self.push(&mut plan, path, MountKind::Write);
        }
        // Git comes after the checkout, whose folder is seen around it.
        for path in self.linked.iter().chain(&self.git) {
            self.push(&mut plan, path, MountKind::Read);
        }
        let mut pinned: Vec<&Path> = Vec::new();
        let (mut closed, mut hidden) = (Vec::new(), Vec::new());
        let masked = super::outermost(self.masked.iter().cloned());
        let closing = self.read_only.iter().map(|path| (path, MountKind::Close));
        let hiding = masked.iter().map(|path| (path, MountKind::Hide));
        for (path, kind) in hiding.chain(closing) {
            let outer = self.writable.iter().find(|outer| path.starts_with(outer));
            let mut seen = self.readable.iter().chain(&self.git);
            let is_seen = seen.any(|seen| path.starts_with(seen));
            if outer.is_none() && (kind == MountKind::Close || !is_seen) {
                continue;
            }
            // What is hidden is closed with it, and has nothing below it.
            if kind == MountKind::Close && masked.iter().any(|hidden| path.starts_with(hidden)) {
                continue;
            }
            let way: Vec<&Path> = outer
                .map(|outer| way_to(path, outer))
                .unwrap_or_default()
                .into_iter()
                .filter(|folder| !pinned.contains(folder))
                .collect();
            let planned = plan.mounts.len() + pinned.len() + closed.len() + hidden.len();
            if planned + way.len() >= MOUNTS_MAX {
                plan.left_out.push(path.clone());
                continue;
            }
            pinned.extend(way);
            match kind {
                MountKind::Hide => hidden.push(path.as_path()),
                _ => closed.push(path.as_path()),
            }
        }
        // A mount shows what it covers as it is on the machine: what is hidden in a closed folder
        // comes after it, and a folder that is held comes before whatever is in it.
        pinned.sort();
        for (paths, kind) in [
            (pinned, MountKind::Pin),
            (closed, MountKind::Close),
            (hidden, MountKind::Hide),
        ] {
            for path in paths {
                self.push(&mut plan, path, kind);
            }
        }
        plan
    }

    /// Adds a mount; what lies below the plan's root is seen where the plan places it.
    fn push(&self, plan: &mut MountPlan, source: &Path, kind: MountKind) {
        plan.mounts.push(Mount {
            source: source.to_owned(),
            target: self.inside(source),
            kind,
        });
    }

    /// Returns where a path of the machine is seen in the cage.
    pub fn inside(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.root) {
            Ok(rest) if rest.as_os_str().is_empty() => self.place.clone(),
            Ok(rest) => self.place.join(rest),
            Err(_) => path.to_owned(),
        }
    }
}

/// What becomes of a process's attempt to change a path that is not open to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The kernel refuses it.
    Prevented,
    /// The kernel refuses to change what is in it; mode, owner and times are found and undone.
    ContentPrevented,
    /// It is found after the command, undone and told.
    FoundAndUndone,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prevented => "prevented",
            Self::ContentPrevented => {
                "content prevented; changes of mode, owner and times found and undone"
            }
            Self::FoundAndUndone => "found and undone",
        })
    }
}

impl CagePlan {
    /// Says what becomes of a change of `path`, which the scope does not open.
    ///
    /// What does not exist cannot be closed below a writable folder.
    pub fn holds(&self, path: &Path, exists: bool) -> Held {
        let is_open = self.writable.iter().any(|outer| path.starts_with(outer));
        match self.level {
            Level::None | Level::External => Held::FoundAndUndone,
            Level::Landlock if is_open => Held::FoundAndUndone,
            Level::Landlock => Held::ContentPrevented,
            Level::Namespaces if !is_open => Held::Prevented,
            Level::Namespaces => {
                let closed = |mount: &Mount| {
                    matches!(mount.kind, MountKind::Close | MountKind::Hide)
                        && path.starts_with(&mount.source)
                };
                if exists && self.mounts().mounts.iter().any(closed) {
                    Held::Prevented
                } else {
                    Held::FoundAndUndone
                }
            }
        }
    }
}

/// Returns the folders between `outer` and `path`, outermost first, neither end included.
fn way_to<'a>(path: &'a Path, outer: &Path) -> Vec<&'a Path> {
    let mut way: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|folder| *folder != outer && folder.starts_with(outer))
        .collect();
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cage::tests::{gate, machine};
    use harness_core::Limits;

    fn plan() -> CagePlan {
        let machine = crate::Machine {
            read: vec!["/usr".into()],
            pinned: vec!["/repo/a/b/closed".into(), "/elsewhere/x".into()],
            masked: vec!["/repo/a/b/.env".into(), "/usr/secret".into()],
            ..machine()
        };
        CagePlan {
            writable: vec!["/repo/a".into()],
            readable: vec!["/repo".into(), "/usr".into()],
            read_only: machine.pinned.clone(),
            masked: machine.masked.clone(),
            root: "/repo".into(),
            place: "/repo".into(),
            git: Vec::new(),
            ..CagePlan::for_gate(
                &gate(""),
                &Limits::default(),
                &crate::network::Hosts::default(),
                &machine,
                Path::new("/repo"),
            )
        }
    }

    fn told(plan: &CagePlan) -> Vec<String> {
        let mounts = plan.mounts().mounts;
        let told = |mount: &Mount| format!("{:?} {}", mount.kind, mount.target.display());
        mounts.iter().map(told).collect()
    }

    #[test]
    fn what_is_closed_lies_over_what_is_open_and_its_way_is_held() {
        assert_eq!(
            told(&plan()),
            [
                "Read /repo",
                "Read /usr",
                "Write /repo/a",
                "Write /cache/agent",
                "Pin /repo/a/b",
                "Close /repo/a/b/closed",
                "Hide /repo/a/b/.env",
                "Hide /usr/secret",
            ]
        );
    }

    #[test]
    fn what_is_hidden_stays_hidden_when_it_is_closed_as_well() {
        let plan = CagePlan {
            read_only: ["a/key", "a/shut", "a/dark/x"]
                .map(|path| Path::new("/repo").join(path))
                .into(),
            masked: ["a/dark", "a/dark/y", "a/key", "a/shut/key"]
                .map(|path| Path::new("/repo").join(path))
                .into(),
            ..plan()
        };
        assert_eq!(
            told(&plan)[4..],
            [
                "Pin /repo/a/shut",
                "Close /repo/a/shut",
                "Hide /repo/a/dark",
                "Hide /repo/a/key",
                "Hide /repo/a/shut/key",
            ]
        );
    }

    #[test]
    fn a_checkout_is_seen_at_the_repositorys_own_place() {
        let plan = CagePlan {
            root: "/cache/candidate".into(),
            writable: vec!["/cache/candidate".into()],
            readable: vec!["/cache/candidate".into()],
            ..plan()
        };
        let mounts = plan.mounts().mounts;
        assert_eq!(mounts[0].source, Path::new("/cache/candidate"));
        assert_eq!(mounts[0].target, Path::new("/repo"));
        assert_eq!(
            plan.inside(Path::new("/cache/candidate/x")),
            Path::new("/repo/x")
        );
        assert_eq!(plan.inside(Path::new("/usr")), Path::new("/usr"));
    }

    #[test]
    fn too_many_single_files_are_named_and_what_has_a_fixed_name_comes_first() {
        let many = (0..100).map(|n| PathBuf::from(format!("/repo/a/{n}")));
        let plan = CagePlan {
            read_only: many.collect(),
            ..plan()
        };
        let planned = plan.mounts();
        assert_eq!(planned.mounts.len(), MOUNTS_MAX);
        assert_eq!(planned.mounts.len() + planned.left_out.len(), 100 + 7);
        assert!(told(&plan).contains(&"Hide /repo/a/b/.env".to_owned()));
    }
}
