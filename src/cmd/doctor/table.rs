//! The attempts as a table for people, and in words what the table cannot say.

use std::collections::BTreeMap;

use harness_core::Level;
use harness_host::process::{Attempted, Outcome, Owed, owed};

/// The widths of the table's columns. Unit: characters.
const ATTEMPT_WIDTH: usize = 35;
const LEVEL_WIDTH: usize = 17;

/// What was tried at one level.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) level: Level,
    pub(super) attempts: Vec<Attempted>,
}

impl Column {
    /// Returns the attempts that worked though the level owes to prevent them.
    pub(super) fn broken(&self) -> impl Iterator<Item = &Attempted> {
        let level = self.level;
        self.attempts.iter().filter(move |made| !holds(made, level))
    }
}

/// Whether a level does against an attempt what it owes.
pub(super) fn holds(made: &Attempted, level: Level) -> bool {
    made.outcome != Outcome::Allowed || owed(made.attempt, level) != Owed::Prevented
}

/// Returns the table: a line per attempt, a column per level.
pub(super) fn lines(columns: &[Column]) -> Vec<String> {
    let mut head = format!("{:ATTEMPT_WIDTH$}", "attempt");
    for column in columns {
        head.push_str(&format!("{:LEVEL_WIDTH$}", column.level.as_str()));
    }
    let mut lines = vec![head.trim_end().to_owned()];
    let rows = columns.iter().map(|column| column.attempts.len()).min();
    for row in 0..rows.unwrap_or(0) {
        let mut line = format!(
            "{:ATTEMPT_WIDTH$}",
            columns[0].attempts[row].attempt.words()
        );
        for column in columns {
            let made = &column.attempts[row];
            if made.outcome == Outcome::NotHere {
                line.push_str(Outcome::NotHere.as_str());
                break;
            }
            line.push_str(&format!("{:LEVEL_WIDTH$}", word(made, column.level)));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn word(made: &Attempted, level: Level) -> &'static str {
    match (made.outcome, owed(made.attempt, level)) {
        (Outcome::Allowed, Owed::Prevented) => "ALLOWED",
        (Outcome::Allowed, Owed::Undone) => "found and undone",
        (outcome, _) => outcome.as_str(),
    }
}

/// Says what is not owed and why, what `found and undone` means, and why something could not be tried.
pub(super) fn notes(columns: &[Column]) -> Vec<String> {
    let mut notes = Vec::new();
    let is_undone = |column: &Column| {
        let mut words = column.attempts.iter().map(|made| word(made, column.level));
        words.any(|word| word == "found and undone")
    };
    if columns.iter().any(is_undone) {
        notes.push("found and undone: it worked; a run compares the repository's files after each command and puts back what was changed".to_owned());
    }
    for column in columns {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for made in &column.attempts {
            if let (Outcome::Allowed, Owed::Nothing(reason)) =
                (made.outcome, owed(made.attempt, column.level))
            {
                reasons
                    .entry(reason)
                    .or_default()
                    .push(made.attempt.words());
            }
        }
        for (reason, attempts) in reasons {
            let what = if column.level == Level::None {
                "all that is allowed".to_owned()
            } else {
                attempts.join(", ")
            };
            notes.push(format!("not owed by {}: {what}: {reason}", column.level));
        }
    }
    for made in columns.first().map_or(&[][..], |column| &column.attempts) {
        if made.outcome == Outcome::NotHere {
            notes.push(format!(
                "not on this machine: {}, without confinement either: {}",
                made.attempt, made.detail
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness_host::process::Attempt;

    fn column(level: Level, outcomes: &[(Attempt, Outcome)]) -> Column {
        let made = |(attempt, outcome): &(Attempt, Outcome)| Attempted {
            attempt: *attempt,
            outcome: *outcome,
            detail: "said".to_owned(),
        };
        Column {
            level,
            attempts: outcomes.iter().map(made).collect(),
        }
    }

    #[test]
    fn what_is_owed_and_allowed_stands_out() {
        let tried = |write, make| {
            [
                (Attempt::WriteOutside, write),
                (Attempt::MakeProtected, make),
                (Attempt::OpenVsock, Outcome::NotHere),
            ]
        };
        let columns = [
            column(
                Level::Namespaces,
                &tried(Outcome::Prevented, Outcome::Allowed),
            ),
            column(
                Level::Landlock,
                &tried(Outcome::Allowed, Outcome::Prevented),
            ),
            column(Level::None, &tried(Outcome::Allowed, Outcome::Allowed)),
        ];
        assert_eq!(
            lines(&columns),
            [
                "attempt                            namespaces       landlock         none",
                "write a file outside               prevented        ALLOWED          allowed",
                "make an absent protected file      found and undone prevented        found and undone",
                "open a vsock                       not on this machine",
            ]
        );
        let broken: Vec<usize> = columns
            .iter()
            .map(|column| column.broken().count())
            .collect();
        assert_eq!(broken, [0, 1, 0]);
        assert_eq!(
            notes(&columns)[1..],
            [
                "not owed by none: all that is allowed: processes are not confined",
                "not on this machine: open a vsock, without confinement either: said",
            ]
        );
    }
}
