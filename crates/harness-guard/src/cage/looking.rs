//! The plan of a program of the machine that is asked for its version.

use std::path::Path;

use harness_core::Limits;

use super::{CagePlan, Machine, masked, outermost, unique};
use crate::network::Hosts;

impl CagePlan {
    /// Makes the plan of a program that says its version: it sees the machine's programs, nothing of
    /// the repository, and no network.
    ///
    /// `folder` is an empty folder outside the repository, in which it runs and writes nothing.
    pub fn for_looking(machine: &Machine, folder: &Path, limits: &Limits) -> Self {
        let is_outside = |path: &&std::path::PathBuf| {
            !path.starts_with(&machine.root) && !path.starts_with(&machine.git_dir)
        };
        let read = machine.read.iter().filter(is_outside).cloned();
        let hidden = [machine.root.clone(), machine.git_dir.clone()];
        Self {
            level: machine.level,
            root: folder.to_owned(),
            place: folder.to_owned(),
            cwd: folder.to_owned(),
            writable: Vec::new(),
            readable: outermost(read.chain([folder.to_owned()])),
            read_only: Vec::new(),
            masked: unique(masked(machine).into_iter().chain(hidden)),
            linked: Vec::new(),
            git: Vec::new(),
            home: machine.home.clone(),
            temp: machine.temp.clone(),
            environment: machine.environment.clone(),
            network: Hosts::default(),
            limits: limits.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cage::tests::{machine, texts};

    #[test]
    fn a_program_that_says_its_version_sees_nothing_of_the_repository() {
        let machine = Machine {
            read: vec!["/usr".into(), "/repo/bin".into()],
            ..machine()
        };
        let plan = CagePlan::for_looking(&machine, Path::new("/cache/empty"), &Limits::default());
        assert_eq!(texts(plan.readable()), ["/cache/empty", "/usr"]);
        assert!(plan.writable().is_empty() && plan.network().is_empty());
        for path in ["/repo", "/repo/.git"] {
            assert!(texts(plan.masked()).contains(&path), "{path}");
        }
    }
}
