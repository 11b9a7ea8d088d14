//! Whether the person looks, and what they are told when they do not.

use harness_core::{Event, Timestamp};

/// After this time without a key a person is taken to be elsewhere. Unit: milliseconds.
const AWAY_MS: u128 = 20_000;

/// What is known of where the person looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attention {
    /// Whether the terminal is behind others; most terminals say so.
    is_behind: bool,
    /// When a key was pressed last, or the screen opened.
    heard: Timestamp,
    /// When what goes on began; what is older was logged before anybody looked.
    begun: Timestamp,
}

/// The four reasons to call a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A question or an approval waits.
    Needed,
    /// The gates refuse what was claimed.
    Red,
    /// It is done.
    Finished,
    /// It has stopped before it was done.
    Stopped,
}

impl Reason {
    /// Returns the reason that an event gives, if it does.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::QuestionAsked { .. }
            | Event::PersonAwaited
            | Event::ApprovalAsked(_)
            | Event::FeaturesProposed { .. } => Self::Needed,
            Event::FinishRefused { .. } => Self::Red,
            Event::RunEnded { reason, .. } if reason.exit_code() == 0 => Self::Finished,
            Event::RunEnded { .. } => Self::Stopped,
            _ => return None,
        })
    }

    /// Returns what is said; nothing that a model, a tool or a file wrote.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Needed => "needs you",
            Self::Red => "gates are red",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
        }
    }
}

impl Attention {
    /// Begins with somebody who has just opened the screen.
    pub(crate) const fn since(now: Timestamp) -> Self {
        Self {
            is_behind: false,
            heard: now,
            begun: now,
        }
    }

    /// Hears of a key.
    pub(crate) fn hear(&mut self, now: Timestamp) {
        self.heard = now;
    }

    /// Hears whether the terminal is in front.
    pub(crate) fn focus(&mut self, is_in_front: bool) {
        self.is_behind = !is_in_front;
    }

    /// Hears that something begins.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.begun = now;
    }

    /// Whether a person is to be called for something of this moment.
    pub(crate) fn is_elsewhere(&self, at: Timestamp) -> bool {
        let is_new = at >= self.begun;
        is_new && (self.is_behind || at.since(self.heard).as_millis() >= AWAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_person_is_called_when_behind_or_after_a_while_and_never_for_the_past() {
        let now = Timestamp::from_millis(1_000_000);
        let later = |secs| now.plus(Duration::from_secs(secs));
        let mut attention = Attention::since(now);
        assert!(!attention.is_elsewhere(later(19)));
        assert!(attention.is_elsewhere(later(20)));
        attention.hear(later(20));
        assert!(!attention.is_elsewhere(later(39)));
        attention.focus(false);
        assert!(attention.is_elsewhere(later(21)));
        attention.begin(later(30));
        assert!(!attention.is_elsewhere(later(29)));
        attention.focus(true);
        assert!(!attention.is_elsewhere(later(31)));
    }
}
