//! What a file says about tests, as counts by name.

use std::collections::BTreeMap;

/// How often each name occurs.
pub(super) type Names = BTreeMap<String, u32>;

/// What was found in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Tests by name.
    pub(super) tests: Names,
    /// Skipped tests by name; a mark that belongs to none has the name of the mark.
    pub(super) skips: Names,
    /// Assertions by the test they stand in or behind; before the first test, under no name.
    pub(super) assertions: Names,
    /// Assertions that always hold.
    pub(super) trivial: Names,
    /// Silenced lints by name.
    pub(super) silenced: Names,
    /// Tests that call something that may assert for them.
    pub(super) delegates: Names,
    /// Calls that end the test process.
    pub(super) exits: Names,
}

/// One thing found in a text, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A test begins.
    Test { name: String, skipped: bool },
    /// A function begins that is no test.
    Helper,
    /// The test that is open is skipped; where none is, the mark goes by this word.
    Skip(String),
    /// Something of this name is skipped, or it alone is run.
    SkipNamed(String),
    /// An assertion, written out where it always holds.
    Assertion { trivial: Option<String> },
    /// A call that may assert.
    Delegate,
    /// A silenced lint.
    Silenced(String),
    /// A call that ends the test process.
    Exit(String),
}

/// Counts the marks of a text.
pub(super) fn fold(marks: impl IntoIterator<Item = Mark>) -> Facts {
    let mut facts = Facts::default();
    let mut test = String::new();
    for mark in marks {
        match mark {
            Mark::Test { name, skipped } => {
                if skipped {
                    count(&mut facts.skips, name.clone());
                }
                count(&mut facts.tests, name.clone());
                test = name;
            }
            Mark::Helper => test.clear(),
            Mark::SkipNamed(name) => count(&mut facts.skips, name),
            Mark::Skip(word) if test.is_empty() => count(&mut facts.skips, word),
            Mark::Skip(_) => count(&mut facts.skips, test.clone()),
            Mark::Assertion { trivial } => {
                count(&mut facts.assertions, test.clone());
                if let Some(text) = trivial {
                    count(&mut facts.trivial, text);
                }
            }
            Mark::Delegate => count(&mut facts.delegates, test.clone()),
            Mark::Silenced(lint) => count(&mut facts.silenced, lint),
            Mark::Exit(call) => count(&mut facts.exits, call),
        }
    }
    facts
}

fn count(names: &mut Names, name: String) {
    *names.entry(name).or_default() += 1;
}

/// Returns the names that are more often in `more` than in `less`, with the surplus.
pub(super) fn surplus(more: &Names, less: &Names) -> Names {
    more.iter()
        .map(|(name, count)| {
            let other = less.get(name).copied().unwrap_or(0);
            (name.clone(), count.saturating_sub(other))
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}
