//! The hosts of a run: whether the level holds processes to them, and how they are shown.

use harness_core::{AllowedHost, EndReason, Level, Policy};
use serde_json::{Value, json};

use crate::failure::Failure;

/// How many hosts a message names.
const NAMED_MAX: usize = 8;

/// Refuses a level that would have to open the network whole or not at all.
///
/// Where the person asked for no level of the harness, it promises nothing about the network.
pub(crate) fn refuse_unenforced(level: Level, network: &[AllowedHost]) -> Result<(), Failure> {
    match level {
        Level::Landlock if !network.is_empty() => {
            let message = format!(
                "cannot open the network for {} alone: level `{level}` opens it whole or not at all",
                named(network)
            );
            Err(Failure::ended(EndReason::Refused, message).hint(
                "work without network: `HARNESS_OFFLINE=1`, or `offline = true` under `[sandbox]` in your own file",
            ))
        }
        _ => Ok(()),
    }
}

/// Keeps a run from being given hosts that its level could not hold processes to.
pub(crate) fn close_unenforced(level: Level, policy: &mut Policy) {
    if level == Level::Landlock && policy.network_closed.is_empty() {
        policy.network_closed = format!("level `{level}` opens the network whole or not at all");
    }
}

/// Returns the hosts that have to be open for a run to go on: what a person gave it stays
/// given, unless they have closed the network since.
pub(crate) fn needed(began: &Policy, now: &Policy) -> Vec<AllowedHost> {
    let given = |host: &&AllowedHost| {
        let mut given = began.amendments.iter().flat_map(|more| &more.hosts);
        now.network_closed.is_empty() && given.any(|given| given == *host)
    };
    began
        .network
        .iter()
        .filter(|host| !given(host))
        .cloned()
        .collect()
}

/// Refuses to go on with hosts that were open when a run began and are not any more.
pub(crate) fn refuse_closed(began: &[AllowedHost], open: &[AllowedHost]) -> Result<(), Failure> {
    let is_open = |host: &AllowedHost| {
        let same = |other: &AllowedHost| (&other.host, other.port) == (&host.host, host.port);
        open.iter().any(same)
    };
    let closed: Vec<AllowedHost> = began
        .iter()
        .filter(|host| !is_open(host))
        .cloned()
        .collect();
    if closed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the run began with hosts that are not open any more: {}",
        named(&closed)
    );
    Err(Failure::ended(EndReason::Refused, message)
        .hint("start anew with `harness run`, or open them again"))
}

/// Returns hosts as lines for people, each with its origin; one line where there are none.
pub(crate) fn lines(network: &[AllowedHost]) -> Vec<String> {
    if network.is_empty() {
        return vec!["none".to_owned()];
    }
    network
        .iter()
        .map(|host| format!("{host} ({})", host.origin))
        .collect()
}

/// Returns hosts with their origins as JSON.
pub(crate) fn json(network: &[AllowedHost]) -> Value {
    let hosts = network.iter().map(|host| {
        json!({ "host": host.host, "port": host.port, "origin": host.origin, "private": host.private })
    });
    hosts.collect()
}

fn named(network: &[AllowedHost]) -> String {
    let shown: Vec<String> = network
        .iter()
        .take(NAMED_MAX)
        .map(|host| format!("`{host}`"))
        .collect();
    match network.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{Amendment, FeatureId};

    use super::*;

    fn host(name: &str) -> AllowedHost {
        AllowedHost {
            host: name.to_owned(),
            port: 443,
            origin: "harness.toml:3".to_owned(),
            private: false,
        }
    }

    #[test]
    fn what_a_person_gave_a_run_stays_given_unless_they_closed_the_network() {
        let resolve = || {
            let none = harness_config::Overrides::default();
            let user = harness_config::UserConfig::default();
            harness_config::resolve(None, &user, &none, &none)
                .unwrap()
                .policy
        };
        let mut began = resolve();
        began.network = vec![host("listed.org")];
        began.amend(&Amendment {
            feature: FeatureId::task(1),
            write: Vec::new(),
            may_change: Vec::new(),
            hosts: vec![host("given.org")],
            reason: "x".to_owned(),
        });
        let mut now = resolve();
        assert_eq!(needed(&began, &now), [host("listed.org")]);
        now.network_closed = "`offline` is set (flag)".to_owned();
        assert_eq!(needed(&began, &now), began.network);
    }

    #[test]
    fn a_level_that_cannot_hold_processes_to_hosts_is_given_none() {
        let none = harness_config::Overrides::default();
        let user = harness_config::UserConfig::default();
        let mut policy = harness_config::resolve(None, &user, &none, &none)
            .unwrap()
            .policy;
        close_unenforced(Level::Namespaces, &mut policy);
        assert_eq!(policy.network_closed, "");
        close_unenforced(Level::Landlock, &mut policy);
        assert!(policy.network_closed.contains("landlock"));
    }
}
