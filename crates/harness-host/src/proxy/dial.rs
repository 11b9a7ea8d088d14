//! From a listed host to a connection: resolved once, every address checked, a checked one dialled.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use harness_guard::network::{Endpoint, Host, is_public};
use tokio::{net::TcpStream, sync::Semaphore, task::spawn_blocking, time::timeout};

use super::ProxyRules;

/// How long one address of several is tried.
const ADDRESS_TIME: Duration = Duration::from_secs(5);
/// How many names are looked up at the same time: each takes a thread that the run has a use for.
const LOOKUPS_MAX: usize = 4;
/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 16;

/// Where nothing is sent to; any port would do.
const ANY_PORT: u16 = 9;

/// The addresses of a name, when they are known.
pub type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name.
pub type Resolver = Arc<dyn Fn(&str) -> Resolved + Send + Sync>;

/// Says whether an address may be dialled.
pub type AddressCheck = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Why a host is not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DialError {
    /// It leads to an address that may not be dialled.
    Refused(String),
    /// It has no address, or none that answers.
    Unreachable(String),
    /// It took too long.
    Slow(String),
}

/// Returns the resolver of the system.
pub(super) fn system_resolver() -> Resolver {
    let turns = Arc::new(Semaphore::new(LOOKUPS_MAX));
    Arc::new(move |name| {
        let (name, turns) = (name.to_owned(), Arc::clone(&turns));
        Box::pin(async move {
            let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = spawn_blocking(move || {
                // It cannot be cut short, so it keeps its turn also when nobody waits any more.
                let _turn = turn;
                // The port plays no part in the answer.
                let found = (name.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        })
    })
}

/// Whether an address belongs to the public internet and not to this machine.
pub(super) fn may_be_dialled(address: IpAddr) -> bool {
    is_public(address) && !is_own(address)
}

/// Connects to a host that was judged to be open.
pub(super) async fn dial(endpoint: &Endpoint, rules: &ProxyRules) -> Result<TcpStream, DialError> {
    let limit = rules.bounds.dial;
    let dialled = timeout(limit, dial_patiently(endpoint, rules)).await;
    dialled.unwrap_or_else(|_| {
        let text = format!(
            "cannot reach `{endpoint}`: nothing answered in {} s",
            limit.as_secs()
        );
        Err(DialError::Slow(text))
    })
}

async fn dial_patiently(endpoint: &Endpoint, rules: &ProxyRules) -> Result<TcpStream, DialError> {
    let addresses = match &endpoint.host {
        // It is listed as it stands: a person's own file may name one that is not public.
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolve(name, endpoint, rules).await?,
    };
    let mut last = None;
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        let connecting = TcpStream::connect(SocketAddr::new(address, endpoint.port));
        match timeout(ADDRESS_TIME, connecting).await {
            Ok(Ok(stream)) => {
                // Small packets of a handshake are not held back; a socket that refuses is slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Some(error.kind().to_string()),
            Err(_) => last = Some("no answer".to_owned()),
        }
    }
    let why = last.unwrap_or_else(|| "its name has no address".to_owned());
    Err(DialError::Unreachable(format!(
        "cannot reach `{endpoint}`: {why}"
    )))
}

/// A name with one address that may not be dialled is refused whole: it is not what a person listed.
async fn resolve(
    name: &str,
    endpoint: &Endpoint,
    rules: &ProxyRules,
) -> Result<Vec<IpAddr>, DialError> {
    let found = (rules.resolver)(name).await;
    let found = found.map_err(|_| {
        DialError::Unreachable(format!(
            "cannot reach `{endpoint}`: its name cannot be resolved"
        ))
    })?;
    match found.iter().find(|address| !rules.may_dial(**address)) {
        Some(address) => Err(DialError::Refused(format!(
            "cannot reach `{endpoint}`: its name leads to {address}, an address of this machine or its networks"
        ))),
        None => Ok(found),
    }
}

/// Whether an address is one of this machine's: only at such a one can a socket stand.
fn is_own(address: IpAddr) -> bool {
    // Where the system lets a socket stand at any address, the way tells: to an own
    // address it begins there. Connecting a datagram socket sends nothing.
    let nowhere: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    if !can_stand_at(nowhere) {
        return can_stand_at(address);
    }
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let local = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, ANY_PORT))?;
        socket.local_addr()
    });
    local.is_ok_and(|local| local.ip() == address)
}

fn can_stand_at(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_its_own() {
        for (address, own) in [
            ("127.0.0.1", true),
            ("127.0.0.2", true),
            ("192.0.2.1", false),
            ("8.8.8.8", false),
            ("2606:4700::1111", false),
        ] {
            assert_eq!(is_own(address.parse().unwrap()), own, "{address}");
        }
        assert!(!may_be_dialled("127.0.0.1".parse().unwrap()));
        assert!(may_be_dialled("8.8.8.8".parse().unwrap()));
    }
}
