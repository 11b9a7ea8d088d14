//! Notices an agent that repeats itself: the same calls with the same results.
//!
//! Calls are the same when they mean the same, however they are written. Results are compared
//! twice: as they are, and without what only says how late it is; of the second kind
//! more are needed, so that whoever waits for something is not taken for one who repeats.

use std::{
    collections::VecDeque,
    fmt::{self, Write as _},
    hash::{DefaultHasher, Hash, Hasher},
};

use harness_core::{Action, EndReason, ToolCall, TurnNumber};
use harness_tool::{Intent, ToolFault};

use crate::{
    drift::{Remark, steady},
    words,
};

/// How many calls are remembered.
const REMEMBERED: usize = 64;
/// The longest cycle that is looked for.
const CYCLE_MAX: usize = 4;

/// When repetitions are told, and when they are the end.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Rounds of a cycle before the agent is told.
    rounds_to_nudge: usize,
    /// Equal calls in a row before the feature is given up.
    equal_calls: usize,
    /// Calls spent in a longer cycle before the feature is given up.
    cycled_calls: usize,
}

/// For results that are the same.
const EXACT: Bounds = Bounds {
    rounds_to_nudge: 3,
    equal_calls: 9,
    cycled_calls: 36,
};
/// For results that are the same but for times.
const BUT_FOR_TIMES: Bounds = Bounds {
    rounds_to_nudge: 5,
    equal_calls: 15,
    cycled_calls: 48,
};

/// One call with its result, as hashes.
#[derive(Debug)]
struct Seen {
    exact: u64,
    but_for_times: u64,
    turn: TurnNumber,
    /// The call for people.
    shown: String,
}

/// Calls at the end of those that are remembered, whole rounds of one cycle.
struct Cycle {
    period: usize,
    calls: usize,
}

/// The last calls with their results.
#[derive(Debug, Default)]
pub(crate) struct Loops {
    seen: VecDeque<Seen>,
    nudged: bool,
}

impl Loops {
    /// Adds one finished call and says what the whole looks like now.
    pub(crate) fn add(
        &mut self,
        turn: TurnNumber,
        asked: &ToolCall,
        intent: &Result<Intent, ToolFault>,
        result: &str,
    ) -> Option<Remark> {
        let called = hash_of_call(asked, intent);
        let hash = |result: &str| {
            let mut hasher = called.clone();
            result.hash(&mut hasher);
            hasher.finish()
        };
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen {
            exact: hash(result),
            but_for_times: hash(&steady(result)),
            turn,
            shown: words::call(&asked.name, &asked.arguments),
        });
        self.judge()
    }

    fn judge(&mut self) -> Option<Remark> {
        let exact = self.cycles(|seen| seen.exact);
        let but_for_times = self.cycles(|seen| seen.but_for_times);
        let found = |reached: fn(&Cycle, Bounds) -> bool| {
            let exact = exact.iter().find(|cycle| reached(cycle, EXACT));
            exact.or_else(|| {
                but_for_times
                    .iter()
                    .find(|cycle| reached(cycle, BUT_FOR_TIMES))
            })
        };
        if let Some(cycle) = found(Cycle::is_stuck) {
            let detail = words::repeated(
                &self.round(cycle),
                cycle.calls / cycle.period,
                self.since(cycle),
            );
            return Some(Remark::GiveUp(EndReason::Stuck, detail));
        }
        let Some(cycle) = found(Cycle::is_to_be_told) else {
            self.nudged = false;
            return None;
        };
        if std::mem::replace(&mut self.nudged, true) {
            return None;
        }
        Some(Remark::Nudge(words::repeating(
            &self.round(cycle),
            cycle.calls / cycle.period,
            self.since(cycle),
        )))
    }

    fn cycles(&self, hash: fn(&Seen) -> u64) -> Vec<Cycle> {
        let cycle = |period| Cycle {
            period,
            calls: self.cycled_calls(period, hash),
        };
        (1..=CYCLE_MAX).map(cycle).collect()
    }

    /// Counts the calls at the end that repeat with this period, whole rounds only.
    fn cycled_calls(&self, period: usize, hash: fn(&Seen) -> u64) -> usize {
        let equal = |back: usize| {
            let end = self.seen.len();
            end.checked_sub(back + period + 1).is_some_and(|earlier| {
                hash(&self.seen[end - 1 - back]) == hash(&self.seen[earlier])
            })
        };
        let repeated = (0..self.seen.len()).take_while(|&back| equal(back)).count();
        if repeated == 0 {
            0
        } else {
            (repeated + period) / period * period
        }
    }

    /// Returns the calls of the last round.
    fn round(&self, cycle: &Cycle) -> Vec<&str> {
        let first = self.seen.len().saturating_sub(cycle.period);
        let round = self.seen.iter().skip(first);
        round.map(|seen| seen.shown.as_str()).collect()
    }

    /// Returns the turn of the first round.
    fn since(&self, cycle: &Cycle) -> TurnNumber {
        let first = self.seen.len().saturating_sub(cycle.calls);
        self.seen.get(first).map_or(TurnNumber(0), |seen| seen.turn)
    }
}

impl Cycle {
    const fn is_stuck(&self, bounds: Bounds) -> bool {
        match self.period {
            1 => self.calls >= bounds.equal_calls,
            _ => self.calls >= bounds.cycled_calls,
        }
    }

    const fn is_to_be_told(&self, bounds: Bounds) -> bool {
        self.calls >= bounds.rounds_to_nudge * self.period
    }
}

/// Hashes what a call means: how its arguments are written, and the blanks of a command, make no difference.
pub(crate) fn hash_of_call(asked: &ToolCall, intent: &Result<Intent, ToolFault>) -> DefaultHasher {
    let mut hasher = DefaultHasher::new();
    asked.name.hash(&mut hasher);
    match intent {
        Ok(intent) => {
            let mut meant = Meant {
                text: String::new(),
                folds_blanks: matches!(intent, Intent::Act(Action::Run { .. })),
            };
            // Writing to a text cannot fail.
            let _ = write!(meant, "{intent:?}");
            meant.text.hash(&mut hasher);
        }
        Err(_) => asked.arguments.trim().hash(&mut hasher),
    }
    hasher
}

/// What a call means, in words; several blanks can count as one.
struct Meant {
    text: String,
    folds_blanks: bool,
}

impl fmt::Write for Meant {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.folds_blanks {
            self.text.push_str(text);
            return Ok(());
        }
        for piece in text.split_inclusive(' ') {
            let is_blank_again = piece == " " && self.text.ends_with(' ');
            if !is_blank_again {
                self.text.push_str(piece);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shell(arguments: &str) -> ToolCall {
        ToolCall {
            id: "1".to_owned(),
            name: "shell".to_owned(),
            arguments: arguments.to_owned(),
        }
    }

    fn run_texts(calls: impl IntoIterator<Item = (String, String)>) -> Vec<Option<Remark>> {
        let mut loops = Loops::default();
        (1..)
            .zip(calls)
            .map(|(turn, (arguments, result))| {
                let asked = shell(&arguments);
                let intent = harness_tool::parse(&asked, Path::new("/repo"));
                loops.add(TurnNumber(turn), &asked, &intent, &result)
            })
            .collect()
    }

    fn command(call: u32) -> String {
        format!("{{\"command\":\"make {call}\"}}")
    }

    fn run(calls: impl IntoIterator<Item = (u32, u32)>) -> Vec<Option<Remark>> {
        run_texts(
            calls
                .into_iter()
                .map(|(call, result)| (command(call), result.to_string())),
        )
    }

    fn is_nudge(remark: &Option<Remark>) -> bool {
        matches!(remark, Some(Remark::Nudge(_)))
    }

    fn is_stuck(remark: &Option<Remark>) -> bool {
        matches!(remark, Some(Remark::GiveUp(EndReason::Stuck, _)))
    }

    #[test]
    fn the_same_call_with_the_same_result_is_stuck_within_ten() {
        let seen = run(std::iter::repeat_n((1, 1), 10));
        let Some(Remark::Nudge(told)) = &seen[2] else {
            panic!("{seen:?}")
        };
        assert!(told.contains("`shell` {\"command\":\"make 1\"}"), "{told}");
        assert!(told.contains("3 times since turn 1"), "{told}");
        assert_eq!(seen[3], None);
        assert!(is_stuck(&seen[8]));
    }

    #[test]
    fn a_cycle_of_four_is_stuck_within_forty() {
        let seen = run((0..40).map(|n| (n % 4, 0)));
        assert!(seen.iter().any(is_nudge));
        assert!(seen.iter().any(is_stuck));
    }

    #[test]
    fn a_call_written_otherwise_is_the_same_call() {
        let spelled = [
            "{\"command\":\"cargo test\"}",
            "{ \"command\" : \"cargo  test\" }",
        ];
        let seen = run_texts((0..10).map(|n| (spelled[n % 2].to_owned(), "red".to_owned())));
        assert!(is_nudge(&seen[2]) && is_stuck(&seen[8]), "{seen:?}");
    }

    #[test]
    fn results_that_differ_by_times_alone_take_longer() {
        let seen =
            run_texts((0..16).map(|n| (command(1), format!("1 failed, finished in 0.{n:02}s"))));
        assert!(seen[3].is_none() && is_nudge(&seen[4]), "{seen:?}");
        assert!(seen[8].is_none() && is_stuck(&seen[14]), "{seen:?}");
    }

    #[test]
    fn polling_something_that_changes_is_healthy() {
        let seen =
            run_texts((0..40).map(|n| (command(1), format!("{n} of 40 built, 10:14:{n:02}"))));
        assert!(seen.iter().all(Option::is_none));
    }

    #[test]
    fn the_same_test_between_different_edits_is_healthy() {
        let calls = (0..40).map(|n| if n % 2 == 0 { (n + 2, n) } else { (1, 1) });
        assert!(run(calls).iter().all(Option::is_none));
    }
}
