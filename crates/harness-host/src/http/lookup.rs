//! Looks names up on threads of their own.
//!
//! The system's resolver blocks, for as long as half a minute, and cannot be
//! cancelled. On the runtime's threads it would keep the work on the repository
//! waiting, and the end of the program. A thread that nobody waits for is left
//! behind instead, and there are never many.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// Lookups at the same time, forgotten ones included.
const LOOKUPS_MAX: usize = 8;

/// The system's resolver.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    running: Arc<AtomicUsize>,
}

/// One lookup that is counted for as long as it runs.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.begin(name.as_str().to_owned());
        Box::pin(async move {
            let found = found?.await;
            let found = found.map_err(|_| io::Error::other("the lookup was cut short"))??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

type Found = io::Result<Vec<SocketAddr>>;

impl Lookup {
    fn begin(&self, name: String) -> io::Result<oneshot::Receiver<Found>> {
        let counted = Counted(Arc::clone(&self.running));
        if self.running.fetch_add(1, Ordering::AcqRel) >= LOOKUPS_MAX {
            let message = "the resolver has not answered earlier lookups";
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        let (tx, found) = oneshot::channel();
        thread::Builder::new()
            .name("lookup".to_owned())
            .spawn(move || {
                let _counted = counted;
                // Nobody waits any more when the request was given up.
                let _ = tx.send(look_up(&name));
            })?;
        Ok(found)
    }
}

/// Returns the addresses of a name, with port 0: the request's own takes its place.
fn look_up(name: &str) -> Found {
    (name, 0)
        .to_socket_addrs()
        .map(|found| found.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_found_and_the_count_goes_back() {
        let lookup = Lookup::default();
        for _ in 0..20 {
            let found = lookup.begin("localhost".to_owned()).unwrap().await.unwrap();
            assert!(found.unwrap().iter().all(|it| it.ip().is_loopback()));
        }
        lookup.running.store(LOOKUPS_MAX, Ordering::Release);
        assert!(lookup.begin("localhost".to_owned()).is_err());
        assert_eq!(lookup.running.load(Ordering::Acquire), LOOKUPS_MAX);
    }
}
