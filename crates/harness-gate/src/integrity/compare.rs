//! Weaknesses from the facts of a file before and after, and of all files together.

use std::collections::BTreeMap;

use harness_core::{Finding, FindingKind, RepoPath};

use super::{
    FileChange, assertions,
    difference::Difference,
    facts::{Facts, Names, surplus},
    identity, rename,
};
use crate::text::one_line;

/// In which text something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It is gone.
    Old,
    /// It is new.
    New,
}

/// How a message is made.
enum Said {
    /// From how many there are, in the singular or the plural, and the first names.
    Counted([&'static str; 2]),
    /// As it is, about all places together.
    Whole(String),
}

/// Something that a change of one file does to tests.
pub(super) struct Weakness {
    kind: FindingKind,
    said: Said,
    side: Side,
    names: Names,
}

impl Weakness {
    /// One that is about the file as a whole.
    pub(super) fn whole(kind: FindingKind, message: &str, side: Side) -> Self {
        Self::at(kind, message.to_owned(), side, Vec::new())
    }

    /// One that is about these lines together.
    pub(super) fn at(kind: FindingKind, message: String, side: Side, lines: Vec<u32>) -> Self {
        Self {
            kind,
            said: Said::Whole(message),
            side,
            names: Names::from([(String::new(), lines)]),
        }
    }

    fn named(kind: FindingKind, said: [&'static str; 2], side: Side, names: Names) -> Option<Self> {
        let said = Said::Counted(said);
        (!names.is_empty()).then_some(Self {
            kind,
            said,
            side,
            names,
        })
    }

    /// Makes the findings: one per hunk where names are counted, else one about all of its hunks.
    pub(super) fn findings(self, path: &RepoPath, difference: &Difference) -> Vec<Finding> {
        let mut by_hunk: BTreeMap<Option<usize>, Names> = BTreeMap::new();
        for (name, lines) in self.names {
            for line in lines {
                let hunk = difference.hunk_at(self.side, line);
                let names = by_hunk.entry(hunk).or_default();
                names.entry(name.clone()).or_default().push(line);
            }
        }
        let hunk = |at: &Option<usize>| at.and_then(|at| difference.hunks.get(at));
        let first = |names: &Names| names.values().flatten().copied().min();
        match self.said {
            Said::Counted(words) => by_hunk
                .iter()
                .map(|(at, names)| {
                    let hunks: Vec<_> = hunk(at).into_iter().collect();
                    let message = describe(words, names);
                    identity::of_hunks(self.kind, path, message, first(names), &hunks)
                })
                .collect(),
            Said::Whole(message) => {
                let line = by_hunk.values().filter_map(first).min();
                let line = line.or_else(|| difference.first_line());
                let mut hunks: Vec<_> = by_hunk.keys().filter_map(hunk).collect();
                if hunks.is_empty() {
                    hunks = difference.hunks.iter().collect();
                }
                vec![identity::of_hunks(self.kind, path, message, line, &hunks)]
            }
        }
    }
}

/// What changed files lost and gained, so that what only moves is no finding.
pub(super) struct Pool {
    gained_tests: Counts,
    lost_skips: Counts,
    lost_silenced: Counts,
    /// What helpers in the changed files assert, before and after.
    pub(super) old_helpers: Counts,
    pub(super) new_helpers: Counts,
}

pub(super) type Counts = BTreeMap<String, usize>;

impl Pool {
    /// Collects what each file gained or lost, given before and after.
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a Facts, &'a Facts)>) -> Self {
        let mut pool = Self {
            gained_tests: Counts::new(),
            lost_skips: Counts::new(),
            lost_silenced: Counts::new(),
            old_helpers: Counts::new(),
            new_helpers: Counts::new(),
        };
        let any = |_| true;
        for (old, new) in files {
            add(
                &mut pool.gained_tests,
                &surplus(&new.tests, &old.tests, any),
            );
            add(&mut pool.lost_skips, &surplus(&old.skips, &new.skips, any));
            add(
                &mut pool.lost_silenced,
                &surplus(&old.silenced, &new.silenced, any),
            );
            pool.old_helpers.extend(assertions::of_helpers(old));
            pool.new_helpers.extend(assertions::of_helpers(new));
        }
        pool
    }
}

/// Returns what the loss of a file does to tests.
pub(super) fn deleted(old: &Facts, pool: &mut Pool) -> Vec<Weakness> {
    let gone = take(
        surplus(&old.tests, &Names::new(), |_| true),
        &mut pool.gained_tests,
    );
    let gone = Weakness::named(FindingKind::TestsRemoved, GONE, Side::Old, gone);
    gone.into_iter().collect()
}

const GONE: [&str; 2] = ["test is gone", "tests are gone"];

/// Returns what a file's change does to tests.
pub(super) fn changed(
    change: &FileChange<'_>,
    old: &Facts,
    new: &Facts,
    difference: &Difference,
    pool: &mut Pool,
) -> Vec<Weakness> {
    let is_gone = |line| difference.is_changed(Side::Old, line);
    let is_new = |line| difference.is_changed(Side::New, line);
    let mut gone = take(
        surplus(&old.tests, &new.tests, is_gone),
        &mut pool.gained_tests,
    );
    let gained = surplus(&new.tests, &old.tests, is_new);
    let renamed = rename::pairs(change, (old, &gone), (new, &gained));
    for name in renamed.keys() {
        gone.remove(name);
    }
    let mut skipped = take(
        surplus(&new.skips, &old.skips, is_new),
        &mut pool.lost_skips,
    );
    // A new test that does not run everywhere takes nothing away from what there was.
    let was_there = |name: &String| {
        let old_text = change.old.unwrap_or_default();
        let is_class = change
            .new
            .is_some_and(|new| new.contains(&format!("class {name}")));
        match new.tests.contains_key(name) {
            true => old.tests.contains_key(name) || renamed.values().any(|after| after == name),
            false if is_class => old_text.contains(name.as_str()),
            // A mark of the file as a whole.
            false => !old.tests.is_empty(),
        }
    };
    skipped.retain(|name, _| new.always.contains(name) || was_there(name));
    // A test that was skipped under its old name is not newly skipped.
    for (before, after) in &renamed {
        if old.skips.contains_key(before) && !new.skips.contains_key(before) {
            skipped.remove(after);
        }
    }
    let silenced = take(
        surplus(&new.silenced, &old.silenced, is_new),
        &mut pool.lost_silenced,
    );
    let exits = surplus(&new.exits, &old.exits, is_new);
    let trivial = surplus(&new.trivial, &old.trivial, is_new);
    let swallowed = surplus(&new.swallowed, &old.swallowed, is_new);
    let counted = [
        (FindingKind::TestsRemoved, GONE, Side::Old, gone),
        (
            FindingKind::TestsRenamed,
            ["test is renamed", "tests are renamed"],
            Side::New,
            rename::named(&renamed, &new.tests),
        ),
        (
            FindingKind::TestsSkipped,
            ["test is newly skipped", "tests are newly skipped"],
            Side::New,
            skipped,
        ),
        (
            FindingKind::TestsSkipped,
            [
                "new call ends the test process",
                "new calls end the test process",
            ],
            Side::New,
            exits,
        ),
        (
            FindingKind::AssertionsWeakened,
            ["new assertion always holds", "new assertions always hold"],
            Side::New,
            trivial,
        ),
        (
            FindingKind::AssertionsWeakened,
            [
                "new place lets a failed assertion pass",
                "new places let failed assertions pass",
            ],
            Side::New,
            swallowed,
        ),
        (
            FindingKind::LintSilenced,
            ["lint is newly silenced", "lints are newly silenced"],
            Side::New,
            silenced,
        ),
    ];
    let mut found: Vec<Weakness> = counted
        .into_iter()
        .filter_map(|(kind, said, side, names)| Weakness::named(kind, said, side, names))
        .collect();
    let sides = (old, new);
    found.extend(assertions::fewer(change, sides, &renamed, difference, pool));
    found
}

/// Removes from `names` what `pool` holds, and that from the pool.
fn take(mut names: Names, pool: &mut Counts) -> Names {
    names.retain(|name, lines| {
        if let Some(available) = pool.get_mut(name) {
            let moved = lines.len().min(*available);
            *available -= moved;
            lines.truncate(lines.len() - moved);
        }
        !lines.is_empty()
    });
    names
}

fn add(counts: &mut Counts, more: &Names) {
    for (name, lines) in more {
        *counts.entry(name.clone()).or_default() += lines.len();
    }
}

/// Writes how many there are, in the singular or the plural, and the first names.
fn describe([one, many]: [&str; 2], names: &Names) -> String {
    const SHOWN: usize = 5;
    let total: usize = names.values().map(Vec::len).sum();
    let shown: Vec<String> = names
        .keys()
        .take(SHOWN)
        .map(|name| {
            // A name that is two says so itself.
            if name.starts_with('`') {
                one_line(name, 200)
            } else {
                format!("`{}`", one_line(name, 100))
            }
        })
        .collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if total == 1 { one } else { many };
    format!("{total} {what}: {}{more}", shown.join(", "))
}
