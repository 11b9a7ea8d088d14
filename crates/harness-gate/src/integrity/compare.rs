//! Findings from the facts of a file before and after, and of all files together.

use harness_core::FindingKind;

use super::facts::{Facts, Names, surplus};
use crate::text::one_line;

/// What changed files lost and gained, so that what only moves is no finding.
pub(super) struct Pool {
    gained_tests: Names,
    lost_skips: Names,
    lost_silenced: Names,
    /// Assertions of helpers, which stand under no test's name.
    gained_assertions: u32,
}

impl Pool {
    /// Collects what each file gained or lost, given before and after.
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a Facts, &'a Facts)>) -> Self {
        let mut pool = Self {
            gained_tests: Names::new(),
            lost_skips: Names::new(),
            lost_silenced: Names::new(),
            gained_assertions: 0,
        };
        for (old, new) in files {
            add(&mut pool.gained_tests, surplus(&new.tests, &old.tests));
            add(&mut pool.lost_skips, surplus(&old.skips, &new.skips));
            add(
                &mut pool.lost_silenced,
                surplus(&old.silenced, &new.silenced),
            );
        }
        pool
    }
}

/// Returns what the loss of a file does to tests.
pub(super) fn deleted(old: &Facts, pool: &mut Pool) -> Vec<(FindingKind, String)> {
    named(old, &Facts::default(), pool)
}

/// Returns what a file's change does to tests.
pub(super) fn changed(old: &Facts, new: &Facts, pool: &mut Pool) -> Vec<(FindingKind, String)> {
    let mut findings = named(old, new, pool);
    findings.extend(fewer_assertions(old, new, pool));
    findings
}

/// Returns the findings about things that have names.
fn named(old: &Facts, new: &Facts, pool: &mut Pool) -> Vec<(FindingKind, String)> {
    let gone = take(surplus(&old.tests, &new.tests), &mut pool.gained_tests);
    let skipped = take(surplus(&new.skips, &old.skips), &mut pool.lost_skips);
    let silenced = take(
        surplus(&new.silenced, &old.silenced),
        &mut pool.lost_silenced,
    );
    let exits = surplus(&new.exits, &old.exits);
    let trivial = surplus(&new.trivial, &old.trivial);
    let named = [
        (
            FindingKind::TestsRemoved,
            ["test is gone", "tests are gone"],
            gone,
        ),
        (
            FindingKind::TestsSkipped,
            ["test is newly skipped", "tests are newly skipped"],
            skipped,
        ),
        (
            FindingKind::TestsSkipped,
            [
                "new call ends the test process",
                "new calls end the test process",
            ],
            exits,
        ),
        (
            FindingKind::AssertionsWeakened,
            ["new assertion always holds", "new assertions always hold"],
            trivial,
        ),
        (
            FindingKind::LintSilenced,
            ["lint is newly silenced", "lints are newly silenced"],
            silenced,
        ),
    ];
    named
        .into_iter()
        .filter(|(_, _, names)| !names.is_empty())
        .map(|(kind, what, names)| (kind, describe(what, &names)))
        .collect()
}

/// Compares assertions where tests stayed.
///
/// What stood in tests that left the file went with them: it moved, or it is
/// reported with them.
fn fewer_assertions(old: &Facts, new: &Facts, pool: &mut Pool) -> Option<(FindingKind, String)> {
    let stayed = |test: &str| test.is_empty() || new.tests.contains_key(test);
    let before: u32 = old
        .assertions
        .iter()
        .filter(|(test, _)| stayed(test))
        .map(|(_, count)| count)
        .sum();
    let after: u32 = new.assertions.values().sum();
    let lost = before.saturating_sub(after);
    let moved = lost.min(pool.gained_assertions);
    pool.gained_assertions -= moved;
    if lost > moved {
        let message = format!("assertions fell from {before} to {}", before - lost + moved);
        return Some((FindingKind::AssertionsWeakened, message));
    }
    let emptied: Names = old
        .assertions
        .iter()
        .filter(|(test, _)| new.tests.contains_key(*test))
        .filter(|(test, _)| !new.assertions.contains_key(*test))
        .filter(|(test, _)| !new.delegates.contains_key(*test))
        .map(|(test, _)| (test.clone(), 1))
        .collect();
    let what = [
        "test asserts nothing any more",
        "tests assert nothing any more",
    ];
    let message = describe(what, &emptied);
    (!emptied.is_empty()).then_some((FindingKind::AssertionsWeakened, message))
}

/// Removes from `names` what `pool` holds, and that from the pool.
fn take(mut names: Names, pool: &mut Names) -> Names {
    names.retain(|name, count| {
        if let Some(available) = pool.get_mut(name) {
            let moved = (*count).min(*available);
            *available -= moved;
            *count -= moved;
        }
        *count > 0
    });
    names
}

fn add(names: &mut Names, more: Names) {
    for (name, count) in more {
        *names.entry(name).or_default() += count;
    }
}

/// Writes how many there are, in the singular or the plural, and the first names.
fn describe([one, many]: [&str; 2], names: &Names) -> String {
    const SHOWN: usize = 5;
    let total: u32 = names.values().sum();
    let shown: Vec<String> = names
        .keys()
        .take(SHOWN)
        .map(|name| format!("`{}`", one_line(name, 100)))
        .collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if total == 1 { one } else { many };
    format!("{total} {what}: {}{more}", shown.join(", "))
}
