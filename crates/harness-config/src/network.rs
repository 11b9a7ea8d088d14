//! Brings the hosts together that processes may reach.
//!
//! The person's file opens hosts, and the repository's opens more once a person
//! has accepted its content. `offline` in the person's file or in the environment
//! closes all of them; nothing in a repository can open them again.

use harness_core::{AllowedHost, Sourced};
use harness_guard::network::listed_hosts;

use crate::{
    Overrides, RepositoryConfig, UserConfig,
    resolve::{ENVIRONMENT, FLAG},
    setting::Settings,
};

/// What processes may reach.
pub(crate) struct Network {
    /// The hosts.
    pub(crate) hosts: Vec<AllowedHost>,
    /// Why no further one can be opened; empty where a person can open one.
    pub(crate) closed: String,
}

/// Returns the hosts, the person's first, each once; adds to `settings` what holds and whose word it is.
pub(crate) fn resolve(
    repository: &RepositoryConfig,
    user: &UserConfig,
    environment: &Overrides,
    flags: &Overrides,
    settings: &mut Settings,
) -> Network {
    if let Some(origin) = closed_by(user, environment, flags) {
        settings.note("sandbox.offline", "true".to_owned(), &origin);
        return Network {
            hosts: Vec::new(),
            closed: format!("`offline` is set ({origin})"),
        };
    }
    settings.list("sandbox.network", user.network());
    settings.list("sandbox.network", &repository.network);
    let mut hosts: Vec<AllowedHost> = Vec::new();
    let own = user.network().iter().map(|entry| (entry, true));
    let asked = repository.network.iter().map(|entry| (entry, false));
    for (entry, private) in own.chain(asked) {
        for host in expanded(entry, private) {
            let is_known = hosts
                .iter()
                .any(|known| known.host == host.host && known.port == host.port);
            if !is_known {
                hosts.push(host);
            }
        }
    }
    Network {
        hosts,
        closed: String::new(),
    }
}

fn expanded(entry: &Sourced, private: bool) -> Vec<AllowedHost> {
    // What is no host was refused when its file was read.
    listed_hosts(&entry.value, &entry.origin, private).unwrap_or_default()
}

pub(crate) fn closed_by(
    user: &UserConfig,
    environment: &Overrides,
    flags: &Overrides,
) -> Option<String> {
    if flags.offline {
        return Some(FLAG.to_owned());
    }
    if environment.offline {
        return Some(ENVIRONMENT.to_owned());
    }
    let offline = user.offline().filter(|offline| offline.value);
    offline.map(|offline| offline.origin.clone())
}
