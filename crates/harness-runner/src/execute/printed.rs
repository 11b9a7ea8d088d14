//! What a command prints while it runs, for who looks on: the last of it, and never all of a flood.
//!
//! Nothing waits for it and nothing is decided by it; the log has what counts when the command is over.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use harness_core::{CallId, ModelDelta};
use tokio::sync::mpsc;

/// The most that is told at once; what came before it is passed over. Unit: bytes.
const PIECE_MAX: usize = 4 << 10;
/// How many pieces are told within [`SPELL`].
const PIECES_MAX: u32 = 10;
const SPELL: Duration = Duration::from_millis(500);

/// Where it is told.
#[derive(Debug, Default)]
pub(crate) struct Printed(OnceLock<mpsc::Sender<ModelDelta>>);

impl Printed {
    /// Tells it there from now on.
    pub(crate) fn tell(&self, to: &mpsc::Sender<ModelDelta>) {
        self.0.get_or_init(|| to.clone());
    }

    /// Returns what takes every piece of a call's output as it comes.
    pub(crate) fn of(&self, call: CallId) -> impl FnMut(&[u8]) + use<> {
        let to = self.0.get().cloned();
        let mut pace = Pace::default();
        move |bytes: &[u8]| {
            let Some(to) = to.as_ref().filter(|_| pace.allows(Instant::now())) else {
                return;
            };
            let tail = &bytes[bytes.len().saturating_sub(PIECE_MAX)..];
            let text = String::from_utf8_lossy(tail).into_owned();
            // Who is behind misses a piece; it is in the log later.
            let _ = to.try_send(ModelDelta::Printed { call, text });
        }
    }
}

/// How much was told of late.
#[derive(Debug, Default)]
struct Pace {
    since: Option<Instant>,
    told: u32,
}

impl Pace {
    fn allows(&mut self, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= SPELL;
        if self.since.is_none_or(is_over) {
            (self.since, self.told) = (Some(now), 0);
        }
        self.told += 1;
        self.told <= PIECES_MAX
    }
}

#[cfg(test)]
mod tests {
    use harness_core::TurnNumber;

    use super::*;

    #[test]
    fn a_flood_is_told_in_part_and_a_piece_by_its_end() {
        let (to, mut told) = mpsc::channel(100);
        let printed = Printed::default();
        printed.tell(&to);
        let call = CallId {
            turn: TurnNumber(1),
            index: 0,
        };
        let mut listen = printed.of(call);
        listen(&[b"x".repeat(PIECE_MAX), b"end".to_vec()].concat());
        for _ in 0..1_000 {
            listen(b"more");
        }
        drop((to, printed, listen));
        let mut pieces = Vec::new();
        while let Ok(ModelDelta::Printed { text, .. }) = told.try_recv() {
            pieces.push(text);
        }
        assert!(pieces[0].ends_with("end") && pieces[0].len() == PIECE_MAX);
        assert!((1..100).contains(&pieces.len()), "{}", pieces.len());
    }
}
