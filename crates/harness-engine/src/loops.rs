//! Notices an agent that repeats itself: the same calls with the same results.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

/// How many calls are remembered.
const REMEMBERED: usize = 40;
/// The longest cycle that is looked for.
const CYCLE_MAX: usize = 4;
/// Rounds of a cycle before the agent is told.
const ROUNDS_TO_NUDGE: usize = 3;
/// Equal calls in a row before the feature is given up.
const EQUAL_CALLS_MAX: usize = 9;
/// Calls spent in a longer cycle before the feature is given up.
const CYCLED_CALLS_MAX: usize = 36;

/// What the last calls look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    None,
    /// Say so to the agent, once per streak.
    Nudge,
    /// Give up.
    Stuck,
}

/// The last calls with their results, as hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loops {
    seen: VecDeque<u64>,
    nudged: bool,
}

impl Loops {
    /// Adds one finished call and says what the whole looks like now.
    pub(crate) fn add(&mut self, tool: &str, arguments: &str, result: &str) -> Repetition {
        let mut hasher = DefaultHasher::new();
        (tool, arguments, result).hash(&mut hasher);
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(hasher.finish());
        self.judge()
    }

    fn judge(&mut self) -> Repetition {
        let longest = (1..=CYCLE_MAX)
            .map(|period| (period, self.cycled_calls(period)))
            .collect::<Vec<_>>();
        let stuck = longest.iter().any(|&(period, calls)| match period {
            1 => calls >= EQUAL_CALLS_MAX,
            _ => calls >= CYCLED_CALLS_MAX,
        });
        let repeating = longest
            .iter()
            .any(|&(period, calls)| calls >= ROUNDS_TO_NUDGE * period);
        match (stuck, repeating, self.nudged) {
            (true, _, _) => Repetition::Stuck,
            (false, true, false) => {
                self.nudged = true;
                Repetition::Nudge
            }
            (false, true, true) => Repetition::None,
            (false, false, _) => {
                self.nudged = false;
                Repetition::None
            }
        }
    }

    /// Counts the calls at the end that repeat with this period, whole rounds only.
    fn cycled_calls(&self, period: usize) -> usize {
        let equal = |back: usize| {
            let end = self.seen.len();
            end.checked_sub(back + period + 1)
                .is_some_and(|earlier| self.seen[end - 1 - back] == self.seen[earlier])
        };
        let repeated = (0..self.seen.len()).take_while(|&back| equal(back)).count();
        if repeated == 0 {
            0
        } else {
            (repeated + period) / period * period
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(calls: impl IntoIterator<Item = (u32, u32)>) -> Vec<Repetition> {
        let mut loops = Loops::default();
        calls
            .into_iter()
            .map(|(call, result)| loops.add("shell", &call.to_string(), &result.to_string()))
            .collect()
    }

    #[test]
    fn the_same_call_with_the_same_result_is_stuck_within_ten() {
        let seen = run(std::iter::repeat_n((1, 1), 10));
        assert_eq!(seen[2], Repetition::Nudge);
        assert_eq!(seen[3], Repetition::None);
        assert_eq!(seen[8], Repetition::Stuck);
    }

    #[test]
    fn a_cycle_of_four_is_stuck_within_forty() {
        let seen = run((0..40).map(|n| (n % 4, 0)));
        assert!(seen.contains(&Repetition::Nudge));
        assert!(seen.contains(&Repetition::Stuck));
    }

    #[test]
    fn polling_something_that_changes_is_healthy() {
        assert!(
            run((0..40).map(|n| (1, n)))
                .iter()
                .all(|&seen| seen == Repetition::None)
        );
    }

    #[test]
    fn the_same_test_between_different_edits_is_healthy() {
        let calls = (0..40).map(|n| if n % 2 == 0 { (n, n) } else { (1, 1) });
        assert!(run(calls).iter().all(|&seen| seen == Repetition::None));
    }
}
