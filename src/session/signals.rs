//! Signals: the first asks for an end in order, a second `SIGINT` ends at once.
//!
//! They are watched on a thread of their own: a face that writes to a pipe
//! nobody reads blocks the run, and must not block the person's way out.

use std::{process, thread};

use harness_core::Request;
use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, mpsc::error::TrySendError, watch},
};

use crate::{
    failure::{Failure, chain},
    output::say,
};

/// What the exit code of a process that a signal ended is counted from.
const SIGNALLED: i32 = 128;

/// Turns signals into requests.
///
/// The channel that is returned holds the number of the signal that decides
/// the exit code; `SIGINT` is a person's stop and has the run's own code.
pub(crate) fn watch(
    requests: &mpsc::Sender<Request>,
) -> Result<watch::Receiver<Option<u8>>, Failure> {
    let cannot =
        |error: std::io::Error| Failure::failed(format!("cannot watch signals: {}", chain(&error)));
    let runtime = Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(cannot)?;
    let (signalled_tx, signalled) = watch::channel(None);
    let kinds = [
        (SignalKind::interrupt(), None),
        (SignalKind::terminate(), Some(15)),
        (SignalKind::hangup(), Some(1)),
    ];
    for (kind, code) in kinds {
        // Whoever started it with `nohup` wants it to outlive the terminal.
        if kind == SignalKind::hangup() && is_ignored(kind.as_raw_value()) {
            continue;
        }
        let stream = {
            let _inside = runtime.enter();
            signal(kind).map_err(cannot)?
        };
        runtime.spawn(follow(
            stream,
            kind,
            code,
            requests.clone(),
            signalled_tx.clone(),
        ));
    }
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .map_err(cannot)?;
    Ok(signalled)
}

/// Whether this process was started with a signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

async fn follow(
    mut stream: Signal,
    kind: SignalKind,
    code: Option<u8>,
    requests: mpsc::Sender<Request>,
    signalled: watch::Sender<Option<u8>>,
) {
    let mut asked = false;
    while stream.recv().await.is_some() {
        let sent = requests.try_send(Request::Interrupt);
        let nobody_listens = matches!(sent, Err(TrySendError::Closed(_)));
        if nobody_listens || asked && code.is_none() {
            exit_at_once(kind);
        }
        asked = true;
        signalled.send_replace(code);
        // Standard error may be a pipe that nobody reads as well.
        thread::spawn(|| {
            say("stopping after what is in flight; press Ctrl+C again to stop at once");
        });
    }
}

/// The log is whole at every moment, so nothing has to be put in order.
#[expect(clippy::exit, reason = "a second Ctrl+C asks for exactly this")]
fn exit_at_once(kind: SignalKind) -> ! {
    process::exit(SIGNALLED + kind.as_raw_value())
}
