//! Setup steps: from the configuration to what the runner carries out.

use harness_config::{Resolved, Setup};
use harness_core::{AllowedHost, Sourced};
use harness_guard::{
    SetupStep,
    network::{Hosts, listed_hosts},
};
use harness_runner::SetupPlan;

use crate::failure::{Failure, chain};

/// Makes the plan of a run's setup steps; each reaches the hosts it lists and those of the run.
pub(crate) fn plan(resolved: &Resolved) -> Result<SetupPlan, Failure> {
    let steps = resolved.setup.iter().map(|setup| step(resolved, setup));
    Ok(SetupPlan {
        steps: steps.collect::<Result<_, _>>()?,
        link: resolved.link.clone(),
        offline: resolved.offline.clone(),
    })
}

/// Returns the hosts that any step lists for itself; none while the network is closed.
pub(crate) fn hosts(resolved: &Resolved) -> Vec<AllowedHost> {
    let steps = resolved.setup.iter();
    steps.flat_map(|setup| listed(resolved, setup)).collect()
}

fn step(resolved: &Resolved, setup: &Setup) -> Result<SetupStep, Failure> {
    let mut hosts = listed(resolved, setup);
    hosts.extend(resolved.policy.network.iter().cloned());
    let sourced = |value: &String| Sourced {
        value: value.clone(),
        origin: setup.origin.clone(),
    };
    let when: Vec<Sourced> = setup.when.iter().map(sourced).collect();
    SetupStep::new(setup.run.clone(), &when, Hosts::new(&hosts))
        .map_err(|error| Failure::usage(chain(&error)))
}

fn listed(resolved: &Resolved, setup: &Setup) -> Vec<AllowedHost> {
    if resolved.offline.is_some() {
        return Vec::new();
    }
    let entries = setup.network.iter();
    // What is no host was refused when the file was read.
    entries
        .flat_map(|entry| listed_hosts(entry, &setup.origin, false).unwrap_or_default())
        .collect()
}
