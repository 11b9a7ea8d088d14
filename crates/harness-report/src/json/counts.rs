//! Numbers that several lines carry, in the words of JSON lines.

use harness_core::{TestCounts, Usage};
use schemars::JsonSchema;
use serde::Serialize;

/// Tokens of a request or of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tokens {
    /// Fresh input.
    pub input: u64,
    /// Input read from a cache.
    pub cache_read: u64,
    /// Input written to a cache.
    pub cache_write: u64,
    /// Output, reasoning included.
    pub output: u64,
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        let Usage {
            input,
            cache_read,
            cache_write,
            output,
        } = usage;
        Self {
            input,
            cache_read,
            cache_write,
            output,
        }
    }
}

/// Returns the part of the input that came from a cache, with three places.
pub fn cache_rate(usage: Usage) -> Option<f64> {
    usage.cache_percent()?;
    let read = u128::from(usage.cache_read) * 1_000;
    let permille = u32::try_from(read / u128::from(usage.input_total())).unwrap_or(1_000);
    Some(f64::from(permille) / 1_000.0)
}

/// Tests a report speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tests {
    /// Tests that ran.
    pub run: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were skipped.
    pub skipped: u32,
}

impl From<TestCounts> for Tests {
    fn from(counts: TestCounts) -> Self {
        let TestCounts {
            run,
            failed,
            skipped,
        } = counts;
        Self {
            run,
            failed,
            skipped,
        }
    }
}
