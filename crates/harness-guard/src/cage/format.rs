//! The plan of a formatter.

use harness_core::{Format, Limits, RepoPath};

use super::{CagePlan, Machine};
use crate::{network::Hosts, permit::Bounds};

impl CagePlan {
    /// Makes the plan of a formatter in the work tree.
    ///
    /// `bounds` are those of a scope that names the changed files alone, so a
    /// formatter writes no other. It reaches no host. Its own timeout replaces the
    /// run's limits of time for one command.
    pub fn for_format(format: &Format, bounds: &Bounds, machine: &Machine) -> Self {
        let limits = Limits {
            command: format.timeout,
            silence: format.timeout,
            ..bounds.limits.clone()
        };
        // A folder around a single file is opened for commands, where all else in it can be closed;
        // in an open one a formatter could make other files, or put a link in its file's place.
        let machine = Machine {
            opened: Vec::new(),
            ..machine.clone()
        };
        Self {
            limits,
            network: Hosts::default(),
            ..Self::within(bounds, &RepoPath::root(), &machine)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        cage::tests::{machine, texts},
        network::listed_hosts,
    };

    #[test]
    fn a_formatter_writes_what_its_bounds_name_and_reaches_nobody() {
        let path = |text: &str| RepoPath::parse(text).unwrap();
        let bounds = Bounds {
            writable: vec![path("src/a.rs")],
            build: Vec::new(),
            read_only: vec![path("harness.toml")],
            limits: Limits::default(),
            network: Hosts::new(&listed_hosts("npm", "harness.toml:3", false).unwrap()),
        };
        let format = Format {
            run: vec!["rustfmt".to_owned()],
            paths: vec!["**/*.rs".to_owned()],
            timeout: Duration::from_secs(3),
        };
        let machine = Machine {
            opened: vec!["/repo/src".into()],
            ..machine()
        };
        let plan = CagePlan::for_format(&format, &bounds, &machine);
        assert_eq!(texts(plan.writable()), ["/repo/src/a.rs"]);
        assert_eq!(*plan.network(), Hosts::default());
        assert_eq!(plan.limits().command, Duration::from_secs(3));
        assert_eq!(plan.limits().silence, Duration::from_secs(3));
    }
}
