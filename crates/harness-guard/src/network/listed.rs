//! Reads what a configuration lists: a host, or the name of a registry.

use harness_core::AllowedHost;

use super::{Endpoint, Host, HostError, registry_hosts};

/// Why an entry of a list opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListedError {
    /// It is no host.
    #[error(transparent)]
    Host(HostError),
    /// It is an address that is not public, and whoever lists it may not open one.
    #[error("is no public address")]
    Private,
}

/// Returns the hosts that an entry stands for, in canonical form.
///
/// `text` is `host:port`, a name with a dot for port 443, or the name of a
/// registry; `origin` is where it was written. `private` says that it stands in the
/// person's own file, which may list an address that is not public. A name
/// never leads to one, whoever lists it: who runs its DNS could make it lead anywhere.
///
/// # Errors
/// When it is neither, or lists a private address that it may not.
pub fn listed_hosts(
    text: &str,
    origin: &str,
    private: bool,
) -> Result<Vec<AllowedHost>, ListedError> {
    if let Some(hosts) = registry_hosts(text) {
        let host = |host: &&str| AllowedHost {
            host: (*host).to_owned(),
            port: 443,
            origin: format!("{origin}, {text}"),
            private: false,
        };
        return Ok(hosts.iter().map(host).collect());
    }
    let endpoint = Endpoint::parse_listed(text).map_err(ListedError::Host)?;
    let is_private = !endpoint.is_name_or_public();
    if is_private && !private {
        return Err(ListedError::Private);
    }
    Ok(vec![AllowedHost {
        host: match endpoint.host {
            Host::Name(name) => name,
            Host::Address(address) => address.to_string(),
        },
        port: endpoint.port,
        origin: origin.to_owned(),
        private: is_private,
    }])
}
