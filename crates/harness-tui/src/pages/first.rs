//! The first run: who could do the work, what the repository would run, what could be written.

use harness_report::clean_line;

use super::State;
use crate::{
    found::FirstFound,
    text::{Role, Row, shortened, width},
};

/// The longest name that is shown. Unit: characters.
const NAME_CHARS: usize = 80;

/// Somebody who could do the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Worker {
    /// A recording on a project of its own.
    #[default]
    Demo,
    /// A model server on this machine.
    Local,
    /// A model behind a key.
    Key,
    /// Nobody: a person works by hand.
    Nobody,
}

impl Worker {
    /// Everybody, in the order in which they are offered.
    pub(crate) const ALL: [Self; 4] = [Self::Demo, Self::Local, Self::Key, Self::Nobody];

    const fn name(self) -> &'static str {
        match self {
            Self::Demo => "recorded demo",
            Self::Local => "local server",
            Self::Key => "API key",
            Self::Nobody => "nobody yet",
        }
    }
}

/// The page of the first run.
#[derive(Debug, Default)]
pub(crate) struct First {
    pub(crate) state: State,
    /// Which row is chosen.
    pub(crate) at: usize,
    /// What was found.
    pub(crate) found: FirstFound,
    /// Whether it came up by itself already.
    pub(crate) was_shown: bool,
}

impl First {
    pub(crate) fn fill(&mut self, found: FirstFound) {
        self.found = found;
        self.state = State::There;
    }

    /// Returns who is chosen.
    pub(crate) fn chosen(&self) -> Worker {
        Worker::ALL.get(self.at).copied().unwrap_or_default()
    }

    /// Whether what it shows is not known yet.
    const fn is_looking(&self) -> bool {
        matches!(self.state, State::Unknown | State::Asked)
    }

    /// Says why somebody cannot do the work.
    pub(crate) fn obstacle(&self, worker: Worker) -> Option<&'static str> {
        match worker {
            Worker::Local | Worker::Key if self.is_looking() => {
                Some("it is still being looked up who can")
            }
            Worker::Local if self.found.local.is_empty() => {
                Some("no server with models answers on this machine: `harness models` lists them")
            }
            Worker::Key if self.found.keys.is_empty() => {
                Some("no key is set in the environment: `harness models` names the variables")
            }
            _ => None,
        }
    }

    /// Returns the rows: everybody, then what the repository would run and what could be written.
    pub(crate) fn rows(&self, columns: usize) -> Vec<Row> {
        let found = &self.found;
        let mut rows = vec![Row::of(Role::Title, "  Who does the work?")];
        for (at, worker) in Worker::ALL.into_iter().enumerate() {
            let is_here = at == self.at;
            let is_there = self.obstacle(worker).is_none();
            let (strong, quiet) = if is_there {
                (Role::Strong, Role::Plain)
            } else {
                (Role::Quiet, Role::Quiet)
            };
            let mark = if is_here { " > " } else { "   " };
            rows.push(
                Row::of(Role::Strong, mark)
                    .and(strong, format!(" {}  {:<20}", at + 1, worker.name()))
                    .and(
                        quiet,
                        shortened(&self.about(worker), columns.saturating_sub(27)),
                    ),
            );
        }
        rows.push(Row::default());
        let asked = |title: &str, text: &str, aside: &str| {
            let text = shortened(text, columns.saturating_sub(31));
            let room = columns.saturating_sub(31 + width(&text));
            Row::of(Role::Title, format!("  {title:<28}"))
                .and(Role::Plain, text)
                .and(Role::Quiet, shortened(aside, room))
        };
        let gates = list(&found.gates, "none found");
        rows.push(match found.has_config {
            _ if self.is_looking() => asked("What will this repo run?", "", ""),
            true => asked(
                "What will this repo run?",
                &gates,
                "   asked once, as `trust`",
            ),
            false => asked(
                "What will this repo run?",
                "nothing yet",
                &match found.gates.is_empty() {
                    true => "   (no gates found)".to_owned(),
                    false => format!("   (gates found: {gates})"),
                },
            ),
        });
        let write = match found.write.as_slice() {
            [] if self.is_looking() => String::new(),
            [] => "nothing".to_owned(),
            patterns => patterns.join("  "),
        };
        rows.push(asked(
            "What may be written?",
            &clean_line(&write, NAME_CHARS),
            "",
        ));
        let kept = "kept safe: harness.toml, .git, gate files";
        let kept = shortened(kept, columns.saturating_sub(31));
        rows.push(Row::of(Role::Quiet, format!("  {:<28}{kept}", "")));
        rows
    }

    fn about(&self, worker: Worker) -> String {
        let found = &self.found;
        match worker {
            Worker::Local | Worker::Key if self.is_looking() => "looking".to_owned(),
            Worker::Demo => "no key, no network, about 90 s".to_owned(),
            Worker::Local => match found.local.as_slice() {
                [] => "none answers".to_owned(),
                [one] => clean_line(one, NAME_CHARS),
                many => format!("{} models with tools", many.len()),
            },
            Worker::Key => match found.keys.as_slice() {
                [] => "none found in the environment".to_owned(),
                [(model, variable)] => {
                    clean_line(&format!("{variable} is set: {model}"), NAME_CHARS)
                }
                many => format!("{} models have their key", many.len()),
            },
            Worker::Nobody => "features, gates, review and checkpoints work by hand".to_owned(),
        }
    }
}

fn list(names: &[String], none: &str) -> String {
    match names {
        [] => none.to_owned(),
        names => clean_line(&names.join(", "), NAME_CHARS),
    }
}
