//! What a file says about tests, by name, with the lines where it says so.

use std::collections::{BTreeMap, BTreeSet};

/// The lines on which each name occurs, counted from 1, in order.
pub(super) type Names = BTreeMap<String, Vec<u32>>;

/// What was found in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Tests by name.
    pub(super) tests: Names,
    /// Where each test begins and the line before the next test or function.
    pub(super) bodies: BTreeMap<String, (u32, u32)>,
    /// Skipped tests by name; a mark that belongs to none has the name of the mark.
    pub(super) skips: Names,
    /// Those of them that are skipped under no condition.
    pub(super) always: BTreeSet<String>,
    /// Functions that are no tests.
    pub(super) helpers: BTreeSet<String>,
    /// Assertions by the function they stand in or behind; before the first, under no name.
    pub(super) assertions: Names,
    /// Assertions that always hold.
    pub(super) trivial: Names,
    /// Places where a failed assertion does not count.
    pub(super) swallowed: Names,
    /// Silenced lints by name.
    pub(super) silenced: Names,
    /// By function, what it calls that may assert for it, and on which lines.
    pub(super) delegates: BTreeMap<String, Names>,
    /// Calls that end the test process.
    pub(super) exits: Names,
}

/// Whether a test is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skipped {
    /// It is.
    #[default]
    No,
    /// Not where a condition holds, such as on one system.
    Sometimes,
    /// It is not.
    Always,
}

/// One thing found in a text, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A test begins.
    Test { name: String, skipped: Skipped },
    /// A function begins that is no test.
    Helper(String),
    /// The test that is open is skipped; where none is, the mark goes by this word.
    Skip(String, Skipped),
    /// Something of this name is skipped, or it alone is run.
    SkipNamed(String, Skipped),
    /// An assertion, written out where it always holds.
    Assertion { trivial: Option<String> },
    /// A call of this function, which may assert.
    Delegate(String),
    /// A place where a failed assertion does not count.
    Swallowed(String),
    /// A silenced lint.
    Silenced(String),
    /// A call that ends the test process.
    Exit(String),
}

/// Collects the marks of a text, each with its line; `last` is the text's last line.
pub(super) fn fold(marks: impl IntoIterator<Item = (u32, Mark)>, last: u32) -> Facts {
    let mut facts = Facts::default();
    // The function that is open, and whether it is a test.
    let (mut function, mut test, mut begin) = (String::new(), String::new(), 1);
    for (line, mark) in marks {
        match mark {
            Mark::Test { name, skipped } => {
                facts.close(&test, begin, line.saturating_sub(1));
                facts.skip(&name, skipped, line);
                add(&mut facts.tests, &name, line);
                (function, test, begin) = (name.clone(), name, line);
            }
            Mark::Helper(name) => {
                facts.close(&test, begin, line.saturating_sub(1));
                test.clear();
                facts.helpers.insert(name.clone());
                function = name;
            }
            Mark::SkipNamed(name, skipped) => facts.skip(&name, skipped, line),
            Mark::Skip(word, skipped) if test.is_empty() => facts.skip(&word, skipped, line),
            Mark::Skip(_, skipped) => facts.skip(&test, skipped, line),
            Mark::Assertion { trivial } => {
                add(&mut facts.assertions, &function, line);
                if let Some(text) = trivial {
                    add(&mut facts.trivial, &text, line);
                }
            }
            Mark::Delegate(callee) => {
                let callees = facts.delegates.entry(function.clone()).or_default();
                add(callees, &callee, line);
            }
            Mark::Swallowed(text) => add(&mut facts.swallowed, &text, line),
            Mark::Silenced(lint) => add(&mut facts.silenced, &lint, line),
            Mark::Exit(call) => add(&mut facts.exits, &call, line),
        }
    }
    facts.close(&test, begin, last);
    facts
}

impl Facts {
    fn skip(&mut self, name: &str, skipped: Skipped, line: u32) {
        if skipped != Skipped::No {
            add(&mut self.skips, name, line);
        }
        if skipped == Skipped::Always {
            self.always.insert(name.to_owned());
        }
    }

    fn close(&mut self, test: &str, begin: u32, end: u32) {
        if !test.is_empty() {
            self.bodies.insert(test.to_owned(), (begin, end.max(begin)));
        }
    }
}

fn add(names: &mut Names, name: &str, line: u32) {
    names.entry(name.to_owned()).or_default().push(line);
}

/// Returns the names that are more often in `more` than in `less`, each with as many lines as
/// there are too many: those first that `is_changed`.
pub(super) fn surplus(more: &Names, less: &Names, is_changed: impl Fn(u32) -> bool) -> Names {
    let mut result = Names::new();
    for (name, lines) in more {
        let other = less.get(name).map_or(0, Vec::len);
        let count = lines.len().saturating_sub(other);
        if count == 0 {
            continue;
        }
        let mut lines = lines.clone();
        lines.sort_by_key(|line| (!is_changed(*line), *line));
        lines.truncate(count);
        lines.sort_unstable();
        result.insert(name.clone(), lines);
    }
    result
}
