//! Whether the tests that stayed still assert as much.
//!
//! Each test and each helper is held against itself. A call that asserts counts
//! for what it asserts, so that assertions may go into a helper and come back;
//! and what a new function of the file says word for word was only moved there.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::FindingKind;

use super::{
    FileChange,
    compare::{Counts, Pool, Side, Weakness},
    difference::Difference,
    facts::Facts,
};
use crate::text::one_line;

/// The most functions that a message names.
const SHOWN: usize = 5;

/// Returns what each helper of a file asserts by itself and through what it calls.
pub(super) fn of_helpers(facts: &Facts) -> impl Iterator<Item = (String, usize)> {
    facts
        .helpers
        .iter()
        .map(|name| (name.clone(), lines_of(facts, name).count()))
}

/// Compares the functions that stayed, a test also under another name.
///
/// What stood in one that left the file went with it: it moved, or it is
/// reported with it.
pub(super) fn fewer(
    change: &FileChange<'_>,
    (old, new): (&Facts, &Facts),
    renamed: &BTreeMap<String, String>,
    difference: &Difference,
    pool: &Pool,
) -> Option<Weakness> {
    let moved = Moved::of(change, (old, new));
    let now = |name: &str| {
        renamed
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    };
    let stayed = |name: &str| {
        let is_helper = new.helpers.contains(name) && old.helpers.contains(name);
        is_helper || new.tests.contains_key(&now(name))
    };
    let functions: BTreeSet<&String> = old.assertions.keys().chain(old.delegates.keys()).collect();
    let (mut weaker, mut lines) = (Vec::new(), Vec::new());
    let (mut before, mut after) = (0, 0);
    for name in functions.into_iter().filter(|name| stayed(name)) {
        let had = asserted(old, name, &pool.old_helpers);
        let has = asserted(new, &now(name), &pool.new_helpers);
        if has >= had || has + moved.from(name, &now(name)) >= had {
            continue;
        }
        (before, after) = (before + had, after + has);
        weaker.push(now(name));
        let lost = lines_of(old, name).filter(|line| difference.is_changed(Side::Old, *line));
        lines.extend(lost);
        if lines.is_empty() {
            lines.extend(old.tests.get(name).into_iter().flatten().take(1));
        }
    }
    if weaker.is_empty() {
        return None;
    }
    let message = format!(
        "assertions fell from {before} to {after} in {}",
        listed(&weaker)
    );
    let kind = FindingKind::AssertionsWeakened;
    Some(Weakness::at(kind, message, Side::Old, lines))
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN);
    let shown: Vec<String> = shown
        .map(|name| format!("`{}`", one_line(name, 100)))
        .collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

/// How much a function asserts: by itself, and by what it calls.
fn asserted(facts: &Facts, name: &str, helpers: &Counts) -> usize {
    let own = facts.assertions.get(name).map_or(0, Vec::len);
    let calls = facts.delegates.get(name).into_iter().flatten();
    let called =
        calls.map(|(callee, lines)| lines.len() * helpers.get(callee).copied().unwrap_or(1));
    own + called.sum::<usize>()
}

/// The lines on which a function asserts or calls what does.
fn lines_of<'a>(facts: &'a Facts, name: &str) -> impl Iterator<Item = u32> + 'a {
    let own = facts.assertions.get(name).into_iter().flatten();
    let calls = facts.delegates.get(name).into_iter().flatten();
    own.chain(calls.flat_map(|(_, lines)| lines)).copied()
}

/// What functions say, as text, so that what only moved to a new one is seen.
struct Moved<'a> {
    old: BTreeMap<&'a str, Vec<&'a str>>,
    new: BTreeMap<&'a str, Vec<&'a str>>,
    /// The names that the old text does not have.
    gained: BTreeSet<&'a str>,
}

impl<'a> Moved<'a> {
    fn of(change: &FileChange<'a>, (old, new): (&'a Facts, &'a Facts)) -> Self {
        let is_new = |name: &&str| !old.tests.contains_key(*name) && !old.helpers.contains(*name);
        let names = new.tests.keys().chain(&new.helpers);
        Self {
            old: texts(change.old.unwrap_or_default(), old),
            new: texts(change.new.unwrap_or_default(), new),
            gained: names.map(String::as_str).filter(is_new).collect(),
        }
    }

    /// Counts what `before` said and `after` does not, and one new function does: of its lines at
    /// least one that no other function said.
    fn from(&self, before: &str, after: &str) -> usize {
        let mut lost = self.old.get(before).cloned().unwrap_or_default();
        for kept in self.new.get(after).into_iter().flatten() {
            if let Some(at) = lost.iter().position(|line| line == kept) {
                lost.remove(at);
            }
        }
        let others = self.old.iter().filter(|(name, _)| **name != before);
        let others: BTreeSet<&str> = others.flat_map(|(_, lines)| lines).copied().collect();
        let gained = self.gained.iter().filter_map(|name| self.new.get(name));
        let moved = gained.map(|lines| {
            let mut left = lines.clone();
            let found: Vec<&str> = lost
                .iter()
                .filter(|line| {
                    let at = left.iter().position(|other| other == *line);
                    at.map(|at| left.remove(at)).is_some()
                })
                .copied()
                .collect();
            let is_own = found.iter().any(|line| !others.contains(line));
            if is_own { found.len() } else { 0 }
        });
        moved.sum()
    }
}

/// Returns the text of the lines of each function that asserts.
fn texts<'a>(text: &'a str, facts: &'a Facts) -> BTreeMap<&'a str, Vec<&'a str>> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let line = |number: u32| lines.get(number.saturating_sub(1) as usize).copied();
    let names = facts.assertions.keys().chain(facts.delegates.keys());
    names
        .map(|name| {
            let said = lines_of(facts, name).filter_map(line).collect();
            (name.as_str(), said)
        })
        .collect()
}
