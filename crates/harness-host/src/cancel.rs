//! A signal from one task to many that what they do is no longer wanted.
//!
//! Used by the process and the HTTP edge. It carries no reason: whoever
//! cancels knows it.

use tokio::sync::watch;

/// Makes a pair: one end cancels, the other, which may be cloned, notices.
pub fn cancel_pair() -> (Canceller, Cancelled) {
    let (tx, rx) = watch::channel(false);
    (Canceller(tx), Cancelled(rx))
}

/// The end that cancels. Dropping it cancels nothing.
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

impl Canceller {
    /// Cancels; a second call does nothing.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

/// The end that notices.
#[derive(Clone, Debug)]
pub struct Cancelled(watch::Receiver<bool>);

impl Cancelled {
    /// Makes an end that never notices anything.
    pub fn never() -> Self {
        cancel_pair().1
    }

    /// Whether it was cancelled already.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is cancelled; for ever when the other end is gone without having cancelled.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
