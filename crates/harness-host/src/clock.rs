//! Reads the clock, so that nothing else has to.

use std::time::SystemTime;

use harness_core::Timestamp;

/// Returns the present time of the system's clock, in whole milliseconds.
pub fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_does_not_go_back_within_a_moment() {
        let earlier = now();
        assert!(now() >= earlier);
        assert!(earlier.as_millis() > 1_700_000_000_000);
    }
}
