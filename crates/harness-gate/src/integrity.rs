//! What a change does to the tests: removed, skipped, weakened, or a lint silenced.
//!
//! It reads text, not programs, line by line and with care: comments and strings
//! are taken out, then the words of the usual test frameworks are counted by name
//! and held against each other. A parser per language would know more and still
//! not every way to weaken a test, which is why gates count tests as well. Findings
//! go to the engine, and a person decides; scope and protected paths are the
//! guard's business.

mod assertions;
mod compare;
mod difference;
mod facts;
mod fixture;
mod identity;
mod language;
mod lexer;
mod moved;
mod rename;
mod scan;
mod threshold;

use harness_core::{Finding, FindingKind, RepoPath};

use compare::{Pool, Side, Weakness};
use difference::Difference;
use facts::Facts;
use language::Language;

pub use fixture::is_fixture;
pub use identity::{HUNK_BYTES_MAX, HUNKS_BYTES_MAX, bound_hunks, with_change};

/// Larger files are not read: a person or a program that looks at them sees more.
const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A file before and after; absent where it did not or does not exist, or is no text.
#[derive(Clone, Debug)]
pub struct FileChange<'a> {
    /// The file.
    pub path: RepoPath,
    /// Its text before.
    pub old: Option<&'a str>,
    /// Its text now.
    pub new: Option<&'a str>,
}

/// Returns what the changes, taken together, do to tests, in the order of the files.
///
/// A test, a skip or a suppression that moves from one changed file to another
/// under its name is no finding, and a test file that moves is judged as if it had been changed in
/// its place. At most one finding per hunk and kind of
/// weakness, with the names it is about; each has its line, its hunk and its id.
pub fn inspect(changes: &[FileChange<'_>]) -> Vec<Finding> {
    let changes = &moved::joined(changes);
    let sides: Vec<Sides> = changes.iter().map(Sides::read).collect();
    let mut moved = Pool::of(sides.iter().map(|sides| (&sides.old, &sides.new)));
    let mut findings = Vec::new();
    for (change, sides) in changes.iter().zip(&sides) {
        let difference = Difference::of(change);
        let mut found = if is_fixture(&change.path) {
            fixture::changed(change, changes)
        } else {
            match sides.language {
                // A script is a test as a whole, with names or without.
                Some(Language::Shell) if change.new.is_none() => other_file(change, changes),
                Some(_) if change.new.is_none() => compare::deleted(&sides.old, &mut moved),
                Some(_) => {
                    compare::changed(change, &sides.old, &sides.new, &difference, &mut moved)
                }
                None => other_file(change, changes),
            }
        };
        found.extend(threshold::lowered(change, changes));
        for weakness in found {
            findings.extend(weakness.findings(&change.path, &difference));
        }
    }
    findings
}

/// Whether a path is a test's by the customs of the common test runners.
pub fn is_test_path(path: &RepoPath) -> bool {
    language::is_test_file(path)
}

/// Gives a finding about a file the whole change of it: its first line, its hunks and its id.
#[must_use]
pub fn about_file(finding: Finding, change: &FileChange<'_>) -> Finding {
    let difference = Difference::of(change);
    let line = finding.line.or_else(|| difference.first_line());
    let hunks: Vec<_> = difference.hunks.iter().collect();
    identity::of_hunks(finding.kind, &finding.path, finding.message, line, &hunks)
}

/// The facts of a file before and after.
struct Sides {
    language: Option<Language>,
    old: Facts,
    new: Facts,
}

impl Sides {
    fn read(change: &FileChange<'_>) -> Self {
        let language = Language::of(&change.path);
        let is_test = language::is_test_file(&change.path);
        let facts = |text: Option<&str>| match (language, text) {
            (Some(language), Some(text)) if text.len() <= FILE_BYTES_MAX => {
                scan::facts(language, text, is_test)
            }
            _ => Facts::default(),
        };
        Self {
            language,
            old: facts(change.old),
            new: facts(change.new),
        }
    }
}

/// Judges a file whose language is not known: among tests it must not vanish.
fn other_file(change: &FileChange<'_>, changes: &[FileChange<'_>]) -> Vec<Weakness> {
    let is_gone = change.old.is_some() && change.new.is_none();
    let moved = || {
        changes.iter().any(|other| {
            other.old.is_none() && other.new == change.old && language::is_test_file(&other.path)
        })
    };
    if is_gone && language::is_test_file(&change.path) && !moved() {
        let message = "the file stood among the tests and is gone";
        return vec![Weakness::whole(
            FindingKind::TestsRemoved,
            message,
            Side::Old,
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
