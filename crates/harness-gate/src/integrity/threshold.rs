//! Numbers that gates hold the work to: the least coverage, the most warnings, the least tests.
//!
//! Read line by line from any text, configuration or script: what comes behind a
//! known word is its number. A number that is gone no longer holds anything.

use std::collections::BTreeMap;

use harness_core::FindingKind;

use super::{
    FILE_BYTES_MAX, FileChange,
    compare::{Side, Weakness},
};

/// Words whose number must not fall.
const LEAST: [&str; 11] = [
    "fail_under",
    "fail-under",
    "cov-fail-under",
    "fail-under-lines",
    "fail-under-functions",
    "fail-under-regions",
    "min_tests",
    "min-tests",
    "minimum_coverage",
    "min_coverage",
    "minCoverage",
];
/// Words whose number must not rise.
const MOST: [&str; 4] = ["max-warnings", "max_warnings", "maxWarnings", "max-errors"];
/// Words whose number must not fall in a file that speaks of coverage.
const COVERED: [&str; 5] = ["branches", "functions", "lines", "statements", "minimum"];
/// What makes a file one that speaks of coverage.
const COVERAGE: [&str; 4] = [
    "coverageThreshold",
    "check-coverage",
    "thresholds",
    "jacoco",
];

/// A number with the line it stands on, counted from 1.
type Number = (f64, u32);

/// Returns the thresholds of a file that became weaker or are gone.
///
/// One that is gone here and at least as strong in another changed file has moved.
pub(super) fn lowered(change: &FileChange<'_>, changes: &[FileChange<'_>]) -> Vec<Weakness> {
    let (Some(old), Some(new)) = (change.old, change.new) else {
        return Vec::new();
    };
    if is_prose(change) {
        return Vec::new();
    }
    let (before, after) = (thresholds(old), thresholds(new));
    let elsewhere = |word: &str, number: f64| {
        changes.iter().any(|other| {
            let found = other.new.map(thresholds).unwrap_or_default();
            let had = other.old.map(thresholds).unwrap_or_default();
            let now = found.get(word).and_then(|numbers| numbers.first());
            other.path != change.path
                && !had.contains_key(word)
                && now.is_some_and(|(now, _)| !is_weaker(word, number, *now))
        })
    };
    let mut found = Vec::new();
    for (word, numbers) in &before {
        let now = after.get(word);
        for (place, (number, line)) in numbers.iter().enumerate() {
            let weakness = match now.and_then(|now| now.get(place)) {
                Some((now, at)) if is_weaker(word, *number, *now) => {
                    let how = if MOST.contains(word) {
                        "raised"
                    } else {
                        "lowered"
                    };
                    (
                        format!("`{word}` is {how} from {number} to {now}"),
                        Side::New,
                        *at,
                    )
                }
                // One of several that is gone leaves the rest in other places.
                None if now.is_none_or(Vec::is_empty) && !elsewhere(word, *number) => (
                    format!("`{word}`, which was {number}, is gone"),
                    Side::Old,
                    *line,
                ),
                _ => continue,
            };
            let (message, side, line) = weakness;
            let kind = FindingKind::ThresholdLowered;
            found.push(Weakness::at(kind, message, side, vec![line]));
        }
    }
    found
}

fn is_weaker(word: &str, before: f64, after: f64) -> bool {
    if MOST.contains(&word) {
        after > before
    } else {
        after < before
    }
}

fn is_prose(change: &FileChange<'_>) -> bool {
    let name = change.path.to_string().to_ascii_lowercase();
    [".md", ".rst", ".txt", ".adoc", ".html", ".snap", ".lock"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn thresholds(text: &str) -> BTreeMap<&'static str, Vec<Number>> {
    let mut found: BTreeMap<&'static str, Vec<Number>> = BTreeMap::new();
    if text.len() > FILE_BYTES_MAX {
        return found;
    }
    let is_coverage = COVERAGE.iter().any(|word| text.contains(word));
    let covered = COVERED.iter().filter(|_| is_coverage);
    let words: Vec<&'static str> = LEAST.iter().chain(&MOST).chain(covered).copied().collect();
    let words: Vec<&'static str> = words
        .into_iter()
        .filter(|word| text.contains(word))
        .collect();
    for (line, number) in text.lines().zip(1..) {
        let code = line.trim_start();
        if ["#", "//", "*", "/*", "<!--"]
            .iter()
            .any(|mark| code.starts_with(mark))
        {
            continue;
        }
        for word in &words {
            for (at, _) in line.match_indices(word) {
                if is_whole(line, at, word)
                    && let Some(value) = number_behind(&line[at + word.len()..])
                {
                    found.entry(word).or_default().push((value, number));
                }
            }
        }
    }
    found
}

/// Whether a word stands for itself and is no part of a longer one; the dashes of a flag may
/// stand in front of it.
fn is_whole(line: &str, at: usize, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let before = line[..at].trim_end_matches('-');
    let after = line[at + word.len()..].chars().next();
    !before.ends_with(is_part) && !after.is_some_and(|char| is_part(char) || char == '-')
}

/// Returns the number that follows, behind nothing but signs, quotes and blanks.
fn number_behind(rest: &str) -> Option<f64> {
    let value = rest.trim_start_matches([' ', '\t', '=', ':', '"', '\'', '>', ',', '(', '[']);
    let begins = value.len() < rest.len();
    let end = value
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .unwrap_or(value.len());
    if !begins || value[end..].starts_with(|char: char| char.is_alphabetic() || char == '_') {
        return None;
    }
    value[..end].trim_end_matches('.').parse().ok()
}
