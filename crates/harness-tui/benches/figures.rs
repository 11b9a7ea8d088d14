//! How the benches write their figures.

use std::time::Duration;

/// Writes a time in milliseconds.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// Returns the middle, the slow end and the slowest of some times.
pub(crate) fn range(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |part: usize| sorted[(sorted.len() * part / 100).min(sorted.len() - 1)];
    format!(
        "median {}, p95 {}, max {}",
        ms(at(50)),
        ms(at(95)),
        ms(at(100))
    )
}
