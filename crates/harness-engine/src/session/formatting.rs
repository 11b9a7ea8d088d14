//! What formatters made of the agent's edits, and what it is told of them.
//!
//! A formatter decides nothing and stops nothing. Its work is part of the next checkpoint; the
//! agent hears which files do not hold what it wrote. Called by `apply`, and where the
//! results of an answer are gathered.

use std::collections::{BTreeMap, BTreeSet};

use harness_core::{Formatted, RepoPath};

use super::Session;
use crate::words;

/// What was heard of formatters.
#[derive(Debug, Default)]
pub(super) struct Formatting {
    /// The files that each has changed and that were not told, by its command.
    changed: BTreeMap<String, BTreeSet<RepoPath>>,
    /// The problems that were not told, by command.
    problems: BTreeMap<String, String>,
    /// How each has failed last: that is told once.
    known: BTreeMap<String, String>,
}

impl Formatting {
    fn hear(&mut self, formatted: &Formatted) {
        let run = formatted.run.join(" ");
        if !formatted.changed.is_empty() {
            let changed = self.changed.entry(run.clone()).or_default();
            changed.extend(formatted.changed.iter().cloned());
        }
        let problem = &formatted.problem;
        if problem.is_empty() {
            self.known.remove(&run);
            self.problems.remove(&run);
        } else if self.known.get(&run) != Some(problem) {
            self.known.insert(run.clone(), problem.clone());
            self.problems.insert(run, problem.clone());
        }
    }

    fn take_words(&mut self) -> Vec<String> {
        let changed = std::mem::take(&mut self.changed);
        let problems = std::mem::take(&mut self.problems);
        let changed = changed
            .iter()
            .map(|(run, paths)| words::formatted(run, paths));
        let failed = problems
            .iter()
            .map(|(run, problem)| words::format_failed(run, problem));
        changed.chain(failed).collect()
    }
}

impl Session {
    pub(super) fn on_formatted(&mut self, formatted: &Formatted) {
        self.formatting.hear(formatted);
    }

    /// Tells the agent, beside the results of its calls, what formatters have changed.
    pub(super) fn tell_formatting(&mut self) {
        for text in self.formatting.take_words() {
            self.talk.tell(text);
        }
    }
}
