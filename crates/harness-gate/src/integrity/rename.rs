//! Tests that go on under another name: their body is mostly what it was.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FileChange,
    facts::{Facts, Names},
};

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
    let mut free: Vec<(&String, BTreeSet<String>)> = gained
        .keys()
        .map(|name| (name, body(&new_lines, new, name)))
        .collect();
    for name in gone.keys() {
        let lines = body(&old_lines, old, name);
        let shared = |other: &BTreeSet<String>| lines.intersection(other).count();
        let best = (0..free.len()).max_by_key(|at| shared(&free[*at].1));
        if let Some(at) = best.filter(|at| shared(&free[*at].1) * 2 >= lines.len().max(1)) {
            pairs.insert(name.clone(), free.remove(at).0.clone());
        }
    }
    pairs
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
