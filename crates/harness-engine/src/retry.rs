//! When a failed model request is sent again: pure policy on the engine's clock.

use std::time::Duration;

use harness_core::{FailureClass, Limits, ModelFailure, Timestamp};

/// Retries of one request, besides waiting for a server that cannot be reached.
const RETRIES_MAX: u32 = 8;
const DELAY_BASE: Duration = Duration::from_millis(500);
const DELAY_MAX: Duration = Duration::from_secs(30);
/// The same while the server cannot be reached: asking costs nobody anything, and who gets
/// their network back wants to go on.
const UNREACHABLE_DELAY_MAX: Duration = Duration::from_secs(5);
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
    /// How many, the last one included.
    pub(crate) count: u32,
    /// How many of them a server was there for.
    pub(crate) answered: u32,
    /// Since when the server cannot be reached; absent where the last failure was another.
    pub(crate) unreachable_since: Option<Timestamp>,
}

impl Failures {
    /// Counts one more failure.
    pub(crate) fn after(earlier: Option<Self>, class: FailureClass, now: Timestamp) -> Self {
        let (count, answered, since) = earlier.map_or((0, 0, None), |earlier| {
            (earlier.count, earlier.answered, earlier.unreachable_since)
        });
        let is_unreachable = class == FailureClass::Unreachable;
        Self {
            count: count.saturating_add(1),
            answered: answered.saturating_add(u32::from(!is_unreachable)),
            unreachable_since: is_unreachable.then(|| since.unwrap_or(now)),
        }
    }
}

/// Who waits while a server cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Nobody: the wait is bounded.
    Bounded(Duration),
    /// A person who sees it and can end it; the time limit of the run does so too.
    Person,
}

impl Patience {
    /// Returns the patience of a run.
    pub(crate) const fn of(attended: bool, limits: &Limits) -> Self {
        if attended {
            Self::Person
        } else {
            Self::Bounded(limits.patience)
        }
    }

    fn is_over(self, waited: Duration) -> bool {
        matches!(self, Self::Bounded(bound) if waited > bound)
    }
}

/// Decides about one failure.
///
/// What the server asks for goes before the own delay, unless it asks for nothing.
/// `seed` makes the draw, so that replay gives the same delays.
pub(crate) fn decide(
    failure: &ModelFailure,
    failures: Failures,
    patience: Patience,
    seed: u64,
    now: Timestamp,
) -> Retry {
    if !failure.class.is_retryable() || failures.answered > RETRIES_MAX {
        return Retry::GiveUp;
    }
    let asked = failure
        .retry_after_ms
        .filter(|ms| *ms > 0)
        .map(Duration::from_millis);
    let delay = match asked {
        Some(asked) if asked > RETRY_AFTER_MAX => return Retry::GiveUp,
        Some(asked) => asked,
        None => backoff(failures, seed),
    };
    let waited = failures
        .unreachable_since
        .map_or(Duration::ZERO, |since| now.since(since));
    if failures.unreachable_since.is_some() && patience.is_over(waited.saturating_add(delay)) {
        return Retry::GiveUp;
    }
    Retry::After(delay)
}

/// Returns how long at most is waited after so many failures.
fn ceiling(failures: Failures) -> Duration {
    let longest = match failures.unreachable_since {
        Some(_) => UNREACHABLE_DELAY_MAX,
        None => DELAY_MAX,
    };
    DELAY_BASE
        .saturating_mul(1 << failures.count.saturating_sub(1).min(10))
        .min(longest)
}

/// Draws a delay between nothing and its ceiling, so that many clients do not come back at once.
fn backoff(failures: Failures, seed: u64) -> Duration {
    let ceiling = u64::try_from(ceiling(failures).as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(mix(seed ^ u64::from(failures.count)) % (ceiling + 1))
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
    use proptest::prelude::*;

    use super::*;

    const UNATTENDED: Patience = Patience::Bounded(Duration::from_secs(60));

    fn failure(class: FailureClass, retry_after_ms: Option<u64>) -> ModelFailure {
        ModelFailure {
            class,
            message: "down".to_owned(),
            status: None,
            retry_after_ms,
        }
    }

    /// Returns so many failures of a class.
    fn many(class: FailureClass, count: u32) -> Failures {
        let row = |earlier, _| Some(Failures::after(earlier, class, Timestamp::from_millis(0)));
        (0..count).fold(None, row).unwrap()
    }

    /// Decides about the last of `count` failures of a class, the first one `waited` ago.
    fn check(class: FailureClass, asked: Option<u64>, count: u32, waited: Duration) -> Retry {
        check_with(UNATTENDED, class, asked, count, waited)
    }

    fn check_with(
        patience: Patience,
        class: FailureClass,
        asked: Option<u64>,
        count: u32,
        waited: Duration,
    ) -> Retry {
        let begun = Timestamp::from_millis(0);
        decide(
            &failure(class, asked),
            many(class, count),
            patience,
            7,
            begun.plus(waited),
        )
    }

    fn any_class() -> impl Strategy<Value = FailureClass> {
        use FailureClass::{
            Auth, Broken, Cancelled, ContextOverflow, Invalid, Overloaded, Quota, RateLimited,
            Unreachable,
        };
        prop::sample::select(vec![
            Unreachable,
            Broken,
            Overloaded,
            RateLimited,
            ContextOverflow,
            Quota,
            Auth,
            Invalid,
            Cancelled,
        ])
    }

    proptest! {
        #[test]
        fn a_delay_is_drawn_from_nothing_up_to_its_ceiling(count in 1..200_u32, seed: u64) {
            for class in [FailureClass::Overloaded, FailureClass::Unreachable] {
                let failures = many(class, count);
                prop_assert!(backoff(failures, seed) <= ceiling(failures));
                prop_assert!(ceiling(failures) <= DELAY_MAX);
                prop_assert!(ceiling(failures) <= ceiling(many(class, count + 1)));
            }
            prop_assert!(ceiling(many(FailureClass::Unreachable, count)) <= UNREACHABLE_DELAY_MAX);
        }

        #[test]
        fn a_wait_is_bounded_and_only_what_may_pass_is_asked_again(
            class in any_class(),
            asked in prop::option::of(0..400_000_u64),
            count in 1..40_u32,
            waited_ms in 0..200_000_u64,
        ) {
            let waited = Duration::from_millis(waited_ms);
            if let Retry::After(delay) = check(class, asked, count, waited) {
                prop_assert!(class.is_retryable());
                prop_assert!(delay <= RETRY_AFTER_MAX);
                match asked.filter(|ms| *ms > 0) {
                    Some(ms) => prop_assert_eq!(delay, Duration::from_millis(ms)),
                    None => prop_assert!(delay <= ceiling(many(class, count))),
                }
                if class == FailureClass::Unreachable {
                    prop_assert!(waited + delay <= Duration::from_secs(60));
                } else {
                    prop_assert!(count <= RETRIES_MAX);
                }
            }
        }

        #[test]
        fn what_gives_up_goes_on_giving_up(class in any_class(), count in 1..40_u32) {
            let is_over = |count| check(class, None, count, Duration::ZERO) == Retry::GiveUp;
            prop_assert!(!is_over(count) || is_over(count + 1));
        }
    }

    #[test]
    fn delays_fill_the_whole_room_below_their_ceiling() {
        let failures = many(FailureClass::Overloaded, 5);
        let drawn: Vec<u128> = (0..400)
            .map(|seed| backoff(failures, seed).as_millis())
            .collect();
        assert!(drawn.iter().any(|ms| *ms < 1_000), "{drawn:?}");
        assert!(drawn.iter().any(|ms| *ms > 7_000), "{drawn:?}");
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_waited_for_a_minute_or_as_long_as_a_person_likes() {
        let hour = Duration::from_secs(3600);
        let unreachable = FailureClass::Unreachable;
        let patient = |patience, count, waited| {
            check_with(patience, unreachable, None, count, waited) != Retry::GiveUp
        };
        assert!(patient(UNATTENDED, 20, Duration::from_secs(29)));
        assert!(!patient(UNATTENDED, 3, Duration::from_secs(61)));
        assert!(patient(Patience::Person, 200, hour));
    }

    #[test]
    fn a_server_that_comes_back_and_is_busy_has_its_own_retries() {
        let begun = Timestamp::from_millis(0);
        let later = begun.plus(Duration::from_secs(3600));
        let mut failures = None;
        for _ in 0..50 {
            failures = Some(Failures::after(failures, FailureClass::Unreachable, begun));
        }
        let busy = Failures::after(failures, FailureClass::Overloaded, later);
        let overloaded = failure(FailureClass::Overloaded, None);
        assert!(matches!(
            decide(&overloaded, busy, UNATTENDED, 7, later),
            Retry::After(_)
        ));
        // And when it is gone again, the wait for it begins anew.
        let gone = Failures::after(Some(busy), FailureClass::Unreachable, later);
        let unreachable = failure(FailureClass::Unreachable, None);
        assert!(matches!(
            decide(&unreachable, gone, UNATTENDED, 7, later),
            Retry::After(_)
        ));
    }

    #[test]
    fn the_server_says_how_long_to_wait_up_to_two_minutes() {
        let asked = |ms| check(FailureClass::RateLimited, Some(ms), 1, Duration::ZERO);
        assert_eq!(asked(1200), Retry::After(Duration::from_millis(1200)));
        assert_eq!(asked(120_000), Retry::After(Duration::from_secs(120)));
        assert_eq!(asked(120_001), Retry::GiveUp);
        // No wait at all would be a flood.
        assert_eq!(
            asked(0),
            Retry::After(backoff(many(FailureClass::RateLimited, 1), 7))
        );
    }
}
