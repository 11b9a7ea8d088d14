//! The proxy through which processes in the cage reach the hosts that are open, and no other.
//!
//! It accepts on a listener it is given, which stands inside the cage's network
//! namespace, and dials from the network of this process. A client asks for a
//! tunnel (`CONNECT`) or makes one plain request; the guard judges the host, a
//! name is resolved once, every address it has is checked, and a checked address
//! is dialled. A redirect is the client's next request, judged like any other.
//! Tunnels are not looked into. Whoever opens a cage with hosts starts one.

mod connection;
mod dial;
mod relay;

use std::{
    fmt, io,
    net::{IpAddr, TcpListener as StdListener},
    sync::Arc,
    time::Duration,
};

use harness_core::{ByteCount, NetworkUse};
use harness_guard::network::Hosts;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::{Cancelled, Canceller, cancel_pair};

pub use self::dial::{AddressCheck, Resolved, Resolver};

/// How long nothing is accepted after the system refused to: it has no descriptor left, say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyBounds {
    /// Connections at the same time; more wait to be accepted. Default: 128.
    pub open: usize,
    /// Connections in all; after them everything is refused. Default: 10,000.
    pub total: u32,
    /// How long a client may take for the head of its request. Default: 10 s.
    pub head: Duration,
    /// How long resolving and dialling may take. Default: 30 s.
    pub dial: Duration,
    /// How long no byte may go either way; noticed after at most twice that. Default: 5 minutes.
    pub idle: Duration,
    /// What one connection may carry, both ways together. Default: 4 GiB.
    pub bytes: ByteCount,
}

impl Default for ProxyBounds {
    fn default() -> Self {
        Self {
            open: 128,
            total: 10_000,
            head: Duration::from_secs(10),
            dial: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            bytes: ByteCount::gib(4),
        }
    }
}

/// What a proxy lets through, and how it finds its way.
#[derive(Clone)]
pub struct ProxyRules {
    hosts: Hosts,
    bounds: ProxyBounds,
    resolver: Resolver,
    check: AddressCheck,
}

impl ProxyRules {
    /// Lets through what is open, by the system's resolver, to public addresses alone.
    ///
    /// An address that the person's own file lists is dialled as it is listed.
    pub fn new(hosts: Hosts, bounds: ProxyBounds) -> Self {
        Self {
            hosts,
            bounds,
            resolver: dial::system_resolver(),
            check: Arc::new(dial::may_be_dialled),
        }
    }

    /// Replaces the resolver and the check of addresses.
    ///
    /// No configuration leads here: it is for a proxy whose hosts are servers of a test.
    #[must_use]
    pub fn with_network(mut self, resolver: Resolver, check: AddressCheck) -> Self {
        self.resolver = resolver;
        self.check = check;
        self
    }

    fn may_dial(&self, address: IpAddr) -> bool {
        (self.check)(address)
    }
}

impl fmt::Debug for ProxyRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyRules")
            .field("hosts", &self.hosts)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

/// Why a proxy does not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve the network proxy on the listener it was given")]
pub struct ProxyError {
    #[source]
    source: io::Error,
}

/// A running proxy. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    canceller: Canceller,
    task: Option<JoinHandle<()>>,
}

/// Told of each connection that is over or was refused.
type Report = Arc<dyn Fn(NetworkUse) + Send + Sync>;

impl Proxy {
    /// Serves on a listener, as a task of the current runtime.
    ///
    /// `report` is called once for each connection that asked for anything, when it
    /// is over; it must not block. A `listener` from another network namespace
    /// is as good as one from this.
    ///
    /// # Errors
    /// When the listener is none.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn start(
        listener: StdListener,
        rules: ProxyRules,
        report: impl Fn(NetworkUse) + Send + Sync + 'static,
    ) -> Result<Self, ProxyError> {
        let failed = |source| ProxyError { source };
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let (canceller, cancelled) = cancel_pair();
        let report: Report = Arc::new(report);
        let task = tokio::spawn(serve(listener, Arc::new(rules), report, cancelled));
        Ok(Self {
            port,
            canceller,
            task: Some(task),
        })
    }

    /// Returns the port it listens at.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Closes the listener and every connection, and waits until each is reported.
    pub async fn stop(mut self) {
        self.canceller.cancel();
        if let Some(task) = self.task.take() {
            // A task that was cut short with its runtime has nothing left to report.
            let _ = task.await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.canceller.cancel();
    }
}

async fn serve(
    listener: TcpListener,
    rules: Arc<ProxyRules>,
    report: Report,
    mut cancelled: Cancelled,
) {
    let open = Arc::new(Semaphore::new(rules.bounds.open));
    let mut connections = JoinSet::new();
    let mut total = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = cancelled.wait() => break,
            accepted = accept(&listener, &open) => accepted,
        };
        // What is over leaves nothing behind.
        while connections.try_join_next().is_some() {}
        let Ok((stream, permit)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if total == rules.bounds.total {
            report(used_up(rules.bounds.total));
            break;
        }
        total += 1;
        let (rules, report, cancelled) =
            (Arc::clone(&rules), Arc::clone(&report), cancelled.clone());
        connections.spawn(async move {
            if let Some(used) = connection::serve(stream, &rules, cancelled).await {
                report(used);
            }
            drop(permit);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Accepts when there is room for one more.
async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(open)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

fn used_up(total: u32) -> NetworkUse {
    NetworkUse {
        host: String::new(),
        port: 0,
        allowed: false,
        reason: format!(
            "more than {total} connections were made; the network is closed from now on"
        ),
        sent: ByteCount(0),
        received: ByteCount(0),
        ms: 0,
    }
}
