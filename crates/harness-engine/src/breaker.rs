//! Providers that fail in a row, and the model that goes on in their stead. Pure, on the engine's clock.
//!
//! A breaker decides nothing about one request: without another model to turn
//! to, a request is retried as `retry` says. Called by the engine.

use std::{collections::BTreeMap, time::Duration};

use harness_core::{FailureClass, ModelFailure, ModelProfile, RunState, Timestamp};

/// Failures in a row that open a breaker.
const FAILURES_MAX: u32 = 3;
/// How long an open breaker keeps requests away; the next one after that is a trial.
const OPEN_FOR: Duration = Duration::from_secs(30);

/// A breaker for each provider that has failed.
#[derive(Debug, Default)]
pub(crate) struct Breakers(BTreeMap<String, Breaker>);

#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    failures: u32,
    opened_at: Option<Timestamp>,
}

impl Breakers {
    /// Makes breakers that are all closed.
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Counts a failure of a model's provider. One that is out of quota is not tried again soon,
    /// and neither is one whose trial failed.
    pub(crate) fn failed(&mut self, model: &ModelProfile, failure: &ModelFailure, now: Timestamp) {
        if !is_of_provider(failure) {
            return;
        }
        let breaker = self.0.entry(model.provider().to_owned()).or_default();
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= FAILURES_MAX || failure.class == FailureClass::Quota {
            breaker.failures = FAILURES_MAX;
            breaker.opened_at = Some(now);
        }
    }

    /// Closes the breaker of a model's provider.
    pub(crate) fn answered(&mut self, model: &ModelProfile) {
        self.0.remove(model.provider());
    }

    /// Whether requests to a model's provider are held back.
    pub(crate) fn is_open(&self, model: &ModelProfile, now: Timestamp) -> bool {
        let opened_at = self
            .0
            .get(model.provider())
            .and_then(|breaker| breaker.opened_at);
        opened_at.is_some_and(|at| now.since(at) < OPEN_FOR)
    }
}

/// Returns the model that takes a failed request over, none when the present one is to go on.
///
/// As long as the present one may be asked again (`is_given_up` says no), that is
/// done when its breaker is open and another's is not. Then the first of the
/// chain whose provider is not held back takes over, at last the first of all.
pub(crate) fn successor<'r>(
    run: &'r RunState,
    breakers: &Breakers,
    failure: &ModelFailure,
    is_given_up: bool,
    now: Timestamp,
) -> Option<&'r ModelProfile> {
    if !is_of_provider(failure) || !(is_given_up || breakers.is_open(&run.model, now)) {
        return None;
    }
    let ready = |model: &&ModelProfile| !breakers.is_open(model, now);
    let last_resort = || run.fallback.first().filter(|_| is_given_up);
    run.fallback.iter().find(ready).or_else(last_resort)
}

/// Whether another provider may do better: not where the request itself or the key is at fault.
fn is_of_provider(failure: &ModelFailure) -> bool {
    failure.class.is_retryable()
        || failure.class == FailureClass::Quota
        || failure.class == FailureClass::Invalid
            && failure.status.is_some_and(|status| status >= 500)
}

#[cfg(test)]
mod tests {
    use harness_core::TokenCount;

    use super::*;

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

    fn failure(class: FailureClass) -> ModelFailure {
        ModelFailure {
            class,
            message: String::new(),
            status: None,
            retry_after_ms: None,
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_half_a_minute_later_one_request_is_a_trial() {
        let (mut breakers, near) = (Breakers::new(), model("a", "near"));
        let overloaded = failure(FailureClass::Overloaded);
        for _ in 0..2 {
            breakers.failed(&near, &overloaded, at(0));
            assert!(!breakers.is_open(&near, at(0)));
        }
        breakers.answered(&near);
        for second in 0..3 {
            assert!(!breakers.is_open(&near, at(second)));
            breakers.failed(&near, &overloaded, at(second));
        }
        assert!(breakers.is_open(&near, at(2)));
        assert!(breakers.is_open(&model("b", "near"), at(31)));
        assert!(!breakers.is_open(&model("b", "far"), at(31)));
        // Half open: one more failure opens it again, an answer closes it.
        assert!(!breakers.is_open(&near, at(32)));
        breakers.failed(&near, &overloaded, at(33));
        assert!(breakers.is_open(&near, at(62)));
        breakers.answered(&near);
        assert!(!breakers.is_open(&near, at(34)));
    }

    #[test]
    fn quota_opens_it_at_once_and_what_is_wrong_with_a_request_never() {
        let (mut breakers, near) = (Breakers::new(), model("a", "near"));
        for class in [
            FailureClass::Invalid,
            FailureClass::Auth,
            FailureClass::ContextOverflow,
            FailureClass::Cancelled,
        ] {
            for _ in 0..5 {
                breakers.failed(&near, &failure(class), at(0));
            }
        }
        assert!(!breakers.is_open(&near, at(0)));
        breakers.failed(&near, &failure(FailureClass::Quota), at(0));
        assert!(breakers.is_open(&near, at(0)));
    }
}
