//! How long a command took, behind how it ended, and the same result without it.
//!
//! What took less than a second says nothing of it: a time that is never the same twice would
//! hide from the engine that an agent repeats itself.

use harness_core::Outcome;

use crate::render::ToolText;

/// What is worth a word. Unit: milliseconds.
const WORTH_A_WORD_MS: u64 = 1_000;

/// Adds how long a command took to how it ended.
pub fn with_time(mut told: ToolText, outcome: &Outcome, ms: u64) -> ToolText {
    if ms >= WORTH_A_WORD_MS && matches!(outcome, Outcome::Exited { .. }) {
        let end = told.text.find('\n').unwrap_or(told.text.len());
        told.text
            .insert_str(end, &format!(", after {} s", ms / 1_000));
    }
    told
}

/// Returns a result in the form that two runs of the same command have in common.
pub fn without_time(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let is_time = |time: &str| {
        let number = time.strip_suffix(" s");
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match first.rsplit_once(", after ") {
        Some((end, time)) if is_time(time) => format!("{end}\n{rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use harness_core::{Captured, Stop};

    use super::*;

    fn told(ms: u64) -> String {
        let outcome = Outcome::Exited {
            stop: Stop::Exited(1),
            output: Captured::default(),
            kept: None,
        };
        let told = ToolText {
            text: "exit 1\n[no output]".to_owned(),
            is_error: true,
        };
        with_time(told, &outcome, ms).text
    }

    #[test]
    fn only_what_takes_long_is_told_and_two_runs_are_the_same() {
        assert_eq!(told(999), "exit 1\n[no output]");
        assert_eq!(told(12_345), "exit 1, after 12 s\n[no output]");
        assert_eq!(without_time(&told(12_345)), without_time(&told(9_000)));
        assert_eq!(without_time(&told(1_000)), told(0));
        assert_eq!(without_time("a, after all\nb"), "a, after all\nb");
    }
}
