//! When a failed model request is sent again: pure policy on the engine's clock.

use std::time::Duration;

use harness_core::{FailureClass, Limits, ModelFailure, Timestamp};

/// Retries of one request, besides waiting for a server that cannot be reached.
const RETRIES_MAX: u32 = 8;
const DELAY_BASE: Duration = Duration::from_millis(500);
const DELAY_MAX: Duration = Duration::from_secs(30);
/// The longest `retry-after` that is honoured; more is as good as a refusal.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// What to do about a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    After(Duration),
    GiveUp,
}

/// Failures of one request so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failures {
    /// How many, this one included.
    pub(crate) count: u32,
    /// When the first one came.
    pub(crate) since: Timestamp,
}

/// Decides about one failure.
///
/// The delay doubles with every failure and is drawn from its upper half, so
/// that many clients do not come back at once and the first retry is quick.
/// `seed` makes the draw, so that replay gives the same delays.
pub(crate) fn decide(
    failure: &ModelFailure,
    failures: Failures,
    limits: &Limits,
    seed: u64,
    now: Timestamp,
) -> Retry {
    if !failure.class.is_retryable() {
        return Retry::GiveUp;
    }
    if let Some(asked) = failure.retry_after_ms.map(Duration::from_millis) {
        return if asked <= RETRY_AFTER_MAX && failures.count <= RETRIES_MAX {
            Retry::After(asked)
        } else {
            Retry::GiveUp
        };
    }
    let delay = backoff(failures.count, seed);
    let waited = now.since(failures.since);
    match failure.class {
        FailureClass::Unreachable if waited + delay > limits.patience => Retry::GiveUp,
        FailureClass::Unreachable => Retry::After(delay),
        _ if failures.count > RETRIES_MAX => Retry::GiveUp,
        _ => Retry::After(delay),
    }
}

fn backoff(count: u32, seed: u64) -> Duration {
    let ceiling = DELAY_BASE
        .saturating_mul(1 << count.saturating_sub(1).min(10))
        .min(DELAY_MAX);
    let half = u64::try_from(ceiling.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half + mix(seed ^ u64::from(count)) % (half + 1))
}

/// Spreads the bits of a number (the finaliser of SplitMix64).
pub(crate) const fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass, retry_after_ms: Option<u64>) -> ModelFailure {
        ModelFailure {
            class,
            message: "down".to_owned(),
            status: None,
            retry_after_ms,
        }
    }

    fn check(class: FailureClass, retry_after_ms: Option<u64>, count: u32, waited_s: u64) -> Retry {
        let failures = Failures {
            count,
            since: Timestamp::from_millis(0),
        };
        let now = Timestamp::from_millis(waited_s * 1000);
        decide(
            &failure(class, retry_after_ms),
            failures,
            &Limits::default(),
            7,
            now,
        )
    }

    #[test]
    fn a_cut_stream_is_retried_within_two_seconds() {
        for seed in 0..200 {
            assert!(backoff(1, seed) <= Duration::from_millis(500));
        }
        assert!(matches!(
            check(FailureClass::Broken, None, 1, 0),
            Retry::After(_)
        ));
    }

    #[test]
    fn delays_grow_and_are_bounded() {
        for count in 1..40 {
            assert!(backoff(count, 3) <= DELAY_MAX);
            assert!(backoff(count + 2, 3) >= backoff(count, 3).min(Duration::from_secs(15)));
        }
    }

    #[test]
    fn retries_are_bounded() {
        assert_eq!(
            check(FailureClass::Overloaded, None, RETRIES_MAX + 1, 5),
            Retry::GiveUp
        );
        assert_eq!(check(FailureClass::Auth, None, 1, 0), Retry::GiveUp);
        assert_eq!(check(FailureClass::Unreachable, None, 3, 61), Retry::GiveUp);
    }

    #[test]
    fn the_server_says_how_long_to_wait_up_to_two_minutes() {
        assert_eq!(
            check(FailureClass::RateLimited, Some(1200), 1, 0),
            Retry::After(Duration::from_millis(1200))
        );
        assert_eq!(
            check(FailureClass::RateLimited, Some(3_600_000), 1, 0),
            Retry::GiveUp
        );
    }
}
