//! How long a server asks to wait, where it says so in its sentence alone.

use std::time::Duration;

use harness_core::FailureClass;

/// What stands before the time, in lower case.
const OPENINGS: [&str; 3] = ["try again in ", "retry in ", "retry after "];

/// The longest wait that is believed; a limit of a day is none that waiting helps against.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// Returns the wait that a sentence asks for: `1.2s`, `350ms`, `6m0s`, `20 seconds`.
pub(super) fn in_text(class: FailureClass, sentence: &str) -> Option<Duration> {
    if !matches!(class, FailureClass::RateLimited | FailureClass::Overloaded) {
        return None;
    }
    let sentence = sentence.to_lowercase();
    OPENINGS.iter().find_map(|opening| {
        let (_, rest) = sentence.split_once(opening)?;
        time(rest)
    })
}

/// Gemini tells of a limit per minute in the words of a quota that is used up; only
/// the first comes with a short wait.
pub(super) fn class_of_limit(status: u16, sentence: &str) -> Option<FailureClass> {
    let wait = in_text(FailureClass::RateLimited, sentence)?;
    (status == 429 && wait <= WAIT_MAX && sentence.to_lowercase().contains("please retry in "))
        .then_some(FailureClass::RateLimited)
}

/// Reads a text that is one duration and nothing else.
pub(crate) fn whole(text: &str) -> Option<Duration> {
    let (time, rest) = leading_time(text)?;
    rest.is_empty().then_some(time)
}

/// Reads one or more numbers with their units.
fn time(text: &str) -> Option<Duration> {
    leading_time(text).map(|(time, _)| time)
}

/// Reads one or more numbers with their units, and returns what stands behind them.
fn leading_time(text: &str) -> Option<(Duration, &str)> {
    let mut rest = text;
    let mut whole = None;
    loop {
        let digits = rest
            .find(|char: char| !char.is_ascii_digit() && char != '.')
            .unwrap_or(rest.len());
        // A full stop ends the sentence, not the number.
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else {
            return Some((whole?, rest));
        };
        let behind = rest;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|char: char| !char.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let seconds = match &rest[..letters] {
            "ms" | "milliseconds" => 1e-3,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => return Some((whole?, behind)),
        };
        let part = Duration::try_from_secs_f64(number * seconds).ok()?;
        whole = Some(part.checked_add(whole.unwrap_or_default())?);
        rest = &rest[letters..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_read_from_the_sentence() {
        for (sentence, wait) in [
            (
                "Limit 30000. Please try again in 1.2s. Visit x",
                Some(1_200),
            ),
            ("Please try again in 350ms.", Some(350)),
            ("try again in 6m0s", Some(360_000)),
            ("Please retry in 34.074824224s.", Some(34_074)),
            ("Retry after 20 seconds.", Some(20_000)),
            ("try again in 1h2m3s", Some(3_723_000)),
            ("try again in a while", None),
            ("try again in 5", None),
            ("try again in 1e999s", None),
            ("try again in 99999999999999999999999999s", None),
            ("", None),
        ] {
            let read = in_text(FailureClass::RateLimited, sentence);
            assert_eq!(read.map(|it| it.as_millis()), wait, "{sentence}");
            assert_eq!(in_text(FailureClass::Invalid, sentence), None);
        }
    }

    #[test]
    fn a_quota_with_a_short_wait_is_a_limit_per_minute() {
        let quota = "You exceeded your current quota. Please retry in 34.07s.";
        let limited = Some(FailureClass::RateLimited);
        assert_eq!(class_of_limit(429, quota), limited);
        assert_eq!(class_of_limit(400, quota), None);
        assert_eq!(
            class_of_limit(429, "You exceeded your current quota."),
            None
        );
        let day = "You exceeded your current quota. Please retry in 9h1m2s.";
        assert_eq!(class_of_limit(429, day), None);
    }
}
