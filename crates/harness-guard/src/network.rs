//! Which hosts the processes of a run may reach, and every decision about one connection.
//!
//! There is one grammar for names, for configuration and requests alike, and a
//! host is reached when its canonical name and its port are listed: no pattern,
//! no suffix, no redirect. [`Hosts::judge`] says so, [`read_request`] finds out
//! what a client asks for, [`is_public`] judges the addresses a name has.
//! Nothing is resolved or dialled here: the proxy of the host does that. The
//! variables of [`proxied_environment`] are help for programs; the wall is the
//! namespace in which the proxy is all there is.

mod address;
mod environment;
mod listed;
mod name;
mod registry;
mod request;

use harness_core::{AllowedHost, Rule, Verdict};
use serde::{Serialize, Serializer};

use crate::shown::shown_text;

pub use self::{
    address::is_public,
    environment::proxied_environment,
    listed::{ListedError, listed_hosts},
    name::{Endpoint, Host, HostError},
    registry::{REGISTRY_NAMES, registry_hosts},
    request::{
        HEAD_BYTES_MAX, HEADERS_MAX, PlainRequest, ProxyRequest, RequestError, head_length,
        read_request,
    },
};

/// How many hosts a refusal names; of more it says how many.
const NAMED_MAX: usize = 8;

/// The hosts that may be reached. The default is none: no network at all.
///
/// Serialised as a list of `host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<(Endpoint, AllowedHost)>);

impl Hosts {
    /// Reads the hosts of a policy.
    ///
    /// A host that the grammar does not know opens nothing, nor does an address
    /// that is not public where the person's own file did not name it.
    pub fn new(allowed: &[AllowedHost]) -> Self {
        let mut hosts: Vec<(Endpoint, AllowedHost)> = Vec::new();
        for host in allowed {
            let Ok(endpoint) = Endpoint::parse(&host.to_string()) else {
                continue;
            };
            let is_known = hosts.iter().any(|(known, _)| *known == endpoint);
            if !is_known && (host.private || endpoint.is_name_or_public()) {
                hosts.push((endpoint, host.clone()));
            }
        }
        Self(hosts)
    }

    /// Whether there is no network.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the hosts in the order of the policy.
    pub fn iter(&self) -> impl Iterator<Item = &AllowedHost> {
        self.0.iter().map(|(_, host)| host)
    }

    /// Says whether a host may be reached, named as a client names it: an IPv6 address in brackets.
    ///
    /// A denial names what is open and how a person opens more; it is one line of
    /// printable ASCII.
    pub fn judge(&self, host: &str, port: u16) -> Verdict {
        match Host::parse(host) {
            Ok(host) => self.judge_endpoint(&Endpoint { host, port }),
            Err(error) => Verdict::deny(format!(
                "cannot reach `{}`: it {error}",
                shown_text(host, NAME_SHOWN_MAX)
            )),
        }
    }

    /// Says whether a host may be reached that the grammar knows.
    pub fn judge_endpoint(&self, wanted: &Endpoint) -> Verdict {
        if let Some((endpoint, host)) = self.0.iter().find(|(known, _)| known == wanted) {
            let rule = Rule {
                text: endpoint.to_string(),
                origin: host.origin.clone(),
            };
            return Verdict::allow(format!("`{endpoint}` is open"), Some(rule));
        }
        let state = if self.is_empty() {
            "the network is off".to_owned()
        } else {
            format!("it is none of the hosts that are open ({})", self.named())
        };
        Verdict::deny(format!(
            "cannot reach `{wanted}`: {state}; ask for it with the tool `request`, or a person opens it with `[sandbox] network = [\"{wanted}\"]` in harness.toml"
        ))
    }

    fn named(&self) -> String {
        let names = self.0.iter().take(NAMED_MAX);
        let names: Vec<String> = names.map(|(endpoint, _)| endpoint.to_string()).collect();
        let more = self.0.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            format!("{} and {more} more", names.join(", "))
        } else {
            names.join(", ")
        }
    }
}

/// How much of a name that is none is repeated. Unit: characters.
const NAME_SHOWN_MAX: usize = 80;

impl Serialize for Hosts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(endpoint, _)| endpoint.to_string()))
    }
}

#[cfg(test)]
mod tests;
