//! Tests that go on under another name: their body is mostly what it was.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FileChange,
    facts::{Facts, Names},
};

/// The most pairs of an old and a new test that are compared; beyond that all old ones are gone.
const COMPARED_MAX: usize = 40_000;

/// Returns the new names of tests that are gone under their old ones, both within one file.
///
/// A test goes on where at least half of its lines stand in a test that is new;
/// each new test takes one old name at most.
pub(super) fn pairs(
    change: &FileChange<'_>,
    (old, gone): (&Facts, &Names),
    (new, gained): (&Facts, &Names),
) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    if gone.is_empty() || gained.is_empty() {
        return pairs;
    }
    let (Some(old_text), Some(new_text)) = (change.old, change.new) else {
        return pairs;
    };
    let old_lines: Vec<&str> = old_text.lines().collect();
    let new_lines: Vec<&str> = new_text.lines().collect();
    let bodies =
        |lines: &[&str], facts: &Facts, names: &Names| -> Vec<(String, BTreeSet<String>)> {
            let names = names.keys();
            names
                .map(|name| (name.clone(), body(lines, facts, name)))
                .collect()
        };
    let left = bodies(&old_lines, old, gone);
    let free = bodies(&new_lines, new, gained);
    if left.len() * free.len() > COMPARED_MAX {
        return pairs;
    }
    let mut alike: Vec<_> = left
        .iter()
        .flat_map(|old| free.iter().filter_map(move |new| likeness(old, new)))
        .collect();
    alike.sort_unstable_by(|left, right| right.cmp(left));
    let mut taken = BTreeSet::new();
    for (_, old, new) in alike {
        if !pairs.contains_key(old) && taken.insert(new) {
            pairs.insert(old.to_owned(), new.to_owned());
        }
    }
    pairs
}

/// How alike two tests are, in thousandths and then by their names; `None` where less than half
/// of the old one is left.
fn likeness<'a>(
    (old_name, old): &'a (String, BTreeSet<String>),
    (new_name, new): &'a (String, BTreeSet<String>),
) -> Option<((usize, usize), &'a str, &'a str)> {
    let shared = old.intersection(new).count();
    if shared * 2 < old.len() || (old.is_empty() && !new.is_empty()) {
        return None;
    }
    let body = shared * 1_000 / old.union(new).count().max(1);
    let same = |(a, b): &(u8, u8)| a == b;
    let head = old_name.bytes().zip(new_name.bytes()).take_while(same);
    let tail = old_name.bytes().rev().zip(new_name.bytes().rev());
    let names = head.count() + tail.take_while(same).count();
    Some(((body, names), old_name, new_name))
}

/// Returns renamed tests as names that say both, on the lines of the new ones.
pub(super) fn named(pairs: &BTreeMap<String, String>, tests: &Names) -> Names {
    pairs
        .iter()
        .map(|(old, new)| {
            let line = tests.get(new).and_then(|lines| lines.first());
            (
                format!("`{old}` to `{new}`"),
                vec![line.copied().unwrap_or(1)],
            )
        })
        .collect()
}

/// The lines of a test, trimmed, without its name; what closes a block says nothing.
fn body(lines: &[&str], facts: &Facts, name: &str) -> BTreeSet<String> {
    let Some((begin, end)) = facts.bodies.get(name).copied() else {
        return BTreeSet::new();
    };
    let (begin, end) = (begin.saturating_sub(1) as usize, end as usize);
    let range = begin.min(lines.len())..end.min(lines.len());
    lines[range]
        .iter()
        .map(|line| line.replace(name, "").trim().to_owned())
        .filter(|line| line.chars().any(char::is_alphanumeric) && !line.starts_with("#["))
        .collect()
}
