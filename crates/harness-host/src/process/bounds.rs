//! How long a process may run and how much of its output is kept.

use std::time::Duration;

use harness_core::{ByteCount, Limits};

/// A process that wrote this many times what is kept of it is ended.
const FLOOD_FACTOR: u64 = 64;

/// Bounds of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// How long it may run.
    pub total: Duration,
    /// How long it may write nothing.
    pub silence: Duration,
    /// How long it has to end by itself when it is asked to.
    pub grace: Duration,
    /// How much of the beginning of its output is kept.
    pub head: ByteCount,
    /// How much of the end of its output is kept, beside the beginning.
    pub tail: ByteCount,
    /// How much it may write in all.
    pub flood: ByteCount,
}

impl RunLimits {
    /// The default for [`RunLimits::grace`].
    pub const GRACE: Duration = Duration::from_secs(5);

    /// Takes the bounds of a run: its output limit is shared by beginning and end.
    pub fn of(limits: &Limits) -> Self {
        let half = ByteCount(limits.output.0 / 2);
        Self {
            total: limits.command,
            silence: limits.silence,
            grace: Self::GRACE,
            head: half,
            tail: half,
            flood: ByteCount(limits.output.0.saturating_mul(FLOOD_FACTOR)),
        }
    }

    /// Takes the bounds of a command that goes on as a job: it may run as long as the run and be silent.
    pub fn of_job(limits: &Limits) -> Self {
        Self {
            total: limits.time,
            silence: limits.time,
            ..Self::of(limits)
        }
    }

    /// Keeps up to `whole` of the output from its beginning on, for a reader that needs all of it.
    #[must_use]
    pub const fn keep_whole(mut self, whole: ByteCount) -> Self {
        self.head = whole;
        if self.flood.0 < whole.0 {
            self.flood = whole;
        }
        self
    }
}
