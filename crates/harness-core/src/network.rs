//! The hosts that processes may reach, and what became of one connection.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ByteCount;

/// A host that processes may reach: exactly this name and this port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedHost {
    /// The name in lower case, or an address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Where it was written, such as `harness.toml:3` or `harness.toml:3, npm`.
    pub origin: String,
    /// Whether it may be an address that is not public; the person's own file alone can say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A connection of a process that is over, or that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkUse {
    /// The host as it was asked for; empty where the request named none that can be read.
    pub host: String,
    /// The port; 0 where the request named none.
    pub port: u16,
    /// Whether the host is one that may be reached.
    pub allowed: bool,
    /// Why it was refused, or what broke it; empty when all went well.
    pub reason: String,
    /// What was sent to the host.
    pub sent: ByteCount,
    /// What was received from it.
    pub received: ByteCount,
    /// From the request to the end. Unit: milliseconds.
    pub ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_shown_in_brackets() {
        let shown = |host: &str| {
            let allowed = AllowedHost {
                host: host.to_owned(),
                port: 443,
                origin: String::new(),
                private: false,
            };
            allowed.to_string()
        };
        assert_eq!(shown("example.org"), "example.org:443");
        assert_eq!(shown("2606:4700::1"), "[2606:4700::1]:443");
    }
}
