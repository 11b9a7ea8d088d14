//! Carries bytes both ways between a client and a host, counted and bounded.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::ProxyBounds;

/// What is read at once. Unit: bytes.
const CHUNK: usize = 16 * 1024;

/// What went through a connection so far. Unit: bytes.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

impl Tally {
    fn total(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) + self.received.load(Ordering::Relaxed)
    }
}

/// Why no more bytes go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Both sides were done.
    Done,
    /// One side broke off.
    Broken,
    /// Nothing went through for too long.
    Idle,
    /// More went through than may.
    Flooded,
    /// The client went on after its request.
    SecondRequest,
}

/// How one direction came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copied {
    /// The source has ended.
    Ended,
    /// As much went through as was to.
    Limit,
}

/// Carries a tunnel: until both sides have ended, or one breaks off.
pub(super) async fn tunnel(
    client: &mut TcpStream,
    host: &mut TcpStream,
    tally: &Tally,
    bounds: &ProxyBounds,
) -> Ending {
    let (mut client_reads, mut client_writes) = client.split();
    let (mut host_reads, mut host_writes) = host.split();
    let up = async {
        let count = Count::of(&tally.sent, tally, bounds);
        let copied = copy(&mut client_reads, &mut host_writes, count, u64::MAX).await;
        // A side that is gone already needs not be told.
        let _ = host_writes.shutdown().await;
        copied
    };
    let down = async {
        let count = Count::of(&tally.received, tally, bounds);
        let copied = copy(&mut host_reads, &mut client_writes, count, u64::MAX).await;
        let _ = client_writes.shutdown().await;
        copied
    };
    tokio::select! {
        both = async { tokio::try_join!(up, down) } => match both {
            Ok(_) => Ending::Done,
            Err(ending) => ending,
        },
        ending = stand_still(tally, bounds) => ending,
    }
}

/// Carries one request and its answer: `left` bytes of body that are not sent yet, and all that comes back.
pub(super) async fn exchange(
    client: &mut TcpStream,
    host: &mut TcpStream,
    left: u64,
    tally: &Tally,
    bounds: &ProxyBounds,
) -> Ending {
    let (mut client_reads, mut client_writes) = client.split();
    let (mut host_reads, mut host_writes) = host.split();
    let up = async {
        let count = Count::of(&tally.sent, tally, bounds);
        match copy(&mut client_reads, &mut host_writes, count, left).await {
            Ok(Copied::Limit) => {}
            Ok(Copied::Ended) => return Ending::Broken,
            Err(ending) => return ending,
        }
        // A client that is done waits, or closes its side; one that sends more means another request.
        match client_reads.read(&mut [0; 1]).await {
            Ok(0) => std::future::pending().await,
            Ok(_) => Ending::SecondRequest,
            Err(_) => Ending::Broken,
        }
    };
    let down = async {
        let count = Count::of(&tally.received, tally, bounds);
        let copied = copy(&mut host_reads, &mut client_writes, count, u64::MAX).await;
        let _ = client_writes.shutdown().await;
        copied.map_or_else(|ending| ending, |_| Ending::Done)
    };
    tokio::select! {
        biased;
        ending = down => ending,
        ending = up => ending,
        ending = stand_still(tally, bounds) => ending,
    }
}

/// Where the bytes of one direction are counted, and what both may come to.
#[derive(Clone, Copy)]
struct Count<'a> {
    own: &'a AtomicU64,
    tally: &'a Tally,
    bytes_max: u64,
}

impl<'a> Count<'a> {
    const fn of(own: &'a AtomicU64, tally: &'a Tally, bounds: &ProxyBounds) -> Self {
        Self {
            own,
            tally,
            bytes_max: bounds.bytes.0,
        }
    }

    fn add(&self, bytes: usize) -> Result<(), Ending> {
        self.own.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.tally.total() > self.bytes_max {
            return Err(Ending::Flooded);
        }
        Ok(())
    }
}

/// Copies up to `limit` bytes; they are counted when they have gone on.
async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    count: Count<'_>,
    limit: u64,
) -> Result<Copied, Ending> {
    let broken = |_: io::Error| Ending::Broken;
    let mut chunk = vec![0; CHUNK];
    let mut left = limit;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let read = from.read(&mut chunk[..most]).await.map_err(broken)?;
        if read == 0 {
            return Ok(Copied::Ended);
        }
        to.write_all(&chunk[..read]).await.map_err(broken)?;
        left -= read as u64;
        count.add(read)?;
    }
    Ok(Copied::Limit)
}

/// Ends when the tally has not moved for a whole idle time.
async fn stand_still(tally: &Tally, bounds: &ProxyBounds) -> Ending {
    let mut before = tally.total();
    loop {
        sleep(bounds.idle).await;
        let now = tally.total();
        if now == before {
            return Ending::Idle;
        }
        before = now;
    }
}
