//! What an answer's headers say about the provider's limits of requests and tokens.
//!
//! Only what may hold the next request back is returned. Whether it does is the
//! engine's decision; the runner calls this on every answer, whatever its status.

use std::time::Duration;

use harness_core::{Allowance, RateLimit, Timestamp};

/// Tokens beside the prompt of now that the next one may have: a tool result of the largest size.
const GROWTH_TOKENS: u64 = 32_768;
/// Numbers above this are milliseconds since 1970. Numbers of both kinds are dates from 2001 on.
const EPOCH_MILLIS_MIN: f64 = 1e12;
/// Numbers above this are seconds since 1970; a wait of so many seconds would be thirty years.
const EPOCH_SECONDS_MIN: f64 = 1e9;
/// The longest value that is looked at. Unit: bytes.
const VALUE_BYTES_MAX: usize = 256;

/// The names of one limit's headers.
struct Names {
    limit: RateLimit,
    of: &'static str,
    left: &'static str,
    reset: &'static str,
}

const fn names(
    limit: RateLimit,
    of: &'static str,
    left: &'static str,
    reset: &'static str,
) -> Names {
    Names {
        limit,
        of,
        left,
        reset,
    }
}

/// Sources: Anthropic "Rate limits"; OpenAI "Rate limits in headers", which Groq, xAI and many
/// gateways follow; Cerebras, which names the period; OpenRouter, without a kind;
/// draft-ietf-httpapi-ratelimit-headers up to version 7.
const NAMES: &[Names] = &[
    names(
        RateLimit::Requests,
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ),
    // Counted as input tokens are: what is read from a cache is not in it.
    names(
        RateLimit::InputTokens,
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ),
    names(
        RateLimit::InputTokens,
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-remaining",
        "anthropic-ratelimit-input-tokens-reset",
    ),
    names(
        RateLimit::OutputTokens,
        "anthropic-ratelimit-output-tokens-limit",
        "anthropic-ratelimit-output-tokens-remaining",
        "anthropic-ratelimit-output-tokens-reset",
    ),
    names(
        RateLimit::Requests,
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ),
    names(
        RateLimit::Tokens,
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ),
    names(
        RateLimit::Requests,
        "x-ratelimit-limit-requests-day",
        "x-ratelimit-remaining-requests-day",
        "x-ratelimit-reset-requests-day",
    ),
    names(
        RateLimit::Tokens,
        "x-ratelimit-limit-tokens-minute",
        "x-ratelimit-remaining-tokens-minute",
        "x-ratelimit-reset-tokens-minute",
    ),
    names(
        RateLimit::Requests,
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ),
    names(
        RateLimit::Requests,
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ),
];

/// Returns what may hold the next request back.
///
/// `header` returns a header by its lower-case name; `prompt` is the size of the
/// prompt that was answered. Requests and output tokens are told when none is
/// left, tokens of prompts when fewer are left than two such prompts and a large
/// tool result have. What makes no sense is as good as not said, and so is a
/// limit that is open again at `now`. At most one entry for each pair of headers.
pub fn allowances<'h>(
    header: impl Fn(&str) -> Option<&'h str>,
    prompt: harness_core::TokenCount,
    now: Timestamp,
) -> Vec<Allowance> {
    let number = |name: &str| count(header(name)?);
    let told = NAMES.iter().filter_map(|names| {
        Some(Allowance {
            limit: names.limit,
            left: number(names.left)?,
            of: number(names.of),
            until: reset(header(names.reset)?, now)?,
        })
    });
    let enough = |limit| match limit {
        RateLimit::Requests | RateLimit::OutputTokens => 1,
        RateLimit::Tokens | RateLimit::InputTokens => {
            prompt.0.saturating_mul(2).saturating_add(GROWTH_TOKENS)
        }
    };
    told.chain(structured(header("ratelimit"), now))
        .filter(|told| told.until > now && told.left < enough(told.limit))
        .collect()
}

/// Reads a count; one below nothing is nothing.
fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.len() > VALUE_BYTES_MAX {
        return None;
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole);
    }
    let number = text.parse::<f64>().ok().filter(|it| it.is_finite())?;
    // Saturates at both ends.
    Some(number as u64)
}

/// Reads when a limit is open again: a date, a duration, or a number of a size that tells what it is.
fn reset(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > VALUE_BYTES_MAX {
        return None;
    }
    if let Ok(number) = text.parse::<f64>() {
        return at_number(number, now);
    }
    let date = || Timestamp::parse(text);
    let http_date = || httpdate::parse_http_date(text).ok().map(Timestamp::from);
    let wait = || crate::failure::whole_time(text).map(|wait| now.plus(wait));
    date().or_else(wait).or_else(http_date)
}

fn at_number(number: f64, now: Timestamp) -> Option<Timestamp> {
    let since_epoch = |scale: f64| {
        let since = Duration::try_from_secs_f64(number * scale).ok()?;
        Some(Timestamp::from_millis(0).plus(since))
    };
    if number > EPOCH_MILLIS_MIN {
        since_epoch(1e-3)
    } else if number > EPOCH_SECONDS_MIN {
        since_epoch(1.0)
    } else {
        Duration::try_from_secs_f64(number)
            .ok()
            .map(|wait| now.plus(wait))
    }
}

/// Reads the one field of later drafts: `"default";r=0;t=30`, one for each policy.
fn structured(field: Option<&str>, now: Timestamp) -> Vec<Allowance> {
    let field = field.filter(|field| field.len() <= VALUE_BYTES_MAX);
    let items = field.unwrap_or_default().split(',');
    let told = items.filter_map(|item| {
        let parameter = |name: &str| {
            let mut parameters = item.split(';').skip(1);
            parameters.find_map(|it| it.trim().strip_prefix(name)?.strip_prefix('='))
        };
        Some(Allowance {
            limit: RateLimit::Requests,
            left: count(parameter("r")?)?,
            of: None,
            until: reset(parameter("t")?, now)?,
        })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use harness_core::TokenCount;
    use proptest::prelude::*;

    use super::*;

    /// Half past ten.
    const NOW: Timestamp = Timestamp::from_millis(1_763_634_600_000);

    /// Returns the limits with what is left and the wait in milliseconds.
    fn check(headers: &[(&str, &str)]) -> Vec<(RateLimit, u64, u64)> {
        let header = |name: &str| {
            let found = headers.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| *value)
        };
        let told = allowances(header, TokenCount(1_000), NOW);
        let wait = |it: &Allowance| it.until.as_millis() - NOW.as_millis();
        told.iter()
            .map(|it| (it.limit, it.left, wait(it)))
            .collect()
    }

    fn requests(reset: &str) -> Option<u64> {
        let told = check(&[
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", reset),
        ]);
        told.first().map(|(_, _, wait)| *wait)
    }

    #[test]
    fn anthropic_tells_dates() {
        let at = "2025-11-20T10:30:12Z";
        let row = |kind: &str, left: &str| {
            let name = |part: &str| format!("anthropic-ratelimit-{kind}-{part}");
            let (left_name, reset_name) = (name("remaining"), name("reset"));
            check(&[(&left_name, left), (&reset_name, at)])
        };
        use RateLimit::{InputTokens, OutputTokens, Requests};
        assert_eq!(row("requests", "0"), [(Requests, 0, 12_000)]);
        assert_eq!(row("requests", "1"), []);
        assert_eq!(row("input-tokens", "900"), [(InputTokens, 900, 12_000)]);
        assert_eq!(row("tokens", "900"), [(InputTokens, 900, 12_000)]);
        // Enough for whatever comes next: not worth a word.
        assert_eq!(row("input-tokens", "40000"), []);
        assert_eq!(row("output-tokens", "0"), [(OutputTokens, 0, 12_000)]);
        assert_eq!(row("output-tokens", "1"), []);
    }

    #[test]
    fn a_reset_is_a_date_a_duration_or_a_number_of_a_telling_size() {
        for (reset, wait) in [
            ("1s", Some(1_000)),
            ("6m0s", Some(360_000)),
            ("7.66s", Some(7_660)),
            ("350ms", Some(350)),
            ("2m59.56s", Some(179_560)),
            ("1h2m3s", Some(3_723_000)),
            ("1d", Some(86_400_000)),
            ("12", Some(12_000)),
            ("0.5", Some(500)),
            ("1763634612", Some(12_000)),
            ("1763634612000", Some(12_000)),
            ("2025-11-20T10:30:12Z", Some(12_000)),
            ("2025-11-20T10:30:12.5Z", Some(12_500)),
            ("Thu, 20 Nov 2025 10:30:12 GMT", Some(12_000)),
            // Open again, or nothing that can be read.
            ("0", None),
            ("0s", None),
            ("-5", None),
            ("2020-01-01T00:00:00Z", None),
            ("1700000000", None),
            ("soon", None),
            ("", None),
            ("NaN", None),
            ("inf", None),
            ("1e999", None),
            ("1s and more", None),
        ] {
            assert_eq!(requests(reset), wait, "{reset}");
        }
        // The end of time is a date like any other: the engine bounds the wait.
        assert!(requests("9999-12-31T23:59:59Z").is_some());
    }

    #[test]
    fn the_drafts_of_the_ietf_are_read() {
        let old = check(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "9")]);
        assert_eq!(old, [(RateLimit::Requests, 0, 9_000)]);
        let new = check(&[("ratelimit", r#""day";r=100;t=9000, "burst";r=0;t=3"#)]);
        assert_eq!(new, [(RateLimit::Requests, 0, 3_000)]);
    }

    #[test]
    fn a_count_below_nothing_is_nothing_and_a_huge_one_is_enough() {
        let left = |left| {
            check(&[
                ("x-ratelimit-remaining-tokens", left),
                ("x-ratelimit-reset-tokens", "2s"),
            ])
        };
        assert_eq!(left("-7"), [(RateLimit::Tokens, 0, 2_000)]);
        assert_eq!(left("99999999999999999999999999"), []);
        assert_eq!(left("many"), []);
    }

    proptest! {
        #[test]
        fn any_headers_are_read(left in ".{0,40}", reset in ".{0,40}", field in ".{0,60}") {
            let told = check(&[
                ("x-ratelimit-remaining-requests", &left),
                ("x-ratelimit-reset-requests", &reset),
                ("anthropic-ratelimit-tokens-remaining", &left),
                ("anthropic-ratelimit-tokens-reset", &reset),
                ("ratelimit", &field),
            ]);
            prop_assert!(told.len() <= 60);
        }
    }
}
