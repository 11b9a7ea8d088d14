//! Requests that are held back because the provider would refuse them. Pure, on the engine's clock.
//!
//! Nothing is spread over time: a request waits only when what the provider said
//! with an answer leaves no room for it, and then it is sent. A provider that said
//! more than is true answers with a status, and `retry` goes on from there. Called
//! by the engine.

use std::{collections::BTreeMap, time::Duration};

use harness_core::{Allowance, ModelFailure, ModelProfile, RateLimit, Timestamp};

/// The longest wait for a limit; the request is then sent whatever the provider said.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// Limits of one provider that are kept.
const ALLOWANCES_MAX: usize = 32;

/// What the next request takes of its provider's limits. Unit: tokens, estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The whole prompt.
    pub(crate) prompt: u64,
    /// What no cache can have: all that came behind the last answer.
    pub(crate) fresh: u64,
}

/// A request that is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) limit: RateLimit,
    pub(crate) wait: Duration,
    pub(crate) until: Timestamp,
}

/// What each provider said last about its limits.
#[derive(Debug, Default)]
pub(crate) struct Pacing {
    short: BTreeMap<String, Vec<Allowance>>,
    /// Whether the request in flight was told about limits.
    is_told: bool,
}

impl Pacing {
    /// Makes the state in which nobody has said anything.
    pub(crate) const fn new() -> Self {
        Self {
            short: BTreeMap::new(),
            is_told: false,
        }
    }

    /// Goes on where another process left off: its request has no end, what was said before holds.
    pub(crate) const fn resume(&mut self) {
        self.is_told = false;
    }

    /// Keeps what a model's provider says with the answer in flight.
    pub(crate) fn told(&mut self, model: &ModelProfile, allowances: &[Allowance]) {
        let kept = allowances.iter().take(ALLOWANCES_MAX).copied().collect();
        self.short.insert(model.provider().to_owned(), kept);
        self.is_told = true;
    }

    /// Notes a whole answer: one that said nothing about limits means that none is short.
    pub(crate) fn answered(&mut self, model: &ModelProfile) {
        if !std::mem::take(&mut self.is_told) {
            self.short.remove(model.provider());
        }
    }

    /// Notes a failure: a wait that the server asks for takes the place of what its headers say.
    pub(crate) fn failed(&mut self, model: &ModelProfile, failure: &ModelFailure) {
        self.is_told = false;
        if failure.retry_after_ms.is_some_and(|ms| ms > 0) {
            self.short.remove(model.provider());
        }
    }

    /// Notes that a request waits: it is sent afterwards, whatever was said.
    pub(crate) fn waited(&mut self, model: &ModelProfile) {
        self.short.remove(model.provider());
    }

    /// Whether what the next request needs matters at all: making an estimate costs something.
    pub(crate) fn is_short(&self, model: &ModelProfile, now: Timestamp) -> bool {
        let short = self.short.get(model.provider());
        short.is_some_and(|short| short.iter().any(|it| it.until > now))
    }

    /// Returns the limit that holds a request back the longest, none when it may be sent.
    pub(crate) fn hold(&self, model: &ModelProfile, need: Need, now: Timestamp) -> Option<Hold> {
        let short = self.short.get(model.provider())?;
        let holding = short
            .iter()
            .filter(|it| it.until > now && is_too_little(it, need));
        let last = holding.max_by_key(|it| it.until)?;
        Some(Hold {
            limit: last.limit,
            wait: last.until.since(now).min(WAIT_MAX),
            until: last.until,
        })
    }
}

/// Whether the request would be refused now and may pass when the limit is open again.
fn is_too_little(allowance: &Allowance, need: Need) -> bool {
    let needed = match allowance.limit {
        RateLimit::Requests | RateLimit::OutputTokens => 1,
        RateLimit::Tokens => need.prompt,
        RateLimit::InputTokens => need.fresh,
    };
    allowance.left < needed && allowance.of.is_none_or(|whole| whole >= needed)
}

#[cfg(test)]
mod tests {
    use harness_core::{FailureClass, TokenCount};
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_763_634_600_000);

    fn model(name: &str, provider: &str) -> ModelProfile {
        ModelProfile {
            name: name.to_owned(),
            id: name.to_owned(),
            provider: provider.to_owned(),
            context: TokenCount(1),
            output: TokenCount(1),
            price: None,
            effort: None,
            beyond: None,
            recorded: false,
        }
    }

    fn short(limit: RateLimit, left: u64, seconds: u64) -> Allowance {
        Allowance {
            limit,
            left,
            of: None,
            until: NOW.plus(Duration::from_secs(seconds)),
        }
    }

    /// Returns the wait in seconds for a request of 1,000 tokens, 200 of them new.
    fn check(allowances: &[Allowance]) -> Option<(RateLimit, u64)> {
        let (mut pacing, near) = (Pacing::new(), model("a", "near"));
        pacing.told(&near, allowances);
        pacing.answered(&near);
        let need = Need {
            prompt: 1_000,
            fresh: 200,
        };
        let hold = pacing.hold(&near, need, NOW)?;
        Some((hold.limit, hold.wait.as_secs()))
    }

    #[test]
    fn a_request_waits_for_what_it_needs_and_for_nothing_else() {
        use RateLimit::{InputTokens, OutputTokens, Requests, Tokens};
        assert_eq!(check(&[short(Requests, 0, 12)]), Some((Requests, 12)));
        assert_eq!(check(&[short(Requests, 1, 12)]), None);
        assert_eq!(check(&[short(Tokens, 999, 12)]), Some((Tokens, 12)));
        assert_eq!(check(&[short(Tokens, 1_000, 12)]), None);
        // What a cache has does not count.
        assert_eq!(check(&[short(InputTokens, 999, 12)]), None);
        assert_eq!(check(&[short(InputTokens, 9, 12)]), Some((InputTokens, 12)));
        assert_eq!(check(&[short(OutputTokens, 0, 1)]), Some((OutputTokens, 1)));
        // The longest of several, and nothing that is past.
        let both = [short(Requests, 0, 3), short(Tokens, 5, 7)];
        assert_eq!(check(&both), Some((Tokens, 7)));
        assert_eq!(check(&[short(Requests, 0, 0)]), None);
        assert_eq!(check(&[]), None);
    }

    #[test]
    fn a_limit_that_is_smaller_than_the_request_is_not_waited_for() {
        let never = Allowance {
            of: Some(500),
            ..short(RateLimit::Tokens, 0, 12)
        };
        assert_eq!(check(&[never]), None);
    }

    #[test]
    fn another_provider_is_not_held_back_and_what_is_said_last_counts() {
        let (near, far) = (model("a", "near"), model("b", "far"));
        let mut pacing = Pacing::new();
        let need = Need {
            prompt: 1,
            fresh: 1,
        };
        pacing.told(&near, &[short(RateLimit::Requests, 0, 12)]);
        pacing.answered(&near);
        assert!(pacing.hold(&model("c", "near"), need, NOW).is_some());
        assert!(pacing.hold(&far, need, NOW).is_none());
        // Waited once, it is sent.
        pacing.waited(&near);
        assert!(pacing.hold(&near, need, NOW).is_none());
        // An answer that says nothing: nothing is short any more.
        pacing.told(&near, &[short(RateLimit::Requests, 0, 12)]);
        pacing.answered(&near);
        pacing.answered(&near);
        assert!(!pacing.is_short(&near, NOW));
        // The wait that a server asks for goes before.
        pacing.told(&near, &[short(RateLimit::Requests, 0, 12)]);
        let mut failure = ModelFailure {
            class: FailureClass::RateLimited,
            message: String::new(),
            status: Some(429),
            retry_after_ms: None,
        };
        pacing.failed(&near, &failure);
        assert!(pacing.is_short(&near, NOW));
        failure.retry_after_ms = Some(250);
        pacing.failed(&near, &failure);
        assert!(!pacing.is_short(&near, NOW));
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_bound(left: u64, until: u64, of: Option<u64>, prompt: u64) {
            let (mut pacing, near) = (Pacing::new(), model("a", "near"));
            let until = Timestamp::from_millis(until);
            let said = Allowance { limit: RateLimit::Tokens, left, of, until };
            pacing.told(&near, &[said; 40]);
            if let Some(hold) = pacing.hold(&near, Need { prompt, fresh: prompt }, NOW) {
                prop_assert!(hold.wait <= WAIT_MAX && hold.wait > Duration::ZERO);
                prop_assert!(pacing.is_short(&near, NOW));
                pacing.waited(&near);
                prop_assert!(!pacing.is_short(&near, NOW));
            }
        }
    }
}
