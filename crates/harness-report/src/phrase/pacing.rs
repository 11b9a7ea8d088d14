//! What is said when a request waits: for a server that failed, or for a limit of its provider.

use harness_core::{Event, RateLimit, Timestamp};

use super::{Line, Who, seconds};
use crate::clean::clean_line;

/// Waits from this on may be shorter than the provider asks for: the date is told, too.
const LONG_MS: u64 = 120_000;

/// Says why a request waits and how long; `None` of any other event.
pub(super) fn waiting(event: &Event) -> Option<Line> {
    match event {
        Event::ProviderRetried {
            attempt,
            delay_ms,
            reason,
            ..
        } => Some(retried(*attempt, *delay_ms, reason)),
        Event::RequestPaced {
            delay_ms,
            limit,
            until,
            ..
        } => Some(held(*delay_ms, *limit, *until)),
        _ => None,
    }
}

fn retried(attempt: u32, delay_ms: u64, reason: &str) -> Line {
    let (reason, delay) = (clean_line(reason, 300), seconds(delay_ms));
    Line::new(Who::Note, format!("{reason}; retry {attempt} in {delay}"))
}

fn held(delay_ms: u64, limit: RateLimit, until: Timestamp) -> Line {
    // Rounded up: a wait that is left is not nothing.
    let seconds = delay_ms.div_ceil(1000);
    let text = format!("waiting {seconds} s: {}", held_for(delay_ms, limit, until));
    Line::new(Who::Note, text)
}

/// Says which of a provider's limits holds a request back, and until when.
///
/// `delay_ms` is how long the request waits; it may be less than the provider asks for.
pub fn held_for(delay_ms: u64, limit: RateLimit, until: Timestamp) -> String {
    let what = limit.as_str();
    let date = until.to_seconds_text();
    let time = date.split_once('T').filter(|_| delay_ms < LONG_MS);
    let until = time.map_or(date.as_str(), |(_, time)| time);
    let until = until.trim_end_matches('Z').replace('T', " ");
    format!("the provider's limit of {what} is used up until {until} UTC")
}
