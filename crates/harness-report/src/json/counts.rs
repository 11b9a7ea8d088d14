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
